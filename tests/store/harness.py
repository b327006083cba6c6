"""Stores as the conformance suite and the other tests see them."""

from __future__ import annotations

from pathlib import Path

from nbdurable_store.backends.local import LocalStore
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.opening import open as open_store


class MemoryHarness:
    """A store in memory, seen by several processes."""

    def __init__(self, store_class: type[MemoryStore] = MemoryStore) -> None:
        self._world = World()
        self._class = store_class

    def open(self) -> MemoryStore:
        """One more process."""
        return self._class(self._world)

    def kill(self, store: MemoryStore) -> None:
        """End a process."""
        store.kill()


class LocalHarness:
    """A store in a folder, seen by several views that have nothing in common."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._opened: list[LocalStore] = []

    def open(self) -> LocalStore:
        """One more process."""
        store = open_store(self.root)
        assert isinstance(store, LocalStore)
        self._opened.append(store)
        return store

    def kill(self, store: LocalStore) -> None:
        """Drop every descriptor without a word, as the system does at a kill."""
        store._background.close()
        store._projection.close()
        store.forked()

    def close(self) -> None:
        """Close what a test left open."""
        for store in self._opened:
            store.close()
