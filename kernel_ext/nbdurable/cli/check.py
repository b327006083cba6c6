"""`nbdurable check`: execute a notebook against a recorded run, making no new call.

Theory of operation. The kernel works in a copy of the store, which is thrown away: in it
the run goes on as it would in a kernel of the user's, so that matching, replay and
adoption are the product's own, and the user's store is only read. The kernel is frozen
from its start, so a call that isn't recorded is refused. With ``--update`` it works in
the store itself, and isn't frozen.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import nbdurable_store
from nbdurable.cli import commands, recorded
from nbdurable.cli.answers import Answer
from nbdurable.cli.headless import Document, execute, needs_nbclient
from nbdurable.cli.headless import opened as read_notebook
from nbdurable.cli.outcome import Against, answer
from nbdurable.cli.recorded import Wanted
from nbdurable.engine.where.folders import STORE_FOLDER, is_store
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable_store.errors import NotAStore

COMMAND: Final = "nbdurable check"


def check(given: argparse.Namespace) -> Answer:
    """Execute a notebook against its recorded run, or record it again."""
    needs_nbclient(COMMAND)
    document = read_notebook(given.notebook)
    wanted = Wanted(
        typed=given.notebook,
        path=document.path,
        place=_place(given, document.path.parent),
        run=given.run,
    )
    with tempfile.TemporaryDirectory(prefix="nbdurable-check-") as folder:
        work = _update if given.update else _check
        return work(document, wanted, Path(folder))


def _place(given: argparse.Namespace, beside: Path) -> Path:
    """The store: as it was named, else beside the notebook, else in this folder."""
    path, named = commands.place(given)
    if named:
        return path
    own, here = (
        commands.settled(p, named=False) for p in (beside / STORE_FOLDER, path)
    )
    return own if is_store(str(own)) or not is_store(str(here)) else here


def _check(document: Document, wanted: Wanted, folder: Path) -> Answer:
    if not is_store(str(wanted.place)):
        raise recorded.NothingRecorded(notebook=wanted.typed, place=str(wanted.place))
    copy = nbdurable_store.copy(wanted.place, folder / "store")
    row = recorded.completed(_rows(copy), wanted)
    env = _environment(copy, row.notebook, row.id, frozen="1")
    done = execute(document, env, ids=_by_ids(document, row), log=folder / "log")
    return answer(done, Against(wanted=wanted, number=row.number))


def _update(document: Document, wanted: Wanted, folder: Path) -> Answer:
    there = is_store(str(wanted.place))
    row = recorded.to_update(_rows(wanted.place), wanted) if there else None
    notebook, run = (row.notebook, row.id) if row else (str(document.path), "new")
    env = _environment(wanted.place, notebook, run, frozen="0")
    ids = row is None or _by_ids(document, row)
    done = execute(document, env, ids=ids, log=folder / "log")
    number = row.number if row else 0
    return answer(done, Against(wanted=wanted, number=number, update=True))


def _rows(place: Path) -> list[RunRow]:
    try:
        store = nbdurable_store.open(place, named=True)
    except NotAStore:
        return []
    try:
        return commands.run_rows(store)
    finally:
        store.close()


def _by_ids(document: Document, row: RunRow) -> bool:
    """Whether the run knows cells of this notebook by their ids.

    One that was recorded without a front end, or in VS Code, knows none of them; its
    cells are found by name and order, as they were then.
    """
    return bool(row.cell_ids & document.ids)


def _environment(
    place: Path, notebook: str, run: str, *, frozen: str
) -> Mapping[str, str]:
    return {
        **os.environ,
        "NBDURABLE_STORE": str(place),
        "NBDURABLE_NOTEBOOK": notebook,
        "NBDURABLE_RUN": run,
        "NBDURABLE_FROZEN": frozen,
    }
