"""`%durable` and `%%durable` as IPython lists, completes and explains them.

The cell magic is never called to run a cell: `transform` makes an ordinary cell of it.
It is registered for its help page, for completion and `%lsmagic`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbdurable.kernel.errors import NotOnLineOne
from nbdurable.kernel.options import OPTIONS
from nbdurable.kernel.words import WORDS, read

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

NAME = "durable"
BELOW = f"%{NAME}"
"""The line magic that IPython looks for where `%%durable` stands below line 1."""

_OPTIONS = "\n".join(f"    {option:<10}{says}" for option, says in OPTIONS.items())
_WORDS = "\n".join(
    f"    %durable {word.usage}\n        {word.says}" for word in WORDS.values()
)

CELL_HELP = f"""Make this cell a durable step: after a restart it replays.

    %%durable [NAME] [OPTIONS]

    %%durable findings
    hits = search("solid-state batteries, 2026")
    notes = [summarise(hit) for hit in hits]

Calls of @nd.tool functions and of model clients are written down as they happen. If the
kernel dies in the middle, run the cell again: calls whose results your code has seen
are served from disk, the rest runs. If the cell had ended, nothing runs at all: its
variables and outputs come back.

It runs again when its code or a value it reads has changed; comments and formatting
don't count. Calls are matched by what they are, so unchanged ones are not paid for twice.

NAME
    what the step is called in status lines and commands: one word. Without it, the
    cell is known by its place.

OPTIONS
{_OPTIONS}

Goes on line 1; other magics (%%time, %%capture) go below it. The comment
`# durable: NAME` on line 1 and the cell tag `durable` mean the same.

See also: %durable? for restore, why, rerun, resolve and the rest.
"""

LINE_HELP = f"""Look at the durable run of this notebook, and act on it.

    %durable
        the run: its steps, calls, and what waits for you
{_WORDS}

STEP is the name behind %%durable; STEP.CALL is a call in it, such as review.2.
Each word is also a function: nd.restore("hits") is %durable restore hits.

See also: %%durable? for durable cells.
"""


def install(shell: InteractiveShell, attach: Callable[[], None]) -> None:
    """Make both magics known to a shell.

    Args:
        shell: The running IPython.
        attach: Makes the shell the one that `nbdurable.api` acts on.
    """

    def durable(line: str) -> object:
        import nbdurable

        command = read(line, lambda text: _evaluate(shell, text))
        attach()
        return getattr(nbdurable, command.function)(*command.args, **command.kwargs)

    def durable_cell(line: str, cell: str) -> None:  # noqa: ARG001  # IPython's shape
        raise NotOnLineOne

    def below(line: str) -> None:  # noqa: ARG001  # IPython's shape
        raise NotOnLineOne

    durable.__doc__ = LINE_HELP
    durable_cell.__doc__ = CELL_HELP
    durable_cell.__name__ = NAME
    register: Any = shell.register_magic_function  # its types are those of a method
    register(durable, "line", NAME)
    register(durable_cell, "cell", NAME)
    register(below, "line", BELOW)


def uninstall(shell: InteractiveShell) -> None:
    """Take both magics away again."""
    for magics in shell.magics_manager.magics.values():
        magics.pop(NAME, None)
        magics.pop(BELOW, None)


def _evaluate(shell: InteractiveShell, text: str) -> object:
    """A literal, or an expression over the user's variables."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return shell.ev(text)
