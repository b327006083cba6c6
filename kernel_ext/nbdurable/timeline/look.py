"""The style sheet of the run's picture and page.

Colours are those of Okabe and Ito, told apart by people with any colour vision; each
fate has a sign and a filling of its own too. In JupyterLab, VS Code and Colab their theme
decides between light and dark, elsewhere the reader's system does.
"""

from __future__ import annotations

from typing import Final

_LIGHT: Final = (
    "--ink:#1b2430;--soft:#5b6776;--faint:#e3e7ec;--paper:#fff;--card:#f6f8fa;"
    "--ran:#0072b2;--on-ran:#fff;--replayed:#00805d;--replayed-fill:#e3f5ee;"
    "--doubt:#8a5a00;--doubt-fill:#ffe3a3;--error:#c04a00;--on-error:#fff;"
    "--running:#56b4e9;--on-running:#06263a;--group:#eef2f6;color-scheme:light;"
)
_DARK: Final = (
    "--ink:#e6edf3;--soft:#9aa7b4;--faint:#2b333d;--paper:#0f1419;--card:#171e26;"
    "--ran:#3d9bdc;--on-ran:#04131f;--replayed:#3fd6a4;--replayed-fill:#0e3329;"
    "--doubt:#ffc857;--doubt-fill:#4a3500;--error:#ff8b4d;--on-error:#240d00;"
    "--running:#7cc8f5;--on-running:#06263a;--group:#1c242d;color-scheme:dark;"
)

_BASE: Final = """
.nbdurable{color:var(--ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif;max-width:1080px;text-align:left}
.nbdurable *{box-sizing:border-box}
.nbdurable header{display:flex;flex-wrap:wrap;gap:8px 32px;align-items:flex-end;
justify-content:space-between;margin:0 0 14px}
.nbdurable h1{font-size:22px;line-height:1.2;margin:0;font-weight:650;
overflow-wrap:anywhere}
.nbdurable h2{font-size:12px;letter-spacing:.06em;text-transform:uppercase;
color:var(--soft);margin:26px 0 8px;font-weight:600}
.nbdurable p{margin:2px 0}
.nbdurable .soft{color:var(--soft)}
.nbdurable .hero{text-align:right;line-height:1.25}
.nbdurable .hero b{font-size:26px;font-weight:680;color:var(--replayed);
font-variant-numeric:tabular-nums}
.nbdurable .hero .soft{font-size:14px}
.nbdurable .share{display:flex;height:26px;border-radius:6px;overflow:hidden;gap:2px;
font-size:12.5px;font-weight:600;line-height:26px}
.nbdurable .share span{padding:0 10px;white-space:nowrap;overflow:hidden;min-width:max-content}
.nbdurable .share .replayed{color:var(--replayed);background:var(--replayed-fill);
box-shadow:inset 0 0 0 1.5px var(--replayed)}
.nbdurable .share .ran{color:var(--on-ran);background:var(--ran)}
.nbdurable .share .in-doubt{color:var(--doubt);background:var(--doubt-fill);
box-shadow:inset 0 0 0 1.5px var(--doubt)}
.nbdurable .share .error{color:var(--on-error);background:var(--error)}
.nbdurable .share span{border-radius:4px}
.nbdurable .stop{margin-top:8px}
.nbdurable .ask{border:1.5px solid var(--doubt);background:var(--doubt-fill);
border-radius:8px;padding:10px 14px;margin:8px 0}
.nbdurable .ask dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;
margin:6px 0 0}
.nbdurable .ask dt{color:var(--ink)}.nbdurable .ask dd{margin:0}
.nbdurable code,.nbdurable pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,
"DejaVu Sans Mono",monospace;background:none;color:inherit;padding:0}
.nbdurable pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:2px 0 8px;
max-height:240px;overflow:auto;background:var(--card);border-radius:6px;
padding:8px 10px}
.nbdurable code,.nbdurable pre,.nbdurable .told{unicode-bidi:isolate}
.nbdurable .picture{overflow-x:auto;padding:4px 0}
.nbdurable .legend{display:flex;flex-wrap:wrap;gap:4px 20px;color:var(--soft);
font-size:12.5px;margin:6px 0 0}
.nbdurable .legend i{display:inline-block;width:18px;height:13px;border-radius:3px;
margin-right:6px;vertical-align:-2px;font-style:normal;text-align:center;font-size:10px;
line-height:13px}
"""

_PICTURE: Final = """
.nbdurable .lanes{display:block;width:100%;min-width:720px;height:auto;
font:11px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.nbdurable .lanes text{fill:var(--ink)}
.nbdurable .lanes .small,.nbdurable .lanes .tiny{fill:var(--soft)}
.nbdurable .lanes .tiny{font-size:9.5px;font-style:italic}
.nbdurable .lanes .name{font-size:13.5px;font-weight:640}
.nbdurable .lanes .sign{font-size:14px;font-weight:700}
.nbdurable .lanes .rule{stroke:var(--faint)}
.nbdurable .lanes .tick{stroke:var(--faint)}
.nbdurable .lanes .gap{fill:var(--faint);opacity:.45}
.nbdurable .lanes .attempt{fill:var(--group)}
.nbdurable .lanes .kernel{stroke:var(--soft);stroke-width:3;stroke-linecap:round}
.nbdurable .lanes .kernel.alive{stroke:var(--replayed)}
.nbdurable .lanes .cut{stroke:var(--error);stroke-width:1.5;stroke-dasharray:4 3}
.nbdurable .lanes .stop{fill:var(--paper);stroke:var(--error);stroke-width:1.5}
.nbdurable .lanes .scissors{fill:var(--error);font-size:11px}
.nbdurable .lanes .stopped{fill:var(--error);font-weight:640;font-size:12px}
.nbdurable .lanes .bar.ran rect{fill:var(--ran)}
.nbdurable .lanes .bar.ran text{fill:var(--on-ran)}
.nbdurable .lanes .bar.replayed rect{fill:var(--replayed-fill);stroke:var(--replayed);
stroke-width:1.2}
.nbdurable .lanes .bar.replayed text{fill:var(--replayed)}
.nbdurable .lanes .bar.running rect{fill:var(--running)}
.nbdurable .lanes .bar.running text{fill:var(--on-running)}
.nbdurable .lanes .bar.in-doubt rect{fill:var(--doubt-fill);stroke:var(--doubt);
stroke-width:1.4;stroke-dasharray:3 2}
.nbdurable .lanes .bar.in-doubt text{fill:var(--doubt)}
.nbdurable .lanes .bar.waiting rect{fill:var(--paper);stroke:var(--doubt);
stroke-width:1.4}
.nbdurable .lanes .bar.waiting text{fill:var(--doubt)}
.nbdurable .lanes .bar.error rect{fill:var(--error)}
.nbdurable .lanes .bar.error text{fill:var(--on-error)}
.nbdurable .lanes .bar.inner rect{fill:var(--paper);stroke:none;opacity:.55}
.nbdurable .lanes .bar text.above{fill:var(--soft)}
.nbdurable .lanes .glyph{font-size:11.5px;font-weight:700}
.nbdurable .lanes a:hover rect,.nbdurable .lanes a:focus rect{stroke:var(--ink);
stroke-width:2}
.nbdurable .sign.replayed,.nbdurable .lanes text.sign.replayed{color:var(--replayed);
fill:var(--replayed)}
.nbdurable .sign.ran,.nbdurable .lanes text.sign.ran{color:var(--ran);fill:var(--ran)}
.nbdurable .sign.error,.nbdurable .lanes text.sign.error{color:var(--error);
fill:var(--error)}
.nbdurable .sign.stopped,.nbdurable .lanes text.sign.stopped{color:var(--error);
fill:var(--error)}
.nbdurable .sign.in-doubt,.nbdurable .sign.waiting,
.nbdurable .lanes text.sign.waiting{color:var(--doubt);fill:var(--doubt)}
.nbdurable .sign.running,.nbdurable .lanes text.sign.running{color:var(--ran);
fill:var(--ran)}
.nbdurable i.ran{background:var(--ran)}
.nbdurable i.replayed{background:var(--replayed-fill);color:var(--replayed);
box-shadow:inset 0 0 0 1.2px var(--replayed)}
.nbdurable i.in-doubt{background:var(--doubt-fill);color:var(--doubt);
box-shadow:inset 0 0 0 1.2px var(--doubt)}
.nbdurable i.waiting{color:var(--doubt);box-shadow:inset 0 0 0 1.2px var(--doubt)}
.nbdurable i.error{background:var(--error);color:var(--on-error)}
.nbdurable i.running{background:var(--running);color:var(--on-running)}
.nbdurable i.stopped{color:var(--error);font-size:13px}
"""

_FILE: Final = """
svg.nbdurable{max-width:none;min-width:0;width:auto}
.nbdurable.picture .lanes{min-width:0}
.nbdurable.picture .paper{fill:var(--paper)}
.nbdurable.picture .lanes .title{font-size:22px;font-weight:650}
.nbdurable.picture .lanes .says{font-size:14px}
.nbdurable.picture .lanes text.under{font-size:13px;fill:var(--soft)}
.nbdurable.picture .lanes .many{font-size:26px;font-weight:680;fill:var(--replayed)}
.nbdurable.picture .lanes .share{font-size:13px;font-weight:600}
"""

_DETAILS: Final = """
.nbdurable details>summary{cursor:pointer;list-style:none}
.nbdurable details>summary::-webkit-details-marker{display:none}
.nbdurable details>summary:focus-visible{outline:2px solid var(--ran);border-radius:4px}
.nbdurable .cell{border-top:1px solid var(--faint)}
.nbdurable .cell:last-of-type{border-bottom:1px solid var(--faint)}
.nbdurable .cell>summary{display:grid;grid-template-columns:20px minmax(90px,2fr)
minmax(0,3fr) minmax(60px,2fr) minmax(60px,3fr);gap:4px 14px;padding:8px 4px;
align-items:baseline}
.nbdurable .cell>summary:hover{background:var(--card)}
.nbdurable .cell>summary b{font-weight:640;overflow-wrap:anywhere}
.nbdurable .num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.nbdurable .cell>summary .num{white-space:normal}
.nbdurable .saved{color:var(--replayed)}
.nbdurable .inside{padding:2px 4px 14px 38px}
.nbdurable .attempt-head{margin:10px 0 4px;font-weight:600}
.nbdurable .call>summary{display:grid;grid-template-columns:20px 40px 1fr auto auto;
gap:12px;padding:3px 6px;border-radius:4px;align-items:baseline}
.nbdurable .call>summary:hover{background:var(--card)}
.nbdurable .call>summary code{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.nbdurable .call:target>summary{outline:2px solid var(--ran)}
.nbdurable .call[open]>summary code{white-space:normal;overflow-wrap:anywhere}
.nbdurable .about{padding:4px 0 10px 72px}
.nbdurable h3{font-size:12px;color:var(--soft);font-weight:600;margin:8px 0 2px}
.nbdurable .kept{display:flex;flex-wrap:wrap;gap:6px}
.nbdurable .kept span{border:1px solid var(--faint);border-radius:12px;padding:1px 10px}
.nbdurable footer{color:var(--soft);font-size:12px;margin-top:26px}
@media(max-width:640px){.nbdurable .hero{text-align:left}
.nbdurable .cell>summary{grid-template-columns:20px 1fr auto}
.nbdurable .cell>summary .wide{display:none}
.nbdurable .inside{padding-left:8px}.nbdurable .about{padding-left:8px}}
@media print{.nbdurable details>*{display:block}}
"""

STYLE: Final = (
    f".nbdurable{{{_LIGHT}}}"
    f"@media(prefers-color-scheme:dark){{.nbdurable{{{_DARK}}}}}"
    f"[data-jp-theme-light=true] .nbdurable,.vscode-light .nbdurable,"
    f".vscode-high-contrast-light .nbdurable,html[theme=light] .nbdurable{{{_LIGHT}}}"
    f"[data-jp-theme-light=false] .nbdurable,.vscode-dark .nbdurable,"
    ".vscode-high-contrast:not(.vscode-high-contrast-light) .nbdurable,"
    f"html[theme=dark] .nbdurable{{{_DARK}}}"
    f"{_BASE}{_PICTURE}{_FILE}{_DETAILS}"
)
"""Everything, scoped to ``.nbdurable``: it changes nothing around it in a notebook."""

PAGE_STYLE: Final = (
    "html{background:#fff}@media(prefers-color-scheme:dark){html{background:#0f1419}}"
    "body{margin:0;padding:28px 24px}.nbdurable{margin:0 auto}"
)
"""What a page of its own needs beside it."""
