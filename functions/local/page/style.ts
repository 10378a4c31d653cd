import { DARK, LIGHT, variables } from '../../../core/report/page/palette.ts';

/** The look of the reports, for a page that is worked with. */
export const STYLE = `
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 24px 48px}
header{display:flex;align-items:baseline;justify-content:space-between;gap:16px}
h1{font-size:1.15rem;font-weight:600;margin:0 0 12px;color:var(--muted)}
h2{font-size:1.3rem;line-height:1.3;margin:36px 0 10px;padding-top:14px;border-top:2px solid var(--ink)}
p{margin:0 0 10px;max-width:76ch}
a{color:var(--blue)}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
.empty{color:var(--muted)}
[hidden]{display:none!important}
ul{list-style:none;margin:0;padding:0}
.job{display:grid;grid-template-columns:9em minmax(0,1fr) auto;gap:2px 18px;align-items:start;padding:12px 0;border-bottom:1px solid var(--grid)}
.status{font-weight:600}
.status.failed{color:var(--orange)}
.status.succeeded{color:var(--blue)}
.what{min-width:0;overflow-wrap:anywhere}
.what p{margin:0}
.what small{display:block;color:var(--muted);font-variant-numeric:tabular-nums}
.acts{display:flex;flex-wrap:wrap;gap:6px 14px;align-items:center;justify-content:flex-end}
progress{width:100%;max-width:420px;height:8px;accent-color:var(--blue)}
form.panel{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:16px 20px}
.fields{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,240px),1fr));gap:12px 20px;margin-bottom:14px}
label{display:block;font-size:.88rem;font-weight:600}
label small{font-weight:400;color:var(--muted)}
input,select,textarea{display:block;width:100%;margin-top:3px;padding:7px 9px;font:inherit;font-weight:400;color:var(--ink);background:var(--page);border:1px solid var(--muted);border-radius:4px;min-width:0}
textarea{font:12px/1.5 ui-monospace,SFMono-Regular,Consolas,"Liberation Mono",monospace;min-height:9em;resize:vertical}
button{font:inherit;font-weight:600;padding:6px 14px;border:1px solid var(--blue);border-radius:4px;background:var(--blue);color:var(--page);cursor:pointer}
button.quiet{background:none;color:var(--blue);padding:3px 10px}
button:disabled{opacity:.6;cursor:default}
details{margin:22px 0 0}
summary{cursor:pointer;color:var(--blue);padding:3px 0 8px}
.say{min-height:1.5em;margin:10px 0 0;overflow-wrap:anywhere}
.say.bad{color:var(--orange);font-weight:600}
.login{max-width:26em;margin:12vh auto 0}
@media (max-width:600px){
main{padding:16px 16px 40px}
.job{grid-template-columns:minmax(0,1fr)}
.acts{justify-content:flex-start;margin-top:4px}
form.panel{padding:14px}
}
`;
