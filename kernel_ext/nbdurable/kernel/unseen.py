"""Run code in the user's namespace, and show nothing of it.

The code of a step that runs again for a variable has shown its outputs when it ran
first; those are shown.
"""

from __future__ import annotations

import ast
import inspect
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
    from IPython.utils.capture import capture_output

    code = compiled(shell, source, filename)
    with capture_output():
        made = eval(code, shell.user_ns)  # noqa: S307  # the user's own cell
        if awaits(code):
            await made
        flush(shell)


def compiled(shell: InteractiveShell, source: str, filename: str) -> CodeType:
    """The code of a cell, which may await."""
    compiler: Any = shell.compile
    tree = shell.transform_ast(ast.parse(source, filename))
    with compiler.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT):
        code: CodeType = compiler(tree, filename, "exec")
    return code


def awaits(code: CodeType) -> bool:
    """Whether a cell's code awaits outside of its functions."""
    return bool(code.co_flags & inspect.CO_COROUTINE)
