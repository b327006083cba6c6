"""A notebook that was renamed, was copied, or came with somebody else's outputs.

Where it is, only its front end knows; what it was, its file and the store say together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from nbdurable.engine.telling import lines
from nbdurable.engine.where.documents import document, is_there
from nbdurable.engine.where.whereabouts import DEFAULT_NOTEBOOK, Choice, Facts, RunRow


def gone(facts: Facts, rows: Iterable[RunRow]) -> frozenset[str]:
    """The notebooks, of the runs and the kernel's own, whose file doesn't exist."""
    named = {facts.notebook or DEFAULT_NOTEBOOK, *(row.notebook for row in rows)}
    return frozenset(name for name in named if not is_there(name))


def first_line(
    choice: Choice, facts: Facts, rows: Sequence[RunRow], now_us: int
) -> str:
    """What a kernel says of its run before it executes anything in it."""
    whole = choice.left is None or is_whole(facts, choice.left)
    told = lines.run_line(choice, now_us, rows, whole=whole)
    strange = foreign(facts, rows, choice.run)
    return f"{told}\n{lines.FOREIGN}" if strange else told


def foreign(facts: Facts, rows: Iterable[RunRow], own: RunRow | None = None) -> bool:
    """Whether the notebook shows outputs of a run that its store doesn't have.

    Args:
        facts: What is known of the kernel.
        rows: All runs of the store.
        own: The run that goes on, if one does: of a cell that ran in it something is
            served, whoever ran it last.
    """
    known = {row.id for row in rows}
    served = own.cell_ids if own else frozenset()
    shown = document(facts.notebook).shown
    return any(run not in known and cell not in served for cell, run in shown)


def original(facts: Facts, rows: Iterable[RunRow]) -> RunRow | None:
    """The run of the notebook that this one is a copy of, or has cells of; None where it is none.

    Args:
        facts: What is known of the kernel.
        rows: All runs of the store.
    """
    cells = document(facts.notebook).cells
    known = [
        row
        for row in rows
        if not row.closed
        and row.notebook != facts.notebook
        and row.cell_ids & cells
        and is_there(row.notebook)
    ]
    return max(known, key=lambda row: row.opened_us) if known else None


def is_whole(facts: Facts, run: RunRow) -> bool:
    """Whether the notebook has every cell that ran in a run: a cell that was moved is no copy.

    Args:
        facts: What is known of the kernel.
        run: A run of another notebook that has cells of this one.
    """
    return run.cell_ids <= (document(facts.notebook).cells or run.cell_ids)


def moved_to(notebook: str, facts: Facts) -> str:
    """Where the notebook of a run is by now, if it isn't where it was; else "".

    Args:
        notebook: Where the run has it.
        facts: What is known of the kernel now.
    """
    if notebook in {DEFAULT_NOTEBOOK, facts.notebook} or is_there(notebook):
        return ""
    return facts.notebook if os.path.isfile(facts.notebook) else ""  # noqa: PTH113  # False for what can't be a name
