"""The runs of a store, as a view searches them."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.moments import Now
from nbdurable.timeline import looked
from nbdurable.timeline.finding import FRESH_S, STATUSES, Runlist
from nbdurable.timeline.protocol import Refused, Snapshot
from nbdurable.timeline.requests import Find
from nbdurable.timeline.source import Source
from nbdurable.timeline.told import Runs
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.protocol import START, Cursor
from nbdurable_store.records import Entry, Kind
from tests.engine.clocks import HandClock
from tests.stories import Story, doubtful, gallery, research
from tests.timeline.test_source import OPEN, one
from tests.timeline.test_waits import APPROVAL


def tagged(entry: Entry) -> Entry:
    """A step whose cell has a tag."""
    record = entry.record
    if record.kind != Kind.STEP_STARTED:
        return entry
    fields = {**record.fields, "tags": ["Nightly"]}
    return entry._replace(record=record._replace(fields=fields))


def several() -> MemoryStore:
    """A store with three runs of two notebooks, whose kernels are gone."""
    world = World()
    for run, story in (("one", research()), ("two", doubtful()), ("three", gallery())):
        if run == "three":
            story.entries[0] = story.entries[0]._replace(
                record=story.entries[0].record._replace(
                    fields={"notebook": "sales.ipynb", "number": 7, "headless": False}
                )
            )
        if run == "two":
            story.entries[:] = map(tagged, story.entries)
        story.run = run
        story.relabel()
        gone = MemoryStore(world)
        story.into(gone)
        gone.close()
    return MemoryStore(world)


def found(**asked: object) -> list[str]:
    """Ids of the runs that are found."""
    page = Runlist(several()).page(Find(**asked), Now(Story().us), "one")  # type: ignore[arg-type]
    return [run.id for run in page.runs]


@pytest.mark.parametrize(
    ("asked", "runs"),
    [
        ({}, ["three", "one", "two"]),
        ({"text": "SALES"}, ["three"]),
        ({"text": "run 3"}, ["one", "two"]),
        ({"text": "plot(notes)"}, ["three"]),
        ({"notebook": "research.ipynb"}, ["one", "two"]),
        ({"status": "open"}, ["one"]),
        ({"status": "stopped"}, ["three", "two"]),
        ({"status": "closed"}, []),
        ({"tag": "night"}, ["two"]),
        ({"tag": "absent"}, []),
        ({"tool": "send_inv"}, ["three", "two"]),
        ({"model": "gpt-5"}, ["three"]),
        ({"call": "page 29"}, ["one"]),
        ({"text": "research", "tool": "draft"}, ["two"]),
        ({"start": 2}, ["two"]),
    ],
)
def test_runs_are_found(asked: dict[str, object], runs: list[str]) -> None:
    """Text, notebook, status, tool, model and calls narrow the list."""
    assert found(**asked) == runs


def test_a_line_says_how_a_run_stands() -> None:
    """Each run says what people need to tell it from the others."""
    page = Runlist(several()).page(Find(), Now(Story().us), "two")
    line = page.runs[-1]
    assert (line.notebook, line.number, line.shown) == ("research.ipynb", 3, True)
    assert line.told == "stopped in review"
    assert line.cells == ("review",)
    assert line.tags == ("Nightly",)
    assert {run.status for run in page.runs} <= set(STATUSES)
    assert page.total == 3


def test_a_limit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all runs were searched for calls, the list says so."""
    monkeypatch.setattr(looked, "LOOKS_MAX", 2)
    page = Runlist(several()).page(Find(tool="draft"), Now(Story().us), "one")
    assert page.note == "only the latest 2 runs were searched for calls"
    assert [run.id for run in page.runs] == ["three"]


class Counting(MemoryStore):
    """A store that counts the entries it hands out."""

    handed = 0

    def read(
        self, run: str, after: Cursor = START, *, calls_with: str = ""
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of one run."""
        return self._counted(super().read(run, after, calls_with=calls_with))

    def scan(
        self, kinds: Collection[str], after: Cursor = START
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of these kinds."""
        return self._counted(super().scan(kinds, after))

    def _counted(
        self, found: tuple[tuple[Entry, ...], Cursor]
    ) -> tuple[tuple[Entry, ...], Cursor]:
        self.handed += len(found[0])
        return found


def test_a_list_read_anew_reads_only_what_is_new() -> None:
    """After the first page the store hands out nothing again, and what is new shows."""
    store, clock = Counting(World()), HandClock()
    story = Story()
    story.opens()
    step = story.step("review")
    for n in range(50):
        story.calls(step, f"search('{n}')", 1.0)
    story.into(store)
    listed = Runlist(store, clock)
    first = listed.page(Find(), Now(story.us), "one")
    assert [run.status for run in first.runs] == ["running"]
    store.handed = 0
    clock.passes(FRESH_S)
    assert listed.page(Find(), Now(story.us), "one") == first
    assert store.handed == 0
    story.entries.clear()
    story.begins(step, "nd.approve('Send this?')", kind="approval", wait=APPROVAL)
    story.into(store)
    other = Story("run-2")
    other.opens(4)
    other.into(store)
    clock.passes(FRESH_S)
    page = listed.page(Find(), Now(story.us), "one")
    assert {r.id: r.status for r in page.runs} == {"run-1": "waiting", "run-2": "open"}
    assert store.handed == 2


def test_a_settled_run_is_not_said_to_wait() -> None:
    """Once everything is answered that its cell asked about, the list says so."""
    store, clock, story = MemoryStore(World()), HandClock(), Story()
    story.opens()
    calls = [
        story.begins(story.step("bill"), f"pay({n})", effect="write") for n in (1, 2)
    ]
    story.dies()
    asked = {str(n): [call, "IN_DOUBT"] for n, call in enumerate(calls, 1)}
    step = story.step("bill")
    story.fails(step, "paused", asked=asked)
    listed, told = Runlist(store, clock), []
    for call in ("", *calls):
        if call:
            said = {"said": "did-not", "how": "did-not"}
            story.append("call.resolved", said, subject=call, step=step)
        story.into(store)
        story.entries.clear()
        clock.passes(FRESH_S)
        (run,) = listed.page(Find(), Now(story.us), "").runs
        told.append((run.status, run.told))
    asks = ("waiting", "waits for you in bill")
    assert told == [asks, asks, ("stopped", "answered in bill")]


def test_a_view_turns_to_another_run() -> None:
    """`open` with a run shows that one, answers it, and goes back; an unknown one is refused."""
    source = Source(store=several(), run="one", secrets=lambda: Secrets({}))
    first = one(source.hear(OPEN))
    listed = one(source.hear({"type": "find"}))
    assert isinstance(listed, Runs)
    other = one(source.hear({**OPEN, "run": "two"}))
    assert isinstance(other, Snapshot)
    assert [cell.name for cell in other.cells] == ["review"]
    source.hear({"type": "resolve", "call": "review.2", "said": "did-not"})
    assert one(source.hear({**OPEN, "run": "two"})).needs == ()  # type: ignore[union-attr]
    again = one(source.hear({**OPEN, "run": "one"}))
    assert isinstance(again, Snapshot)
    assert isinstance(first, Snapshot)
    assert again.calls == first.calls
    assert isinstance(one(source.hear({**OPEN, "run": "gone"})), Refused)


class Slow(Counting):
    """A store in which reading a run takes time."""

    def __init__(self, world: World, clock: HandClock) -> None:
        super().__init__(world)
        self.hand = clock
        self.reads: list[str] = []

    def read(
        self, run: str, after: Cursor = START, *, calls_with: str = ""
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of one run, after a while."""
        if after == START:
            self.hand.passes(0.2)
            self.reads.append(f"{run} {calls_with}")
        return super().read(run, after, calls_with=calls_with)


def unfinished(store: MemoryStore, count: int) -> Story:
    """Runs that stopped in the middle, the first of them where it asks somebody."""
    for n in range(count):
        story = Story(f"run-{n}")
        story.opens(n)
        step = story.step("review")
        story.calls(step, f"search('{n}')", 1.0)
        if not n:
            story.begins(step, "nd.approve('Go?')", kind="approval", wait=APPROVAL)
        story.into(store)
    return story


@pytest.mark.parametrize(
    ("asked", "ids"),
    [({}, 9), ({"status": "waiting"}, 1), ({"tool": "SEARCH", "call": "'3'"}, 1)],
)
@pytest.mark.parametrize("words", [0, looked.WORDS_BYTES_MAX])
def test_a_long_list_comes_little_by_little(
    asked: dict[str, str], ids: int, words: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer takes long; who asks again is told more, and nothing is read twice for it."""
    monkeypatch.setattr(looked, "WORDS_BYTES_MAX", words)
    clock = HandClock()
    store = Slow(World(), clock)
    now = Now(unfinished(store, 9).us)
    listed = Runlist(store, clock)
    pages = [listed.page(Find(**asked), now, "")]  # type: ignore[arg-type]
    while pages[-1].unread:
        assert len(store.reads) <= 2 * len(pages)
        assert f"reading {pages[-1].unread} more run" in pages[-1].note
        pages.append(listed.page(Find(**asked), now, ""))  # type: ignore[arg-type]
    assert len(pages) > 3
    assert len(pages[-1].runs) == ids
    assert len(store.reads) == len(set(store.reads))
    assert listed.page(Find(**asked), now, "") == pages[-1]  # type: ignore[arg-type]
    if asked:  # another question is answered as rightly
        other = listed.page(Find(call="search('5')"), now, "")
        while other.unread:
            other = listed.page(Find(call="search('5')"), now, "")
        assert [run.id for run in other.runs] == ["run-5"]


def test_a_list_of_very_many_unfinished_runs_comes_to_an_end() -> None:
    """Who waits is looked for in the latest ones; the list says so, and isn't read for ever."""
    clock = HandClock()
    store = Slow(World(), clock)
    now = Now(unfinished(store, looked.WAITS_MAX + 20).us)
    listed = Runlist(store, clock)
    answers = 0
    while True:
        page = listed.page(Find(status="waiting"), now, "")
        answers += 1
        if not page.unread:
            break
        assert answers <= looked.LOOKS_MAX
    assert f"only the latest {looked.LOOKS_MAX} unfinished runs" in page.note
