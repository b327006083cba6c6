"""Whether what somebody wants to stop is what a process executes. Pure.

An interrupt stops whatever runs, so it is sent only while that is what was meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.fates import Fate, call_fate, step_fate
from nbdurable.engine.past.history import History
from nbdurable.engine.past.tally import Ledger
from nbdurable.timeline.previews import line

OVER = "it isn't running any more. Nothing was interrupted."


def runs(history: History, reference: str, owner: str) -> bool:
    """Whether a cell or a call is executed by a process.

    Args:
        history: The run, as it is now.
        reference: The cell or the call, as its action names it.
        owner: Id of the process.
    """
    alive = {owner}
    return any(
        reference in {line(step.name), *_calls(history, step, alive)}
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
