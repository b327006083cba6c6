"""In which cell a name was assigned last, told from IPython's own history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

CELLS_MAX = 200
"""Cells looked at, latest first: a name assigned before those is told without a place."""


def places(shell: InteractiveShell, names: Collection[str]) -> Mapping[str, str]:
    """The latest executed cell that assigns each name, as ``cell 2``.

    Args:
        shell: The running IPython.
        names: Which names; those that no cell assigned are left out.
    """
    history: Sequence[str] = shell.user_ns.get("In", ())
    found: dict[str, str] = {}
    executed = list(enumerate(history))[:-1]  # the last one is the cell that asks
    for number, raw in reversed(executed[-CELLS_MAX:]):
        if len(found) == len(names):
            break
        assigned = _assigned(shell, raw)
        found.update(
            (n, f"cell {number}") for n in names if n in assigned - found.keys()
        )
    return found


def _assigned(shell: InteractiveShell, raw: str) -> frozenset[str]:
    from nbdurable.engine.identity.reads import analyse

    try:
        return analyse(shell.transform_cell(raw), shell.transform_cell).writes
    except SyntaxError:
        return frozenset()


def ran(shell: InteractiveShell) -> Sequence[str]:
    """The cells that ran in this kernel, oldest first, as IPython transformed them."""
    texts: Sequence[str] = shell.user_ns.get("In", ())
    return texts
