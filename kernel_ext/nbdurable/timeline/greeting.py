"""What a sidebar says of a notebook that has no run here, before anything is executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nbdurable.engine.steps.elsewhere import foreign, is_whole, original
from nbdurable.engine.telling.lines import FOREIGN
from nbdurable.engine.where.whereabouts import Facts, RunRow
from nbdurable.timeline.previews import line
from nbdurable.timeline.protocol import Refused
from nbdurable.timeline.told import Action

BRANCH: Final = "branch"
"""What a view asks for to go on from the run of the notebook that this one is a copy of."""


def greeting(
    facts: Facts, rows: Sequence[RunRow], *, kernel: bool = True
) -> Refused | None:
    """Whose notebook this is, if it was copied or came from elsewhere; else None.

    Args:
        facts: What is known of the kernel.
        rows: All runs of the store.
        kernel: Whether there is one: only a kernel can go on in a fork.
    """
    copied = original(facts, rows)
    if copied is not None:
        whose = _whose(copied, whole=is_whole(facts, copied))
        return _copied(copied, whose) if kernel else _unopened(copied, whose)
    if foreign(facts, rows):
        said = FOREIGN[0].upper() + FOREIGN[1:]
        return Refused(about="", line=f"{said}. Look at its writes before you run it.")
    return None


def _unopened(run: RunRow, whose: str) -> Refused:
    start = "Start its kernel, and type this before you run a durable cell, or begin afresh."
    return Refused(
        about="",
        line=f"{whose} {start}",
        remedies=(f"%durable fork --of {run.id}",),
    )


def _whose(run: RunRow, *, whole: bool) -> str:
    told = (
        f"This notebook {'is a copy' if whole else 'has cells'} of {line(run.title)}."
    )
    way = f"In a fork of its run {run.number} nothing that it paid for is paid again."
    return f"{told} {way}"


def _copied(run: RunRow, whose: str) -> Refused:
    act = Action(
        what=BRANCH,
        about=run.id,
        means=f"go on from its run {run.number}",
        asks="",
        command=f"%durable fork --of {run.id}",
        code="",
    )
    afresh = "Run a durable cell to begin afresh instead."
    return Refused(about="", line=f"{whose} {afresh}", actions=(act,))
