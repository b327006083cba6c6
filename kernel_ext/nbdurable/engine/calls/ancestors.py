"""The runs that this one was forked from, which other kernels may go on with."""

from __future__ import annotations

from collections.abc import Sequence

from nbdurable.engine.past import forks
from nbdurable.engine.past.history import CallPast, History
from nbdurable_store.protocol import Cursor, Store
from nbdurable_store.records import Entry


class Ancestors:
    """How far a fork has read in the runs before it."""

    def __init__(self) -> None:
        self._cursors: dict[str, Cursor] = {}
        self._steps: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Whether the run is a fork."""
        return bool(self._cursors)

    def begin(self, history: History, entries: Sequence[Entry], store: Store) -> None:
        """Fold what a run begins with, before anything of its own."""

        def read(run: str) -> Sequence[Entry]:
            found, self._cursors[run] = store.read(run)
            return found

        self._cursors.clear()
        forks.begin(history, entries, read)
        self._steps = frozenset(history.steps)

    def follow(self, history: History, store: Store) -> list[CallPast]:
        """Fold the writes that they have made since; gives those calls.

        Costs next to nothing where nothing is new, and nothing in a run that is no fork.
        """
        told: list[CallPast] = []
        for run, cursor in self._cursors.items():
            entries, self._cursors[run] = store.read(run, cursor)
            if entries:
                told += forks.follow(history, entries, self._is_own(history))
        return told

    def _is_own(self, history: History) -> forks.Own:
        shared = self._steps
        return lambda call: call.step in history.steps and call.step not in shared
