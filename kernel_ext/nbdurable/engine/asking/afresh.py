"""Making a step or a call afresh, as the record that says so. Pure.

The magic, `nd.rerun` and the view's button append it; nothing else tells a rerun.
"""

from __future__ import annotations

from nbdurable.engine.asking.told import Told
from nbdurable.engine.past import settle
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.circumstances import in_doubt
from nbdurable.engine.past.fates import in_the_world
from nbdurable.engine.past.history import History
from nbdurable.engine.past.nothing import NothingToSettle
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.said import state_of
from nbdurable.engine.where.moments import count
from nbdurable_store.records import Kind, Record


def call(
    history: History, text: str, past: CallPast, at_us: int
) -> tuple[Told, Record]:
    """Make one call afresh when its cell runs again: its result isn't served.

    Args:
        history: The run.
        text: STEP.CALL, as it was typed.
        past: The call.
        at_us: When it is asked for, microseconds since 1970 UTC.

    Raises:
        NothingToSettle: It has no outcome that would be served.
    """
    if in_doubt(history, past):
        raise _in_doubt(history, past)
    if not settle.can_be_afresh(past):
        raise NothingToSettle(reference=text, call=past.text, state=state_of(past))
    record = Record(
        kind=Kind.CALL_RESOLVED,
        run=history.run,
        subject=past.id,
        key=past.key,
        at_us=at_us,
        fields={"how": "afresh", "slot": past.slot, "by": "person"},
    )
    write = past.effect is Effect.WRITE
    ask = " · it already happened: you are asked first" if write else ""
    told = f"{text} · {past.text} is made afresh when its cell runs again{ask}"
    return Told(told), record


def _in_doubt(history: History, past: CallPast) -> NothingToSettle:
    """There is nothing yet that could be made afresh: somebody has to settle it."""
    asked = next(q for q in settle.questions(history) if q.call.id == past.id)
    options = (settle.OPTIONS[said] for said in settle.offered(asked.past))
    return NothingToSettle(
        reference=asked.asked,
        call=past.text,
        state="may or may not have happened",
        fitting=tuple(options),
        why="settle that first",
    )


def step(history: History, past: StepPast, at_us: int) -> tuple[Told, Record]:
    """Begin a step afresh: no recorded call is served when its cell runs again.

    Args:
        history: The run.
        past: An attempt of it.
        at_us: When it is asked for, microseconds since 1970 UTC.
    """
    record = Record(
        kind=Kind.STEP_RESET,
        run=history.run,
        subject=past.id,
        at_us=at_us,
        fields={"slot": past.slot},
    )
    writes = happened(history, past)
    many = count(writes, "write")
    ask = f" · {many} that already happened: you are asked first" if writes else ""
    told = f"{past.name} · begins afresh when you run its cell again{ask}"
    return Told(told), record


def happened(history: History, past: StepPast) -> int:
    """How many writes of its slot already happened: each asks before it is repeated."""
    return sum(c.slot == past.slot and in_the_world(c) for c in history.calls.values())
