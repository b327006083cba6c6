"""A notebook as a plain process, in whatever environment: cells from a file.

A line ``# %%`` begins a cell that isn't durable, ``# %% durable NAME`` a durable one. The
store is in a folder. Prints one line of JSON: what durable cells told, the variable ``r``,
and the effects of the tools that were called.
"""

from __future__ import annotations

import json
import linecache
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

from nbdurable.engine.steps.cells import Cell, Replayed
from nbdurable.engine.steps.running import Running
from nbdurable.engine.steps.session import Session
from nbdurable.engine.steps.step import begin
from nbdurable.engine.where.whereabouts import Facts
from nbdurable.integrations import install

MARK = re.compile(r"^# %%(?: durable (\w+))?\n", re.MULTILINE)


def cells(program: str) -> Iterator[tuple[str, str]]:
    """Name ("" for a plain one) and source of each cell."""
    _, *parts = MARK.split(program)
    for name, source in zip(parts[::2], parts[1::2], strict=True):
        yield name or "", source


def run_all(folder: str, program: str, *, edited: bool) -> None:
    """Run the cells of a program in one kernel.

    Args:
        folder: Where the store is.
        program: The file.
        edited: Change the code of durable cells, so that none replays as a whole.
    """
    install()
    notebook = sys.modules["__main__"] = types.ModuleType("__main__")
    told: list[str] = []
    session = Session(notify=told.append)
    for number, (name, text) in enumerate(cells(Path(program).read_text()), 1):
        source = f"edited = 1\n{text}" if edited and name else text
        filename = f"<cell {number}>"
        lines = source.splitlines(keepends=True)  # as IPython keeps them
        linecache.cache[filename] = len(source), None, lines, filename
        facts = Facts(start_dir=folder, interactive=True)
        if not name:
            session.sources.add(filename, source)
            exec(compile(source, filename, "exec"), vars(notebook))  # it is a notebook
            continue
        cell = Cell(
            name=name,
            raw=source,
            transformed=source,
            cell_id=f"c{number}",
            count=number,
            filename=filename,
            facts=facts,
        )
        told += run(session, cell, vars(notebook))
    calls = session.history.calls.values()
    effects = {call.name: call.effect.value for call in calls}
    r = vars(notebook).get("r")
    print(json.dumps({"told": told, "r": r, "effects": effects}))
    session.close()


def run(session: Session, cell: Cell, namespace: dict[str, object]) -> tuple[str, ...]:
    """Run a durable cell; gives what it told."""
    begun = begin(session, cell, namespace)
    if isinstance(begun, Replayed):
        return begun.lines
    assert isinstance(begun, Running)
    try:
        with begun.active():
            exec(
                compile(cell.raw, cell.filename, "exec"), namespace
            )  # it is a notebook
    except BaseException as error:
        begun.fail(error, ())
        raise
    return begun.complete((), None)
