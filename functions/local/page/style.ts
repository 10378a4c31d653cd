import { DARK, LIGHT, variables } from '../../../core/report/page/palette.ts';

/** The look of the reports, for a page that is worked with. */
export const STYLE = `
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
main{max-width:1280px;margin:0 auto;padding:20px 28px 48px}
header{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:4px 16px}
nav{margin-left:auto}
nav a{display:inline-block;padding:4px 0 4px 14px}
.columns{display:grid;grid-template-columns:minmax(320px,400px) minmax(0,1fr);gap:0 48px;align-items:start}
h1{font-size:1.15rem;font-weight:600;margin:0 0 6px;color:var(--muted)}
h2{font-size:1.3rem;line-height:1.3;margin:14px 0 12px;padding-top:12px;border-top:2px solid var(--ink)}
.lists section:not([hidden])~section h2{margin-top:40px}
h3{font-size:1rem;margin:0 0 6px}
p{margin:0 0 10px;max-width:76ch}
a{color:var(--blue)}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
.empty,.hint{color:var(--muted)}
[hidden]{display:none!important}
ul{list-style:none;margin:0;padding:0}
.job{display:grid;grid-template-columns:8.5em minmax(0,1fr) auto;gap:2px 18px;align-items:start;padding:12px 0;border-bottom:1px solid var(--grid)}
.job:first-child{padding-top:2px}
.status{font-weight:600}
.status::before{content:"";display:inline-block;width:.6em;height:.6em;margin-right:.5em;border-radius:50%;border:2px solid currentcolor}
.status.running::before,.status.succeeded::before,.status.failed::before{background:currentcolor}
.status.failed{color:var(--orange)}
.status.failed::before{border-radius:0}
.status.succeeded,.status.running{color:var(--blue)}
.status.cancelled,.status.queued,.status.submitted,.status.none{color:var(--muted)}
.what{min-width:0;overflow-wrap:anywhere}
.what p{margin:0}
.what .reason{font-weight:600}
.what small{display:block;color:var(--muted);font-variant-numeric:tabular-nums}
.acts{display:flex;flex-direction:column;gap:6px;align-items:flex-end;text-align:right;max-width:16em}
.acts li{overflow-wrap:anywhere}
.acts details{margin:0}
.acts summary{padding:0}
.open{font-weight:600}
progress{width:100%;height:8px;accent-color:var(--blue)}
.what progress{display:block;max-width:420px;margin:4px 0}
.panel{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:16px 18px;margin:0 0 16px}
.field{margin:0 0 12px}
label{display:block;font-size:.88rem;font-weight:600}
.hint{display:block;font-size:.82rem;line-height:1.4;margin:3px 0 0}
p.hint{font-size:.88rem;margin:0 0 12px}
input,select,textarea{display:block;width:100%;margin-top:3px;padding:7px 9px;font:inherit;font-weight:400;color:var(--ink);background:var(--page);border:1px solid var(--muted);border-radius:4px;min-width:0}
input::placeholder{color:var(--muted)}
input[type=file]{padding:5px;font-size:.88rem;border-style:dashed}
input[type=file]::file-selector-button{font:inherit;font-weight:600;margin-right:10px;padding:4px 10px;border:1px solid var(--blue);border-radius:4px;background:none;color:var(--blue);cursor:pointer}
textarea{font:12px/1.5 ui-monospace,SFMono-Regular,Consolas,"Liberation Mono",monospace;min-height:9em;resize:vertical}
button{font:inherit;font-weight:600;padding:7px 16px;border:1px solid var(--blue);border-radius:4px;background:var(--blue);color:var(--page);cursor:pointer}
button.quiet{background:none;color:var(--blue);padding:3px 10px}
button.sure{border-color:var(--orange);color:var(--orange)}
button:disabled{opacity:.6;cursor:default}
.chips{display:flex;flex-wrap:wrap;gap:6px;margin:-4px 0 12px}
.chips:empty{display:none}
.chips button{font-size:.82rem;font-weight:400;padding:2px 9px;border-color:var(--muted);border-radius:12px;background:none;color:var(--ink);max-width:100%;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.chips button[aria-pressed=true]{background:var(--blue);border-color:var(--blue);color:var(--page)}
#sending{display:flex;flex-wrap:wrap;align-items:center;gap:4px 12px;margin:0 0 8px}
#sent-text{flex:1;color:var(--muted);font-variant-numeric:tabular-nums}
details{margin:0 0 16px}
summary{cursor:pointer;color:var(--blue);padding:3px 0 8px}
.say{margin:10px 0 0;overflow-wrap:anywhere}
.say:empty{display:none}
ul.say{font-size:.88rem}
#go-on{margin-top:10px}
.hint.more{margin:-8px 0 12px}
[aria-invalid=true]{border-color:var(--orange)}
.say.bad{color:var(--orange);font-weight:600}
.login{max-width:26em;margin:12vh auto 0}
.login button{margin-top:14px}
@media (max-width:920px){
nav{margin:0}
nav a{padding:4px 14px 4px 0}
.lists h2{margin-top:32px}
.columns{grid-template-columns:minmax(0,1fr)}
}
@media (max-width:600px){
main{padding:16px 16px 40px}
.job{grid-template-columns:minmax(0,1fr)}
.acts{flex-flow:row wrap;gap:6px 16px;align-items:flex-start;justify-content:flex-start;text-align:left;max-width:none;margin-top:4px}
.panel{padding:14px}
}
`;
