"""In which cell a name was assigned or changed last, told from IPython's own history."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

CELLS_MAX = 200
"""Cells looked at, latest first: a name assigned before those is told without a place."""


INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
"""What is changed in these is changed when they are called."""


def places(shell: InteractiveShell, names: Collection[str]) -> Mapping[str, int]:
    """The execution count of the latest cell that assigns or changes each name.

    Args:
        shell: The running IPython.
        names: Which names; those that no cell assigned are left out.
    """
    history: Sequence[str] = shell.user_ns.get("In", ())
    found: dict[str, int] = {}
    executed = list(enumerate(history))[:-1]  # the last one is the cell that asks
    for number, raw in reversed(executed[-CELLS_MAX:]):
        if len(found) == len(names):
            break
        assigned = _assigned(shell, raw)
        found.update((n, number) for n in names if n in assigned - found.keys())
    return found


def _assigned(shell: InteractiveShell, raw: str) -> frozenset[str]:
    from nbdurable.engine.identity.changes import changed_names
    from nbdurable.engine.identity.reads import analyse

    try:
        code = shell.transform_cell(raw)
        writes = analyse(code, shell.transform_cell).writes
        own = [part for part in ast.parse(code).body if not isinstance(part, INNER)]
    except SyntaxError:
        return frozenset()
    return writes.union(*map(changed_names, own))


def ran(shell: InteractiveShell) -> Sequence[str]:
    """The cells that ran in this kernel, oldest first, as IPython transformed them."""
    texts: Sequence[str] = shell.user_ns.get("In", ())
    return texts
