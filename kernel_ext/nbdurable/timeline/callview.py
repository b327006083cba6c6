"""One call as it is shown. Pure but for reading values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.fates import call_fate
from nbdurable.engine.past.history import History
from nbdurable.engine.past.money import price, tokens
from nbdurable.engine.past.pasts import HELD, CallPast, CallState
from nbdurable.engine.telling.attempts import attempts
from nbdurable.timeline import previews
from nbdurable.timeline.around import tool_of
from nbdurable.timeline.previews import Frames, Get, line
from nbdurable.timeline.views import CallView


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is seen of a call beside its records.

    Attributes:
        alive: Ids of the owners that live.
        get: How its values are read; without it there are none.
        frames: How stored tables are read; without it they are named only.
        why: Why it ran or was served, or "".
        brief: Leave out what no row shows.
    """

    alive: Collection[str]
    get: Get | None = None
    frames: Frames | None = None
    why: str = ""
    brief: bool = False


def call_view(
    history: History, step: StepPast, call: CallPast, place: tuple[str, int], seen: Seen
) -> CallView:
    """A call in an attempt of a step.

    Args:
        history: The fold of the run.
        step: The attempt.
        call: The call as it stood after that attempt.
        place: Its number in the attempt, and how many calls enclose it.
        seen: What is seen of it beside its records.
    """
    number, depth = place
    raised, get = call.state is CallState.RAISED, seen.get
    tries = [c for c in (*call.earlier, call) if c.step == step.id]
    began_us = min((c.started_us for c in tries), default=call.started_us)
    before_ms = (call.started_us - began_us) / 1_000 if call.ms else 0.0
    named = "" if seen.brief else line(step.name)
    return CallView(
        id=call.id,
        reference=f"{named}.{number}" if named and number else named,
        number=number,
        name=line(tool_of(call)),
        text=line(call.text or call.name),
        effect=call.kind if call.is_step else call.effect.value,
        fate=call_fate(history, call, step, seen.alive),
        parent=call.parent,
        depth=depth,
        is_step=call.is_step,
        held=fields.number(call.fields, HELD),
        started_us=began_us,
        ms=before_ms + call.ms,
        tokens=tokens((call,)),
        usd=price(call),
        model=line(fields.text(call.fields, "model")),
        attempt=call.attempts,
        attempts=tuple(map(line, attempts(call))),
        tries=len(tries),
        error=error(call.fields) if raised else "",
        why=line(seen.why),
        key="" if seen.brief else call.key.hex(),
        arguments=previews.value(call.arguments, get),
        result=None if raised else previews.value(call.outcome, get, seen.frames),
        trace=previews.trace(call, get) if raised else None,
    )


def error(f: fields.Fields) -> str:
    """The type and the message of an exception, in one line."""
    kind = fields.text(f, "type").removeprefix("builtins.")
    message = fields.text(f, "message")
    return line(f"{kind}: {message}" if message else kind)
