"""The calls of a map's items: one thread begins and records them, others run functions.

Theory of operation. The conductor takes a few items at a time. For those that have come
back from their functions it makes the records of their outcomes, for as many others
those of their beginnings, and appends all of these in one piece. A second thread syncs
what was appended meanwhile, and takes on what waits for that. So nobody waits for a sync
of his own, and what is done for each call is done for several in a row, while the
processor's caches are warm.

A thread that runs functions waits for none of this: it gives what came of an item away
and takes the next one that is ready. Where items are quick, some more of them than there
are threads are therefore begun ahead. Of those, a journal can't tell after a kill
whether they were begun, so there are no more than are soon taken, and none where items
take long, as they do where somebody would be asked about them; if the map ends before,
it is recorded that they never were.

The order of writes of each call is that of `call`: it is taken on only when what it had
to append is appended, and synced where it has to be.

Calls that may take long to begin, or wait, are done wholly by a thread of the pool.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from nbdurable.engine.calls.going import Append, Perform
from nbdurable.engine.calls.requests import Outcome
from nbdurable.engine.fanout.carrying import Call
from nbdurable.engine.fanout.items import Map

TURN_ITEMS_MAX: Final = 16
"""Begun in one turn: more would keep those waiting that are ready."""

TURN_MS: Final = 2.0
"""What it takes to begin an item beside its sync, until a thread has it."""

LOCK_MS: Final = 5.0
"""So long a thread may wait in between for the lock of the interpreter."""

ENDED_MIN: Final = 25
"""So many calls that have ended are worth a change of threads, while there are others."""

SYNC_MS_MIN: Final = 1.0
SYNC_MS_MAX: Final = 20.0
"""A sync that took longer was held up, and says nothing of the next one."""

LATEST: Final = 8
"""The quickest of so many says how long an item takes: others may have waited for a
processor."""


class Came(NamedTuple):
    """A call that comes back from a thread of the pool.

    Attributes:
        call: It.
        outcome: How its function ended, if that is still to be recorded.
    """

    call: Call
    outcome: Outcome | None = None


class Synced(NamedTuple):
    """What was synced.

    Attributes:
        over: The calls that are over by that.
        left: Those that ask for something else again.
    """

    over: list[Call]
    left: list[Call]


Told = Call | Came | Synced | None
"""What a conductor is told: a new call, one that comes back, what is synced, or the end."""


Unsynced = tuple[list[Call], float]
"""Calls whose records are appended, and since when, seconds."""

Work = tuple[Call, Callable[[], Outcome | None]]
"""A call, and the part of it that a thread of the pool does."""


class Conductor:
    """Carries on the calls of one map.

    Args:
        mapping: The map.
        limit: How many functions run at a time; so many threads run them.

    Attributes:
        ended: Calls that are over, those of some turns together; or what ended the
            conductor itself.
        first: So many calls are begun before the first one ends, if it is known how many
            there are; else 0.
        filled: Set once they are.
    """

    def __init__(self, mapping: Map, limit: int) -> None:
        self.ended: queue.SimpleQueue[list[Call] | BaseException] = queue.SimpleQueue()
        self.first = min(limit, mapping.progress.total or 0)
        self.filled = threading.Event()
        self._begun = 0
        self._over = mapping.over
        self._limit = limit
        self._one, self._room = limit == 1, limit
        self._ahead = 0 if mapping.stop or self._one else limit
        self._took_ms: deque[float] = deque(maxlen=LATEST)
        self._sync_ms, self._clock = SYNC_MS_MIN, mapping.frame.attempt.clock
        self._home = mapping.frame.attempt.home
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._unsynced: queue.SimpleQueue[Unsynced | None] = queue.SimpleQueue()
        self._waiting: deque[Call] = deque()
        self._to_append: list[Call] = []
        self._done: list[Call] = []
        self._out = self._ending = 0
        self._closed = False

    def add(self, call: Call) -> None:
        """One more to be made."""
        self._told.put(call)

    def close(self) -> None:
        """Begin no more; those under way are carried to their ends."""
        self._over.set()
        self._told.put(None)

    def run(self) -> None:
        """What one thread does, until the conductor is closed: it begins and records."""
        try:
            while not self._closed or self._is_going():
                self._turn()
        except BaseException as error:
            self.ended.put(error)
            raise
        finally:
            self._unsynced.put(None)
            for _ in range(self._limit):
                self._ready.put(None)

    def work(self) -> None:
        """What so many threads do as there is room for: they run functions."""
        while (work := self._ready.get()) is not None:
            call, act = work
            try:
                outcome = act()
            except BaseException as raised:  # noqa: BLE001  # told to whoever collects
                call.end(None, raised)
                outcome = None
            self._told.put(Came(call, outcome))

    def sync(self) -> None:
        """What another thread does: it syncs, and takes on what waits for that."""
        while (unsynced := self._unsynced.get()) is not None:
            calls, since_s = unsynced
            self._gather(calls)
            error = self._synced()
            took_ms = (self._clock.monotonic_s() - since_s) * 1000
            self._sync_ms = min(max(took_ms, SYNC_MS_MIN), SYNC_MS_MAX)
            self._take_on(calls, error)

    def _gather(self, calls: list[Call]) -> None:
        """Add what else was appended meanwhile: one sync is for all of it."""
        for _ in range(self._unsynced.qsize()):
            more = self._unsynced.get()
            if more is None:  # the last one, which `sync` has to see
                self._unsynced.put(None)
                return
            calls += more[0]

    def _take_on(self, calls: list[Call], error: BaseException | None) -> None:
        """Take calls to their next command, now that their records are synced."""
        ending = [call for call in calls if call.begun]
        for call in calls:
            begun = call.begun
            call.advance(None, error)
            if not begun and isinstance(call.command, Perform):
                self._ready.put((call, call.perform))
            elif not begun:
                self._told.put(Came(call))
        over = [call for call in ending if call.command is None]
        left = [call for call in ending if call.command is not None]
        if ending:
            self._told.put(Synced(over, left))

    def _is_going(self) -> bool:
        return bool(self._out or self._ending or self._to_append)

    def _turn(self) -> None:
        """Take what has come by now, and carry all of it on as far as it goes."""
        if not self._to_append and not self._may_begin():
            self._take(self._told.get())
        for _ in range(self._told.qsize()):
            self._take(self._told.get())
        begun = 0
        while begun < TURN_ITEMS_MAX and self._may_begin():
            begun += 1
            self._begin(self._waiting.popleft())
        self._append()
        self._begun += begun
        if self._begun >= self.first and not self.filled.is_set():
            self.filled.set()
        if self._closed:
            self._drop()
        if self._done and self._are_awaited():
            done, self._done = self._done, []
            self.ended.put(done)

    def _are_awaited(self) -> bool:
        """Whether who collects what has ended is woken: he may have no more to give."""
        due = len(self._waiting) < self._limit or len(self._done) >= ENDED_MIN
        return due or self._closed or self._over.is_set()

    def _may_begin(self) -> bool:
        under_way = self._out + len(self._to_append)
        if self._one:  # what the one before changes is what the next one is given
            under_way += self._ending
        return (
            bool(self._waiting) and under_way < self._room and not self._over.is_set()
        )

    def _take(self, told: Told) -> None:
        if isinstance(told, Call):
            self._waiting.append(told)
        elif isinstance(told, Came):
            self._out -= 1
            if told.call.begun and self._ahead:
                self._look_ahead(told.call.ms)
            if told.outcome is not None:
                told.call.advance(told.outcome)
            self._sort(told.call)
        elif isinstance(told, Synced):
            self._ending -= len(told.over) + len(told.left)
            self._done += told.over
            for call in told.left:
                self._sort(call)
        else:
            self._closed = True

    def _look_ahead(self, ms: float) -> None:
        """Room for as many as are taken while one is begun, by how long items take."""
        self._took_ms.append(ms)
        begins_ms = self._sync_ms + TURN_MS + LOCK_MS
        share = begins_ms / max(min(self._took_ms), begins_ms)
        self._room = self._limit + int(self._ahead * share)

    def _begin(self, call: Call) -> None:
        long = call.begin()
        if long is None:
            self._sort(call)
        else:
            self._hand(call, long)

    def _sort(self, call: Call) -> None:
        """See that a call gets what it asks for."""
        command = call.command
        if command is None:
            self._done.append(call)
        elif isinstance(command, Append):
            self._to_append.append(call)
        elif isinstance(command, Perform):
            self._hand(call, call.perform)
        else:
            self._hand(call, call.finish)

    def _hand(self, call: Call, act: Callable[[], Outcome | None]) -> None:
        self._out += 1
        self._ready.put((call, act))

    def _drop(self) -> None:
        """What was not begun never will be."""
        for call in self._waiting:
            call.dropped = True
        self._done += self._waiting
        self._waiting.clear()

    def _append(self) -> None:
        """Append what calls have to; those that need no sync go on."""
        calls, self._to_append = self._to_append, []
        if not calls:
            return
        asked = {c: c.command for c in calls if isinstance(c.command, Append)}
        try:
            self._home.append(
                [r for a in asked.values() for r in a.records], sync=False
            )
        except BaseException:  # noqa: BLE001  # each is told what becomes of its own
            for call in calls:
                call.carry_out()
                self._sort(call)
            return
        synced = []
        for call, command in asked.items():
            if command.sync:
                self._ending += call.begun
                self._out += not call.begun
                synced.append(call)
            else:
                call.advance(None)
                self._sort(call)
        if synced:
            self._unsynced.put((synced, self._clock.monotonic_s()))

    def _synced(self) -> BaseException | None:
        """What was appended is durable now, unless this is the reason why not."""
        try:
            self._home.append((), sync=True)
        except BaseException as raised:  # noqa: BLE001  # each of them is told
            return raised
        return None
