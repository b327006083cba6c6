"""From a verdict that needs a person to the pause that asks them. Pure wording."""

from __future__ import annotations

import re

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.refusing import not_recorded
from nbdurable.engine.calls.requests import CallRequest, Claim
from nbdurable.engine.identity import keys
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.forks import HappenedInParent, forked_from
from nbdurable.engine.past.history import CallPast, CallState, StepPast
from nbdurable.engine.past.matching import Match
from nbdurable.engine.past.policy import Effect, OnDoubt
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.where.moments import duration
from nbdurable.errors import (
    AlreadyHappened,
    CallInDoubt,
    CallPause,
    CallRefused,
    HappenedBeforeRerun,
    HappenedElsewhere,
    KeysDiffer,
    ResultGone,
    TwinHappened,
)


def pause(
    attempt: Attempt, claim: Claim, match: Match, request: CallRequest
) -> CallPause:
    """What stops the cell: a question, or that no new call is made now."""
    if not frozen.served_only(attempt):
        return question(attempt, claim, match, request)
    refused = not_recorded(attempt, claim, match, request)
    return refused if attempt.serves_only else frozen.remember(refused)


def question(
    attempt: Attempt, claim: Claim, match: Match, request: CallRequest
) -> CallPause:
    """The pause for this match; remembers in the attempt which call it is about."""
    call = match.call
    assert call is not None
    attempt.used.asked[claim.number] = (call.id, match.past)
    text = request.text()
    common = {
        "call": text,
        "reference": f"{attempt.step.name}.{claim.number}",
        "tool": request.name,
        "earlier": call.text if call.text != text else "",
    }
    if match.past is Past.EDITED:
        return AlreadyHappened(**common)
    if match.past is Past.UNRECOVERABLE:
        return ResultGone(**common, why=why_gone(call))
    if match.past is Past.ELSEWHERE:
        owner = attempt.home.history.steps.get(call.step)
        return HappenedElsewhere(**common, cell=owner.name if owner else call.slot)
    if match.past is Past.FORKED:
        run = forked_from(attempt.home.history.opened).partition(" at ")[0]
        return HappenedInParent(**common, run=run)
    if match.past is Past.AFRESH:
        others = _other_writes(attempt, call)
        return HappenedBeforeRerun(**common, step=attempt.step.name, others=others)
    if match.past is Past.UNDIGESTIBLE_TWIN:
        parameter = re.split(r"\W", request.undigestible)[0]
        earlier = {**common, "earlier": call.text}
        return TwinHappened(
            **earlier, argument=request.undigestible, parameter=parameter
        )
    if match.past is Past.REKEYED:
        earlier = {**common, "earlier": call.text}
        return KeysDiffer(**earlier, since=keys.ALGORITHMS[keys.ALGORITHM])
    return _doubt(attempt, common, call, request)


def _doubt(
    attempt: Attempt, common: dict[str, str], call: CallPast, request: CallRequest
) -> CallPause:
    step = attempt.home.history.steps.get(call.step)
    number = Ledger(attempt.home.history).numbered(step).get(call.id) if step else ""
    where = f"{step.name if step else call.slot}, call {number or call.number}"
    refused = request.policy.on_doubt is OnDoubt.FAIL
    return (CallRefused if refused else CallInDoubt)(
        **common,
        how=how_in_doubt(call, step, attempt.home.history.owner_last_us(call.owner)),
        where=f"{where}, attempt {call.attempts}",
        undeclared=not request.policy.declared,
    )


def how_in_doubt(call: CallPast, step: StepPast | None, last_us: int) -> str:
    """How a call came to be in doubt, as the beginning of a sentence."""
    if call.state is CallState.RAISED and call.fields.get("timed_out"):
        return f"It had no result after {duration(call.ms)}"
    if call.state is CallState.RAISED:
        return f"It raised {str(call.fields.get('type', '')).rpartition('.')[2]}"
    if call.state is CallState.INTERRUPTED:
        return f"It was interrupted {call.ms / 1000:.1f} s after it began"
    ended_us = max(last_us, step.ended_us if step else 0)
    seconds = (ended_us - call.started_us) / 1_000_000
    if seconds >= 0.1:  # below that the number says nothing
        return f"The kernel stopped {seconds:.1f} s into this call"
    return "The kernel stopped during this call"


def why_gone(call: CallPast) -> str:
    """Why a completed call has no result to serve."""
    unstored = call.fields.get("unstored")
    if isinstance(unstored, str):
        return f"Its result could not be stored: {unstored}."
    return "What the store holds of it is damaged or missing: nbdurable fsck names it."


def _other_writes(attempt: Attempt, call: CallPast) -> tuple[str, ...]:
    history, slot = attempt.home.history, attempt.step.slot
    reset = history.slot(slot).reset
    return tuple(
        c.text
        for c in history.calls.values()
        if c.slot == slot
        and c.effect is Effect.WRITE
        and c.id != call.id
        and reset is not None
        and c.ended_order < reset
        and c.state is CallState.COMPLETED
    )
