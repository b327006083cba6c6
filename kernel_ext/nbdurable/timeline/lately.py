"""What is otherwise than in the attempt before: as a part of the details. Reads values."""

from __future__ import annotations

from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pairs import aligned
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.telling.sides import Side, before
from nbdurable.engine.values.plainly import visible
from nbdurable.timeline.diffing import Reader, call_lines, diff, plain_values
from nbdurable.timeline.previews import Get, line
from nbdurable.timeline.told import Part

SAME = "nothing, but for time"


def since(history: History, step: StepPast, call: str, get: Get) -> Part | None:
    """What differs between an attempt, or a call in it, and the one before it.

    Args:
        history: The run.
        step: The attempt.
        call: Id of the call, or "" for the attempt itself.
        get: How plain values are read.
    """
    earlier = before(history, step)
    if earlier is None:
        return None
    lines = (
        _of_call(history, (earlier, step), call, get)
        if call
        else _of_attempt(history, (earlier, step), get)
    )
    if lines is None:
        return None
    title = f"changed since attempt {earlier.attempt}"
    text = "\n".join(lines) or SAME
    return Part(title=line(title), text=visible(text), note="", kind="diff")


Two = tuple[StepPast, StepPast]


def _of_attempt(history: History, two: Two, get: Get) -> list[str]:
    old, new = (Side(f"{s.name}@{s.attempt}", history, (s,)) for s in two)
    found = diff(old, new, Reader(get, plain_values(get)))
    (step,) = found.steps
    return [] if step.same else str(found).splitlines()[1:]


def _of_call(history: History, two: Two, call: str, get: Get) -> list[str] | None:
    """Lines, or None where the call is the same one: it was served."""
    ledger = Ledger(history)
    pairs = aligned(*(ledger.calls(step) for step in two))
    pair = next((p for p in pairs if p.new and p.new.id == call), None)
    if pair is None or (pair.old and pair.old.id == call):
        return None
    return list(call_lines(pair, get))
