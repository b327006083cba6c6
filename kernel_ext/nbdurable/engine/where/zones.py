"""The machine's time zone: the one thing that knows which offset held when.

`datetime.astimezone()` alone gives the offset of one moment, fixed. Told in it, a time
on the other side of a daylight-saving change is an hour off.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class LocalZone(tzinfo):
    """The machine's time zone, with the offset that held at each moment.

    Example:
        >>> moment = datetime(2026, 1, 10, 12, tzinfo=UTC)
        >>> moment.astimezone(LocalZone()).astimezone(UTC) == moment
        True
    """

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """How far the machine's clock is from UTC at this moment."""
        moment = (dt or _EPOCH).replace(tzinfo=None)
        return moment.astimezone().utcoffset() or timedelta()

    def dst(self, _: datetime | None) -> timedelta | None:
        """Not told apart from the offset."""
        return None

    def tzname(self, dt: datetime | None) -> str:
        """The zone's abbreviation."""
        return (dt or _EPOCH).replace(tzinfo=None).astimezone().tzname() or ""

    def fromutc(self, dt: datetime) -> datetime:
        """The same moment on the machine's clock.

        In the hour that a clock shows twice, `fold` says which of the two is meant.
        """
        there = dt.replace(tzinfo=UTC).astimezone()
        first = there.replace(tzinfo=self)
        same = self.utcoffset(first) == there.utcoffset()
        return first if same else first.replace(fold=1)
