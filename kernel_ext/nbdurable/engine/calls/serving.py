"""Serving a recorded call: its outcome, verified, and what is counted of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nbdurable.engine.calls.requests import CallRequest, Claim, Outcome
from nbdurable.engine.codec import decode_exception
from nbdurable.engine.codec.parts import closing
from nbdurable.engine.past.history import CallPast, CallState
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.wanted import Match
from nbdurable_store.errors import DurableError
from nbdurable_store.records import BlobRef

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt

_WRITE: Final = Effect.WRITE
_RAISED: Final = CallState.RAISED
"""Looked up once: a member of a class takes ten times as long as a name."""


def serve(
    attempt: Attempt, claim: Claim, match: Match, request: CallRequest
) -> Outcome | None:
    """The recorded outcome, verified; None if it can't be recovered."""
    call = match.call
    assert call is not None
    if call.outcome is None:
        return None
    outcome = _recover(attempt, call, call.outcome, request)
    if outcome is not None:
        with attempt.home.lock:
            _count_served(attempt, claim, call)
            if attempt.files is not None:
                attempt.files.carry(call.fields)
            if outcome.raised is not None:
                attempt.blame.add(call.id, outcome.raised)
            if call.effect is _WRITE:
                attempt.preceding.served(claim.scope, call.id)
    return outcome


def _recover(
    attempt: Attempt, call: CallPast, ref: BlobRef, request: CallRequest
) -> Outcome | None:
    try:
        if call.state is _RAISED:
            data = attempt.store.get(ref)
            raised = decode_exception(ref.codec, data, secrets=attempt.home.secrets)
            if raised.exception is not None and call.changed is not None:
                changed = attempt.store.get(call.changed)
                request.decode(call.changed.codec, changed)
            return Outcome(raised=raised.exception) if raised.exception else None
        found = attempt.store.get(ref, stream=True)
        if isinstance(found, bytes):
            return Outcome(request.decode(ref.codec, found))
        with closing(found) as parts:
            return Outcome(request.decode(ref.codec, parts))
    except DurableError as gone:
        attempt.used.unstorable.append(f"{call.name} ({gone.fact().rstrip('.')})")
        attempt.used.gone[call.id] = gone.fact()
        return None


def _count_served(attempt: Attempt, claim: Claim, call: CallPast) -> None:
    attempt.matcher.served.add(call.id)
    here = call.id in attempt.home.history.calls
    if here and call.step == attempt.step.id:  # it was counted when it ran
        return
    if here:
        attempt.used.calls.append(call.id)
    attempt.used.count_served(claim, call, here=here)
