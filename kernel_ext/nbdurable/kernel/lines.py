"""The one line nbdurable says under a cell, marked so that it is never recorded."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbdurable.kernel.collapse import OURS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_STYLE = "color:var(--jp-ui-font-color2,GrayText);font-size:90%;white-space:pre-wrap"


FIRST_S = 0.5
"""What is over sooner needs no line of progress."""

EVERY_S = 0.25
"""A line that is drawn more often can't be read, and fills the notebook's messages."""


class Live:
    """Lines that are drawn again in place, while something takes long."""

    def __init__(
        self, shell: InteractiveShell, monotonic_s: Callable[[], float]
    ) -> None:
        self._shell, self._monotonic_s = shell, monotonic_s
        self._drawn: dict[str, tuple[str, float, str]] = {}

    def __call__(self, name: str, line: str, last: bool) -> None:  # noqa: FBT001
        """Show how far it is.

        Args:
            name: Tells it from others.
            line: What to say.
            last: It is over; the line stays as it is now.
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
        self._shell.display_pub.publish(
            **noted(line, "progress"),
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
