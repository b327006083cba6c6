"""What a view is told of a run that could not be read at first."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.engine.steps.session import Session
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.whereabouts import Facts
from nbdurable.kernel.found import Found
from nbdurable.timeline.once import Once
from nbdurable.timeline.protocol import Changed, Message, Snapshot
from nbdurable.timeline.source import Source
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.protocol import Owner
from tests.stories import research

OPEN = {"type": "open", "version": 1}


class Scarce(MemoryStore):
    """A store that sometimes may open no more files, and so can't look who lives."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.scarce = False

    def owners(self) -> tuple[Owner, ...]:
        """Everyone who ever appended, if there are files left."""
        if self.scarce:
            raise OSError(24, "Too many open files")
        return super().owners()


@pytest.fixture
def store() -> Scarce:
    """A store with two runs."""
    world = World()
    kernel = MemoryStore(world)
    for run in ("run-1", "run-2"):
        story = research()
        story.run = run
        story.relabel()
        story.into(kernel)
    return Scarce(world)


def snapshot(messages: list[Message]) -> Snapshot:
    """The only message."""
    (message,) = messages
    assert isinstance(message, Snapshot)
    return message


def opened(store: Scarce) -> Source:
    """A view of the first run, which shows it."""
    source = Source(store=store, run="run-1", secrets=lambda: Secrets({}))
    snapshot(source.hear(OPEN))
    return source


def test_what_could_not_be_read_is_read_again(store: Scarce) -> None:
    """A failed look takes nothing away from the next one."""
    whole = snapshot(opened(store).hear(OPEN)).calls.id
    source = Source(store=store, run="run-1", secrets=lambda: Secrets({}))
    store.scarce = True
    with pytest.raises(OSError, match="open files"):
        source.hear(OPEN)
    store.scarce = False
    assert snapshot(source.hear(OPEN)).calls.id == whole


def test_a_run_that_can_not_be_opened_is_not_mixed_with_another(store: Scarce) -> None:
    """What changes in it is no change of the run that was shown before."""
    source = opened(store)
    source.hear({"type": "find"})
    store.scarce = True
    with pytest.raises(OSError, match="open files"):
        source.hear({**OPEN, "run": "run-2"})
    store.scarce = False
    assert not any(isinstance(message, Changed) for message in source.poll())
    assert not source.opened


def test_a_kernel_opens_a_run_as_soon_as_it_can(store: Scarce, tmp_path: Path) -> None:
    """A view whose `open` failed is told the run without asking again."""
    session = Session(store=store)
    facts = Facts(start_dir=str(tmp_path), notebook="research.ipynb")
    run = session.attend(facts, "%durable").run
    found = Found(lambda: session, lambda: None, Once())
    store.scarce = True
    with pytest.raises(OSError, match="open files"):
        found.hear(OPEN)
    store.scarce = False
    assert snapshot([*found.poll()]).head.id == run
    assert found.poll() == []
