"""What is told of a view's own run while it looks at another one."""

from __future__ import annotations

from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline.protocol import Message, Watched
from nbdurable.timeline.source import Source
from nbdurable_store.backends.memory import MemoryStore, World
from tests.stories import Story
from tests.timeline.test_waits import APPROVAL

OPEN = {"type": "open", "version": 1}


def story_of(run: str, notebook: str) -> Story:
    """A run with a cell that goes on."""
    story = Story(run)
    story.opens(notebook=notebook)
    story.begins(story.step("review"), "search('a')")
    return story


def watched(messages: list[Message]) -> list[Watched]:
    """What was told of the view's own run."""
    return [message for message in messages if isinstance(message, Watched)]


def test_a_question_is_told_who_looks_at_another_run() -> None:
    """Needs and cells of the own run go on to be told, until it is looked at again."""
    store = MemoryStore(World())
    own, other = story_of("own", "a.ipynb"), story_of("other", "b.ipynb")
    for story in (own, other):
        story.into(store)
    source = Source(store=store, run="own", secrets=lambda: Secrets({}))
    source.hear(OPEN)
    source.hear({**OPEN, "run": "other"})
    (first,) = watched(source.poll())
    assert (first.run, first.needs) == ("own", ())
    assert [cell.name for cell in first.cells] == ["review"]
    assert source.poll() == []
    own.entries.clear()
    own.begins(own.step("ask"), "nd.approve('Send?')", kind="approval", wait=APPROVAL)
    own.into(store)
    (told,) = watched(source.poll())
    assert [need.call for need in told.needs] == ["nd.approve('Send?')"]
    source.hear(OPEN)
    assert source.poll() == []
