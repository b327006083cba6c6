"""What comes of a call after nobody waited for it any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nbdurable.engine.calls import outcomes
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.telling import lines
from nbdurable_store.records import Record

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt
    from nbdurable.engine.calls.going import Going
    from nbdurable.engine.calls.requests import CallRequest, Outcome


def settling(going: Going, began_s: float) -> Callable[[Outcome], None]:
    """What records the late outcome of the latest attempt of a call.

    Args:
        going: The call.
        began_s: When its function began, by the clock that never jumps.
    """
    attempt, request = going.frame.attempt, going.request
    call_id, number = going.call_id, going.number

    def settle(outcome: Outcome) -> None:
        ms = round((attempt.clock.monotonic_s() - began_s) * 1000, 3)
        try:
            record = _late(attempt, request, call_id, outcome, ms)
            fields = {**record.fields, "late": True, "attempt": number}
            attempt.home.append((record._replace(fields=fields),), sync=True)
            told = _told(attempt, call_id, number, outcome)
        except Exception as unrecorded:  # noqa: BLE001  # nobody is left to raise it to
            told = lines.late_unrecorded(request.text(), unrecorded)
        if told:
            attempt.home.notify(told)

    return settle


def _late(
    attempt: Attempt, request: CallRequest, call_id: str, outcome: Outcome, ms: float
) -> Record:
    if outcome.raised is None:
        return outcomes.completed(attempt, call_id, request, outcome.value, ms)
    return outcomes.raised(attempt, call_id, request, outcome.raised, ms)


def _told(attempt: Attempt, call_id: str, number: int, outcome: Outcome) -> str:
    """What somebody should know of it, or ""."""
    if outcome.raised is not None:
        return ""
    with attempt.home.lock:
        call = attempt.home.history.calls.get(call_id)
    if call is None:  # another run was begun meanwhile
        return ""
    if call.attempts == number:
        return lines.came_late(call)
    return lines.came_twice(call) if call.effect is Effect.WRITE else ""
