"""From the view of a run to all there is to say of one call or attempt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from nbdurable.engine.where.moments import Now, count, duration, moment
from nbdurable.timeline.text import calls_told
from nbdurable.timeline.told import Details, Part
from nbdurable.timeline.views import CallView, Preview, RunView, StepView

DETAILS_MAX: Final = 2_000
"""Calls of a file whose details are all in it: with more, those without values aren't."""


def details(run: RunView, attempt: str, call: str) -> Details | None:
    """All there is to say of a call, or of an attempt; None if there is none such.

    Args:
        run: The run.
        attempt: Id of the attempt.
        call: Id of the call, or "" for the attempt itself.
    """
    step = next((s for s in run.attempts if s.id == attempt), None)
    return details_of(step, call, run.now) if step else None


def details_of(step: StepView, call: str, now: Now) -> Details | None:
    """All there is to say of an attempt, or of a call in it; None if there is none such.

    Args:
        step: The attempt.
        call: Id of the call, or "" for the attempt itself.
        now: The present as the reader sees it.
    """
    if not call:
        return _of_attempt(step, now)
    found = next((c for c in step.calls if c.id == call), None)
    return _of_call(step, found) if found else None


def every_detail(run: RunView) -> Iterable[Details]:
    """All details; of a large run only those of the calls whose values were read."""
    few = sum(len(step.calls) for step in run.attempts) <= DETAILS_MAX
    for step in run.attempts:
        yield _of_attempt(step, run.now)
        yield from (_of_call(step, c) for c in step.calls if few or _was_read(c))


def _was_read(call: CallView) -> bool:
    return any((call.arguments, call.result, call.trace))


def _of_attempt(step: StepView, now: Now) -> Details:
    lines = [f"attempt {step.attempt}, {moment(step.started_us, now)}"]
    told = calls_told(step)
    lines += [*([] if told in step.why else [told]), *step.why]
    lines += [f"not kept: {', '.join(step.unsaved)}"] if step.unsaved else []
    return Details(
        attempt=step.id,
        call="",
        title=step.name,
        lines=tuple(lines),
        error=step.error,
        parts=(
            *_parts({"code": step.source, "output": step.outputs}),
            *(_part("shown", one) for one in step.displays),
        ),
        key="",
    )


def _of_call(step: StepView, call: CallView) -> Details:
    facts = [call.fate.value, call.effect]
    facts += [duration(call.ms)] if call.ms else []
    facts += [count(call.tokens, "token")] if call.tokens else []
    facts += [call.model] if call.model else []
    why = [f"{call.reference} {call.why}"] if call.why else []
    return Details(
        attempt=step.id,
        call=call.id,
        title=call.text,
        lines=(" · ".join(facts), *why, *call.attempts),
        error=call.error,
        parts=_parts(
            {
                "arguments": call.arguments,
                "result": call.result,
                "traceback": call.trace,
            }
        ),
        key=call.key,
    )


def _parts(values: Mapping[str, Preview | None]) -> tuple[Part, ...]:
    return tuple(
        _part(title, value) for title, value in values.items() if value is not None
    )


def _part(title: str, value: Preview) -> Part:
    return Part(
        title=title,
        text=value.text,
        note=value.note,
        kind=value.kind,
        rows=value.rows,
        chars=value.chars,
    )
