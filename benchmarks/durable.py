"""A durable step in a plain script: what the measured scripts have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from floors import PAYLOAD

from nbdurable.engine.calls.tool import tool
from nbdurable.engine.steps.cells import Cell, Replayed
from nbdurable.engine.steps.session import Session
from nbdurable.engine.steps.step import begin
from nbdurable.engine.where.whereabouts import Facts

RESULT = PAYLOAD.decode()


@tool(effect="read")
def read(number: int) -> str:
    """A call that reads 1 kB from somewhere."""
    return RESULT


@tool(effect="pure")
def pure(number: int) -> str:
    """A call that computes 1 kB."""
    return RESULT


@tool(effect="write")
def write(number: int) -> str:
    """A call that changes the world and is told 1 kB about it."""
    return RESULT


TOOLS: dict[str, Callable[[int], str]] = {"read": read, "pure": pure, "write": write}


@contextmanager
def step(
    folder: Path, notebook: str = "bench", fails: Exception | None = None
) -> Iterator[Session]:
    """One attempt of a durable cell in a plain script; ``fails`` ends it so.

    Args:
        folder: Where store and key are kept.
        notebook: The notebook whose run it is; two kernels can't share a run.
        fails: What the cell raises, if it doesn't complete.
    """
    os.environ["NBDURABLE_KEY_FILE"] = str(folder / "key")
    store = str(folder / "store")
    facts = Facts(
        start_dir=str(folder), interactive=True, store=store, notebook=notebook
    )
    cell = Cell(
        name="bench",
        raw="%%durable bench\npass",
        transformed="# %%durable bench\npass",
        cell_id=f"cell of {notebook}",
        count=1,
        filename="<bench>",
        facts=facts,
    )
    session = Session()
    running = begin(session, cell, {})
    assert not isinstance(running, Replayed)
    with running.active():
        yield session
    if fails is None:
        running.complete([], None)
    else:
        running.fail(fails, [])
    session.close()
