"""From moments to places on a line."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.timeline.axis import GAP, Axis, Instant, Span

WIDTH = 800.0
SECOND = 1_000_000


def axis(*spans: tuple[float, float], instants: tuple[float, ...] = ()) -> Axis:
    """An axis over spans given in seconds, each instant twenty wide."""
    return Axis(
        [Span(int(a * SECOND), int(b * SECOND)) for a, b in spans],
        [Instant(int(at * SECOND), 20.0) for at in instants],
        width=WIDTH,
    )


def test_equal_times_are_equally_wide() -> None:
    """Calls that follow each other are as wide as they were long, and fill the line."""
    line = axis((0, 10), (10, 30), (30, 40))
    places = [line.before(n * SECOND) for n in (0, 10, 30, 40)]
    assert places == pytest.approx([0, 200, 600, 800])


def test_a_wait_of_hours_is_a_gap() -> None:
    """Between two calls of a second, eight hours are no wider than a gap."""
    line = axis((0, 1), (28_800, 28_801))
    assert line.gaps == [(SECOND, 28_800 * SECOND)]
    wait = line.before(28_800 * SECOND) - line.after(SECOND)
    assert wait == pytest.approx(GAP[1])


def test_the_shortest_call_can_be_seen() -> None:
    """A call of a millisecond beside one of an hour has a width of its own."""
    line = axis((0, 0.001), (0.001, 3_600))
    assert line.before(1_000) >= 8


def test_what_takes_no_time_gets_room() -> None:
    """An instant stands between what was before and what came after it."""
    line = axis((0, 10), (10, 20), instants=(10,))
    at = 10 * SECOND
    assert line.after(at) - line.before(at) == pytest.approx(line.granted(20.0))
    assert line.after(20 * SECOND) == pytest.approx(WIDTH)


def test_nothing_at_all_is_no_error() -> None:
    """An empty axis puts everything at its begin."""
    assert Axis([], width=WIDTH).before(5) == 0.0


times = st.integers(min_value=0, max_value=10**12)


@given(
    spans=st.lists(st.tuples(times, times).map(sorted), min_size=1, max_size=30),
    instants=st.lists(st.tuples(times, st.floats(1, 400)), max_size=10),
)
def test_places_keep_the_order_and_the_line(
    spans: list[list[int]], instants: list[tuple[int, float]]
) -> None:
    """Whatever happened, places never go back and never leave the line."""
    line = Axis(
        [Span(a, b) for a, b in spans],
        [Instant(at, width) for at, width in instants],
        width=WIDTH,
    )
    moments = sorted({m for span in spans for m in span} | {at for at, _ in instants})
    places = [p for m in moments for p in (line.before(m), line.after(m))]
    assert all(a <= b + 1e-6 for a, b in itertools.pairwise(places))
    assert places[0] >= 0
    assert places[-1] <= WIDTH + 1e-3
