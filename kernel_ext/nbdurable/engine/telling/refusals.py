"""Why a call could not be served: what is recorded instead of it. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.decide import OTHERS, Past
from nbdurable.engine.past.history import CallPast, CallState, History
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.wanted import Match
from nbdurable.engine.telling import reasons
from nbdurable.engine.telling.reference import name_of
from nbdurable.engine.telling.wording import listed

BY_PAST: Final = frozenset(
    {
        Past.FORKED,
        Past.REKEYED,
        Past.UNDIGESTIBLE_TWIN,
        Past.EMPTIED,
        Past.STOOD_IN,
    }
)
"""Pasts that say more than the record does."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What is recorded instead of a call.

    Attributes:
        why: A sentence without its end.
        nearest: The nearest recorded call, such as ``findings.3``, or "".
        differs: What differs from that, one place each.
    """

    why: str
    nearest: str = ""
    differs: tuple[str, ...] = ()


def why_refused(
    history: History,
    call: CallPast,
    match: Match,
    present: Present,
    used: Collection[str],
) -> Reason:
    """Why a call that is about to be made is not served.

    Args:
        history: The fold of the run.
        call: The call as it would be recorded.
        match: What it was matched with.
        present: How to read what is kept.
        used: Ids of the calls that its attempt was served.
    """
    if match.call is not None and match.past not in OTHERS:
        there = name_of(history, match.call)
        told = _of_record(history, call, match, present)
        return Reason(f"{there} is the same call, and is not served, because {told}")
    twin = reasons.twin(history, call)
    if twin is not None:
        there = name_of(history, twin)
        if twin.id in used:
            return Reason(f"It is one more equal call than was recorded ({there})")
        told = reasons.not_that_one(history, call, twin, present)
        return Reason(f"{there} is the same call, and is not served, because {told}")
    near = reasons.nearest(history, call, used)
    if near is None:
        return Reason(f"No other call of {call.name} is recorded")
    there = name_of(history, near)
    differs = reasons.different(near, call, present)
    return Reason(f"The nearest recorded call is {there}", there, differs)


def _of_record(history: History, call: CallPast, match: Match, present: Present) -> str:
    recorded = match.call
    assert recorded is not None
    if match.past in BY_PAST:
        return f"it is {match.past.value}"
    if match.past is Past.MADE_ANEW:
        return reasons.SETTLED.get(recorded.resolved, "it did not happen")
    if match.past is Past.UNRECOVERABLE:
        return "its result was not kept, or is damaged: nbdurable fsck"
    files = sorted(fields.mapping(recorded.fields, "files"))
    if match.past is Past.STALE and files:
        return f"what it read has changed ({listed(files)})"
    if recorded.state is CallState.RAISED:
        return f"it raised {recorded.fields.get('type')}"
    if recorded.state is not CallState.COMPLETED:
        return "it has no result: it may or may not have happened"
    return reasons.not_that_one(history, call, recorded, present)
