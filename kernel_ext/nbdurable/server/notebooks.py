"""From a notebook's path to what answers its views: the newest run in its store.

Theory of operation. Whoever asks names a notebook below the server's folder. Its store is
where a kernel of it would have it: ``NBDURABLE_STORE``, or ``.nbdurable`` beside it. Both are
resolved first, so neither ``..`` nor a link leads out of the folder; only the variable may,
since whoever started the server set it. A store is opened once, until another one stands at
its place: people remove a store to begin afresh. Each view has a source
of its own, as in a kernel; those that nobody asked for the longest time are dropped. A view
that is told what changed, or opens again, goes on to the run that a kernel began meanwhile.
A disk may take its time: what asks a store for runs has the turn of that store, and holds
up no other one; whoever waits longer than `TURN_S` for it is told so, and asks again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

import nbdurable_store
from nbdurable.engine.past import runs
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.documents import document, is_there
from nbdurable.engine.where.folders import STORE_FOLDER, is_store
from nbdurable.engine.where.whereabouts import Facts, RunRow, shown
from nbdurable.errors import DurableError
from nbdurable.timeline import living
from nbdurable.timeline.greeting import greeting
from nbdurable.timeline.once import Once
from nbdurable.timeline.protocol import Message, Refused
from nbdurable.timeline.reading import Common
from nbdurable.timeline.refusals import AGAIN, refused
from nbdurable.timeline.requests import named
from nbdurable.timeline.snapshots import NOTHING
from nbdurable.timeline.source import Source
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.folder.format import NAME as FORMAT
from nbdurable_store.protocol import START, Cursor, Store
from nbdurable_store.records import Kind

VIEWS_MAX: Final = 64
"""Views that are answered at a time: each holds a run. One more than that opens anew."""

SILENT_S: Final = 300.0
"""How long a view is remembered that asks nothing: one that somebody looks at asks every
other second, and one that is gone never says so."""


TURN_S: Final = 2.0
"""How long somebody waits for another one who opens the same store: a view asks that often,
and the server has a handful of threads for all notebooks."""


@dataclass(slots=True)
class _View:
    """What answers a view.

    Attributes:
        source: What answers it.
        until: Until where is known that no newer run began.
        heard_s: When it asked last.
    """

    source: Source
    until: Cursor
    heard_s: float


@dataclass(frozen=True, slots=True)
class _Without:
    """Why a notebook has no run.

    Attributes:
        told: What is told of it.
        until: Until where the runs of the store were looked at for that.
        file: The time and size of its file then.
    """

    told: Refused
    until: Cursor
    file: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A store, and the time and size of its ``FORMAT``, by which it is that store."""

    store: Store
    made: tuple[int, int]


class Outside(ValueError):
    """A path that is not below the server's folder."""


class Notebooks:
    """The runs of the notebooks below a folder.

    Args:
        root: The server's folder.
        environ: The server's environment.
        clock: What time it is.
    """

    def __init__(
        self,
        root: str,
        environ: Mapping[str, str] = os.environ,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._root = Path(root).expanduser().resolve()
        self._environ, self._clock = environ, clock
        self._stores: dict[Path, _Opened] = {}
        self._common: dict[str, Common] = {}
        self._without: OrderedDict[Path, _Without] = OrderedDict()
        self._views: OrderedDict[tuple[str, str], _View] = OrderedDict()
        self._once = Once()
        self._over = False
        self._turns: WeakValueDictionary[Path, threading.Lock] = WeakValueDictionary()
        # Of what is in memory: nobody reads a disk with it.
        self._lock = threading.Lock()

    def hear(self, notebook: str, view: str, said: object) -> Sequence[Message]:
        """What to answer to a view; to None, what changed since it heard last.

        Args:
            notebook: Path of the notebook below the folder.
            view: What tells this view from others.
            said: What it says.

        Raises:
            Outside: The notebook, or its store, is not below the folder.
        """
        place = self._below(self._root / notebook.strip("/"))
        try:
            if said is None and (known := self._still_without(place)) is not None:
                return [known]
            source = self._source(place, view, begins=_begins(said))
            if source is None:
                nothing = self._nothing(place)
                return [dataclasses.replace(nothing, to=named(said))]
            if said is not None:
                return source.hear(said)
            return source.poll() if source.opened else [AGAIN]
        except (DurableError, OSError) as error:
            if said is None:
                self._forget(place, view)
            return [refused(error, named(said))]

    def close(self) -> None:
        """Close the stores. Idempotent."""
        with self._lock:
            self._over = True
            while self._stores:
                self._stores.popitem()[1].store.close()
            self._views.clear()
            self._common.clear()
            self._without.clear()

    def _below(self, path: Path) -> Path:
        found = path.resolve()
        if not found.is_relative_to(self._root):
            raise Outside(str(path))
        return found

    def _source(self, notebook: Path, view: str, *, begins: bool) -> Source | None:
        key = str(notebook), view
        with self._lock:
            known = self._views.get(key)
        if known is None or begins:
            try:
                with self._turn(self._place(notebook)):
                    self._store(notebook)  # one that was removed takes its views along
                    known = self._views.get(key)
                    if known is None or (begins and _is_left(notebook, known)):
                        known = self._found(notebook)
            except TimeoutError:
                if known is None:  # else it is asked again whether a newer run began
                    raise
            if known is None:
                return None
        with self._lock:
            self._views[key] = known
            self._views.move_to_end(key)
            known.heard_s = self._clock.monotonic_s()
            self._drop(known.heard_s - SILENT_S)
            return known.source

    @contextmanager
    def _turn(self, place: Path) -> Iterator[None]:
        """Be the only one who asks a store for its runs.

        Raises:
            TimeoutError: Somebody else does, and it takes long.
        """
        with self._lock:
            turn = self._turns.setdefault(place, threading.Lock())
        if not turn.acquire(timeout=TURN_S):
            raise TimeoutError(f"{place} doesn't answer yet; it is asked again")
        try:
            yield
        finally:
            turn.release()

    def _drop(self, before_s: float) -> None:
        """Forget the views that asked nothing since, and those that are too many."""
        while True:
            oldest = next(iter(self._views.values()))
            if oldest.heard_s >= before_s and len(self._views) <= VIEWS_MAX:
                return
            self._views.popitem(last=False)

    def _forget(self, notebook: Path, view: str) -> None:
        """Let a view open again when the run can be read."""
        with self._lock:
            self._views.pop((str(notebook), view), None)

    def _found(self, notebook: Path) -> _View | None:
        store = self._store(notebook)
        if store is None:
            return None
        _, until = store.scan(_RUNS)
        run = run_of(notebook, _rows(store))
        if run is None:
            return None
        source = Source(
            store=store,
            run=run.id,
            secrets=lambda: Secrets(self._environ),
            once=self._once,
            common=self._shared(store),
        )
        return _View(source, until, 0.0)

    def _shared(self, store: Store) -> Common:
        """What all views of a store share: what they show is read once."""
        with self._lock:
            known = self._common.get(store.place)
            if known is None or known.store is not store:  # that one was removed
                known = self._common[store.place] = Common(store, self._clock)
            return known

    def _nothing(self, notebook: Path) -> Refused:
        """Why there is no run, and what to do; remembered for who asks again."""
        with self._turn(self._place(notebook)):
            store, file = self._store(notebook), _file(notebook)
            _, until = store.scan(_RUNS) if store is not None else ((), START)
            rows = _rows(store) if store is not None else ()
        facts = Facts(start_dir=str(notebook.parent), notebook=str(notebook))
        found = greeting(facts, rows, kernel=False)
        told = found or Refused(about="", line=NOTHING)
        with self._lock:
            self._without[notebook] = _Without(told, until, file)
            while len(self._without) > VIEWS_MAX:
                self._without.popitem(last=False)
        return told

    def _still_without(self, notebook: Path) -> Refused | None:
        """What was told of a notebook without a run, if no run began or ended since.

        To say it anew takes reading all runs, and the notebook's file, which may be large.
        """
        with self._lock:
            known = self._without.get(notebook)
        if known is None or known.file != _file(notebook):
            return None
        with self._turn(self._place(notebook)):
            store = self._store(notebook)
            new = store is not None and store.scan(_RUNS, known.until)[0]
            return None if new else known.told

    def _place(self, notebook: Path) -> Path:
        named = self._environ.get("NBDURABLE_STORE", "")
        return Path(named) if named else self._below(notebook.parent / STORE_FOLDER)

    def _store(self, notebook: Path) -> Store | None:
        """The store of a notebook; whoever asks has its turn."""
        place = self._place(notebook)
        named = bool(self._environ.get("NBDURABLE_STORE"))
        store = self._opened(place, named=named)
        if store is None:
            nbdurable_store.may_stand(place, named=named)
        return store

    def store_at(self, place: Path) -> Store | None:
        """The store in a folder; None if it is none, or none of this server's."""
        named = self._environ.get("NBDURABLE_STORE", "")
        own = bool(named) and Path(named).resolve() == place.resolve()
        try:
            found = Path(named) if own else self._below(place)
        except Outside:
            return None
        with self._turn(found):
            return self._opened(found, named=own)

    def _opened(self, place: Path, *, named: bool) -> Store | None:
        made = _file(place / FORMAT)
        with self._lock:
            known = self._stores.get(place)
        if known is not None and known.made != made:
            self._leave(place)
            known = None
        if not is_store(str(place)):
            return None
        if known is None:
            opened = nbdurable_store.open(place, named=named)
            with self._lock:
                known = self._stores[place] = _Opened(opened, made)
                over = self._over
            if over:
                opened.close()
        return known.store

    def _leave(self, place: Path) -> None:
        """Forget a store that was removed, and what was answered from it."""
        with self._lock:
            gone = self._stores.pop(place).store
            views = self._views.items()
            left = [key for key, view in views if view.source.store is gone]
            for key in left:
                del self._views[key]
            self._without.clear()
        with contextlib.suppress(DurableError, OSError):  # nobody has it any more
            gone.close()


def run_of(notebook: Path, rows: Sequence[RunRow]) -> RunRow | None:
    """The run of a notebook: it follows a notebook that was renamed, as it does in a kernel.

    Args:
        notebook: Its path, resolved.
        rows: All runs of its store.
    """
    found = [r for r in rows if Path(os.path.realpath(r.notebook)) == notebook]
    if not found:
        cells = document(str(notebook)).cells
        known = (r for r in rows if r.cell_ids & cells and not r.closed)
        found = [r for r in known if not is_there(r.notebook)]
    return shown(found)


_RUNS: Final = frozenset(
    {Kind.RUN_OPENED, Kind.RUN_RENAMED, Kind.RUN_CLOSED, Kind.RUN_REMOVED}
)
"""What says that runs begin, end, or have another notebook; few, however many steps."""


def _begins(said: object) -> bool:
    """Whether a view is told what there is, and not of what it has seen."""
    opening = isinstance(said, Mapping) and said.get("type") in ("open", "watch")
    return said is None or opening


def _is_left(notebook: Path, view: _View) -> bool:
    """Whether another run is the notebook's by now; costs nothing where none began."""
    store = view.source.store
    began, until = store.scan(_RUNS, view.until)
    if not began:
        return False
    run = run_of(notebook, _rows(store))
    view.until = until
    return run is not None and run.id != view.source.run


def _rows(store: Store) -> list[RunRow]:
    alive = living(store) - {store.owner}
    return runs.rows(store.scan(runs.INDEX_KINDS)[0], alive)


def _file(notebook: Path) -> tuple[int, int]:
    """What tells one state of a file from another; of one that isn't there zeros."""
    try:
        seen = notebook.stat()
    except OSError:
        return 0, 0
    return seen.st_mtime_ns, seen.st_size
