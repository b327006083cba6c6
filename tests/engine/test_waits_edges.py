"""Waits at their edges: days, clocks that are set, the last moment, questions that move."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nbdurable.engine.asking import answering
from nbdurable.engine.calls.parked import Asked
from nbdurable.engine.past.waits import Waiting, waiting
from nbdurable.engine.waits.pauses import NoAnswer
from nbdurable.engine.waits.spans import SpanRefused
from tests.engine.notebooks import Notebook
from tests.engine.test_waits import DAY_S, Hand, answer, run_of, use, when_asked

REVIEW = "ok = nd.approve('Send?', timeout=2 * 86_400)"


@pytest.fixture
def clock() -> Hand:
    """Time in the test's hands."""
    return Hand()


@pytest.fixture
def notebook(clock: Hand) -> Iterator[Notebook]:
    """A notebook on that clock."""
    nb = Notebook()
    use(nb, clock)
    return nb


def parked(nb: Notebook, cell: str, after_s: float = 0.0) -> None:
    """Run a cell until it waits, let so much time pass, and interrupt it."""
    clock = nb.session.clock
    assert isinstance(clock, Hand)

    def interrupt() -> None:
        clock.go(after_s)
        raise KeyboardInterrupt

    clock.on_wait = interrupt
    with pytest.raises(KeyboardInterrupt):
        nb.run(cell, name="review")
    clock.on_wait = lambda: None


def restarted(nb: Notebook, clock: Hand, later_s: float) -> None:
    """Another kernel, so much later by the calendar, with a clock of its own."""
    nb.restart()
    clock.wall_us += round(later_s * 1_000_000)
    clock.life_s = 5.0
    use(nb, clock)


def test_an_approval_takes_two_days(notebook: Notebook, clock: Hand) -> None:
    """Asked, a day goes by without a kernel, answered on the second day: it counts."""
    parked(notebook, REVIEW)
    restarted(notebook, clock, 1.9 * DAY_S)
    when_asked(notebook, lambda _: answer(notebook, True))
    notebook.run(REVIEW, name="review")
    assert notebook.namespace["ok"] is True


def test_after_two_days_it_is_over(notebook: Notebook, clock: Hand) -> None:
    """What is left of two days counts on in the next kernel, to the second."""
    parked(notebook, REVIEW)
    restarted(notebook, clock, 1.5 * DAY_S)
    clock.pauses.clear()
    clock.on_wait = lambda: clock.go(3_600)
    with pytest.raises(NoAnswer):
        notebook.run(REVIEW, name="review")
    assert len(clock.pauses) == pytest.approx(12, abs=1)


def test_a_clock_that_was_set_back_lengthens_no_wait(
    notebook: Notebook, clock: Hand
) -> None:
    """A year back between two kernels: a minute is a minute at most."""
    parked(notebook, "nd.sleep(60)", after_s=10)
    restarted(notebook, clock, -365 * DAY_S)
    clock.pauses.clear()
    notebook.run("nd.sleep(60)", name="review")
    assert sum(clock.pauses) == pytest.approx(60, abs=1)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_parked_wait_keeps_its_deadline_when_a_clock_is_set(
    notebook: Notebook, clock: Hand, days: int
) -> None:
    """Interrupted and run again in the same kernel: only time that went by counts."""
    cell = "x = nd.ask('Who?', timeout=60, default='nobody')"
    parked(notebook, cell, after_s=20)
    clock.wall_us += round(days * DAY_S * 1_000_000)
    clock.pauses.clear()
    notebook.run(cell, name="review")
    assert sum(clock.pauses) == pytest.approx(40, abs=1)


def test_an_answer_at_the_last_moment_counts(notebook: Notebook, clock: Hand) -> None:
    """It came while the cell slept for the last time: the cell looks once more."""

    def late() -> None:
        if clock.life_s >= began_s + 59.7:
            clock.on_wait = lambda: None
            clock.go(5)
            answer(notebook, "ann")

    began_s, clock.on_wait = clock.life_s, late
    notebook.run("x = nd.ask('Who?', timeout=60, default='nobody')", name="review")
    assert notebook.namespace["x"] == "ann"


def test_swapped_after_the_first_was_answered(notebook: Notebook) -> None:
    """The first keeps its answer, and what was said to the second one reaches it."""
    first, second = "a = nd.approve('Delete?')", "b = nd.approve('Pay?')"
    seen: list[Waiting] = []

    def say(asked: Asked) -> None:
        seen.append(asked.waiting)
        if len(seen) > 1:
            raise KeyboardInterrupt
        answer(notebook, False)

    when_asked(notebook, say)
    with pytest.raises(KeyboardInterrupt):
        notebook.run(f"{first}\n{second}", name="review")
    with pytest.raises(KeyboardInterrupt):
        notebook.run(f"{second}\n{first}", name="review")
    assert [w.wait.text for w in seen] == ["Delete?", "Pay?", "Pay?"]
    run = run_of(notebook)
    assert [w.shown for w in waiting(run.history)] == [seen[1].shown]
    found = answering.seen(run.history, seen[1].asked, "nbdurable approve")
    assert found.wait.text == "Pay?"
    answer(notebook, True, found.reference, signal="s2")
    notebook.run(f"{second}\n{first}", name="review")
    assert (notebook.namespace["a"], notebook.namespace["b"]) == (False, True)


@pytest.mark.parametrize(
    "wait",
    [
        "nd.wait_for('paid', timeout=-1)",
        "nd.sleep(10**400)",
        "nd.sleep(timedelta(days=-1))",
        "nd.sleep(timedelta.max)",
        "nd.sleep_until('9999-12-31T00:00+00:00')",
        "nd.sleep_until(datetime.max)",
        "nd.sleep_until('tomorrow')",
        "nd.sleep_until(12)",
        "nd.approve('?', timeout=10**400)",
    ],
)
def test_an_absurd_wait_begins_nothing(notebook: Notebook, wait: str) -> None:
    """Whatever door it comes in by."""
    notebook.plain("from datetime import datetime, timedelta")
    with pytest.raises(SpanRefused, match="can't be waited for"):
        notebook.run(wait, name="review")
    assert run_of(notebook).history.calls == {}


def test_a_moment_that_is_past_is_no_wait(notebook: Notebook, clock: Hand) -> None:
    """The cell goes on at once."""
    notebook.run("nd.sleep_until('1970-01-01T00:00+00:00'); x = 1", name="review")
    assert (notebook.namespace["x"], clock.pauses) == (1, [])
