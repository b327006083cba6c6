"""`nbdurable run`: execute a notebook as cron or a script does, and say what it waits for.

The kernel decides which run it is in, as for any notebook without a front end. A cell
that waits for a person stops it; what was done is kept, and the next run goes on there.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import nbdurable_store
from nbdurable.cli import commands, shell
from nbdurable.cli.answers import Answer
from nbdurable.cli.commands import FileUnwritable
from nbdurable.cli.fileformat import nbformat
from nbdurable.cli.headless import Document, Executed, execute, needs_nbclient, opened
from nbdurable.engine.telling.wording import line
from nbdurable.engine.waits.pauses import WaitingForAnswer
from nbdurable.engine.where.folders import STORE_FOLDER, is_store
from nbdurable.engine.where.moments import count
from nbdurable.timeline import Inbox, inbox_of

COMMAND: Final = "nbdurable run"

FAILED: Final = 1
WAITS: Final = 6
"""The exit code of a notebook that waits for an answer: nothing is wrong with it."""


def run(given: argparse.Namespace) -> Answer:
    """Execute a notebook; with ``--resume``, go on in its unfinished run."""
    needs_nbclient(COMMAND)
    document = opened(given.notebook)
    place = _place(given, document)
    env = _environment(place, document, resume=given.resume)
    with tempfile.TemporaryDirectory(prefix="nbdurable-run-") as folder:
        done = execute(document, env, ids=False, log=Path(folder) / "log")
    if given.output:
        _write(document, given.output)
    waits = done.failed is not None and done.failed.name == WaitingForAnswer.__name__
    inbox = _inbox(place, document) if waits else None
    data = {
        "cells": done.cells,
        "steps": done.steps,
        "failed": asdict(done.failed) if done.failed else None,
        "waits": inbox.data() if inbox else [],
    }
    text = "\n".join(_lines(given, done, inbox, place))
    code = WAITS if waits else FAILED if done.failed else 0
    return Answer(text, data, code)


def _place(given: argparse.Namespace, document: Document) -> Path:
    """The store: as it was named, else beside the notebook, where its kernel starts."""
    path, named = commands.place(given)
    return path if named else document.path.parent / STORE_FOLDER


def _environment(place: Path, document: Document, *, resume: bool) -> Mapping[str, str]:
    where = {
        "NBDURABLE_STORE": str(place),
        "NBDURABLE_NOTEBOOK": os.path.normpath(document.path),
    }
    return {**os.environ, **where, **({"NBDURABLE_RUN": "resume"} if resume else {})}


def _write(document: Document, path: str) -> None:
    try:
        Path(path).write_text(nbformat().writes(document.node), encoding="utf-8")
    except OSError as error:
        raise FileUnwritable(path=path, why=error.strerror or str(error)) from error


def _inbox(place: Path, document: Document) -> Inbox | None:
    """What the notebook waits for."""
    if not is_store(str(place)):
        return None
    store = nbdurable_store.open(place, named=True)
    try:
        notebook = os.path.normpath(document.path)
        rows = [r for r in commands.run_rows(store) if not r.closed]
        ids = [r.id for r in rows if r.notebook == notebook]
        return inbox_of(store, ids, commands.now())
    finally:
        store.close()


def _lines(
    given: argparse.Namespace, done: Executed, inbox: Inbox | None, place: Path
) -> Iterator[str]:
    width = max((len(step["name"]) for step in done.steps), default=0)
    for step in done.steps:
        parts = [f"{step['served']} served"] if step["served"] else []
        parts += [f"{step['ran']} made"] if step["ran"] else []
        yield f"  {line(step['name'].ljust(width), step['how'], ', '.join(parts))}"
    if done.failed is None:
        yield line("done", count(done.cells, "cell"))
        return
    left = f"{count(done.failed.left, 'cell')} behind it not executed"
    if inbox is None:
        yield from ("", f"cell {done.failed.cell} raised:", done.failed.told, "")
        yield line("stopped", left)
        return
    yield line("waits for an answer", left)
    at = "" if place == Path.cwd() / STORE_FOLDER else f' --store "{place}"'
    asked = shell.answers(str(inbox), "").replace("    nbdurable", f"    nbdurable{at}")
    yield asked
    yield f'then: nbdurable{at} run "{given.notebook}" --resume'
