"""`nd.idempotency_key`: one key for each payment, however often it is tried."""

from __future__ import annotations

from nbdurable.engine.identity import keys
from nbdurable.engine.past.pasts import CallPast, CallState
from nbdurable.engine.where.frames import current_frame
from nbdurable.errors import OutsideCall


def idempotency_key() -> str:
    """A key for the call that the running code is in, to be sent to a service.

    The same over retries, restarts, edits of the cell and moves to another one; another
    one for every other call, with equal arguments too. A call that completed and that
    you have made once more (``%durable resolve … --again``) gets another one.

    Returns:
        A UUID.

    Raises:
        OutsideCall: The code is in no call of a durable cell.

    Example:
        >>> idempotency_key()
        Traceback (most recent call last):
            ...
        nbdurable.errors.refusals.OutsideCall: this code is in no call of a durable cell.
        ...
    """
    frame = current_frame()
    if frame is None or not frame.parent:
        raise OutsideCall
    home = frame.attempt.home
    with home.lock:
        call: CallPast = home.history.calls[frame.parent]
    return keys.idempotency_key(home.store.id, call.id, happened(call))


def happened(call: CallPast) -> int:
    """How often a call completed before its present attempt: each is a thing done."""
    done = (c for c in call.earlier if c.state is CallState.COMPLETED)
    return sum(attempt.outcome is not None for attempt in done)
