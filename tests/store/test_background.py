"""DuckDB is kept near the journal in pauses, by a thread that is in nobody's way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue

import duckdb
import pytest

from nbdurable_store.backends.background import QUIET_S, RETRY_S, Background
from nbdurable_store.backends.duckdb import Away, Unusable
from nbdurable_store.backends.ingest import Row
from nbdurable_store.clock import SYSTEM_CLOCK, SystemClock
from tests.store.projected import Projected

DEADLINE_S = 30.0


class Pauses(SystemClock):
    """A clock whose waits end when the test says so."""

    def __init__(self) -> None:
        self.begun: SimpleQueue[float] = SimpleQueue()
        self.ends: SimpleQueue[None] = SimpleQueue()
        self.late_s = 0.0

    def monotonic_s(self) -> float:
        """Moved by hand."""
        return self.late_s

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Say that a wait has begun, and end it with the test's word or the event."""
        self.begun.put(timeout_s)
        self.ends.get(timeout=DEADLINE_S)
        return event.is_set()

    def paused(self) -> float:
        """Wait until a wait has begun; how long it would be."""
        return self.begun.get(timeout=DEADLINE_S)

    def go_on(self) -> None:
        """End the wait."""
        self.ends.put(None)


@pytest.fixture
def pauses() -> Pauses:
    """Waits in the hand of the test."""
    return Pauses()


@pytest.fixture
def background(projected: Projected, pauses: Pauses) -> Iterator[Background]:
    """The thread, not begun yet."""
    made = Background(projected.projection, pauses)
    yield made
    pauses.go_on()
    pauses.go_on()
    made.close()


def test_ingest_waits_for_a_pause(
    projected: Projected, background: Background, pauses: Pauses
) -> None:
    """While appends follow each other nothing is ingested; after a pause all of it is."""
    projected.append(1)
    background.nudge()
    for _ in range(3):
        assert pauses.paused() == QUIET_S
        projected.append(1)
        background.nudge()
        assert not projected.file.exists()
        pauses.go_on()
    assert pauses.paused() == QUIET_S
    pauses.go_on()
    _await_rows(projected, 4)


def test_ingest_does_not_wait_for_ever(
    projected: Projected, background: Background, pauses: Pauses
) -> None:
    """Without any pause ingest begins after a while all the same."""
    projected.append(2)
    background.nudge()
    pauses.paused()
    background.nudge()
    pauses.late_s = 31.0
    pauses.go_on()
    _await_rows(projected, 2)


def test_a_held_file_is_tried_again(
    projected: Projected, background: Background, pauses: Pauses
) -> None:
    """When another program lets go of the file, what waited is taken over."""
    projected.append(1)
    projected.ingest()
    projected.append(1)
    tool = duckdb.connect(str(projected.file))
    background.nudge()
    assert pauses.paused() == QUIET_S
    pauses.go_on()
    assert pauses.paused() == RETRY_S
    tool.close()
    pauses.go_on()
    _await_rows(projected, 2)


def test_flush_takes_over_at_once(projected: Projected, background: Background) -> None:
    """A flush waits for nothing."""
    projected.append(3)
    background.flush()
    assert projected.held() == projected.expected()


def test_close_ends_the_thread(
    projected: Projected, background: Background, pauses: Pauses
) -> None:
    """After closing no thread is left, and nothing begins another one."""
    before = set(threading.enumerate())
    background.nudge()
    pauses.paused()
    pauses.go_on()
    background.close()
    background.nudge()
    assert set(threading.enumerate()) <= before
    projected.append(1)


def _await_rows(projected: Projected, count: int) -> None:
    """Wait until the file holds so many rows; they are the right ones."""
    until = SYSTEM_CLOCK.monotonic_s() + DEADLINE_S
    while len(_rows(projected)) < count:
        assert SYSTEM_CLOCK.monotonic_s() < until, "nothing was ingested"
        SYSTEM_CLOCK.sleep(0.01)
    assert _rows(projected) == projected.expected()
    assert len(projected.expected()) == count


def _rows(projected: Projected) -> list[Row]:
    try:
        return projected.projection.rows(projected.store.owner, 0, 1 << 32)
    except (Away, Unusable):
        return []
