"""`nd.idempotency_key`: one key for each payment, however often it is tried."""

from __future__ import annotations

from nbdurable.engine.identity import keys
from nbdurable.engine.past.series import happened
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
    attempt, call_id = frame.attempt, frame.parent
    before = attempt.happened.get(call_id)
    if before is None:  # an `on_doubt` function asks what became of the latest attempt
        with attempt.home.lock:
            earlier = attempt.home.history.calls[call_id].earlier
        before = happened(earlier)
    return keys.idempotency_key(attempt.store.id, call_id, before)
