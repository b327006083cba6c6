"""Webhooks that are good no more: what is read for whoever asks again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nbdurable.engine.identity import keys
from nbdurable.engine.waits import hooks
from nbdurable.engine.waits.hooks import Hook
from nbdurable.server.hooks import Hooks
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.protocol import START, Cursor
from nbdurable_store.records import Entry
from tests.stories import Story

FAR_US = 10**17


class Read(MemoryStore):
    """Counts how often a run is read from its beginning, and lets a test hold that up."""

    def __init__(self) -> None:
        super().__init__(World())
        self.wholes = 0
        self.began, self.go = threading.Event(), threading.Event()
        self.held = ""

    def read(
        self, run: str, after: Cursor = START, *, calls_with: str = ""
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """As the store does."""
        self.wholes += after == START
        if run == self.held:
            self.began.set()
            assert self.go.wait(60)
        return super().read(run, after, calls_with=calls_with)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """A store with two runs, beside folders of the user's own."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    made = Read()
    for run in ("run-1", "run-2"):
        story = Story(run=run)
        story.opens()
        story.into(made)
    return made


def address(run: str, until_us: int = FAR_US) -> str:
    """A token for a value in a run."""
    token = keys.hook_token(bytes(32), run, run)
    for_it = Hook(
        store="/s", run=run, name="paid", draw=run, made_us=0, until_us=until_us
    )
    hooks.keep(for_it, token)
    return token


def test_who_asks_again_makes_nobody_read(store: Read) -> None:
    """A token that was used is told from an unknown one by no journal that is read again."""
    taking, token = Hooks(lambda _: store, {}), address("run-1")
    assert taking.take(token, 1)
    read = store.wholes
    assert not any(taking.take(token, 1) for _ in range(5))
    assert store.wholes == read
    later = Hooks(lambda _: store, {})  # a server that was started anew reads signals
    assert not any(later.take(token, 1) for _ in range(5))
    assert store.wholes == read


def test_an_address_that_expired_is_read_once(store: Read) -> None:
    """What is over by its time is looked at again only when something happened."""
    taking, token = Hooks(lambda _: store, {}), address("run-1", until_us=1)
    assert not any(taking.take(token, 1) for _ in range(3))
    assert store.wholes == 1


def test_a_long_run_holds_up_no_other(store: Read) -> None:
    """While one run is read, a value for another one is taken."""
    taking = Hooks(lambda _: store, {})
    slow, quick = address("run-1"), address("run-2")
    store.held = "run-1"
    reading = threading.Thread(target=taking.take, args=(slow, 1))
    reading.start()
    assert store.began.wait(60)
    assert taking.take(quick, 1)
    store.go.set()
    reading.join()
    assert not taking.take(slow, 1)
