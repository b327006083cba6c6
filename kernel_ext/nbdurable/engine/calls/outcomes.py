"""The records of how a call ended."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from nbdurable.engine.calls import raising
from nbdurable.engine.calls.requests import TOOL_KIND, CallRequest
from nbdurable.engine.calls.whose import Whose
from nbdurable.engine.codec import Unstorable, encode_exception
from nbdurable.engine.past.pasts import STEP_KIND
from nbdurable.engine.values import named
from nbdurable.errors import TimedOut, WorkerDied
from nbdurable_store.errors import DurableError
from nbdurable_store.records import BlobRef, Kind, Plain, Record

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt


_BY_NAME: Final = frozenset({TOOL_KIND, STEP_KIND})
"""Kinds of calls whose results are the user's data: names in them say what they are."""


def completed(
    attempt: Attempt, call_id: str, request: CallRequest, value: object, ms: float
) -> Record:
    """The record of a result; its blob is durable when this returns."""
    fields: dict[str, Plain] = {"ms": ms}
    if request.measure is not None:
        fields |= request.measure(value)
    if attempt.files is not None:
        fields |= attempt.files.of_call(call_id)
    if request.kind == STEP_KIND:
        fields |= attempt.used.held(call_id)
    blobs: tuple[BlobRef, ...] = ()
    try:
        if request.kind in _BY_NAME and (name := named.holds_credential(value)):
            raise Unstorable(why=f"{name} in it is named like a credential")
        blobs = (request.keep(value, attempt.store.put),)
        fields |= {"changes": changes} if (changes := [*request.changes()]) else {}
    except Unstorable as unstorable:
        fields["unstored"] = unstorable.reason()
        if not request.policy.inner:  # what the tool returns is what counts
            attempt.used.unstorable.append(f"{request.name} ({unstorable.reason()})")
    if request.whose is not None:
        _tell(attempt, request.name, request.whose)
    return attempt.record(Kind.CALL_COMPLETED, call_id, request.key, fields, blobs)


def raised(
    attempt: Attempt,
    call_id: str,
    request: CallRequest,
    error: BaseException,
    ms: float,
    again_s: float | None = None,
) -> Record:
    """The record of an exception; ``again_s`` is when it is tried again, if it is."""
    not_done = nothing_happened(attempt, request, error)
    fields = raising.fields(error, attempt.home.secrets, ms, not_done=not_done)
    if "interrupted" in fields:
        had = request.had(error)
        cut = (attempt.store.put(had.codec, had.data),) if had else ()
        fields |= {"cut": True} if cut else {}
        return attempt.record(Kind.CALL_RAISED, call_id, request.key, fields, cut)
    if again_s is not None:
        fields["again_ms"] = round(again_s * 1000)
    blobs: tuple[BlobRef, ...] = ()
    try:
        changed = request.changed()
        encoded = encode_exception(error, secrets=attempt.home.secrets)
        kept = (encoded, changed) if changed else (encoded,)
        blobs = tuple(attempt.store.put(e.codec, e.data) for e in kept)
    except Unstorable as unstorable:
        fields["unstored"] = unstorable.reason()
    if request.whose is not None:
        _tell(attempt, request.name, request.whose)
    return attempt.record(Kind.CALL_RAISED, call_id, request.key, fields, blobs)


def _tell(attempt: Attempt, name: str, whose: Whose) -> None:
    if told := whose.told(name):
        attempt.used.told.append(told)


def not_begun(attempt: Attempt, call_id: str, request: CallRequest) -> None:
    """Say, if the journal can be written, that the effect never began."""
    record = attempt.record(
        Kind.CALL_RAISED,
        call_id,
        request.key,
        {"ms": 0, "type": "nbdurable.NotDone", "not_done": True},
    )
    with contextlib.suppress(DurableError, OSError):
        attempt.home.append((record,), sync=False)


def nothing_happened(
    attempt: Attempt, request: CallRequest, error: BaseException
) -> bool:
    """Whether an exception says that the call changed nothing.

    A `NotDone` that comes out of a call made inside this one says so of that one alone.
    """
    types = request.policy.nothing_happened
    if isinstance(error, WorkerDied):  # the tool's types are of what it raises itself
        return False
    if isinstance(error, TimedOut):  # an OSError; `on=OSError` doesn't mean our limit
        return TimedOut in types
    if isinstance(error, types):
        return True
    return type(error).__name__ == "NotDone" and not attempt.blame.holds(error)
