"""The records of a call that is about to be made, or that stands here from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nbdurable.engine.calls.arguments import as_made, keep_arguments
from nbdurable.engine.calls.requests import CallRequest, Claim
from nbdurable.engine.past.belonging import Standing
from nbdurable.engine.past.history import CallPast
from nbdurable.engine.past.series import happened, tries_of
from nbdurable.engine.past.wanted import Match
from nbdurable.engine.where.frames import Frame
from nbdurable_store.records import Kind, Plain, Record

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt

_OWN: Final = Standing.OWN
"""Looked up once: a member of a class takes ten times as long as a name."""


def started(
    attempt: Attempt,
    frame: Frame[Any],
    claim: Claim,
    request: CallRequest,
    known: CallPast | None,
) -> tuple[str, tuple[Record, ...]]:
    """The records to append before the effect, and the call's logical id."""
    # Of this run; that of another run is a new call here.
    own = known if known and known.id in attempt.home.history.calls else None
    call_id = own.id if own else attempt.home.ids.new()
    stands = own and not request.again
    before = adopted(attempt, claim, claim.match) if stands else ()
    if claim.match.apart and not request.again:
        before += (_parted(attempt, claim.match.apart),)
    attempt.happened[call_id] = happened((*known.earlier, known)) if known else 0
    policy = request.policy
    fields: dict[str, Plain] = {
        "n": claim.nth,
        "attempt": own.attempts + 1 if own else 1,
        "tries": tries_of(policy, own) if own else 1,
        "name": request.name,
        "effect": str(policy.effect),
        "kind": request.kind,
        "code": request.code,
        "scope": claim.scope,
        "after": claim.after,
        "parent": frame.parent,
        "text": request.text(),
    }
    if policy.inner:
        fields["inner"] = request.inner
    if request.undigestible:
        fields["undigestible"] = request.undigestible
    if request.estimate:
        fields["estimate"] = request.estimate
    if attempt.ended:
        fields["late"] = True
    if request.waits is not None:
        fields["wait"] = request.waits(known)
    attempt.begun(claim, request, call_id)
    if attempt.files is not None and frame.parent:
        attempt.files.outer[call_id] = frame.parent
    arguments = keep_arguments(attempt.store, request, fields)
    record = attempt.record(Kind.CALL_STARTED, call_id, request.key, fields, arguments)
    return call_id, (*before, record)


def adopted(
    attempt: Attempt, claim: Claim, match: Match, request: CallRequest | None = None
) -> tuple[Record, ...]:
    """The record that the call stands here from now on, if it stood elsewhere.

    Or that it is known as it is made now: by the parameters that its tool has now.
    """
    call, own = match.call, match.standing is _OWN
    if call is None or (not own and match.standing is Standing.TAKEN):
        return ()
    renewed = request if match.renewed else None
    if own and call.parent == claim.parent and renewed is None:
        return ()
    if not own:
        attempt.used.adopted.append(call.id)
    fields: dict[str, Plain] = {"slot": attempt.step.slot, "from": call.slot}
    fields["n"] = claim.nth
    if call.parent != claim.parent:
        fields |= {"parent": claim.parent, "scope": claim.scope}
    key = call.key if renewed is None else renewed.key
    if renewed is not None:
        fields |= as_made(renewed)
    return (attempt.record(Kind.CALL_ADOPTED, call.id, key=key, fields=fields),)


def _parted(attempt: Attempt, call_id: str) -> Record:
    """The record that a call of this slot is not the one that is made now."""
    fields = {"how": "apart", "slot": attempt.step.slot, "by": "policy"}
    return attempt.record(Kind.CALL_RESOLVED, call_id, fields=fields)
