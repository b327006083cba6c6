"""What a test is lent: its store, its run, and the calls it is served.

Without ``--durable-update`` tests work in a copy of the store, made once per session and
thrown away, so that nothing is written to where it is. With it they work in the store
itself, one process at a time.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import nbdurable_store
from nbdurable.cli import commands
from nbdurable.cli.recorded import NothingRecorded, Wanted, completed, of_notebook
from nbdurable.engine.asking.lending import Lending, Loan
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.refusing import CallNotRecorded
from nbdurable.engine.where.folders import STORE_FOLDER, is_store
from nbdurable.errors import DurableError, DurablePause
from nbdurable.integrations import http
from nbdurable_store.protocol import Store

if TYPE_CHECKING:
    import pytest

HERE = "nbdurable"
"""The packages whose frames say nothing of a test."""


@dataclass(slots=True)
class Stores:
    """Copies of stores, opened when they are first asked for."""

    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _open: dict[Path, Store] = field(default_factory=dict)

    def copy(self, place: Path) -> Store:
        """A copy of a store, to read from.

        Raises:
            NotAStore: None is there.
            StoreForeign: It is not signed with a key of this user.
        """
        if place not in self._open:
            prefix = "nbdurable-tests-"
            folder = self._stack.enter_context(
                tempfile.TemporaryDirectory(prefix=prefix)
            )
            copied = nbdurable_store.copy(place, Path(folder) / "store")
            store = nbdurable_store.open(copied, named=True)
            self._stack.callback(store.close)
            self._open[place] = store
        return self._open[place]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class Borrowed(Mapping[str, object]):
    """What a test is lent: variables of the step by name, and how many calls it used."""

    def __init__(self, session: Lending, attempt: Attempt) -> None:
        self._session, self._attempt = session, attempt

    @property
    def used(self) -> int:
        """How many recorded calls the test was served so far."""
        return self._attempt.used.served

    def refused(self) -> str:
        """What was refused and swallowed by the code, told; "" if nothing was."""
        paused = self._attempt.paused
        return paused.told() if isinstance(paused, CallNotRecorded) else ""

    def __getitem__(self, name: str) -> object:
        return self._session.value(name)

    def __iter__(self) -> Iterator[str]:
        lender = self._session.lender
        names = (n for group in lender.groups for n in group) if lender else ()
        return (name for name in names if name.isidentifier())

    def __len__(self) -> int:
        return sum(1 for _ in self)


@contextlib.contextmanager
def borrowed(
    node: Any, mark: pytest.Mark, stores: Stores, *, update: bool
) -> Iterator[Borrowed]:
    """Lend a test what its mark names, for as long as it runs.

    What can't be lent (no completed run, no such step, a foreign store) fails the test.
    """
    import pytest

    with contextlib.ExitStack() as stack:
        try:
            session = _session(node, mark, stores, stack if update else None)
        except DurableError as error:
            pytest.fail(error.told(), pytrace=False)
        http.install()
        within = session.recording() if update else session.served()
        yield Borrowed(session, stack.enter_context(within))


def _session(
    node: Any, mark: pytest.Mark, stores: Stores, closing: contextlib.ExitStack | None
) -> Lending:
    """What is lent: from the store itself, which is to be closed, or from a copy.

    Raises:
        NothingRecorded: The notebook has no completed run.
        ReferenceUnknown: The run has no such step.
    """
    said = _marked(*mark.args, **mark.kwargs)
    path = _notebook(node, said["notebook"])
    place = _place(path, node.config.rootpath)
    wanted = Wanted(typed=said["notebook"], path=path, place=place, run=said["run"])
    if not is_store(str(place)):
        raise NothingRecorded(notebook=wanted.typed, place=str(place))
    if closing is None:
        store = stores.copy(place)
    else:
        store = nbdurable_store.open(place, named=True)
        closing.callback(store.close)
    return Lending(store, _loan(store, wanted, node, said["step"]))


def _marked(notebook: str, step: str = "", run: str = "") -> dict[str, str]:
    """The arguments of the mark."""
    return {"notebook": str(notebook), "step": step, "run": run}


def _loan(store: Store, wanted: Wanted, node: Any, step: str) -> Loan:
    rows = commands.run_rows(store)
    mine = Wanted(typed=str(node.path), path=node.path, place=wanted.place)
    own = [r for r in of_notebook(rows, mine) if r.notebook.endswith(".py")]
    return Loan(
        run=completed(rows, wanted).id,
        step=step,
        borrower=node.nodeid.partition("::")[2],
        place=str(node.path),
        own=tuple(r.id for r in reversed(own)),
    )


def _notebook(node: Any, notebook: str) -> Path:
    """The notebook's path: from the test's folder, else from pytest's root."""
    beside = (node.path.parent / notebook).absolute()
    root = (node.config.rootpath / notebook).absolute()
    found = root if root.exists() and not beside.exists() else beside
    return Path(os.path.normpath(found))


def _place(notebook: Path, root: Path) -> Path:
    """The store: as it was named, else beside the notebook, else in pytest's root."""
    named = os.environ.get("NBDURABLE_STORE")
    if named:
        return Path(named).absolute()
    beside, above = notebook.parent / STORE_FOLDER, root / STORE_FOLDER
    return beside if is_store(str(beside)) or not is_store(str(above)) else above


def told(error: BaseException, nodeid: str) -> BaseException:
    """An exception of a test; one of ours without our frames, and with the way out."""
    if not isinstance(error, DurablePause):
        return error
    if isinstance(error, CallNotRecorded):
        error.add_note(
            f"    record it here  pytest {shlex.quote(nodeid)} --durable-update"
        )
    return error.with_traceback(_own_frames(error.__traceback__))


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    """A traceback up to where it enters one of our packages."""
    kept: list[TracebackType] = []
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if kept and module.partition(".")[0] == HERE:
            break
        kept.append(trace)
        trace = trace.tb_next
    found: TracebackType | None = None
    for one in reversed(kept):
        found = TracebackType(found, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return found
