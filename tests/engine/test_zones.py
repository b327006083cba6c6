"""Times of day across a daylight-saving change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from nbdurable.engine.telling import lines
from nbdurable.engine.where.moments import Now, local, moment, since
from nbdurable.engine.where.zones import LocalZone
from nbdurable.timeline.show import show
from tests.stories import gallery

RULES = {
    "Europe/Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
    "America/New_York": "EST5EDT,M3.2.0,M11.1.0",
    "Australia/Lord_Howe": "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "UTC": "UTC0",
}
"""Zones as POSIX says them, so that a system without a table of zones knows them."""


def us(*when: int) -> int:
    """A moment in UTC, in microseconds since 1970."""
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc]


@pytest.fixture(params=RULES)
def zone(request: pytest.FixtureRequest) -> Iterator[ZoneInfo]:
    """A zone that this process takes for the machine's."""
    yield from _in(request.param)


@pytest.fixture
def berlin() -> Iterator[ZoneInfo]:
    """Berlin is this process's zone: CET until 29 March 2026, then CEST."""
    yield from _in("Europe/Berlin")


def _in(name: str) -> Iterator[ZoneInfo]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", RULES[name])
        time.tzset()
        yield ZoneInfo(name)
    time.tzset()


def test_each_moment_has_the_offset_that_held_then(zone: ZoneInfo) -> None:
    """Seen from any hour of the year, any other is told as the zone's table says."""
    here = LocalZone()
    for hour in range(0, 365 * 24, 7):
        then = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        told, theirs = then.astimezone(here), then.astimezone(zone)
        assert told.replace(tzinfo=None) == theirs.replace(tzinfo=None)
        assert told.utcoffset() == theirs.utcoffset()


def test_the_hour_that_comes_twice_is_told_apart(zone: ZoneInfo) -> None:
    """Each quarter of an hour around the changes comes back as the same moment."""
    here = LocalZone()
    for first in (datetime(2026, 3, 8), datetime(2026, 10, 25)):  # noqa: DTZ001  # made UTC below
        for quarter in range(30 * 24 * 4):
            then = first.replace(tzinfo=UTC) + timedelta(minutes=15 * quarter)
            told = then.astimezone(here)
            assert told.fold == then.astimezone(zone).fold
            assert told.astimezone(UTC) == then


def test_a_status_line_across_the_change(berlin: ZoneInfo) -> None:
    """On Monday after the change, Saturday's 18:02 is still 18:02, and so it was before."""
    saturday, monday = us(2026, 3, 28, 17, 2), us(2026, 3, 30, 7, 0)
    here = lines.now(monday)
    assert moment(saturday, here) == "Sat 18:02"
    assert since(saturday, here) == "Sat 18:02"
    assert moment(monday, here) == "today 09:00"
    assert moment(us(2026, 3, 29, 22, 30), here) == "today 00:30"
    assert moment(monday, lines.now(saturday)).endswith("09:00")


def test_a_fixed_offset_would_be_an_hour_off(berlin: ZoneInfo) -> None:
    """What the zone is for: with Monday's offset, Saturday's 18:02 would be 19:02."""
    saturday, monday = us(2026, 3, 28, 17, 2), us(2026, 3, 30, 7, 0)
    fixed = timezone(local(monday, lines.now(monday)).utcoffset() or timedelta())
    assert moment(saturday, Now(monday, fixed)) == "Sat 19:02"


def test_all_shells_tell_one_time(berlin: ZoneInfo) -> None:
    """The run as it is shown and the status lines use the same zone."""
    shown = show(gallery().history())
    told = since(shown.run.opened_us, lines.now(shown.run.now.us))
    assert f"since {told}" in str(shown)
    assert type(shown.run.now.zone) is LocalZone
