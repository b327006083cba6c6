"""`nd.checkpoint`: what a long loop or a long tool has, kept before it has ended.

A checkpoint belongs to what made it: to the step with its key, or to the call with its
key and its code. So an edited cell, another input or a finished attempt is offered none,
and a loop never goes on from where another one stood.
"""

from __future__ import annotations

import weakref
from typing import Any, Final

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.codec import Unstorable, decode, keep
from nbdurable.engine.past.history import CallState, History, StepState
from nbdurable.engine.past.pasts import CheckpointPast, Order
from nbdurable.engine.where.frames import Frame, current_frame
from nbdurable_store.errors import DurableError
from nbdurable_store.records import Kind

_saved: Final[weakref.WeakKeyDictionary[Attempt, dict[str, float]]] = (
    weakref.WeakKeyDictionary()
)
"""By attempt, when the last checkpoint of each of its calls was saved, seconds."""


def checkpoint(value: object, *, every: float = 0.0) -> None:
    """Keep what a long loop, or a long tool, has so far; `last_checkpoint` gives it back.

    Outside durable cells it does nothing.

    Args:
        value: Whatever the code needs to go on: a model and an epoch, say.
        every: Save at most once in so many seconds; always by default.

    Raises:
        DurableError: The journal can't be written.

    Example:
        >>> checkpoint({"epoch": 3}, every=30)
    """
    frame: Frame[Attempt] | None = current_frame()
    if frame is None or not _due(frame, every):
        return
    attempt = frame.attempt
    home = attempt.home
    try:
        ref = keep(value, home.store.put, secrets=home.secrets)
    except Unstorable as refused:
        name = attempt.step.name
        home.tell_once(f"{name} · a checkpoint is not kept: {refused.reason()}")
        return
    fields = {"slot": attempt.step.slot, "parent": frame.parent, "of": _of(frame)}
    record = attempt.record(
        Kind.STEP_CHECKPOINT, attempt.step.id, fields=fields, blobs=(ref,)
    )
    home.append((record,), sync=True)
    _saved.setdefault(attempt, {})[frame.parent] = attempt.clock.monotonic_s()


def last_checkpoint(default: Any = None) -> Any:
    """What the last checkpoint of this step, or of this tool call, holds.

    Only an attempt that has not ended leaves one: with the same code and inputs.

    Args:
        default: What it gives when there is none.

    Example:
        >>> last_checkpoint({"epoch": 0})
        {'epoch': 0}
    """
    frame: Frame[Attempt] | None = current_frame()
    if frame is None:
        return default
    home = frame.attempt.home
    with home.lock:
        found = _offered(home.history, frame)
    if found is None or found.value is None:
        return default
    try:
        data = home.store.get(found.value, stream=True)
        try:
            return decode(found.value.codec, data, secrets=home.secrets)
        finally:
            if not isinstance(data, bytes):
                data.close()
    except DurableError as gone:
        home.tell_once(
            f"{frame.attempt.step.name} · its checkpoint can't be read, it begins again:"
            f" {gone.fact().rstrip('.')}"
        )
        return default


def _due(frame: Frame[Attempt], every: float) -> bool:
    last_s = _saved.get(frame.attempt, {}).get(frame.parent)
    return last_s is None or frame.attempt.clock.monotonic_s() - last_s >= every


def _of(frame: Frame[Attempt]) -> str:
    """What a checkpoint belongs to; "" where nothing tells that it is the same again."""
    if not frame.parent:
        return frame.attempt.step.key.hex()
    call = frame.attempt.home.history.calls[frame.parent]
    return f"{call.key.hex()} {call.code}" if not call.undigestible else ""


def _offered(history: History, frame: Frame[Attempt]) -> CheckpointPast | None:
    slot = frame.attempt.step.slot
    found = history.checkpoints.get((slot, frame.parent))
    if found is None or not found.of or found.of != _of(frame):
        return None
    reset = history.slot(slot).reset
    over = [*([reset] if reset else []), *_completions(history, slot, frame.parent)]
    return None if any(order > found.order for order in over) else found


def _completions(history: History, slot: str, parent: str) -> list[Order]:
    """When what makes the checkpoints was completed."""
    if not parent:
        attempts = history.attempts(slot)
        return [s.ended_order for s in attempts if s.state is StepState.COMPLETED]
    call = history.calls[parent]
    every = (*call.earlier, call)
    return [c.ended_order for c in every if c.state is CallState.COMPLETED]
