"""The one line nbdurable says under a cell, marked so that it is never recorded."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbdurable.kernel.collapse import OURS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_STYLE = (
    "color:var(--jp-ui-font-color2,GrayText);font-size:90%;"
    "white-space:pre-wrap;overflow-wrap:anywhere"
)

_BAR = (
    '<div role="progressbar" aria-label="how far it is" aria-valuenow="{percent}"'
    ' style="max-width:24em;height:6px;margin:2px 0;border-radius:3px;overflow:hidden;'
    'background:var(--jp-border-color2,silver)"><div style="width:{percent}%;height:100%;'
    'background:var(--jp-brand-color1,royalblue)"></div></div>'
)
"""No element `progress`: what a front end takes out of outputs that it doesn't trust."""

FIRST_S = 0.5
"""What is over sooner needs no line of progress."""

EVERY_S = 0.25
"""A line that is drawn more often can't be read, and fills the notebook's messages."""


class Live:
    """A bar and a line that are drawn again in place, while something takes long."""

    def __init__(
        self, shell: InteractiveShell, monotonic_s: Callable[[], float]
    ) -> None:
        self._shell, self._monotonic_s = shell, monotonic_s
        self._drawn: dict[str, tuple[str, float, str]] = {}

    def __call__(
        self,
        name: str,
        line: str,
        last: bool,  # noqa: FBT001
        share: float | None,
    ) -> None:
        """Show how far it is.

        Args:
            name: Tells it from others.
            line: What to say.
            last: It is over; the line stays as it is now.
            share: How much is done, 0 to 1; None where that isn't known.
        """
        now_s = self._monotonic_s()
        first = f"nbdurable-{name}-{now_s}", now_s + FIRST_S, ""
        display, next_s, shown = self._drawn.pop(name, first)
        due = bool(shown) if last else now_s >= next_s
        if not last:
            drawn = (now_s + EVERY_S, line) if due else (next_s, shown)
            self._drawn[name] = display, *drawn
        if not due or line == shown:
            return
        note = noted(line, "progress")
        if share is not None:
            bar = _BAR.format(percent=round(share * 100))
            note["data"]["text/html"] = bar + note["data"]["text/html"]
        self._shell.display_pub.publish(
            **note,
            transient={"display_id": display},
            update=bool(shown),
        )


def say(shell: InteractiveShell, line: str, kind: str, run: str = "") -> None:
    """Show a line as a display of its own; an empty line shows nothing.

    Args:
        shell: Where the cell runs.
        line: What to say, plain text.
        kind: ``status``, ``replayed`` or ``warning``; front ends find it under
            ``metadata.nbdurable.kind``.
        run: Id of the run that did what the line says; in another store it isn't known.
    """
    if not line:
        return
    shell.display_pub.publish(**noted(line, kind, run))


def noted(line: str, kind: str, run: str = "") -> dict[str, Any]:
    """A line as a display of ours: its data and metadata."""
    rich = f'<div role="note" style="{_STYLE}">{html.escape(line)}</div>'
    return {
        "data": {"text/plain": line, "text/html": rich},
        "metadata": {OURS: {"kind": kind, "run": run} if run else {"kind": kind}},
    }
