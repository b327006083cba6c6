"""The series of attempts that a tool's `Retry` makes of one call. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from nbdurable.engine.past.pasts import CallPast, CallState
from nbdurable.engine.past.policy import Policy


def tries_of(policy: Policy, known: CallPast | None) -> int:
    """Which attempt of a series comes next.

    A series is over once an exception reached the code, or a person has said how the
    call stands; then another one begins.

    Args:
        policy: The tool's, by now.
        known: The call as it stands, if it is recorded.
    """
    if policy.retry is None or known is None or known.resolved:
        return 1
    cut_off = known.state in {CallState.STARTED, CallState.INTERRUPTED}
    going_on = cut_off or known.retrying
    return policy.retry.next_number(known.tries) if going_on else 1


def happened(attempts: Iterable[CallPast]) -> int:
    """How many of these attempts of a call completed: each is a thing done."""
    done = (c for c in attempts if c.state is CallState.COMPLETED)
    return sum(attempt.outcome is not None for attempt in done)
