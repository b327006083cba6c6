"""Run code in the user's namespace, and show nothing of it.

The code of a step that runs again for a variable has shown its outputs when it ran
first; those are shown.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nbdurable.kernel.capture import flush

if TYPE_CHECKING:
    from types import CodeType

    from IPython.core.interactiveshell import InteractiveShell


async def run_unseen(shell: InteractiveShell, source: str, filename: str) -> None:
    """Run code, awaiting what it awaits; what it shows goes nowhere.

    Args:
        shell: Where it runs.
        source: The code, as IPython transformed it.
        filename: The file name that it is compiled under.
    """
    code = _compiled(shell, source, filename)
    with _unseen(shell):
        made = eval(code, shell.user_ns)  # noqa: S307  # the user's own cell
        if code.co_flags & inspect.CO_COROUTINE:
            await made


def run_unseen_now(shell: InteractiveShell, source: str, filename: str) -> None:
    """The same for code that awaits nothing, from within another cell."""
    code = _compiled(shell, source, filename)
    with _unseen(shell):
        exec(code, shell.user_ns)  # noqa: S102  # as above


@contextlib.contextmanager
def _unseen(shell: InteractiveShell) -> Iterator[None]:
    from IPython.utils.capture import capture_output

    flush(shell)  # what was shown before is seen
    with capture_output():
        yield
        flush(shell)


def _compiled(shell: InteractiveShell, source: str, filename: str) -> CodeType:
    """The code of a cell, which may await."""
    compiler: Any = shell.compile
    tree = shell.transform_ast(ast.parse(source, filename))
    with compiler.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT):
        code: CodeType = compiler(tree, filename, "exec")
    return code
