// The style sheet of the view, scoped to .nbd: it changes nothing around it.
//
// Colours are those of Okabe and Ito, told apart with any colour vision; each fate has a
// sign and a filling of its own too. The theme of JupyterLab, VS Code or Colab decides between
// light and dark there, elsewhere the reader's system does.

const LIGHT = `--ink:#1b2430;--soft:#5b6776;--faint:#dfe4ea;--paper:#fff;--card:#f6f8fa;--group:#eef2f6;
--ran:#0072b2;--on-ran:#fff;--replayed:#00805d;--replayed-fill:#dff4ec;--doubt:#8a5a00;--doubt-fill:#ffe3a3;
--error:#c04a00;--on-error:#fff;--running:#56b4e9;--on-running:#06263a;color-scheme:light;`;
const DARK = `--ink:#e6edf3;--soft:#9aa7b4;--faint:#2b333d;--paper:#0f1419;--card:#171e26;--group:#1c242d;
--ran:#3d9bdc;--on-ran:#04131f;--replayed:#3fd6a4;--replayed-fill:#0e3329;--doubt:#ffc857;--doubt-fill:#4a3500;
--error:#ff8b4d;--on-error:#240d00;--running:#7cc8f5;--on-running:#06263a;color-scheme:dark;`;
const CONTRAST = `--ink:CanvasText;--soft:CanvasText;--faint:GrayText;--paper:Canvas;--card:Canvas;--group:Canvas;
--ran:LinkText;--on-ran:Canvas;--replayed:CanvasText;--replayed-fill:Canvas;--doubt:CanvasText;--doubt-fill:Canvas;
--error:CanvasText;--on-error:Canvas;--running:GrayText;--on-running:Canvas;`;

export const STYLE = `
.nbd{${LIGHT}}
@media(prefers-color-scheme:dark){.nbd{${DARK}}}
[data-jp-theme-light=true] .nbd,.vscode-light .nbd,.vscode-high-contrast-light .nbd,html[theme=light] .nbd{${LIGHT}}
[data-jp-theme-light=false] .nbd,.vscode-dark .nbd,.vscode-high-contrast:not(.vscode-high-contrast-light) .nbd,html[theme=dark] .nbd{${DARK}}
@media(forced-colors:active){.nbd{${CONTRAST}}.nbd .share span,.nbd .bar i,.nbd .tip{forced-color-adjust:none}}
.nbd{color:var(--ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
max-width:1080px;text-align:start;container-type:inline-size;contain:layout style;overflow:hidden}
.nbd *{box-sizing:border-box}
.nbd p{margin:2px 0}
.nbd .soft{color:var(--soft)}
.nbd code,.nbd pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
background:none;color:inherit;padding:0;border:0;unicode-bidi:isolate}
.nbd bdi,.nbd .told{unicode-bidi:isolate;overflow-wrap:anywhere}
.nbd header{display:flex;flex-wrap:wrap;gap:6px 32px;align-items:flex-end;justify-content:space-between;margin:0 0 12px}
.nbd h1{font-size:22px;line-height:1.2;margin:0;font-weight:650;overflow-wrap:anywhere}
.nbd h2{font-size:12px;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:20px 0 6px;font-weight:600}
.nbd h2 span{text-transform:none}
.nbd h3{font-size:12px;color:var(--soft);font-weight:600;margin:8px 0 2px}
.nbd .hero{text-align:end;line-height:1.25}
.nbd .hero b{font-size:26px;font-weight:680;color:var(--replayed);font-variant-numeric:tabular-nums}
.nbd .share{display:flex;flex-wrap:wrap;gap:3px;font-size:12.5px;font-weight:600;line-height:26px;
margin:0 0 8px}
.nbd .share span{padding:0 10px;white-space:nowrap;overflow:hidden;min-width:max-content;border-radius:4px}
.nbd .share .replayed{color:var(--replayed);background:var(--replayed-fill);box-shadow:inset 0 0 0 1.5px var(--replayed)}
.nbd .share .ran{color:var(--on-ran);background:var(--ran)}
.nbd .share .running{color:var(--on-running);background:var(--running)}
.nbd .share .in-doubt{color:var(--doubt);background:var(--doubt-fill);outline:1.4px dashed var(--doubt);outline-offset:-1.4px}
.nbd .share .waiting,.nbd .share .stopped{color:var(--doubt);box-shadow:inset 0 0 0 1.5px var(--doubt)}
.nbd .share .error{color:var(--on-error);background:var(--error)}
.nbd .stop{color:var(--error);font-weight:600}
.nbd button{font:inherit;color:var(--ink);background:var(--paper);border:1px solid var(--soft);border-radius:6px;
padding:2px 12px;cursor:pointer;min-height:28px;max-width:100%;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.nbd button:hover:not(:disabled,[aria-disabled=true]){background:var(--card)}
.nbd button:is(:disabled,[aria-disabled=true]){opacity:.55;cursor:default}
.nbd button.plain{border:0;background:none;padding:0;min-height:24px;min-width:24px;text-align:start;white-space:normal;overflow-wrap:anywhere}
.nbd :focus-visible{outline:2px solid var(--ran);outline-offset:1px;border-radius:4px}
.nbd .need{border:1.5px solid var(--doubt);background:var(--doubt-fill);border-radius:8px;padding:9px 14px;margin:6px 0}
.nbd .need code,.nbd .need .told,.nbd .need .asked{overflow-wrap:anywhere}
.nbd .need .asked{margin:4px 0;font-size:1.1em;font-weight:600;white-space:pre-wrap;max-height:240px;overflow:auto}
.nbd .need .say{display:flex;flex-wrap:wrap;gap:6px;margin-top:6px;align-items:center}
.nbd .need .say button{white-space:normal;overflow-wrap:anywhere;text-align:start}
.nbd .need dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 18px;margin:6px 0 0}
.nbd .need dt,.nbd .need dd{margin:0}
.nbd input{font:inherit;color:var(--ink);background:var(--paper);border:1px solid var(--soft);border-radius:6px;
padding:2px 8px;min-height:28px;min-width:0;flex:1 1 140px;max-width:320px}
.nbd pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:2px 0 8px;max-height:240px;overflow:auto;
background:var(--card);border-radius:6px;padding:8px 10px;color:var(--ink)}
.nbd table{border-collapse:collapse;width:100%;font:inherit;table-layout:fixed;margin:0;color:inherit}
.nbd tr{background:none!important}
.nbd th{text-align:start;color:var(--soft);font-weight:500;font-size:12px;padding:0 8px 3px;border:0}
.nbd td{padding:5px 8px;border:0;border-top:1px solid var(--faint);text-align:start;vertical-align:baseline;
overflow-wrap:anywhere}
.nbd td:first-child,.nbd th:first-child{padding-inline-start:2px}
.nbd .cells .name{font-weight:640}
.nbd .cells button{display:inline-flex;align-items:baseline}
.nbd .cells .free{color:var(--replayed)}
.nbd .cells .pay{color:var(--ran);font-weight:600}
.nbd .cells .asks{color:var(--doubt);font-weight:600}
.nbd .stale{color:var(--doubt)}
.nbd .sign{display:inline-block;flex:none;width:20px;font-weight:700}
.nbd .sign.ran,.nbd .sign.running{color:var(--ran)}.nbd .sign.replayed{color:var(--replayed)}
.nbd .sign.in-doubt,.nbd .sign.waiting{color:var(--doubt)}.nbd .sign.error,.nbd .sign.stopped{color:var(--error)}
.nbd .lanes{position:relative;touch-action:pan-y}
.nbd canvas{display:block;width:100%;cursor:pointer;border-radius:6px}
.nbd [hidden]{display:none!important}
.nbd .brush{position:relative;margin:4px 0 0;touch-action:none}
.nbd .brush canvas{height:28px;border-radius:4px;cursor:crosshair}
.nbd .brush .window{position:absolute;top:0;bottom:0;border:1.5px solid var(--ink);border-radius:4px;background:var(--ink);
background:color-mix(in srgb,var(--ink) 8%,transparent);cursor:grab;min-width:8px}
.nbd .brush .window::before,.nbd .brush .window::after{content:"";position:absolute;top:7px;bottom:7px;width:2px;background:var(--ink)}
.nbd .brush .window.whole{background:none;border-color:var(--faint)}
.nbd .brush .window::before{left:2px}.nbd .brush .window::after{right:2px}
.nbd .tip{position:absolute;z-index:2;pointer-events:none;background:var(--ink);color:var(--paper);border-radius:6px;
padding:4px 9px;font-size:12.5px;max-width:min(420px,92%);overflow-wrap:anywhere;display:none}
.nbd .bar{display:flex;flex-wrap:wrap;gap:4px 18px;align-items:center;color:var(--soft);font-size:12.5px;margin:4px 0 0}
.nbd .bar .zoom{margin-inline-start:auto;display:flex;gap:4px}
.nbd .bar .zoom button{padding:0 9px;min-height:24px}
.nbd .bar i{display:inline-block;width:18px;height:13px;border-radius:3px;margin-inline-end:6px;vertical-align:-2px;
font-style:normal;text-align:center;font-size:10px;line-height:13px}
.nbd i.ran{background:var(--ran)}.nbd i.running{background:var(--running);color:var(--on-running)}
.nbd i.replayed{background:var(--replayed-fill);color:var(--replayed);box-shadow:inset 0 0 0 1.2px var(--replayed)}
.nbd i.in-doubt{background:var(--doubt-fill);color:var(--doubt);outline:1.4px dashed var(--doubt);outline-offset:-1.4px}
.nbd i.waiting{color:var(--doubt);box-shadow:inset 0 0 0 1.2px var(--doubt)}
.nbd i.error{background:var(--error);color:var(--on-error)}
.nbd i.stopped{color:var(--error);font-size:13px}
.nbd .details{border:1px solid var(--faint);border-radius:8px;padding:8px 14px;margin:10px 0 0;position:relative}
.nbd .details h3:first-child{font-size:14px;color:var(--ink);margin:0 40px 4px 0;overflow-wrap:anywhere}
.nbd .details .close{position:absolute;inset-inline-end:8px;top:6px;padding:0 9px}
.nbd .err{color:var(--error)}
.nbd .details>pre,.nbd .chat,.nbd .frame{max-height:360px;overflow:auto}
.nbd .chat{display:flex;flex-direction:column;gap:6px;margin:2px 0 8px}
.nbd .turn{align-self:flex-start;max-width:92%;background:var(--card);border-radius:8px;padding:5px 10px}
.nbd .turn.mine{align-self:flex-end;background:var(--replayed-fill)}
.nbd .turn b{font-size:11.5px;color:var(--soft)}
.nbd .turn pre{background:none;padding:0;margin:0;max-height:none}
.nbd .frame{margin:2px 0 8px;border:1px solid var(--faint);border-radius:6px}
.nbd .frame table{width:auto;min-width:100%;table-layout:auto;font-size:12.5px;font-variant-numeric:tabular-nums}
.nbd .frame td,.nbd .frame th{padding:3px 10px;white-space:nowrap}
.nbd .frame th{position:sticky;top:0;background:var(--card);color:var(--ink)}
.nbd .frame tbody tr:nth-child(even){background:var(--card)!important}
.nbd img{max-width:100%;max-height:420px;display:block;background:#fff;border-radius:6px;margin:2px 0 8px}
.nbd iframe{width:100%;border:1px solid var(--faint);border-radius:6px;display:block;margin:2px 0 8px}
.nbd .pager{display:flex;flex-wrap:wrap;gap:6px;align-items:center}
.nbd .diff .more{color:var(--replayed)}.nbd .diff .less{color:var(--error)}
.nbd summary{cursor:pointer;color:var(--soft);margin-top:14px}
.nbd .list{overflow:auto;border:1px solid var(--faint);border-radius:8px;margin-top:6px;position:relative;
contain:strict}
.nbd .list .row{position:absolute;inset-inline:0;height:26px;display:grid;align-items:center;gap:10px;padding:0 10px;
grid-template-columns:20px minmax(70px,auto) minmax(0,1fr) auto;white-space:nowrap;cursor:pointer;
border:0;border-radius:0;background:none;width:100%;min-height:0;text-align:start}
.nbd .list .row code{overflow:hidden;text-overflow:ellipsis}
.nbd .list .row.on{background:var(--group)}
.nbd .list .row.here{box-shadow:inset 3px 0 var(--ran)}
.nbd .cells tr.here>td{background:color-mix(in srgb,var(--ran) 9%,transparent)}
.nbd .cells tr.here>td:first-child{box-shadow:inset 3px 0 var(--ran)}
.nbd .cells td:first-child{padding-inline-start:7px}
.nbd .plain.go{color:var(--soft);margin-inline-start:6px;font-size:15px;min-width:24px}
.nbd .act{display:flex;flex-wrap:wrap;gap:6px;margin:8px 0;align-items:center}
.nbd .act .asks{border:1.5px solid var(--doubt);background:var(--doubt-fill);border-radius:8px;padding:8px 12px;width:100%}
.nbd .act .asks button{margin:6px 8px 0 0}
.nbd textarea{font:12.5px ui-monospace,monospace;color:var(--ink);background:var(--card);border:1px solid var(--soft);border-radius:6px;width:100%}
.nbd .search{display:flex;flex-wrap:wrap;gap:6px;margin:8px 0;align-items:center}
.nbd .search input[type=search]{max-width:220px}
.nbd .search input[type=checkbox]{flex:none;min-height:0}
.nbd select{font:inherit;color:var(--ink);background:var(--paper);border:1px solid var(--soft);border-radius:6px;min-height:28px}
.nbd .runs ul{list-style:none;margin:4px 0;padding:0}
.nbd .runs li{border-top:1px solid var(--faint);padding:4px 2px}
.nbd .runs button.plain{display:flex;width:100%}
.nbd .runs .cut{display:block;overflow-wrap:anywhere}
.nbd .kept{display:flex;flex-wrap:wrap;gap:6px}
.nbd .kept code{border:1px solid var(--faint);border-radius:12px;padding:1px 10px;overflow-wrap:anywhere}
.nbd .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@container(max-width:560px){.nbd .hero{text-align:start}.nbd .wide{display:none}
.nbd .list .row{grid-template-columns:20px minmax(0,1fr) auto}.nbd .list .row .ref{display:none}}
@container(max-width:380px){.nbd .cells,.nbd .cells tbody{display:block}.nbd .cells thead{display:none}
.nbd .cells tr{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);border-top:1px solid var(--faint);padding:4px 0}
.nbd .cells td{border:0;padding:0 8px 0 2px}.nbd .cells td:first-child{grid-column:1/-1}}
@media(forced-colors:active){.nbd .cells tr.here>td:first-child,.nbd .list .row.here{border-inline-start:4px solid Highlight}}
@media print{.nbd .list,.nbd .bar .zoom{display:none}}
`;
