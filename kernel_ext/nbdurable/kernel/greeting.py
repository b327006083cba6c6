"""What a sidebar says of a notebook that has no run here, before anything is executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nbdurable.engine.steps.elsewhere import foreign, original
from nbdurable.engine.telling.lines import FOREIGN
from nbdurable.engine.where.whereabouts import Facts, RunRow
from nbdurable.timeline.previews import line
from nbdurable.timeline.protocol import Refused
from nbdurable.timeline.told import Action

BRANCH: Final = "branch"
"""What a view asks for to go on from the run of the notebook that this one is a copy of."""


def greeting(facts: Facts, rows: Sequence[RunRow]) -> Refused | None:
    """Whose notebook this is, if it was copied or came from elsewhere; else None.

    Args:
        facts: What is known of the kernel.
        rows: All runs of the store.
    """
    copied = original(facts, rows)
    if copied is not None:
        return _copied(copied)
    if foreign(facts, rows):
        said = FOREIGN[0].upper() + FOREIGN[1:]
        return Refused(about="", line=f"{said}. Look at its writes before you run it.")
    return None


def _copied(run: RunRow) -> Refused:
    name = line(run.title)
    told = f"This notebook is a copy of {name}."
    way = f"In a fork of its run {run.number} nothing that it paid for is paid again."
    act = Action(
        what=BRANCH,
        about=run.id,
        means=f"go on from its run {run.number}",
        asks="",
        command=f"%durable fork --of {run.id}",
        code="",
    )
    afresh = "Run a durable cell to begin afresh instead."
    return Refused(about="", line=f"{told} {way} {afresh}", actions=(act,))
