"""Times, durations and amounts as people say them. Pure: the present is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
"""English, whatever the locale: every other word on the line is English too."""

WEEKDAY_DAYS: Final = 7
"""A weekday alone names a day for less than a week."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Now:
    """The present as the reader sees it.

    Attributes:
        us: Wall clock, microseconds since 1970 UTC.
        zone: The zone in which times of day are told.
    """

    us: int
    zone: tzinfo = UTC


def local(us: int, now: Now) -> datetime:
    """A moment in the reader's zone."""
    return (_EPOCH + timedelta(microseconds=us)).astimezone(now.zone)


def moment(us: int, now: Now) -> str:
    """When something was, as briefly as it is clear.

    Example:
        >>> noon = 20_000 * 86_400_000_000 + 43_200_000_000  # Fri 4 Oct 2024
        >>> moment(noon - 86_400_000_000, Now(noon))
        'yesterday 12:00'
        >>> moment(noon - 3 * 86_400_000_000, Now(noon))
        'Tue 12:00'
    """
    then = local(us, now)
    return f"{day(us, now)} {then:%H:%M}"


def day(us: int, now: Now) -> str:
    """The day of a moment: today, yesterday, Tue, 4 Oct, 4 Oct 2023."""
    then, today = local(us, now).date(), local(now.us, now).date()
    days = (today - then).days
    if days in (0, 1):
        return ("today", "yesterday")[days]
    if 0 < days < WEEKDAY_DAYS:
        return WEEKDAYS[then.weekday()]
    return _calendar(then, today)


def since(us: int, now: Now) -> str:
    """Since when a run is going: ``Mon 09:14``, or a date once a week has passed."""
    then, today = local(us, now).date(), local(now.us, now).date()
    near = 0 <= (today - then).days < WEEKDAY_DAYS
    named = WEEKDAYS[then.weekday()] if near else _calendar(then, today)
    return f"{named} {local(us, now):%H:%M}"


def _calendar(then: date, today: date) -> str:
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then.day} {MONTHS[then.month - 1]}{year}"


def duration(ms: float) -> str:
    """A duration with the digits that matter.

    Example:
        >>> [duration(ms) for ms in (0.4, 38, 1_400, 41_200, 96_000, 1_200_000, 9e6)]
        ['0 ms', '38 ms', '1.4 s', '41 s', '96 s', '20 min', '2 h 30 min']
    """
    seconds = ms / 1_000
    if seconds < 0.1:  # below a tenth, «0.0 s» says nothing
        return f"{ms:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return _hours(minutes)


def _hours(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{round(hours / 24)} days"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def count(number: int, noun: str) -> str:
    """A number and what it counts.

    Example:
        >>> count(1, "call"), count(12_400, "token")
        ('1 call', '12,400 tokens')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(length: int) -> str:
    """A number of bytes.

    Example:
        >>> size(812), size(64_000), size(84_000_000)
        ('812 B', '64 kB', '84 MB')
    """
    amount = float(length)
    for unit in ("B", "kB", "MB"):
        if amount < 1_000:
            digits = 0 if unit == "B" or amount >= 9.95 else 1
            return f"{amount:.{digits}f} {unit}"
        amount /= 1_000
    return f"{amount:.1f} GB"
