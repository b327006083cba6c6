"""What can be done from a view: what it asks, and that it is what the magics do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline.actions import code_of
from nbdurable.timeline.handed import Kernel, Wanted
from nbdurable.timeline.protocol import Changed, Message, Refused, Snapshot, Told
from nbdurable.timeline.source import Source
from nbdurable.timeline.told import Action, Details, File
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.records import Record
from tests.stories import Story, doubtful, gallery, research
from tests.timeline.test_source import OPEN, one, source_of


def opened(story: Story, kernel: Kernel | None = None) -> Source:
    """A source whose view is open."""
    source = source_of(story)
    source.kernel = kernel
    source.hear(OPEN)
    return source


def able(source: Source, attempt: str, call: str = "") -> dict[str, Action]:
    """What can be done with an attempt or a call."""
    found = one(source.hear({"type": "detail", "attempt": attempt, "call": call}))
    assert isinstance(found, Details)
    return {action.what: action for action in found.actions}


def done(source: Source, what: str, about: str = "") -> Message:
    """The first answer to what was asked for."""
    return source.hear({"type": "act", "what": what, "about": about})[0]


def test_a_rerun_says_what_it_costs() -> None:
    """Running a cell afresh names its calls, their time, and the writes that are asked about."""
    story = doubtful()
    call = story.calls("review-1", "mail('ann')", 2.0, effect="write")
    story.completes("review-1", [["report"]])
    actions = able(opened(story), "review-1")
    assert list(actions) == ["rerun", "fork", "restore", "copy"]
    assert actions["rerun"].asks == (
        "3 calls made again, about 8.0 s, when you run its cell again."
        " 1 write already happened: you are asked before it is repeated."
    )
    assert actions["rerun"].command == "%durable rerun review"
    one_call = able(opened(story), "review-1", call)["rerun"]
    assert one_call.command == f"%durable rerun {one_call.about}"
    assert one_call.about == "review.3@665310"
    assert "1 call made again, about 2.0 s" in one_call.asks


def test_a_rerun_is_in_the_journal() -> None:
    """The button appends what the magic appends, and tells what it did."""
    source = opened(research())
    told = done(source, "rerun", "findings")
    assert isinstance(told, Told)
    assert told.line == "findings · begins afresh when you run its cell again"
    kinds = [e.record.kind for e in source.store.read("run-1")[0]]
    assert kinds[-1] == "step.reset"
    assert isinstance(done(source, "rerun", "nothing"), Refused)


def test_a_call_is_made_afresh() -> None:
    """A call with an outcome is made again when its cell runs; one without is refused."""
    source = opened(doubtful())
    told = done(source, "rerun", "review.1")
    assert isinstance(told, Told)
    assert "is made afresh when its cell runs again" in told.line
    assert isinstance(done(source, "rerun", "review.2"), Refused)


def test_a_run_is_pinned_and_let_go() -> None:
    """The button says what it does next, and the list of runs sees it."""
    source = opened(research())
    answers = source.hear({"type": "act", "what": "pin"})
    assert isinstance(answers[0], Told)
    assert isinstance(answers[1], Changed)
    assert [a.what for a in answers[1].head.actions] == ["restore", "unpin", "export"]
    assert one(source.hear({"type": "find"})).runs[0].pinned  # type: ignore[union-attr]


def test_an_export_is_the_page() -> None:
    """The file that is handed out is the page that the command writes."""
    made = done(opened(gallery()), "export")
    assert isinstance(made, File)
    assert made.name == "research-run-3.html"
    assert made.text.startswith("<!doctype html>")


@pytest.mark.parametrize("what", ["fork", "restore", "cancel"])
def test_without_a_kernel_the_command_is_told(what: str) -> None:
    """What only a kernel can do is refused without one, with what to type."""
    refused = done(opened(research()), what, "findings")
    assert isinstance(refused, Refused)
    assert refused.remedies
    assert "none answers" in refused.line


def working() -> list[Record]:
    """A cell that runs now, of the same run."""
    story = Story()
    story.step("work")
    return [entry.record for entry in story.entries]


def test_the_kernel_does_what_it_alone_can() -> None:
    """A kernel is asked; what it says comes with the next look."""
    asked: list[tuple[str, str]] = []
    later: list[Callable[[Message], None]] = []

    def kernel(wanted: Wanted, tell: Callable[[Message], None]) -> None:
        asked.append((wanted.what, wanted.about))
        if wanted.what == "cancel":
            tell(Told(about=wanted.about, line="interrupted"))
        else:
            later.append(tell)

    source = opened(research(), kernel)
    assert isinstance(done(source, "fork", "findings"), Told)
    assert asked == [("fork", "findings")]
    assert source.poll() == []
    later[0](Told(about="findings", line="run 4"))
    assert source.poll() == [Told(about="findings", line="run 4")]
    source.store.append(working(), sync=True)
    told = source.hear({"type": "cancel", "call": "work@work-1"})[0]
    assert told == Told(about="work@work-1", line="interrupted")
    assert asked[1:] == [("cancel", "work@work-1")]


def test_nothing_unknown_is_done() -> None:
    """An action that isn't known changes nothing and says so."""
    source = opened(research())
    assert isinstance(done(source, "format-disk"), Refused)
    assert source.poll() == []


def test_what_runs_can_be_stopped() -> None:
    """A running cell and its running call offer to be stopped, and nothing that would wait."""
    store = MemoryStore(World())
    doubtful().into(store)
    source = Source(store=store, run="run-1", secrets=lambda: Secrets({}))
    source.hear(OPEN)
    assert list(able(source, "review-1")) == ["cancel", "copy"]
    assert "cancel" in able(source, "review-1", "review-1#2")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"q": "a'b", "n": 3}, 'pay(q="a\'b", n=3)'),
        ({"not a name": 1}, "pay('x')"),
        (None, "pay('x')"),
        ([1], "pay('x')"),
    ],
)
def test_a_call_as_code(given: object, code: str) -> None:
    """A call is copied as Python that makes it."""
    story = Story()
    story.opens()
    step = story.step("s")
    call = story.calls(step, "pay('x')", 1.0)
    assert code_of(story.history().calls[call], given) == code


def test_an_empty_run_offers_nothing_to_restore() -> None:
    """Where nothing is kept there is no button that brings it back."""
    story = Story()
    story.opens()
    shown = one(source_of(story).hear(OPEN))
    assert isinstance(shown, Snapshot)
    assert [a.what for a in shown.head.actions] == ["pin", "export"]
