"""How a cell differs from what it did in the notebook's last run."""

from __future__ import annotations

import pytest

from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline import lately
from nbdurable.timeline.source import Source
from nbdurable.timeline.told import Details, Part
from nbdurable_store.backends.memory import MemoryStore, World
from tests.stories import MONDAY_0914_US, Story
from tests.timeline.test_source import OPEN, one

STEP = "findings-1"
HOUR_US = 3_600_000_000


def calls(*pages: int) -> tuple[Source, str]:
    """A source of the last of several runs, one a page; and the id of its call."""
    world = World()
    for number, page in enumerate(pages, 1):
        story = Story(run=f"run-{number}", us=MONDAY_0914_US + number * HOUR_US)
        story.opens(number)
        step = story.step("findings")
        story.wait(number)
        call = f"{story.run}-call"
        text = f"summarise({page})"
        said = {"page": page}
        story.begins(step, text, again=call, arguments=said)
        story.ends(step, call)
        story.completes(step, [["hits"]])
        store = MemoryStore(world)
        story.into(store)
        store.close()
    run, store = f"run-{len(pages)}", MemoryStore(world)
    return Source(store=store, run=run, secrets=lambda: Secrets({})), call


def differences(source: Source, call: str) -> list[Part]:
    """The differences in the details of the step, or of a call in it."""
    source.hear(OPEN)
    found = one(source.hear({"type": "detail", "attempt": STEP, "call": call}))
    assert isinstance(found, Details)
    return [part for part in found.parts if part.kind == "diff"]


def test_what_changed_since_the_last_run() -> None:
    """Details say how a cell, and a call in it, differ from the run before, of all runs."""
    source, call = calls(7, 1, 99)
    (whole,) = differences(source, "")
    assert whole.title == "changed since run 2"
    assert "page was 1, is 99" in whole.text
    (part,) = differences(source, call)
    assert part.text == "summarise: page was 1, is 99"


def test_an_equal_run_says_so() -> None:
    """A cell that did the same as in the last run says that nothing is otherwise."""
    source, call = calls(7, 7)
    assert [part.text for part in differences(source, "")] == [lately.SAME]
    assert [part.text for part in differences(source, call)] == [lately.SAME]


def test_a_run_of_another_notebook_is_no_last_run() -> None:
    """A cell is compared with runs of its own notebook that have it, and with no others."""
    source, call = calls(7)
    for name, notebook in (("findings", "other.ipynb"), ("review", "research.ipynb")):
        other = Story(run=notebook, us=MONDAY_0914_US)
        other.opens(1, notebook=notebook)
        other.step(name)
        other.into(source.store)
    assert differences(source, "") == differences(source, call) == []


def test_both_differences_are_told() -> None:
    """Of a second attempt the last run comes first, then the attempt before."""
    source, _ = calls(1, 1)
    story = Story(run="run-2", us=MONDAY_0914_US + 9 * HOUR_US, counts={"findings": 1})
    step = story.step("findings", source="edited", title="hits = search(OTHER)")
    story.completes(step, [["hits"]])
    story.into(source.store)
    source.hear(OPEN)
    found = one(source.hear({"type": "detail", "attempt": step, "call": ""}))
    assert isinstance(found, Details)
    titles = [part.title for part in found.parts if part.kind == "diff"]
    assert titles == ["changed since run 1", "changed since attempt 1"]


def test_a_last_run_with_very_many_calls_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a run that takes long to read the details say what compares it instead."""
    monkeypatch.setattr(lately, "CALLS_MAX", 0)
    source, _ = calls(1, 1)
    (part,) = differences(source, "")
    assert part.text.endswith("In a cell: %durable diff 1")
