"""To whom a recorded call belongs: a slot, an enclosing call, the attempt it ended. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum

from nbdurable.engine.identity import keys
from nbdurable.engine.past.history import CallPast, CallState, History, StepState


class Standing(IntEnum):
    """To whom a recorded call belongs; lower is looked at first."""

    OWN = 0
    FREE = 1
    UNKNOWN = 2
    TAKEN = 3


def standing_of(
    history: History, call: CallPast, here: str, existing: Mapping[str, str]
) -> Standing:
    """To whom a recorded call belongs, seen from the slot ``here``.

    A call is free if its slot is edited or gone, or if the slot's latest ended
    attempt did not use it or failed. One made inside another call is where that one is.
    """
    chain = (call, *holders(history, call)) if call.parent else (call,)
    slot = chain[-1].slot
    if slot == here:
        return Standing.OWN
    latest = history.latest(slot, ended=True)
    used = latest is not None and any(c.id in latest.used for c in chain)
    if latest and (latest.state is StepState.FAILED or not used):
        return Standing.FREE
    source = existing.get(slot)
    if source is None:
        return Standing.UNKNOWN
    newest = latest or history.latest(slot)
    comparable = newest is not None and newest.algorithm == keys.ALGORITHM
    edited = newest is not None and comparable and newest.source != source
    return Standing.FREE if edited else Standing.TAKEN


def holders(history: History, call: CallPast) -> Iterator[CallPast]:
    """The calls whose latest executions this one was made in, from inside out."""
    while (outer := history.calls.get(call.parent)) is not None:
        attempt = history.steps.get(outer.step)
        within = attempt is not None and call.id in attempt.used
        moved = call.adopted_from and call.slot != outer.slot
        if moved or (call.step != outer.step and not within):
            return
        yield outer
        call = outer


def within(history: History, call_id: str) -> Iterator[CallPast]:
    """The calls that were made inside one, at whatever depth."""
    inside: set[str] = {call_id}
    for call in sorted(history.calls.values(), key=lambda c: c.order):
        if call.parent in inside:
            inside.add(call.id)
            yield call


def was_inside(call: CallPast) -> bool:
    """Whether it has ever been made inside another one: most have not."""
    return bool(call.parent or call.once_in)


def every_holder(history: History, call: CallPast) -> Iterator[CallPast]:
    """Those, and the calls that it was made in before it was served to another place.

    Whoever is served one of them is served this call with it, unless that one was made
    again since, and without it.
    """
    yield from holders(history, call)
    for parent, left in call.once_in:
        outer = history.calls.get(parent)
        if outer is not None and outer.ended_order < left:
            yield outer
            yield from holders(history, outer)


def went_on(history: History, call: CallPast) -> bool:
    """Whether the attempt went on after this call had raised."""
    step = history.steps.get(call.step)
    if step is None or call.blamed:
        return False
    if step.state is StepState.COMPLETED:
        return True
    return any(
        other.step == call.step
        and other.scope == call.scope
        and other.state is CallState.COMPLETED
        and other.ended_order > call.ended_order
        for other in history.calls.values()
    )


def code_saw(history: History, call: CallPast) -> bool:
    """Whether the code has seen what became of it, and went on from there."""
    if call.state is CallState.RAISED:
        return went_on(history, call)
    return call.state is CallState.COMPLETED
