"""When a call is tried again, as the author of its tool said it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from nbdurable.errors import ToolRefused

ATTEMPTS_MAX: Final = 1_000
"""Attempts of one call; more is a loop that somebody forgot."""

WAIT_S_MAX: Final = 86_400.0
"""A longer wait than a day is no back-off."""

Types = tuple[type[BaseException], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a call is tried, and how long it waits in between.

    A ``write`` is tried again only where its exception says that nothing happened:
    `nd.NotDone`, a type in the tool's ``not_done=``, or one in ``on=``. A ``read`` or
    ``pure`` call is tried again after any exception, or only after those in ``on=`` if
    there are some. A `Retry-After` of the answer behind the exception is kept to; if it
    asks for more than ``max_wait``, the call isn't tried again.

    Attributes:
        attempts: How often the call is tried at most, from 1.
        wait: Seconds before the second attempt; doubled before each further one.
        max_wait: The longest wait between two attempts, seconds.
        jitter: Up to so many seconds are added to each wait, at random, so that many
            callers don't come back at the same moment.
        on: Exception types that say that nothing happened.

    Raises:
        ToolRefused: A number or type that makes no sense.

    Example:
        >>> Retry(attempts=5, wait=0.5, on=ConnectionRefusedError).on
        (<class 'ConnectionRefusedError'>,)
    """

    attempts: int = 3
    wait: float = 1.0
    max_wait: float = 60.0
    jitter: float = 1.0
    on: type[BaseException] | Types = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", types("Retry(on=…)", self.on))
        counted = type(self.attempts) is int and 1 <= self.attempts <= ATTEMPTS_MAX
        if not counted:
            raise ToolRefused(
                what=f"Retry(attempts={self.attempts!r}) is no number from 1 to {ATTEMPTS_MAX:,}"
            )
        for name in ("wait", "max_wait", "jitter"):
            seconds(f"Retry({name}=…)", getattr(self, name))

    @property
    def types(self) -> Types:
        """``on`` as a tuple."""
        assert isinstance(self.on, tuple)
        return self.on

    def next_number(self, before: int) -> int:
        """Which attempt of the series comes after attempt ``before`` of it.

        The last one may be made again, where a kernel stopped in it.
        """
        return min(before + 1, self.attempts)


def types(what: str, given: object) -> Types:
    """One exception type or several, as a tuple.

    Raises:
        ToolRefused: Something else.
    """
    found = given if isinstance(given, (tuple, list)) else (given,)
    if not all(isinstance(t, type) and issubclass(t, BaseException) for t in found):
        raise ToolRefused(what=f"{what} takes exception types")
    return tuple(found)


def seconds(what: str, given: object, *, least: float = 0.0) -> float:
    """A duration.

    Raises:
        ToolRefused: No number, or one that makes no sense.
    """
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if number and math.isfinite(given) and least <= given <= WAIT_S_MAX:  # type: ignore[operator,arg-type]  # a number by now
        return float(given)  # type: ignore[arg-type]  # a number by now
    raise ToolRefused(what=f"{what} takes seconds, from {least:g} to {WAIT_S_MAX:,.0f}")
