"""Which addresses of webhooks are good: what it takes to say so."""

from __future__ import annotations

from collections.abc import Sequence

from nbdurable.cli.hooks import good_of
from nbdurable.engine.waits.hooks import Hook
from nbdurable_store.backends.memory import MemoryStore
from nbdurable_store.protocol import START, Cursor
from nbdurable_store.records import Entry
from tests.stories import research


class Counting(MemoryStore):
    """A store that counts how often a run is read."""

    reads = 0

    def read(
        self, run: str, after: Cursor = START, *, calls_with: str = ""
    ) -> tuple[Sequence[Entry], Cursor]:
        """What the run did."""
        self.reads += 1
        return super().read(run, after, calls_with=calls_with)


def hook(name: str, until_us: int) -> Hook:
    """An address of the run."""
    return Hook(
        store="", run="run-1", name=name, draw=name, made_us=0, until_us=until_us
    )


def test_a_run_is_read_once_for_all_its_addresses() -> None:
    """What lists a thousand addresses doesn't read their run a thousand times."""
    story, store = research(), Counting()
    story.run = "run-1"
    story.relabel()
    story.into(store)
    hooks = [hook(f"paid-{n}", until_us=n) for n in range(10)]
    assert list(good_of(store, hooks, 5)) == hooks[6:]
    assert store.reads == 1
