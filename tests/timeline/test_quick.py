"""What is told at once of a run whose whole takes long to be looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nbdurable.engine.past.history import History
from nbdurable.engine.past.tally import Ledger, number_of, own_numbers
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.moments import Now
from nbdurable.timeline import snapshots
from nbdurable.timeline.model import run_view
from nbdurable.timeline.protocol import Calls, Changed, Snapshot, Watched
from nbdurable.timeline.quick import Touched
from nbdurable.timeline.source import RESTS, Source
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.clock import SystemClock
from tests.stories import Story, doubtful, gallery, research
from tests.timeline.test_waits import APPROVAL

OPEN = {"type": "open", "version": 1}


class Slow(SystemClock):
    """A clock by which each look at a run takes a second."""

    def __init__(self) -> None:
        self.life_s = 0.0
        self.on = True

    def monotonic_s(self) -> float:
        """A second later, each time that it is asked."""
        self.life_s += self.on
        return self.life_s

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self.life_s += seconds


class View:
    """A view of a story that goes on."""

    def __init__(self) -> None:
        self.story, self.clock = Story(), Slow()
        self.story.opens()
        self.step = self.story.step("agent")
        self.story.calls(self.step, "search('a')", 1.0)
        self.store = MemoryStore(World())
        self.told = 0
        self.goes()
        secrets = Secrets({})
        self.source = Source(
            store=self.store,
            run=self.story.run,
            secrets=lambda: secrets,
            clock=self.clock,
        )

    def goes(self) -> None:
        """Append what the story has more."""
        for entry in self.story.entries[self.told :]:
            blobs = tuple(
                self.store.put(b.codec, self.story.get(b)) for b in entry.record.blobs
            )
            self.store.append((entry.record._replace(blobs=blobs),), sync=True)
        self.told = len(self.story.entries)

    def calls(self, text: str) -> list[object]:
        """One more call, and what the view hears of it by the next look."""
        self.story.calls(self.step, text, 1.0)
        self.goes()
        return list(self.source.poll())


@pytest.fixture
def watched() -> View:
    """A view whose source has found that a look takes long."""
    made = View()
    (shown,) = made.source.hear(OPEN)
    assert isinstance(shown, Snapshot)
    (whole,) = made.calls("search('b')")
    assert isinstance(whole, Changed)
    return made


def texts(message: object) -> list[str]:
    """The calls that a message tells."""
    assert isinstance(message, Changed)
    return list(message.calls.text)


def test_a_call_is_told_and_counted_at_once(watched: View) -> None:
    """Each look tells the calls that were made since, with the next number and their count."""
    (first,) = watched.calls("search('c')")
    (second,) = watched.calls("search('d')")
    assert (texts(first), texts(second)) == (["search('c')"], ["search('d')"])
    assert isinstance(first, Changed)
    assert isinstance(second, Changed)
    assert [first.seq, second.seq] == [2, 3]
    assert first.cells[0].last == "running, 3 calls ran"
    assert second.cells[0].last == "running, 4 calls ran"
    assert [attempt.calls for attempt in second.attempts] == [4]
    assert watched.source.poll() == []


def test_nobody_looks_at_the_whole_for_a_call(watched: View) -> None:
    """Where only calls went on, the look that takes long would tell nothing more."""
    for n in range(3):
        watched.clock.go(RESTS * 100)
        (told,) = watched.calls(f"search({n})")
        assert texts(told) == [f"search({n})"]
        watched.clock.go(RESTS * 100)
        assert watched.source.poll() == []
    watched.story.completes(watched.step)
    watched.goes()
    (whole,) = watched.source.poll()
    assert isinstance(whole, Changed)
    assert whole.cells[0].last == "5 calls ran"


def test_the_calls_go_before_the_whole(watched: View) -> None:
    """What was touched doesn't wait for the look that takes long, where that is needed."""
    watched.clock.go(RESTS * 100)
    other = watched.story.step("other")
    watched.story.calls(watched.step, "search('c')", 1.0)
    watched.goes()
    (first,) = watched.source.poll()
    assert texts(first) == ["search('c')"]
    (whole,) = watched.source.poll()
    assert isinstance(whole, Changed)
    assert whole.cells[0].last == "running, 3 calls ran"
    assert whole.attempts[-1].id == other


def test_a_question_is_told_while_the_whole_rests(watched: View) -> None:
    """Who is needed doesn't wait either."""
    assert isinstance(APPROVAL, dict)
    watched.story.begins(
        watched.step, "nd.approve('?')", kind="approval", wait=APPROVAL
    )
    watched.goes()
    (told,) = watched.source.poll()
    assert isinstance(told, Changed)
    assert [need.call for need in told.needs] == ["nd.approve('?')"]
    assert texts(told) == ["nd.approve('?')"]


def test_a_hidden_panel_hears_of_no_call(watched: View) -> None:
    """Who only watches is told what needs somebody, and of calls nothing."""
    (first,) = watched.source.hear({"type": "watch", "version": 1})
    assert isinstance(first, Watched)
    assert [watched.calls(f"search({n})") for n in range(5)] == [[]] * 5


@pytest.mark.parametrize("made", [research, doubtful, gallery])
def test_a_row_is_the_one_of_the_whole(made: object) -> None:
    """After each record, the rows that are told at once stand in the whole as they are."""
    assert callable(made)
    story = made()
    history, touched, compared = History(story.run), Touched(), 0
    for entry in story.entries:
        history.apply((entry,))
        touched.note(history, (entry,))
        now = Now(story.us)
        view = run_view(history, now, alive=story.alive)
        whole = snapshots.snapshot(view)
        enough, told = touched.enough, touched.tell(history, story.alive, story.us, 1)
        for row in _rows(told.calls) if told is not None else ():
            assert row in _rows(whole.calls)
            compared += 1
        if enough and told is not None:
            assert _counts(told) == _counts(whole)
        touched.whole(whole, view)
    assert compared >= 3


@pytest.mark.parametrize("made", [research, doubtful, gallery])
def test_a_number_needs_no_look_at_all_calls(made: object) -> None:
    """A call that was executed has the number that a look at all of them gives it."""
    assert callable(made)
    history = made().history()
    ledger = Ledger(history)
    for call in history.calls.values():
        numbered = ledger.numbered(history.steps[call.step])
        assert number_of(history, call) == numbered[call.id]
    assert any(own_numbers(history, call) for call in history.calls.values())


def _counts(told: Changed | Snapshot) -> list[object]:
    """What is said of cells and attempts as a whole, but for how long it took."""
    cells = [replace(cell, took_ms=0.0, cost_ms=0.0) for cell in told.cells]
    return [cells, [replace(attempt, end_ms=0.0) for attempt in told.attempts]]


def _rows(calls: Calls) -> list[tuple[object, ...]]:
    names = calls.names
    return [
        (
            (names[calls.attempt[n]], calls.id[n]),
            names[calls.fate[n]],
            calls.number[n],
            calls.depth[n],
            calls.text[n],
            calls.start_ms[n],
            calls.ms[n] if names[calls.fate[n]] == "ran" else "so far",
        )
        for n in range(len(calls.id))
    ]
