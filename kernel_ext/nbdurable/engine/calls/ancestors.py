"""The runs that this one was forked from, which other kernels may go on with."""

from __future__ import annotations

from collections.abc import Sequence

from nbdurable.engine.past import forks
from nbdurable.engine.past.history import History
from nbdurable.engine.past.matching import Matcher
from nbdurable_store.protocol import Cursor, Store
from nbdurable_store.records import Entry


class Ancestors:
    """How far a fork has read in the runs before it.

    Attributes:
        told: Ids of the calls that were told since the run was first read, in that order.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self._cursors: dict[str, Cursor] = {}
        self._steps: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Whether the run is a fork."""
        return bool(self._cursors)

    def begin(self, history: History, entries: Sequence[Entry], store: Store) -> None:
        """Fold what a run begins with, before anything of its own."""
        cursors: dict[str, Cursor] = {}

        def read(run: str) -> Sequence[Entry]:
            found, cursors[run] = store.read(run)
            return found

        forks.begin(history, entries, read)
        self._cursors = cursors
        self._steps = frozenset(history.steps)

    def follow(self, history: History, store: Store) -> None:
        """Fold the writes that they have made since.

        Costs next to nothing where nothing is new, and nothing in a run that is no fork.
        After an interrupt in here the run has to be folded anew.
        """
        for run, cursor in self._cursors.items():
            entries, after = store.read(run, cursor)
            if entries:
                self.told += forks.follow(history, entries, self._is_own(history))
            self._cursors[run] = after

    def tell(self, matcher: Matcher, history: History, heard: int) -> int:
        """Let an attempt match what was told since it looked; how much it knows now.

        Args:
            matcher: The attempt's.
            history: The fold of the run, which may have been made anew meanwhile.
            heard: How much of `told` it knows.
        """
        matcher.renew(history)
        news = dict.fromkeys(self.told[heard:])
        if news:
            matcher.reopen([history.calls[call] for call in news])
        return len(self.told)

    def _is_own(self, history: History) -> forks.Own:
        shared = self._steps
        return lambda call: call.step in history.steps and call.step not in shared
