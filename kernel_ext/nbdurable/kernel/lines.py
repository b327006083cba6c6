"""The one line nbdurable says under a cell, marked so that it is never recorded."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from nbdurable.kernel.collapse import OURS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_STYLE = "color:var(--jp-ui-font-color2,GrayText);font-size:90%;white-space:pre-wrap"


def say(shell: InteractiveShell, line: str, kind: str) -> None:
    """Show a line as a display of its own; an empty line shows nothing.

    Args:
        shell: Where the cell runs.
        line: What to say, plain text.
        kind: ``status``, ``replayed`` or ``warning``; front ends find it under
            ``metadata.nbdurable.kind``.
    """
    if not line:
        return
    rich = f'<div role="note" style="{_STYLE}">{html.escape(line)}</div>'
    shell.display_pub.publish(
        data={"text/plain": line, "text/html": rich}, metadata={OURS: {"kind": kind}}
    )
