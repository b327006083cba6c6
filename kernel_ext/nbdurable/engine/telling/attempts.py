"""The attempts of one call, a few words each. Pure."""

from __future__ import annotations

from typing import Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.pasts import CallPast, CallState
from nbdurable.engine.where.moments import duration

TOLD_MAX: Final = 20
"""Attempts of one call that are told: the first one, and the latest."""


def attempts(call: CallPast) -> tuple[str, ...]:
    """How each attempt ended, oldest first; nothing where there was one alone."""
    if not call.earlier:
        return ()
    told = [f"attempt {c.attempts} {outcome(c)}" for c in (*call.earlier, call)]
    left_out = len(told) - TOLD_MAX
    if left_out > 0:
        told[1 : 1 + left_out] = [f"… {left_out:,} more"]
    return tuple(told)


def outcome(call: CallPast) -> str:
    """How the latest attempt of a call ended."""
    if call.resolved in _SETTLED:
        return _SETTLED[call.resolved]
    if call.state is CallState.STARTED:
        return "has not ended"
    if call.state is CallState.INTERRUPTED:
        return f"was interrupted after {duration(call.ms)}"
    if call.state is CallState.COMPLETED:
        late = ", late" if call.fields.get("late") else ""
        return f"returned after {duration(call.ms)}{late}"
    waited = ""
    if (again_ms := fields.number(call.fields, "again_ms", -1)) >= 0:
        waited = f", to be tried again {duration(again_ms)} later"
    return f"{raised(call)} after {duration(call.ms)}{waited}"


def raised(call: CallPast) -> str:
    """What the latest attempt raised, or that its time was over."""
    if call.fields.get("timed_out"):
        return "timed out"
    return f"raised {fields.text(call.fields, 'type').rpartition('.')[2]}"


_SETTLED: Final = {
    "happened": "happened, as you said",
    "did-not": "did not happen, as you said",
    "again": "was to be made again, as you said",
}
