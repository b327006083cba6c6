"""Whether what somebody wants to stop is what a process executes. Pure.

An interrupt stops whatever runs, so it is sent only while that is what was meant: the
attempt that somebody saw, and not another one of its cell that runs by now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.fates import Fate, call_fate, step_fate
from nbdurable.engine.past.history import History
from nbdurable.engine.past.tally import Ledger
from nbdurable.timeline.previews import line

OVER = "it isn't running any more. Nothing was interrupted."


def named(step: StepPast, reference: str) -> str:
    """What is to be stopped, as its action names it: in this attempt and in no other.

    Args:
        step: The attempt.
        reference: What people call the cell, or the call in it.

    Example:
        >>> named(StepPast.begun("3fa2c1", "slot", "review"), "review.2")
        'review.2@3fa2c1'
    """
    return f"{reference}@{step.id}"


def runs(history: History, about: str, owner: str) -> bool:
    """Whether an attempt, or a call in it, is executed by a process.

    Args:
        history: The run, as it is now.
        about: The attempt or the call, as its action names it.
        owner: Id of the process.
    """
    alive = {owner}
    return any(
        about
        in {named(step, r) for r in (line(step.name), *_calls(history, step, alive))}
        for step in history.steps.values()
        if step.owner == owner and step_fate(step, alive) is Fate.RUNNING
    )


def _calls(history: History, step: StepPast, alive: Collection[str]) -> Iterator[str]:
    ledger = Ledger(history)
    numbers = ledger.numbered(step)
    for call in ledger.calls(step):
        if call_fate(history, call, step, alive) is Fate.RUNNING:
            number = numbers.get(call.id, "")
            yield line(f"{step.name}.{number}" if number else "")
