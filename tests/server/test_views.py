"""Views that a server doesn't know yet, or any more: what they are answered."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

import nbdurable_store
from nbdurable.kernel.found import Found
from nbdurable.server.notebooks import SILENT_S, Notebooks
from nbdurable.timeline import history_of
from nbdurable.timeline.once import Once
from nbdurable.timeline.protocol import Message, plain
from nbdurable_store.protocol import Store
from tests.engine.clocks import HandClock
from tests.stories import Story, doubtful, research

OPEN = {"type": "open", "version": 1}
WATCH = {"type": "watch", "version": 1}
NOTEBOOK = "a/research.ipynb"
PIN = {"type": "act", "what": "pin", "run": "run-1", "ask": "q"}


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of the test's own."""
    (tmp_path / "key").mkdir(mode=0o700)
    monkeypatch.setenv("NBDURABLE_KEY_FILE", str(tmp_path / "key" / "store.key"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The server's folder, with a notebook."""
    made = tmp_path / "root"
    (made / "a").mkdir(parents=True)
    (made / NOTEBOOK).write_text("{}")
    return made


@pytest.fixture
def notebooks(root: Path) -> Iterator[Notebooks]:
    """A server's notebooks."""
    made = Notebooks(str(root), {})
    yield made
    made.close()


def left(root: Path, *stories: Story, first: int = 1) -> None:
    """Leave runs beside the notebook, as a kernel does: run-1, run-2 and so on."""
    store = nbdurable_store.open(root / "a" / ".nbdurable")
    for n, story in enumerate(stories, first):
        story.run = f"run-{n}"
        story.relabel()
        for at, entry in enumerate(story.entries):
            record = entry.record._replace(at_us=entry.record.at_us + n)
            if "notebook" in record.fields:
                told = {**record.fields, "notebook": str(root / NOTEBOOK)}
                record = record._replace(fields=told)
            story.entries[at] = entry._replace(record=record)
        story.into(store)
    store.close()


def one(messages: object) -> dict[str, Any]:
    """The first message, as JSON has it."""
    return cast("dict[str, Any]", plain(cast("list[Message]", messages)[0]))


def test_a_server_that_started_anew_asks_to_open_again(
    root: Path, notebooks: Notebooks
) -> None:
    """A view that it doesn't know is told so, and what is clicked goes where it was shown."""
    left(root, research(), doubtful())
    for said in (
        None,
        {"type": "detail", "attempt": "a"},
        {"type": "older", "left_out": 1},
    ):
        told = one(notebooks.hear(NOTEBOOK, "v", said))
        assert (told["type"], told["again"]) == ("refused", True)
    assert one(notebooks.hear(NOTEBOOK, "v", PIN))["type"] == "told"
    store = notebooks.store_at(root / "a" / ".nbdurable")
    assert store is not None
    assert history_of(store, "run-1").pinned
    assert not history_of(store, "run-2").pinned
    assert one(notebooks.hear(NOTEBOOK, "v", OPEN))["head"]["id"] == "run-2"
    assert notebooks.hear(NOTEBOOK, "v", None) == []


def test_a_run_that_comes_later_is_opened(root: Path, notebooks: Notebooks) -> None:
    """A view of a notebook without a run is told to open when there is one."""
    assert "%%durable" in one(notebooks.hear(NOTEBOOK, "v", OPEN))["line"]
    assert not one(notebooks.hear(NOTEBOOK, "v", None))["again"]
    left(root, research())
    assert one(notebooks.hear(NOTEBOOK, "v", None))["again"]
    assert one(notebooks.hear(NOTEBOOK, "v", OPEN))["type"] == "snapshot"


def test_a_run_that_begins_elsewhere_is_shown(root: Path, notebooks: Notebooks) -> None:
    """A view without a kernel goes on to the run of a headless kernel, with its questions."""
    left(root, research())
    assert one(notebooks.hear(NOTEBOOK, "v", OPEN))["head"]["id"] == "run-1"
    assert one(notebooks.hear(NOTEBOOK, "w", WATCH))["needs"] == []
    left(root, doubtful(), first=2)
    for view, said in (("v", OPEN), ("w", WATCH)):
        assert one(notebooks.hear(NOTEBOOK, view, None))["again"]
        assert one(notebooks.hear(NOTEBOOK, view, said))["needs"] != []
        assert notebooks.hear(NOTEBOOK, view, None) == []
    assert one(notebooks.hear(NOTEBOOK, "v", OPEN))["head"]["id"] == "run-2"


def test_a_store_that_was_made_anew_is_another_one(
    root: Path, notebooks: Notebooks
) -> None:
    """Who removed a store is shown nothing of it any more, and answers what stands there now."""
    place = root / "a" / ".nbdurable"
    left(root, research())
    assert one(notebooks.hear(NOTEBOOK, "v", OPEN))["head"]["id"] == "run-1"
    assert one(notebooks.hear(NOTEBOOK, "v", PIN))["type"] == "told"
    shutil.rmtree(place)
    assert "%%durable" in one(notebooks.hear(NOTEBOOK, "v", None))["line"]
    assert "%%durable" in one(notebooks.hear(NOTEBOOK, "v", OPEN))["line"]
    left(root, doubtful(), first=2)
    assert one(notebooks.hear(NOTEBOOK, "v", None))["again"]
    assert one(notebooks.hear(NOTEBOOK, "v", OPEN))["head"]["id"] == "run-2"
    pinned = {**PIN, "run": "run-2", "ask": "r"}
    assert one(notebooks.hear(NOTEBOOK, "v", pinned))["type"] == "told"
    with contextlib.closing(nbdurable_store.open(place)) as store:
        assert history_of(store, "run-2").pinned
        assert not store.check().findings


def test_a_refusal_says_what_it_answers(
    root: Path,
    notebooks: Notebooks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where there is no run, or a store of somebody else, a click learns that at once."""
    assert one(notebooks.hear(NOTEBOOK, "v", PIN))["to"] == "q"
    found = Found(lambda: None, lambda: None, Once())
    assert one(found.hear(PIN))["to"] == "q"
    left(root, research())
    (tmp_path / "other").mkdir(mode=0o700)
    monkeypatch.setenv("NBDURABLE_KEY_FILE", str(tmp_path / "other" / "store.key"))
    told = one(notebooks.hear(NOTEBOOK, "v", PIN))
    assert (told["type"], told["to"]) == ("refused", "q")


def test_a_notebook_without_a_run_is_read_once(
    root: Path, notebooks: Notebooks
) -> None:
    """Who looks on makes nobody read it again, until it or the store is another one."""
    about = {"metadata": {"nbdurable": {"kind": "status", "run": "far"}}}
    cells = [{"id": "c1", "cell_type": "code", "outputs": [about]}]
    foreign = json.dumps({"cells": cells})
    place = root / NOTEBOOK
    place.write_text("{}".ljust(len(foreign)))
    seen = place.stat().st_mtime_ns
    before = one(notebooks.hear(NOTEBOOK, "v", OPEN))["line"]
    place.write_text(foreign)
    os.utime(place, ns=(seen, seen))
    assert one(notebooks.hear(NOTEBOOK, "v", None))["line"] == before
    os.utime(place, ns=(seen, seen + 1))
    assert "outputs of a run" in one(notebooks.hear(NOTEBOOK, "v", None))["line"]
    left(root, research())
    assert one(notebooks.hear(NOTEBOOK, "v", None))["again"]


def test_a_view_that_is_silent_is_forgotten(root: Path) -> None:
    """A page that is gone holds its run for some minutes; one that is looked at stays."""
    left(root, research())
    clock = HandClock()
    notebooks = Notebooks(str(root), {}, clock)
    for view in ("gone", "looked at"):
        assert one(notebooks.hear(NOTEBOOK, view, OPEN))["type"] == "snapshot"
    for _ in range(3):
        clock.passes(SILENT_S / 2)
        assert notebooks.hear(NOTEBOOK, "looked at", None) == []
    assert one(notebooks.hear(NOTEBOOK, "gone", None))["again"]
    notebooks.close()


@contextlib.contextmanager
def no_file_left() -> Iterator[None]:
    """This process may open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_run_that_can_not_be_read_now_is_opened_later(
    root: Path, notebooks: Notebooks
) -> None:
    """It is said what is in the way, and a view opens again when nothing is any more."""
    left(root, research())
    whole = one(notebooks.hear(NOTEBOOK, "v", OPEN))["calls"]["id"]
    with no_file_left():
        told = one(notebooks.hear(NOTEBOOK, "v", None))
    assert (told["type"], told["again"]) == ("refused", False)
    assert "Too many open files" in told["line"]
    assert one(notebooks.hear(NOTEBOOK, "v", None))["again"]
    assert one(notebooks.hear(NOTEBOOK, "v", OPEN))["calls"]["id"] == whole


@pytest.mark.parametrize("what", ["a file", "a folder", "a store of tomorrow"])
def test_what_stands_at_the_stores_place_is_named(
    root: Path, notebooks: Notebooks, what: str
) -> None:
    """Where something else stands, the server says what, and doesn't say how to begin."""
    place = root / "a" / ".nbdurable"
    if what == "a file":
        place.write_text("notes")
    else:
        place.mkdir()
        name = "thesis.txt" if what == "a folder" else "FORMAT"
        (place / name).write_text('{"version": 99}')
    fact = {"a file": "a file stands there", "a folder": "it holds other things"}
    for said in (OPEN, None, WATCH):
        told = one(notebooks.hear(NOTEBOOK, "v", said))
        assert fact.get(what, "has format 99") in told["line"]
        assert told["remedies"]


def test_a_run_is_shown_while_another_program_has_the_database(
    root: Path, notebooks: Notebooks
) -> None:
    """A busy database takes nothing from the view: the run is read from the journal."""
    left(root, research())
    with duckdb.connect(str(root / "a" / ".nbdurable" / "store.duckdb")):
        shown = one(notebooks.hear(NOTEBOOK, "v", OPEN))
    assert shown["type"] == "snapshot"
    assert len(shown["calls"]["id"]) == 47


def test_a_slow_store_holds_up_no_other_notebook(
    root: Path, notebooks: Notebooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one store doesn't open, the others are answered, and who waits is told so."""
    left(root, research())
    shutil.copytree(root / "a", root / "b")
    opens, goes, began = nbdurable_store.open, threading.Event(), threading.Event()

    def slowly(place: Path, *, named: bool = False) -> Store:
        if place.parent.name == "b":  # its disk hangs
            began.set()
            assert goes.wait(60)
        return opens(place, named=named)

    monkeypatch.setattr(nbdurable_store, "open", slowly)
    monkeypatch.setattr("nbdurable.server.notebooks.TURN_S", 0.05)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(notebooks.hear, "b/research.ipynb", "v", OPEN)
        try:
            assert began.wait(60)
            assert one(notebooks.hear(NOTEBOOK, "v", OPEN))["type"] == "snapshot"
            late = one(notebooks.hear("b/research.ipynb", "w", OPEN))
            assert "doesn't answer yet" in late["line"]
        finally:
            goes.set()
        assert (
            "%%durable" in one(waits.result())["line"]
        )  # the runs are of another path
