"""The run as a page of its own: the view with all that it shows, in one file. Pure.

The page asks the network for nothing and runs no script but the view; it says so to the
browser. Who reads it without scripts sees the same run as plain HTML.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Final

from nbdurable.timeline.details import every_detail
from nbdurable.timeline.html import body
from nbdurable.timeline.look import PAGE_STYLE, STYLE
from nbdurable.timeline.markup import Markup, element, style
from nbdurable.timeline.protocol import plain
from nbdurable.timeline.snapshots import snapshot
from nbdurable.timeline.views import RunView

DATA: Final = "nbdurable-run"
"""Where the view finds what it shows."""

PLACE: Final = "nbdurable-view"
"""Where it shows it."""


def page(run: RunView, script: str) -> str:
    """The run as a page of its own.

    Args:
        run: The run.
        script: The view; it starts by itself.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(script)),
        element("meta", name="viewport", content="width=device-width"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{run.title} · run {run.number}"),
        style(PAGE_STYLE),
    )
    plainly = element("main", body(run, full=True), class_="nbdurable")
    content = element(
        "body",
        element("main", id=PLACE),
        element("noscript", style(STYLE), plainly),
        _data(run),
        _script(script),
    )
    return f"<!doctype html>\n{element('html', head, content, lang='en')}\n"


def policy(script: str) -> str:
    """What the browser may do: run this script, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}';"
        " style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _script(script: str) -> Markup:
    assert "</" not in script, "it would end before its end"
    return Markup(f"<script>{script}</script>")


def _data(run: RunView) -> Markup:
    """What the view shows; no text in it can end the element that holds it."""
    told = {
        "snapshot": plain(snapshot(run)),
        "details": [plain(one) for one in every_detail(run)],
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    safe = text.replace("<", "\\u003c").replace("\u2028", "\\u2028")
    return Markup(f'<script type="application/json" id="{DATA}">{safe}</script>')
