"""What views ask to have done: on the run they show, once, and by whom it takes."""

from __future__ import annotations

import threading

import pytest

from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline.handed import Tell, Wanted
from nbdurable.timeline.once import Once
from nbdurable.timeline.protocol import Changed, Refused, Snapshot, Told
from nbdurable.timeline.show import history_of
from nbdurable.timeline.source import Source
from nbdurable_store.backends.memory import MemoryStore, World
from tests.stories import Story, doubtful, research

OPEN = {"type": "open", "version": 1}


def beside(*stories: Story) -> MemoryStore:
    """A store with these runs, named run-1, run-2 and so on; their kernel is gone."""
    world = World()
    gone = MemoryStore(world)
    for n, story in enumerate(stories, 1):
        story.run = f"run-{n}"
        story.relabel()
        story.into(gone)
    gone.close()
    return MemoryStore(world)


class Kernel:
    """Notes what it is asked, and tells what came of it when a test wants that."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.tells: list[Tell] = []

    def __call__(self, wanted: Wanted, tell: Tell) -> None:
        """Take something to do."""
        self.asked.append((wanted.what, wanted.about))
        self.tells.append(tell)


def source_of(store: MemoryStore, kernel: Kernel | None = None) -> Source:
    """What answers a view of the first run."""
    return Source(store=store, run="run-1", secrets=lambda: Secrets({}), kernel=kernel)


def working(world: World | None = None) -> MemoryStore:
    """The store of a kernel in which a cell makes a call now, after one that is done."""
    story, store = Story(), MemoryStore(world)
    story.opens()
    done = story.step("first")
    story.calls(done, "search('a')", 1.0)
    story.completes(done, [["a"]])
    story.begins(story.step("work"), "search('b')")
    story.into(store)
    return store


def test_a_click_goes_to_the_run_that_was_shown() -> None:
    """A source that shows another run by now does it to the one that is named."""
    store = beside(research(), research())
    source = source_of(store)
    source.hear(OPEN)
    told, *more = source.hear(
        {"type": "act", "what": "pin", "run": "run-2", "ask": "a"}
    )
    assert told == Told(about="", line="the run stays until it is unpinned", to="a")
    assert all(isinstance(m, Changed) and m.head.id == "run-1" for m in more)
    assert history_of(store, "run-2").pinned
    assert not history_of(store, "run-1").pinned


def test_an_answer_goes_to_the_run_that_asked() -> None:
    """What two runs ask by one reference is answered in the one that was looked at."""
    store = beside(doubtful(), doubtful())
    source = source_of(store)
    shown = source.hear({**OPEN, "run": "run-2"})[0]
    assert isinstance(shown, Snapshot)
    source.hear(OPEN)
    said = {"type": "resolve", "call": "review.2", "said": "did-not", "run": "run-2"}
    assert isinstance(source.hear(said)[0], Told)
    again = source.hear({**OPEN, "run": "run-2"})[0]
    first = source.hear({**OPEN, "run": "run-1"})[0]
    assert isinstance(again, Snapshot)
    assert isinstance(first, Snapshot)
    assert (len(again.needs), len(first.needs)) == (0, 1)


def test_a_run_that_is_gone_is_not_replaced() -> None:
    """What is asked of a run that the store hasn't is refused, and done to no other."""
    store = beside(research())
    source = source_of(store)
    source.hear(OPEN)
    (told,) = source.hear({"type": "act", "what": "pin", "run": "run-9", "ask": "a"})
    assert isinstance(told, Refused)
    assert (told.line, told.to) == ("the store has no such run any more.", "a")
    assert not history_of(store, "run-1").pinned


def test_a_kernel_is_asked_for_its_own_run_only() -> None:
    """Variables of another run are not brought into a kernel by a click."""
    kernel = Kernel()
    source = source_of(beside(research(), research()), kernel)
    source.hear(OPEN)
    said = {"type": "act", "what": "restore", "run": "run-2"}
    assert isinstance(source.hear(said)[0], Refused)
    assert kernel.asked == []
    assert isinstance(source.hear({**said, "run": "run-1"})[0], Told)
    assert kernel.asked == [("restore", "")]


@pytest.mark.parametrize("about", ["work@work-1", "work.1@work-1"])
def test_what_runs_is_stopped(about: str) -> None:
    """«Stop it» of a cell or a call that this kernel executes interrupts it."""
    kernel = Kernel()
    source = source_of(working(), kernel)
    source.hear(OPEN)
    assert isinstance(source.hear({"type": "cancel", "call": about})[0], Told)
    assert kernel.asked == [("cancel", about)]


@pytest.mark.parametrize(
    "about",
    [
        "first@first-1",
        "first.1@first-1",
        "work.2@work-1",
        "work",
        "work.1",
        "@work-1",
        "",
    ],
)
def test_what_does_not_run_interrupts_nothing(about: str) -> None:
    """«Stop it» of what has ended stops nothing else that runs by now."""
    kernel = Kernel()
    source = source_of(working(), kernel)
    source.hear(OPEN)
    for said in (
        {"type": "cancel", "call": about, "ask": "a"},
        {"type": "act", "what": "cancel", "about": about, "ask": "b"},
    ):
        (told,) = source.hear(said)
        assert isinstance(told, Refused)
        assert "isn't running any more" in told.line
    assert kernel.asked == []


def test_another_attempt_of_a_cell_is_not_stopped() -> None:
    """«Stop it» of an attempt that ended leaves the one alone that its cell runs by now."""
    kernel, story = Kernel(), Story()
    story.opens()
    first = story.step("work")
    story.begins(first, "search('a')")
    story.fails(first, "interrupted")
    store = MemoryStore(World())
    story.into(store)
    source = source_of(store, kernel)
    source.hear(OPEN)
    again = Story(counts={"work": 1})
    again.begins(again.step("work"), "search('a')")
    again.into(store)
    for about in ("work@work-1", "work.1@work-1"):
        (told, *_) = source.hear({"type": "act", "what": "cancel", "about": about})
        assert isinstance(told, Refused)
    assert kernel.asked == []
    (told, *_) = source.hear({"type": "cancel", "call": "work@work-2"})
    assert isinstance(told, Told)
    assert kernel.asked == [("cancel", "work@work-2")]


def test_what_another_kernel_runs_is_not_stopped_here() -> None:
    """A cell of the same run in another process isn't what this kernel interrupts."""
    kernel, world = Kernel(), World()
    working(world)
    source = source_of(MemoryStore(world), kernel)
    source.hear(OPEN)
    (told,) = source.hear({"type": "cancel", "call": "work@work-1"})
    assert isinstance(told, Refused)
    assert kernel.asked == []


def test_a_late_answer_belongs_to_its_request() -> None:
    """What a kernel tells of one request late is not taken for the answer to the next."""
    kernel = Kernel()
    source = source_of(beside(research()), kernel)
    source.hear(OPEN)
    source.hear({"type": "act", "what": "restore", "ask": "a"})
    kernel.tells[0](Told(about="", line="14 names are back"))
    fork = {"type": "act", "what": "fork", "about": "findings", "ask": "b"}
    (told,) = source.hear(fork)
    assert isinstance(told, Told)
    assert (told.about, told.to) == ("findings", "b")
    assert told.line.startswith("asked for")
    assert source.poll() == [Told(about="", line="14 names are back", to="a")]


def test_one_slow_request_holds_up_no_other() -> None:
    """While something takes its time, other requests are answered, and it once."""
    once, done = Once(), []
    began, go = threading.Event(), threading.Event()

    def slow() -> Told:
        began.set()
        assert go.wait(60)
        return Told(about="", line="exported")

    def twice() -> None:
        done.append(once.answer("slow", slow))

    waiting = [threading.Thread(target=twice) for _ in range(2)]
    for thread in waiting:
        thread.start()
    assert began.wait(60)
    quick = once.answer("quick", lambda: Told(about="", line="answered"))
    assert quick == Told(about="", line="answered", to="quick")
    go.set()
    for thread in waiting:
        thread.join()
    assert done == [Told(about="", line="exported", to="slow")] * 2


def test_what_failed_may_be_asked_again() -> None:
    """A request that ended in an error is done when it comes again."""
    once = Once()
    with pytest.raises(ZeroDivisionError):
        once.answer("a", lambda: Told(about="", line=str(1 // 0)))
    assert isinstance(once.answer("a", lambda: Told(about="", line="")), Told)
