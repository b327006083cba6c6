"""Frozen mode: recorded calls are served, and a new one is refused. One switch.

Theory of operation. While it is on, `decide` refuses what is not served, so that inside
a step nothing new happens. Outside of steps nothing is recorded: there `refuse_outside`
stops whatever would reach the world. The switch is one of the process, as the doors are
which it guards: a tool that a plain cell calls belongs to no session.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from nbdurable.engine.past.decide import Verdict, decide
from nbdurable.engine.past.policy import Effect, Policy

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt
    from nbdurable.engine.calls.refusing import CallNotRecorded
    from nbdurable.engine.calls.requests import CallRequest
    from nbdurable.engine.past.wanted import Match

REFUSALS_MAX: Final = 100
"""Refusals that are remembered: code that swallows them must not fill the memory."""

NOTE: Final = "frozen"
"""What stands in each status line while it is on."""

_lock = threading.Lock()
_on = False
_refusals: list[CallNotRecorded] = []


def is_on() -> bool:
    """Whether new calls are refused in this process."""
    return _on


def switch(on: bool) -> bool:  # noqa: FBT001  # it is a switch
    """Turn it on or off; gives what it was. Refusals are remembered anew."""
    global _on  # one switch per process
    with _lock:
        was, _on = _on, on
        if on and not was:
            _refusals.clear()
        return was


def note() -> str:
    """A part for a status line, or ""."""
    return NOTE if _on else ""


def refusals() -> tuple[CallNotRecorded, ...]:
    """What was refused since it was turned on, the first ones first."""
    with _lock:
        return tuple(_refusals)


def remember(refused: CallNotRecorded) -> CallNotRecorded:
    """Remember a refusal: the code may swallow it, and it counts all the same."""
    with _lock:
        if len(_refusals) < REFUSALS_MAX:
            _refusals.append(refused)
    return refused


def verdict(attempt: Attempt, match: Match, request: CallRequest) -> Verdict:
    """What happens to a call of an attempt, now."""
    return decide(
        match.past,
        request.policy,
        owner_alive=match.call is not None and attempt.owners.executing(match.call),
        frozen=_on or attempt.serves_only,
    )


def served_only(attempt: Attempt) -> bool:
    """Whether calls of this attempt are served or refused, and never made."""
    return _on or attempt.serves_only


def refuse_outside(name: str, policy: Policy, text: Callable[[], str]) -> None:
    """A call outside of durable cells, where nothing is recorded.

    Args:
        name: The tool, or method and address.
        policy: What is promised of it; a `pure` one reaches nothing and may run.
        text: Tells the call as people read it.

    Raises:
        CallNotRecorded: Frozen mode is on.
    """
    if not _on or policy.effect is Effect.PURE:
        return
    from nbdurable.engine.calls.refusing import outside

    raise remember(outside(name, text()))
