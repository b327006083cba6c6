"""How a step ends that doesn't complete, and what it leaves in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nbdurable.engine.calls.leftovers import Overtaken
from nbdurable.engine.calls.refusing import CallNotRecorded
from nbdurable.engine.past import settle
from nbdurable.engine.past.circumstances import in_doubt
from nbdurable.engine.past.tally import Ledger
from nbdurable.errors import CellTimedOut
from nbdurable_store.errors import DurablePause

if TYPE_CHECKING:
    from nbdurable.engine.past.attempts import StepPast
    from nbdurable.engine.steps.session import Session

_CUT_OFF: Final = (KeyboardInterrupt, CellTimedOut, Overtaken)
"""What ends a step from outside."""


def how(error: BaseException) -> str:
    """How a step ended that didn't complete: raised, interrupted or paused."""
    if isinstance(error, CallNotRecorded):
        return "raised"
    if isinstance(error, _CUT_OFF) or type(error).__name__ == "CancelledError":
        return "interrupted"
    return "paused" if isinstance(error, DurablePause) else "raised"


def doubts(session: Session, step: StepPast) -> tuple[str, ...]:
    """The writes of an attempt that may have happened: ``STEP.CALL@DIGEST``, and the call."""
    with session.lock:
        history = session.history
        numbers = Ledger(history).numbered(step)
        found = [
            call
            for call in history.calls_of(step)
            if in_doubt(history, call) and call.id not in session.executing
        ]
        shown = {c.id: settle.shown(history.run, c.slot, c) for c in found}
        named = ((f"{step.name}.{numbers[c.id]}@{shown[c.id]}", c) for c in found)
        return tuple(f"{name} {call.text}" for name, call in named)
