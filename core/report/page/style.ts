import { type Html, html } from '../text/html.ts';
import { DARK, LIGHT, variables } from './palette.ts';

const TEXT = html`
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 24px 48px}
h1,h2,h3,p,li,dd,dt,th,td,figcaption,summary{overflow-wrap:anywhere}
h1{font-size:1.15rem;font-weight:600;margin:0 0 12px;color:var(--muted)}
h2{font-size:1.3rem;line-height:1.3;margin:44px 0 10px;padding-top:14px;border-top:2px solid var(--ink)}
h3{font-size:1.08rem;margin:26px 0 8px}
p{margin:0 0 10px;max-width:76ch}
ul{margin:0 0 10px;padding-left:20px;max-width:80ch}
li{margin:3px 0}
small{display:block;font-size:.82em;font-weight:400;line-height:1.35;color:var(--muted)}
abbr{text-decoration:none}
a{color:var(--blue)}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
.muted{color:var(--muted)}
code{font:12px/1.5 ui-monospace,SFMono-Regular,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
.tag{display:inline-block;line-height:1.4;margin:2px 0 3px;font-size:.75em;font-weight:600;border:1px solid currentcolor;border-radius:3px;padding:0 5px;color:var(--blue);white-space:nowrap}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:18px 0 0;padding:0;max-width:none;font-size:.9rem}
nav li{margin:0}
nav a{display:inline-block;padding:3px 0}
footer{margin-top:44px;border-top:1px solid var(--rule);padding-top:12px;color:var(--muted);font-size:.85rem}
`;

const VERDICT = html`
.verdict{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:18px 20px 6px;margin-bottom:12px}
.status{margin:0 0 8px}
.badge{display:inline-block;border:2px solid currentcolor;border-radius:4px;padding:1px 10px;font-weight:700;margin-right:6px}
.improved .badge{color:var(--blue)}
.not-improved .badge{color:var(--ink)}
.rejected .badge{color:var(--orange)}
.gate{display:inline-block;border:1.5px solid currentcolor;border-radius:4px;padding:0 8px;font-weight:600;margin-right:6px;white-space:nowrap}
.gate.pass{color:var(--blue)}
.gate.fail{color:var(--orange)}
.gate.inconclusive{color:var(--ink);border-style:dashed}
.headline{font-size:1.42rem;line-height:1.35;font-weight:600;margin-bottom:12px;max-width:44em;text-wrap:pretty}
.verdict ul{font-size:1.08rem}
dl{margin:0 0 12px}
dd{margin:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));border-top:1px solid var(--rule);margin:14px 0 0}
.tiles>div{padding:10px 14px 10px 0}
.tiles dt{font-size:.82rem;color:var(--muted)}
.tiles dd{font-size:1.12rem;font-weight:600;font-variant-numeric:tabular-nums}
.tiles small{font-weight:400;font-size:.8rem}
.facts>div{display:grid;grid-template-columns:8.5em 1fr;gap:12px;padding:3px 0;border-bottom:1px solid var(--grid)}
.facts dt,.guide dt{color:var(--muted)}
.facts{max-width:70ch}
.guide{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:4px 28px;font-size:.88rem;margin:8px 0 4px}
.guide dt{font-weight:600}
.notice{max-width:none;border-left:4px solid var(--blue);background:var(--note-panel);border-radius:0 4px 4px 0;padding:9px 14px;margin:0 0 8px}
.notice.warning{border-left-color:var(--orange);background:var(--warning-panel)}
.notice.warning strong{color:var(--orange)}
details{margin:0 0 14px}
summary{cursor:pointer;color:var(--blue);padding:3px 0}
`;

const TABLES = html`
.scroll{overflow-x:auto;margin:0 0 20px;max-width:100%;background:linear-gradient(to right,var(--page) 30%,transparent) 0 0/40px 100% no-repeat local,linear-gradient(to left,var(--page) 30%,transparent) 100% 0/40px 100% no-repeat local,linear-gradient(to right,var(--shade),transparent) 0 0/12px 100% no-repeat scroll,linear-gradient(to left,var(--shade),transparent) 100% 0/12px 100% no-repeat scroll}
table{border-collapse:separate;border-spacing:0;font-size:.88rem;font-variant-numeric:tabular-nums;min-width:min(100%,420px)}
caption{text-align:left;font-weight:600;padding:6px 0;font-size:.92rem}
th,td{padding:5px 14px 5px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid)}
thead th{font-weight:600;color:var(--muted);border-bottom:1px solid var(--ink);vertical-align:bottom;line-height:1.25;overflow-wrap:normal}
tbody th{font-weight:600;min-width:7em;max-width:22em}
th[scope=rowgroup]{max-width:14em}
tbody .model{font-weight:400;min-width:4em}
tbody .model.wide{min-width:8.5em}
tbody .ordinal{min-width:2em;font-weight:400}
thead th:first-child,th[scope=rowgroup],tbody th:not(.model){position:sticky;left:0;background:var(--page)}
tbody:has(tr+tr)+tbody tr:first-child>*{border-top:1px solid var(--muted)}
.number{text-align:right;padding:5px 0 5px 16px}
.number+td:not(.number),.number+th:not(.number){padding-left:22px}
td.number{white-space:nowrap;overflow-wrap:normal}
td.number small{white-space:normal;overflow-wrap:anywhere;min-width:7em}
td.number small:has(.fraction){white-space:nowrap;min-width:0}
td.text{min-width:8em}
td.long{min-width:17em}
td em{color:var(--muted)}
.figure{font-weight:600}
.range{white-space:nowrap}
td.heat{--share:0;background:color-mix(in srgb,var(--blue) calc(var(--share)*42%),var(--page));border:1px solid var(--page);padding:6px 10px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
td.heat small{color:var(--ink)}
td.heat.none{background:var(--panel)}
tr.gap>*{border-top:1px solid var(--ink);font-weight:600}
.slider{display:flex;flex-wrap:wrap;align-items:center;gap:4px 14px;max-width:none}
.slider[hidden]{display:none}
.slider label{font-weight:600}
.slider input{flex:1 1 220px;max-width:420px;min-height:28px;accent-color:var(--blue)}
.slider output{font-weight:600;font-variant-numeric:tabular-nums;min-width:4em}
.bar-cell{white-space:nowrap}
.bar{vertical-align:-1px;margin-right:6px}
.bar-whole{fill:var(--grid)}
.bar-part{fill:var(--blue)}
.tables{display:flex;flex-wrap:wrap;gap:0 56px}
.tables table{min-width:260px}
`;

const CHARTS = html`
figure{margin:0 0 20px}
figcaption{font-size:.85rem;color:var(--muted);max-width:90ch}
.pictures{display:flex;flex-wrap:wrap;gap:8px 40px;margin-bottom:4px}
.pairs .panel{flex-basis:40%;min-width:min(100%,300px)}
.beside{display:grid;grid-template-columns:minmax(0,450px) minmax(0,1fr);gap:0 40px;align-items:start}
.panel{flex:1 1 320px;max-width:450px;min-width:0}
.panel-title{font-weight:600;font-size:.92rem;margin:0 0 2px}
.chart{display:block;width:100%;max-width:calc(var(--width)*1.25);height:auto;font-family:inherit}
.chart text{font-size:11px;fill:var(--ink);font-variant-numeric:tabular-nums}
.chart .tick{font-size:10px;fill:var(--muted)}
.chart .muted{fill:var(--muted)}
.chart .strong{font-weight:600}
.chart .name{font-weight:600;unicode-bidi:isolate}
.chart .halo{paint-order:stroke;stroke:var(--page);stroke-width:3px}
.grid{stroke:var(--grid)}
.track{stroke:var(--muted);stroke-width:1}
.track.empty{stroke-dasharray:2 5}
.move{stroke:var(--muted);stroke-width:3}
.before{fill:var(--orange);stroke:var(--orange)}
.after{fill:var(--blue);stroke:var(--blue)}
.line{fill:none;stroke-width:2}
.task{stroke:var(--blue)}
.disparity{stroke:var(--orange)}
.line.disparity{stroke-dasharray:6 4}
.dot.task{fill:var(--blue);stroke:var(--page)}
.dot.disparity{fill:var(--orange);stroke:var(--page)}
.chart .ink-task{fill:var(--blue);font-weight:600}
.chart .ink-disparity{fill:var(--orange);font-weight:600}
.curve{fill:none;stroke-width:2}
.curve-1{stroke:var(--blue)}
.curve-2{stroke:var(--orange);stroke-dasharray:7 4}
.curve-3{stroke:var(--green);stroke-dasharray:2 3}
.curve-4{stroke:var(--purple);stroke-dasharray:10 3 2 3}
.curve-5{stroke:var(--ink);stroke-dasharray:14 5}
.curve-6{stroke:var(--muted);stroke-dasharray:4 2 1 2 1 2}
.dot{stroke:var(--page)}
.dot-1{fill:var(--blue)}
.dot-2{fill:var(--orange)}
.dot-3{fill:var(--green)}
.dot-4{fill:var(--purple)}
.dot-5{fill:var(--ink)}
.dot-6{fill:var(--muted)}
.diagonal{stroke:var(--muted);stroke-dasharray:3 4}
.zero{stroke:var(--ink);stroke-width:1.2}
.track.faint{stroke:var(--grid)}
.whisker{fill:none;stroke:var(--blue);stroke-width:2}
.interval{fill:none;stroke:var(--ink);stroke-width:1;opacity:.45}
.point{stroke-width:1.6}
.bmft{fill:var(--blue);stroke:var(--blue)}
.control{fill:var(--orange);stroke:var(--orange)}
.original{fill:var(--ink);stroke:var(--ink)}
.hollow{fill:var(--page);stroke-width:2}
.ring{fill:none;stroke:var(--ink);stroke-width:2}
.tile{flex:0 1 200px}
.raises{fill:var(--orange)}
.lowers{fill:var(--blue)}
`;

const PRINT = html`
:lang(ja) thead th,:lang(ja) .tag{word-break:keep-all}
@media (max-width:900px){.beside{grid-template-columns:minmax(0,1fr)}}
@media (max-width:600px){
main{padding:16px 16px 40px}
.verdict{padding:14px 14px 4px}
.headline{font-size:1.2rem}
.tiles{grid-template-columns:repeat(auto-fit,minmax(130px,1fr))}
.tiles dd{font-size:1rem}
.facts>div{grid-template-columns:6.5em 1fr}
tbody th{min-width:7.4em;max-width:8.4em;padding-right:8px}
.number{padding-left:9px}
.guide{grid-template-columns:1fr}
}
@page{size:A4;margin:14mm}
@media print{
html{font-size:11.5px}
body{font-size:9.5pt}
.tiles{grid-template-columns:repeat(4,1fr)}
main{max-width:none;padding:0}
nav{display:none}
.scroll{overflow:visible;background:none}
table{font-size:7.6pt;min-width:0}
th,td{padding:2.5pt 5pt 2.5pt 0}
.number{padding:2.5pt 0 2.5pt 5pt}
tbody th,tbody .model.wide,td.text,td.long,td.number small{min-width:0}
thead th{word-break:normal}
thead th bdi,details thead th{overflow-wrap:anywhere}
summary,h3+p{break-after:avoid}
.range{white-space:normal}
thead th:first-child,th[scope=rowgroup],tbody th:not(.model){position:static}
h2,h3,caption,thead,.panel-title{break-after:avoid}
tr,figure,.notice,.verdict{break-inside:avoid}
.headline{font-size:14pt}
.panel{flex-basis:40%}
.beside{grid-template-columns:minmax(0,40%) minmax(0,1fr);gap:0 16px}
.slider,.without-script{display:none}
details::details-content{content-visibility:visible;display:block;block-size:auto}
summary{color:var(--ink);list-style:none;font-weight:600}
}
`;

const PALETTES = html`:root{color-scheme:light dark;${variables(LIGHT)}}
@media screen and (prefers-color-scheme:dark){:root{${variables(DARK)}}}`;

/** For a chart in a file of its own. */
export const CHART_STYLE: Html = html`<style>
${PALETTES}
svg{background:var(--page);font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
${CHARTS}</style>`;

/** The style sheet: both palettes, then rules. Print always takes the light one. */
export const STYLE: Html = html`<style>
${PALETTES}
${TEXT}${VERDICT}${TABLES}${CHARTS}${PRINT}</style>`;
