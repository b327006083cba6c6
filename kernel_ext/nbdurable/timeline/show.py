"""The doors: a run as an object that shows itself, and as a page on disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from nbdurable.engine.past import forks, runs
from nbdurable.engine.past.history import History
from nbdurable.engine.telling import reference
from nbdurable.engine.where.moments import Now
from nbdurable.engine.where.zones import LocalZone
from nbdurable.timeline import html
from nbdurable.timeline.bundle import page_script
from nbdurable.timeline.frames import rows_of
from nbdurable.timeline.model import run_view
from nbdurable.timeline.pages import page
from nbdurable.timeline.picture import picture
from nbdurable.timeline.previews import Get
from nbdurable.timeline.text import text
from nbdurable.timeline.views import RunView
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.protocol import Cursor, Store


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A run that shows itself: text in a terminal, a picture in a notebook.

    Attributes:
        run: What is shown.
    """

    run: RunView

    def __str__(self) -> str:
        return text(self.run)

    def __repr__(self) -> str:
        return text(self.run)

    def _repr_html_(self) -> str:
        return html.fragment(self.run)

    def _repr_mimebundle_(
        self,
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
    ) -> dict[str, str]:
        bundle = {"text/plain": str(self), "text/html": self._repr_html_()}
        return {
            kind: shown
            for kind, shown in bundle.items()
            if (not include or kind in include) and kind not in (exclude or ())
        }


def show(
    history: History,
    *,
    alive: Collection[str] = (),
    get: Get | None = None,
    clock: Clock = SYSTEM_CLOCK,
    zone: tzinfo | None = None,
    stale: Mapping[str, str] | None = None,
) -> Shown:
    """A run as an object that shows itself.

    Args:
        history: The fold of the run.
        alive: Ids of the owners that live, this process among them.
        get: How to read values for previews; without it there are none.
        clock: What time it is.
        zone: The reader's time zone; the machine's by default.
        stale: By slot, why its cell would run again in the kernel that asks.
    """
    now = Now(clock.now_us(), zone or LocalZone())
    return Shown(run_view(history, now, alive=alive, get=get, stale=stale))


def history_of(store: Store, run: str) -> History:
    """The fold of a run as the store has it now."""
    return history_until(store, run)[0]


def history_until(store: Store, run: str) -> tuple[History, Cursor]:
    """The fold of a run as the store has it now, and where what comes later begins."""
    history = History(run)
    entries, cursor = store.read(run)
    forks.begin(history, entries, lambda parent: store.read(parent)[0])
    history.apply(entries)
    return history, cursor


def find_history(store: Store, run: str) -> History:
    """The fold of a run by its number, ``NOTEBOOK:NUMBER`` or id.

    Raises:
        RunUnknown: The store has no such run.
    """
    alive = living(store) - {store.owner}
    rows = runs.rows(store.scan(runs.INDEX_KINDS)[0], alive)
    return history_of(store, reference.find_run(rows, run).id)


def living(store: Store) -> frozenset[str]:
    """Ids of the owners that live."""
    return frozenset(o.id for o in store.owners() if o.alive)


def write_page(
    store: Store,
    run: str,
    path: str | os.PathLike[str],
    *,
    clock: Clock = SYSTEM_CLOCK,
    zone: tzinfo | None = None,
) -> Path:
    """Write the self-contained page of a run; an existing file is replaced whole.

    Args:
        store: Where the run is.
        run: Id of the run.
        path: The file to write.
        clock: What time it is.
        zone: The reader's time zone; the machine's by default.
    """
    shown = _read(store, run, clock, zone, store.get)
    return _publish(Path(path), page(shown.run, page_script()))


def write_picture(
    store: Store,
    run: str,
    path: str | os.PathLike[str],
    *,
    clock: Clock = SYSTEM_CLOCK,
    zone: tzinfo | None = None,
) -> Path:
    """Write the picture of a run as one SVG file, with no values in it.

    Args:
        store: Where the run is.
        run: Id of the run.
        path: The file to write.
        clock: What time it is.
        zone: The reader's time zone; the machine's by default.
    """
    shown = _read(store, run, clock, zone, None)
    return _publish(Path(path), picture(shown.run))


def _read(
    store: Store, run: str, clock: Clock, zone: tzinfo | None, get: Get | None
) -> Shown:
    now = Now(clock.now_us(), zone or LocalZone())
    frames = rows_of if get else None
    history, alive = history_of(store, run), living(store)
    return Shown(run_view(history, now, alive=alive, get=get, frames=frames))


def _publish(target: Path, text: str) -> Path:
    """Write a file that is nobody else's, whole or not at all."""
    handle, made = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(made).replace(target)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
    return target
