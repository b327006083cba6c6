"""A run is folded once for all views that show it, and each hears all that is new to it."""

from __future__ import annotations

import gc

import pytest

from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline import reading
from nbdurable.timeline.protocol import Changed, Snapshot
from nbdurable.timeline.reading import Common
from nbdurable.timeline.source import Source
from tests.timeline.test_held import MB, Day, measured
from tests.timeline.test_source import OPEN, one


def views(day: Day, number: int) -> list[Source]:
    """Views of one run that share what they read."""
    common = Common(day.store)
    secrets = Secrets({})
    return [
        Source(store=day.store, run="run", secrets=lambda: secrets, common=common)
        for _ in range(number)
    ]


def test_views_of_a_run_hold_it_once() -> None:
    """Eight open views of 5,000 calls take hardly more than one."""
    day = Day()
    day.begins()
    day.calls(0, 5_000)
    with measured() as alone:
        (source,) = views(day, 1)
        source.hear(OPEN)
    del source
    gc.collect()
    with measured() as together:
        sources = views(day, 8)
        for source in sources:
            assert isinstance(one(source.hear(OPEN)), Snapshot)
    assert alone[0] > 4 * MB
    assert together[0] < 1.5 * alone[0], f"{together[0] / MB:.1f} MB"


def test_each_view_hears_what_another_one_read() -> None:
    """What came is told to every view, whoever looked first, and to each only once."""
    day = Day()
    day.begins()
    day.calls(0, 3)
    first, second, late = views(day, 3)
    for source in (first, second):
        assert len(one(source.hear(OPEN)).calls.id) == 3  # type: ignore[union-attr]
    day.calls(3, 1)
    told = one(first.poll())
    day.calls(4, 1)
    assert isinstance(told, Changed)
    assert [i.strip("-") for i in told.calls.id] == ["call-3"]
    again = one(second.poll())
    assert isinstance(again, Changed)
    assert [i.strip("-") for i in again.calls.id] == ["call-3", "call-4"]
    assert [i.strip("-") for i in one(first.poll()).calls.id] == ["call-4"]  # type: ignore[union-attr]
    assert first.poll() == second.poll() == []
    assert len(one(late.hear(OPEN)).calls.id) == 5  # type: ignore[union-attr]


def test_who_looked_too_long_ago_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the log no longer reaches, a view is told what is otherwise in the run as a whole."""
    monkeypatch.setattr(reading, "LOG_ENTRIES_MAX", 6)
    day = Day()
    day.begins()
    day.calls(0, 3)
    first, second = views(day, 2)
    first.hear(OPEN)
    second.hear(OPEN)
    for n in range(3, 13):
        day.calls(n, 1)
        first.poll()
    found = one(second.poll())
    assert isinstance(found, Changed)
    assert len(found.calls.id) == 10


def test_a_run_that_nobody_shows_is_let_go() -> None:
    """A fold stays no longer than its views; who comes later reads it anew."""
    common = Common(Day().store)
    held = common.reading("run")
    held.look()
    assert common.reading("run") is held
    assert held.version == 1
    del held
    gc.collect()
    assert common.reading("run").version == 0
