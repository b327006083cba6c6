"""Why a call was executed and not served: what differs from the nearest record. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from nbdurable.engine.past import evidence, fields
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import CallPast, CallState, Order
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.wanted import edited_given
from nbdurable.engine.telling import details
from nbdurable.engine.telling.attempts import raised
from nbdurable.engine.telling.reference import name_of
from nbdurable.engine.telling.wording import both
from nbdurable.engine.values.differences import differences

SETTLED: Final[Mapping[str, str]] = {
    "did-not": "you said that it did not happen",
    "undone": "it was undone",
    "again": "you asked for it",
}
"""Why a call is made anew that was settled so."""


def ran_because(history: History, call: CallPast, present: Present) -> str:
    """Why a call was executed in the attempt that last executed it."""
    if call.earlier:
        return f"ran again, because {_again(history, call, present)}"
    equal = twin(history, call)
    if equal is not None:
        return f"ran, because {not_that_one(history, call, equal, present)}"
    near = nearest(history, call)
    if near is None:
        return "ran: it is new"
    told = "; ".join(different(near, call, present))
    there = name_of(history, near)
    return f"ran: no equal call was recorded; nearest is {there}: {told}"


def different(near: CallPast, call: CallPast, present: Present) -> tuple[str, ...]:
    """What differs between two calls of a tool, one place each."""
    if call.undigestible:
        return (f"{call.undigestible} has no digest",)
    pair = present.arguments(near), present.arguments(call)
    if None not in pair and (told := differences(*pair, most=2)):
        return tuple(map(str, told))
    was, now = near.key.hex()[:8], call.key.hex()[:8]
    kept = (
        "what differs can't be shown"
        if None not in pair
        else "its arguments are not kept"
    )
    return (f"{kept}, its key was {was}…, is {now}…",)


def _again(history: History, call: CallPast, present: Present) -> str:
    last = call.earlier[-1]
    if last.resolved in SETTLED:
        return SETTLED[last.resolved]
    if last.state is CallState.STARTED:
        return f"the kernel stopped during attempt {last.attempts}"
    if last.state is CallState.INTERRUPTED:
        return f"attempt {last.attempts} was interrupted"
    if last.state is CallState.RAISED:
        return f"attempt {last.attempts} {raised(last)}"
    return not_that_one(history, call, last, present)


def not_that_one(
    history: History, call: CallPast, other: CallPast, present: Present
) -> str:
    """Why a completed record with the same key did not serve this call."""
    reset = history.slot(call.slot).reset
    if reset is not None and other.ended_order < reset:
        return "you asked for a rerun"
    if (other.code, other.key) != (call.code, call.key):
        return _code(history, call, other, present)
    if other.outcome is None:
        unstored = fields.text(other.fields, "unstored")
        return f"its result was not kept{unstored and f': {unstored}'}"
    if files := _changed_files(other, call):
        return f"{both(files)} changed"
    if call.after and call.after != other.after and call.effect is Effect.READ:
        write = history.calls.get(call.after)
        return f"{write.name if write else 'a write'} ran before it (write)"
    if call.undigestible:
        return f"{call.undigestible} has no digest"
    step = history.steps.get(call.step)
    if other.step == call.step or (step is not None and other.id in step.used):
        return f"it is one more equal call ({name_of(history, other)} is the first)"
    return _owned(history, other)


def _owned(history: History, other: CallPast) -> str:
    """Whose call an equal one is."""
    owner = history.latest(other.slot) or history.steps.get(other.step)
    where = owner.name if owner else "another cell"
    if other.adopted_from:
        return f"the equal call was served to {where} and is its own now"
    return f"the equal call belongs to {where}"


def _code(history: History, call: CallPast, other: CallPast, present: Present) -> str:
    """Which line of a tool, of what it is given or of what it reaches is another one."""
    if other.code == call.code:
        return f"the parameters of {call.name}, or its name, were edited"
    given, values = edited_given(other, call.codes)
    if (given or values) and not other.codes:
        code = [f"the code of {both(given)}"] if given else []
        return f"{both([*code, *values])} was not recorded with it"
    if values and not given:
        return f"{both(values)} changed"
    steps = history.steps.get(other.step), history.steps.get(call.step)
    old, new = (present.evidence(s) if s else evidence.NOTHING for s in steps)
    lines = "; ".join([*details.code(old, new)][:2])
    changed = f"the code of {both(given or [call.name])} changed"
    return f"{changed}: {lines}" if lines else changed


def _changed_files(old: CallPast, new: CallPast) -> list[str]:
    """The files that both have read, and that were not the same."""
    was, now = old.fields.get("files"), new.fields.get("files")
    if not isinstance(was, Mapping) or not isinstance(now, Mapping):
        return []
    return sorted(name for name in was.keys() & now.keys() if was[name] != now[name])


def twin(history: History, call: CallPast) -> CallPast | None:
    """The latest other record with the same key that was there before it."""
    ids = history.by_key.get(call.key, ())
    known = (history.calls[i] for i in ids if i != call.id)
    return max((c for c in known if c.order < call.order), key=_order, default=None)


def nearest(
    history: History, call: CallPast, served: Collection[str] = ()
) -> CallPast | None:
    """The earlier call of the same tool that this one most likely replaces.

    It was made in an earlier attempt and is not used by this one: that of the same
    slot and number, else the latest of the slot, else the latest of the run.

    Args:
        history: The fold of the run.
        call: The call.
        served: Ids of the calls that its attempt, which goes on, was served.
    """
    step = history.steps.get(call.step)
    used = {*(step.used if step else ()), *served}
    earlier = [
        c
        for c in history.calls.values()
        if c.name == call.name and c.step != call.step and c.order < call.order
    ]
    left = [c for c in earlier if c.key != call.key and c.id not in used]
    before = [c for c in left if c.slot == call.slot]
    nth = bool(call.parent), call.number
    same = [c for c in before if (bool(c.parent), c.number) == nth]
    return max(same or before or left, key=_order, default=None)


def _order(call: CallPast) -> Order:
    return call.order
