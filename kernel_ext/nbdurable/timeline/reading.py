"""What is read of a store for all views of it: a run is folded once, however many show it.

Theory of operation. A fold of a long run takes memory and time, so views of one run share
it, and its lock: whoever uses the fold holds that. Whoever looks takes what is new into it.
The others learn from a short log what came since they looked last; who looked too long ago
for that is told the run as a whole. A run that no view shows any more is let go.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

from nbdurable.engine.past import forks
from nbdurable.engine.past.history import History
from nbdurable.timeline.finding import Runlist
from nbdurable.timeline.known import Known
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.protocol import START, Cursor, Store
from nbdurable_store.records import Entry

LOG_ENTRIES_MAX: Final = 2_000
"""Entries that are remembered for views that look later: some 2 MB, minutes of most runs."""


@dataclass(frozen=True, slots=True)
class _Came:
    """What one look brought.

    Attributes:
        entries: What was appended.
        whole: Whether more than these may be otherwise now.
    """

    entries: tuple[Entry, ...]
    whole: bool


@dataclass(eq=False)
class Reading:
    """The fold of a run; whoever uses it holds its lock.

    Attributes:
        store: Where the run is.
        run: Its id.
        history: The fold.
        alive: Ids of the owners that live.
        known: What was made of it for views, and is still true.
        version: How many looks brought something.
        lock: Of all this.
    """

    store: Store
    run: str
    history: History = field(init=False)
    alive: frozenset[str] = field(init=False, default=frozenset())
    known: Known = field(init=False, default_factory=Known)
    version: int = field(init=False, default=0)
    lock: threading.RLock = field(init=False, default_factory=threading.RLock)
    _cursor: Cursor = field(init=False, default=START)
    _log: deque[_Came] = field(init=False, default_factory=deque)
    _logged: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Begin with nothing read."""
        self.history = History(self.run)

    def look(self) -> None:
        """Take what is new.

        Whatever can fail comes before the first change: what was not taken is read again.
        """
        first, run = self._cursor == START, self.run
        entries, cursor = self.store.read(run, self._cursor)
        alive = frozenset(owner.id for owner in self.store.owners() if owner.alive)
        if first:
            self.history = History(run)
            forks.begin(self.history, entries, lambda run: self.store.read(run)[0])
        self._cursor = cursor
        if not entries and alive == self.alive:
            return
        whole = first or alive != self.alive
        if whole:
            self.known.clear()
        self.alive = alive
        self.history.apply(entries)
        self.known.forget(self.history, entries)
        self.version += 1
        self._note(_Came(() if first else entries, whole))

    def since(self, version: int) -> tuple[Sequence[Entry], bool]:
        """What came since a version, and whether more than that may be otherwise now.

        Args:
            version: What `version` was then; 0 for who has seen nothing.
        """
        missed = self.version - version
        if missed > len(self._log):
            return (), True
        came = list(self._log)[len(self._log) - missed :]
        return tuple(_entries(came)), any(one.whole for one in came)

    def _note(self, came: _Came) -> None:
        self._log.append(came)
        self._logged += len(came.entries)
        while self._logged > LOG_ENTRIES_MAX:
            self._logged -= len(self._log.popleft().entries)


def _entries(came: Sequence[_Came]) -> Iterator[Entry]:
    for one in came:
        yield from one.entries


class Common:
    """What the views of a store have in common.

    Args:
        store: The store.
        clock: What time it is.
    """

    def __init__(self, store: Store, clock: Clock = SYSTEM_CLOCK) -> None:
        self.store = store
        self.runs = Runlist(store, clock)
        self._readings: WeakValueDictionary[str, Reading] = WeakValueDictionary()
        self._lock = threading.Lock()

    def reading(self, run: str) -> Reading:
        """The fold of a run, for all who show it."""
        with self._lock:
            known = self._readings.get(run)
            if known is None:
                known = self._readings[run] = Reading(self.store, run)
            return known
