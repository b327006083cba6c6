"""How long, and until when: what people may say, as numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from nbdurable.errors import DurableError, Remedy

SECONDS_MAX: Final = 100 * 366 * 86_400.0
"""A hundred years: more is a slip of the pen, and overflows what clocks can say."""

YEAR_MAX: Final = 2200
"""A moment after it is one, too."""


@dataclass(kw_only=True, eq=False)
class SpanRefused(DurableError):
    """A length of time, or a moment, that can't be waited for.

    Attributes:
        given: What was given.
        why: Why it is none.
    """

    slug: ClassVar[str] = "span-refused"
    given: str
    why: str

    def fact(self) -> str:
        """One line about what was given."""
        return f"{self.given} can't be waited for: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return "Nothing was begun."

    def remedies(self) -> tuple[Remedy, ...]:
        """What can be said."""
        return (
            Remedy("seconds", "nd.sleep(90)"),
            Remedy("a length", "nd.sleep(timedelta(hours=2))"),
            Remedy("a moment", 'nd.sleep_until("2027-01-31T09:00+01:00")'),
        )


def seconds_of(span: float | timedelta) -> float:
    """A length of time in seconds.

    Raises:
        SpanRefused: It is negative, no number, or longer than a hundred years.

    Example:
        >>> seconds_of(timedelta(minutes=2))
        120.0
    """
    if isinstance(span, timedelta):
        span = span.total_seconds()
    if isinstance(span, bool) or not isinstance(span, (int, float)):
        raise SpanRefused(given=_told(span), why="it is no number of seconds")
    if span != span or span < 0:  # noqa: PLR0124  # NaN; `isnan` takes no int of 400 digits
        raise SpanRefused(given=_told(span), why="it is less than nothing")
    if span > SECONDS_MAX:
        raise SpanRefused(given=_told(span), why="it is more than a hundred years")
    return float(span)


def moment_us(moment: datetime | str) -> int:
    """A moment in microseconds since 1970 UTC; without a zone it is local time.

    Args:
        moment: A `datetime`, or one as ISO 8601 has it.

    Raises:
        SpanRefused: It is no moment.

    Example:
        >>> moment_us("1970-01-01T00:00:01+00:00")
        1000000
    """
    try:
        then = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if not isinstance(then, datetime):
            raise SpanRefused(given=_told(moment), why="it is no moment")
        if then.year > YEAR_MAX:
            raise SpanRefused(given=_told(moment), why=f"it is after {YEAR_MAX}")
        return int(then.timestamp() * 1_000_000)
    except (ValueError, OverflowError) as error:
        raise SpanRefused(given=_told(moment), why=str(error)) from None


def _told(value: object) -> str:
    return repr(value)[:80]
