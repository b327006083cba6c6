"""What answers a view: reads the run, appends what people answer, says what changed.

Theory of operation. A source has a fold of the run of its own, so it can be asked from any
thread, also while a cell blocks: it only reads the store and appends to it, as the command
line does. `hear` answers what a view says; `poll` tells what changed since the view heard
last, and costs next to nothing when nothing did.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final, TypeVar, assert_never

from nbdurable.engine.asking import commands
from nbdurable.engine.past.history import History
from nbdurable.engine.values.plainly import Unreadable
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.moments import Now
from nbdurable.engine.where.zones import LocalZone
from nbdurable.errors import DurableError
from nbdurable.timeline import acting, actions, frames, lately, snapshots, stopping
from nbdurable.timeline.asks import asks
from nbdurable.timeline.details import details_of
from nbdurable.timeline.handed import Handed, Kernel, Wanted
from nbdurable.timeline.marks import Marks
from nbdurable.timeline.model import attempt_view, live_view, run_view
from nbdurable.timeline.once import Once
from nbdurable.timeline.previews import line
from nbdurable.timeline.protocol import (
    VERSION,
    Cell,
    Changed,
    Message,
    Refused,
    Snapshot,
    Told,
    Watched,
)
from nbdurable.timeline.quick import Touched
from nbdurable.timeline.reading import Common, Reading
from nbdurable.timeline.refusals import AGAIN, GONE, NO_RUN, TOO_LARGE
from nbdurable.timeline.requests import (
    IN_KERNEL,
    Act,
    Cancel,
    Detail,
    Doing,
    Find,
    Misread,
    Older,
    Open,
    Request,
    Resolve,
    Signal,
    Value,
    Watch,
    named,
    understood,
)
from nbdurable.timeline.show import history_of
from nbdurable.timeline.stale import still
from nbdurable.timeline.told import File, Piece
from nbdurable.timeline.views import RunView
from nbdurable.timeline.wholes import Wholes, ref_of
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.protocol import Store

LONG_S: Final = 0.1
RESTS: Final = 4
"""A look that took long is followed by a rest of so many times that: a run with very many
calls in one cell doesn't take the kernel's time away from the cell. Meanwhile only the calls
that were touched are told."""

_Told = TypeVar("_Told", Snapshot, Changed)


@dataclass(kw_only=True, eq=False)
class Source:
    """A run for one view.

    Attributes:
        store: Where the run is.
        run: Its id.
        secrets: What must not be stored of an answer, now.
        clock: What time it is.
        zone: The reader's time zone.
        executing: Ids of the calls that this process executes now.
        heard: Called after an answer was appended: whoever waits looks at once.
        kernel: Does what only a kernel can do; None where there is none.
        stale: By slot, why its cell would run again, as far as is known.
        staleness: The same as the kernel knows it now, or None before it looked; another
            object when something changed. Without it nobody knows.
        once: Knows what was asked for before, by any view.
        common: What it shares with other views of the store, if there are any.
    """

    store: Store
    run: str
    secrets: Callable[[], Secrets]
    clock: Clock = SYSTEM_CLOCK
    zone: tzinfo = field(default_factory=LocalZone)
    executing: Callable[[], Collection[str]] = frozenset
    heard: Callable[[], None] = lambda: None
    kernel: Kernel | None = None
    staleness: Callable[[], Mapping[str, str] | None] | None = None
    once: Once = field(default_factory=Once)
    common: Common | None = None
    _told_stale: Mapping[str, str] | None = field(init=False, default=None)
    stale: Mapping[str, str] = field(default_factory=dict)
    _handed: Handed = field(init=False, default_factory=Handed)
    _common: Common = field(init=False)
    _reading: Reading = field(init=False)
    _read_to: int = field(init=False, default=0)
    _news: bool = field(init=False, default=False)
    _watched: Watched | None = field(init=False, default=None)
    _marks: Marks = field(init=False, default_factory=Marks)
    _shown: RunView | None = field(init=False, default=None)
    _seq: int = field(init=False, default=-1)
    _rests_until_s: float = field(init=False, default=0.0)
    _aside: Source | None = field(init=False, default=None)
    _touched: Touched = field(init=False, default_factory=Touched)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)
    _wholes: Wholes = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing; what is read first is read when a view opens."""
        self._common = self.common or Common(self.store, self.clock)
        self._reading = self._common.reading(self.run)
        self._wholes = Wholes(self.store.get)

    def hear(self, said: object) -> list[Message]:
        """What to answer to what a view says."""
        with self._lock:
            try:
                request = understood(said)
                if not self._goes_to(request):
                    return [NO_RUN]
                with self._reading.lock:
                    return self._answer(request)
            except Misread as misread:
                return [Refused(about="", line=line(str(misread)), to=named(said))]

    def poll(self) -> list[Message]:
        """What changed since the view heard last; nothing before it was opened."""
        with self._lock:
            with self._reading.lock:
                changes = self._changes()
            return [*self.late(), *changes, *self._beside()]

    def late(self) -> list[Told | Refused]:
        """What the kernel did since, for a view that has gone on to another source."""
        return self._handed.late()

    def _answer(self, request: Request) -> list[Message]:
        match request:
            case Open():
                return [self._opened()]
            case Watch(cells=cells):
                self._shown, self._watched, self._marks = None, None, Marks(cells)
                self._touched = Touched()
                self._read()
                return [self._needs()]
            case Resolve() | Signal() | Cancel() | Act():
                done = self.once.answer(request.ask, lambda: self._act(request))
                return [done, *self._changes()]
            case _:
                return [self._read_only(request)]

    @property
    def opened(self) -> bool:
        """Whether a view is told of this source; what was forgotten has to open again."""
        return self._shown is not None or self._watched is not None

    def _read_only(self, request: Find | Older | Detail | Value) -> Message:
        if not self.opened and not isinstance(request, Find):
            return AGAIN
        match request:
            case Find():
                return self._common.runs.page(request, self._now(), self._history.run)
            case Older(left_out=left_out):
                whole = run_view(self._history, self._now(), alive=self._alive)
                return snapshots.page(whole, left_out)
            case Detail(attempt=attempt, call=call):
                return self._details(attempt, call)
            case Value():
                return self._piece(request)
            case _:
                assert_never(request)

    def _opened(self) -> Message:
        self._shown = self._watched = None  # until it could be read
        self._read()
        self._news, self._seq = False, self._seq + 1
        self._shown = self._view()
        made = snapshots.snapshot(self._shown, seq=self._seq, asked=self._asked)
        return self._touched.whole(self._with_actions(made), self._shown)

    def _goes_to(self, request: Request) -> bool:
        """Look at the run that a view opens from now on; False if there is none such."""
        if not isinstance(request, Open | Watch):
            return True
        run = (request.run if isinstance(request, Open) else "") or self.run
        if run == self._reading.run:
            return True
        if run != self.run and not self._common.runs.knows(run):
            return False
        self._reading, self._read_to = self._common.reading(run), 0
        self._aside = (
            None if run == self.run else dataclasses.replace(self, common=self._common)
        )
        return True

    def _beside(self) -> list[Message]:
        """What needs somebody in the own run, while a view looks at another one."""
        aside = self._aside
        if aside is None:
            return []
        watch = {"type": Watch.type, "version": VERSION, "cells": True}
        return aside.poll() if aside.opened else aside.hear(watch)

    def _details(self, attempt: str, call: str) -> Message:
        step = attempt_view(
            self._history,
            self._now(),
            (attempt, call),
            alive=self._alive,
            reads=(self.store.get, frames.rows_of),
            known=self._reading.known,
        )
        found = details_of(step, call, self._now()) if step else None
        if found is None:
            return GONE
        past = self._history.steps[attempt]
        can = actions.looked_at(past, call, self._history, self._alive, self.store.get)
        found = dataclasses.replace(found, actions=can)
        more = lately.changes(self._history, past, call, self.store, self._common.runs)
        return dataclasses.replace(found, parts=(*found.parts, *more))

    def _piece(self, asked: Value) -> Message:
        steps, calls = self._history.steps, self._history.calls
        found = calls.get(asked.call) if asked.call else steps.get(asked.attempt)
        ref = ref_of(found, asked.part) if found else None
        if ref is None:
            return GONE
        try:
            text, chars = self._wholes.piece(ref, asked.start)
        except Unreadable:
            return TOO_LARGE
        except DurableError as gone:
            return Refused(about="", line=line(gone.fact()))
        said = {f.name: getattr(asked, f.name) for f in dataclasses.fields(asked)}
        return Piece(**said, text=text, chars=chars)

    def _act(self, request: Doing) -> Told | Refused | File:
        self._read()
        history = self._meant(request.run)
        if history is None:
            return dataclasses.replace(NO_RUN, about=acting.about(request))
        what = acting.what(request)
        if what in IN_KERNEL and self.kernel and history.run == self.run:
            return self._in_kernel(self.kernel, request, history)
        run = commands.OpenRun(
            store=self.store,
            history=history,
            clock=self.clock,
            secrets=self.secrets(),
            executing=frozenset(self.executing()),
        )
        told = acting.do(run, request, self._now())
        if not isinstance(told, Refused):
            self.heard()
        # who did something sees what it did
        self._rests_until_s = self._marks.rests_until_s = 0.0
        return told

    def _meant(self, run: str) -> History | None:
        """The run that somebody looked at; None if the store has none such."""
        if run in {"", self._history.run}:
            return self._history
        if run != self.run and not self._common.runs.knows(run):
            return None
        return history_of(self.store, run)

    def _in_kernel(
        self, kernel: Kernel, request: Doing, history: History
    ) -> Told | Refused:
        what, about = acting.what(request), acting.about(request)
        if what == "cancel" and not stopping.runs(history, about, self.store.owner):
            return Refused(about=about, line=stopping.OVER)
        wanted = Wanted(what=what, about=about, run=history.run)
        return self._handed.to(kernel, wanted, request.ask)

    def _changes(self) -> list[Message]:
        if self._shown is None and self._watched is None:
            return []
        self._read()
        began_s = self.clock.monotonic_s()
        if not self._news:
            return []
        if self._shown is None:
            return self._watching()
        slow = self._rests_until_s > 0.0
        enough = self._touched.enough or self._touched.goes_first()
        if began_s < self._rests_until_s or (slow and enough):
            return self._quick()
        told: list[Message] = [self._next(self._shown)]
        ended_s = self.clock.monotonic_s()
        if ended_s - began_s > LONG_S:
            self._rests_until_s = ended_s + RESTS * (ended_s - began_s)
        return told

    def _quick(self) -> list[Message]:
        """The calls that were touched since the view heard last."""
        seq, now_us = self._seq + 1, self.clock.now_us()
        made = self._touched.tell(self._history, self._alive, now_us, seq)
        self._seq = seq if made is not None else self._seq
        return [made] if made is not None else []

    def _next(self, before: RunView) -> Message:
        self._news, self._seq = False, self._seq + 1
        self._shown = now = self._view()
        made = snapshots.changed(before, now, seq=self._seq, asked=self._asked)
        return self._touched.whole(self._with_actions(made), now)

    def _watching(self) -> list[Message]:
        """What needs somebody, if that is otherwise than it was told."""
        before, now = self._watched, self._needs()
        return [now] if now != before else []

    def _needs(self) -> Watched:
        asked = snapshots.needs(asks(self._history, self._alive))
        marks = self._marks.look(self._cells, self.clock)
        self._news = self._marks.late
        self._watched = Watched(needs=asked, cells=marks, run=self.run)
        return self._watched

    def _cells(self) -> tuple[Cell, ...]:
        return snapshots.cells(self._view(), asked=self._asked)

    def _with_actions(self, made: _Told) -> _Told:
        can = actions.of_run(self._history, len(made.kept))
        head = dataclasses.replace(made.head, actions=can)
        return dataclasses.replace(made, head=head)

    @property
    def _asked(self) -> bool:
        """Whether a kernel says which cells of this run are stale."""
        return self._told_stale is not None and self._history.run == self.run

    def _read(self) -> None:
        """Read what is new, and remember whether the view has to hear of it."""
        self._reading.look()
        self._look()
        entries, whole = self._reading.since(self._read_to)
        if self._read_to == self._reading.version:
            return
        self._read_to, self._news = self._reading.version, True
        self._touched.enough &= not whole
        self._touched.note(self._history, entries)
        self.stale = still(self.stale, self._history, entries)

    @property
    def _history(self) -> History:
        return self._reading.history

    @property
    def _alive(self) -> frozenset[str]:
        return self._reading.alive

    def _look(self) -> None:
        """Take what the kernel says by now of stale cells."""
        told = self.staleness() if self.staleness is not None else None
        if told is not None and told is not self._told_stale:
            news = self._told_stale is None or told != self.stale
            self._news |= news
            self._touched.enough &= not news
            self.stale = self._told_stale = told

    def _now(self) -> Now:
        return Now(self.clock.now_us(), self.zone)

    def _view(self) -> RunView:
        return live_view(
            self._history,
            self._now(),
            self._reading.known,
            alive=self._alive,
            get=self.store.get,
            stale=self.stale if self._history.run == self.run else {},
        )
