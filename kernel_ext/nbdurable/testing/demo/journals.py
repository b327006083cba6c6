"""What the journal of a demo's kernel says, read from outside by another process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import nbdurable_store
from nbdurable.engine.past.history import CallState, History, StepPast
from nbdurable.engine.past.tally import Ledger, Tally
from nbdurable.engine.values.previews import shorten
from nbdurable.timeline import write_page
from nbdurable_store.protocol import Store
from nbdurable_store.records import Kind

TEXT_CHARS_MAX = 70
"""A call on a line of the demo."""

KEY_VARIABLE = "NBDURABLE_KEY_FILE"


def history_of(store: Path, key_file: Path) -> History | None:
    """The latest run of a store, or None if nothing durable ran there."""
    with _opened(store, key_file) as (opened, run):
        if opened is None:
            return None
        history = History(run)
        history.apply(opened.read(run)[0])
        return history


def draw_page(store: Path, key_file: Path, page: Path) -> Path | None:
    """Draw the latest run as a self-contained page; None if there is none."""
    with _opened(store, key_file) as (opened, run):
        return None if opened is None else write_page(opened, run, page)


@contextlib.contextmanager
def _opened(store: Path, key_file: Path) -> Iterator[tuple[Store | None, str]]:
    if not store.exists():
        yield None, ""
        return
    with _key(key_file), contextlib.closing(nbdurable_store.open(store)) as opened:
        runs = [e.record.run for e in opened.scan({Kind.RUN_OPENED})[0]]
        yield (opened, runs[-1]) if runs else (None, "")


@contextlib.contextmanager
def _key(file: Path) -> Iterator[None]:
    before = os.environ.get(KEY_VARIABLE)
    os.environ[KEY_VARIABLE] = str(file)
    try:
        yield
    finally:
        if before is None:
            del os.environ[KEY_VARIABLE]
        else:
            os.environ[KEY_VARIABLE] = before


def acknowledged(history: History | None) -> int:
    """How many calls have a result."""
    if history is None:
        return 0
    calls = history.calls.values()
    return sum(c.state is CallState.COMPLETED and not c.parent for c in calls)


def in_doubt(history: History | None) -> str:
    """The call that was under way, as people read it, or ""."""
    calls = history.calls.values() if history else ()
    open_ = [c for c in calls if c.state is CallState.STARTED and not c.parent]
    if not open_:
        return ""
    if open_[0].kind == "http":
        return "a model call"
    return shorten(open_[0].text, TEXT_CHARS_MAX)


def since(history: History | None, at_us: int) -> Tally:
    """What the fresh kernel did: the latest attempt or replay of each step."""
    if history is None:
        return Tally()
    ledger, total = Ledger(history), Tally()
    for slot in history.slots:
        step = history.latest(slot)
        if step is None:
            continue
        fresh = step.started_us >= at_us
        total += ledger.attempt(step) if fresh else _replayed(ledger, step, at_us)
    return total


def by_cell(history: History | None) -> tuple[str, ...]:
    """How many calls the latest attempt of each cell made or was served, as people read it."""
    if history is None:
        return ()
    ledger = Ledger(history)
    steps = filter(None, map(history.latest, history.slots))
    return tuple(f"{ledger.attempt(step).calls} in {step.name}" for step in steps)


def _replayed(ledger: Ledger, step: StepPast, at_us: int) -> Tally:
    again = any(us >= at_us for us in step.replays)
    return ledger.replay(step) if again else Tally()
