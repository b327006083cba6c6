"""An attempt after one that stopped begins where the random generators stood then.

So `pay(random.random())` is the same call when the cell runs again, and not a second
payment beside the one in doubt. A step that made no call has nothing to find again: it
draws on, and so does one that was asked to begin afresh.
"""

from __future__ import annotations

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.past.history import History, StepPast, StepState
from nbdurable.engine.steps.session import Session
from nbdurable.engine.values import randomness
from nbdurable_store.errors import DurableError
from nbdurable_store.records import BlobRef, Kind, Record

CODEC = "json"
"""A state is plain data: numbers."""


def draw_again(session: Session, attempt: Attempt) -> Record | None:
    """Let the generators stand where its stopped predecessor began.

    Returns:
        The record of where they stand now, unless the run knows it.
    """
    history, step = session.history, attempt.step
    before = _stopped(history, step)
    if before is not None:
        try:
            randomness.restore(randomness.unpacked(session.store.get(before)))
        except (DurableError, ImportError):  # gone, or without NumPy: it draws on
            before = None
    ref = session.store.put(CODEC, randomness.packed(randomness.state()))
    if step.random == ref:
        return None
    return attempt.record(Kind.STEP_RANDOM, step.id, blobs=(ref,))


def _stopped(history: History, step: StepPast) -> BlobRef | None:
    """Where the generators stood at the start of the attempt that this one goes on from.

    One that stopped and made no call of its own may stand between them.
    """
    reset = history.slot(step.slot).reset
    earlier = (s for s in history.attempts(step.slot) if s.id != step.id)
    first: BlobRef | None = None
    for past in earlier:
        afresh = reset is not None and past.order < reset
        if past.state is StepState.COMPLETED or afresh or not _alike(past, step):
            return None
        first = first or past.random
        if past.used or any(c.step == past.id for c in history.calls.values()):
            return first
    return None


def _alike(past: StepPast, step: StepPast) -> bool:
    """Whether they have one key; an input without a digest counts as unchanged."""
    same = past.source == step.source and past.counted == step.counted
    return past.key == step.key and same
