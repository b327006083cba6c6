"""The commands that look at a store and act on it."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

import nbdurable_store
from nbdurable.cli import shell
from nbdurable.cli.answers import Answer, plain
from nbdurable.engine.asking import commands as engine
from nbdurable.engine.asking import which
from nbdurable.engine.past import runs as run_index
from nbdurable.engine.past.fates import GLYPHS, Fate
from nbdurable.engine.past.history import History
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.said import value_of
from nbdurable.engine.past.settle import Answer as Said
from nbdurable.engine.telling import explain, lines, reference
from nbdurable.engine.telling.sides import sides
from nbdurable.engine.values.plainly import READABLE
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.dollars import NOTHING, dollars, recorded
from nbdurable.engine.where.folders import STORE_FOLDER
from nbdurable.engine.where.moments import Now, count, moment, since, size
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable.errors import DurableError, NothingDurable, Remedy
from nbdurable.timeline import (
    Reader,
    compare,
    find_history,
    history_of,
    living,
    plain_values,
    write_page,
    write_picture,
)
from nbdurable.timeline import show as show_run
from nbdurable.timeline.finding import standing
from nbdurable.timeline.previews import arguments_of, evidence_of, line
from nbdurable_store.clock import SYSTEM_CLOCK
from nbdurable_store.errors import NotAStore, StoreForeign
from nbdurable_store.folder.format import NAME as FORMAT
from nbdurable_store.folder.format import must_be_free
from nbdurable_store.folder.places import local_place, network_type
from nbdurable_store.keys import data_dir
from nbdurable_store.protocol import Checked, Store
from nbdurable_store.records import Kind

DAMAGE: Final = 1

PAYING: Final = frozenset({Kind.CALL_COMPLETED})
"""The kinds that say what a run paid."""


@dataclass(kw_only=True, eq=False)
class FileUnwritable(DurableError):
    """A file that was asked for can't be written.

    Attributes:
        path: The file.
        why: What the system said.
    """

    slug: ClassVar[str] = "file-unwritable"
    path: str
    why: str

    def fact(self) -> str:
        """Which file, and why."""
        return f"{self.path} can't be written: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return "A file that was there is as it was."

    def remedies(self) -> tuple[Remedy, ...]:
        """Another place."""
        return (
            Remedy("write it elsewhere", "nbdurable timeline RUN --html /tmp/run.html"),
        )


def now() -> Now:
    """The present on this machine's clock."""
    return lines.now(SYSTEM_CLOCK.now_us())


def place(given: argparse.Namespace) -> tuple[Path, bool]:
    """The store's folder as it was named or is found, and whether somebody named it."""
    named = given.store or os.environ.get("NBDURABLE_STORE")
    return Path(named or STORE_FOLDER).absolute(), bool(named)


def settled(path: Path, *, named: bool) -> Path:
    """Where the store of a path is: elsewhere, if that lies on a network file system."""
    moved = not named and network_type(path) is not None
    return local_place(path, data_dir()) if moved else path


@contextlib.contextmanager
def opened(given: argparse.Namespace) -> Iterator[Store]:
    """The store that is meant; nothing is made where there is none.

    Raises:
        NothingDurable: There is none in this folder.
        NotAStore: There is none in the folder that was named.
    """
    path, named = place(given)
    there = settled(path, named=named)
    if not (there / FORMAT).exists():
        must_be_free(there)
        if given.store:
            raise NotAStore(place=str(there), why="nothing is there")
        command = f"nbdurable {given.command}"
        raise NothingDurable(command=command, elsewhere="nbdurable runs PATH")
    store = nbdurable_store.open(path, named=named)
    try:
        yield store
    finally:
        store.close()


@contextlib.contextmanager
def looked_at(given: argparse.Namespace) -> Iterator[tuple[Store, str]]:
    """The store that is meant, to look at, and what is said of it if it is foreign.

    Raises:
        NothingDurable: There is none in this folder.
        NotAStore: There is none in the folder that was named.
    """
    with contextlib.ExitStack() as stack:
        try:
            own = stack.enter_context(opened(given))
        except StoreForeign as error:
            foreign = nbdurable_store.look(error.place, plain=READABLE)
            stack.callback(foreign.close)
            yield foreign, _unverified(error, foreign.left_out)
        else:
            yield own, ""


def _unverified(error: StoreForeign, left_out: int) -> str:
    """What is said of a foreign store that is looked at all the same."""
    place = line(error.place)
    parts = f" · {count(left_out, 'part')} of it can't be read"
    return (
        f"{place} is foreign: {error.why}, so nothing below is verified,"
        " and the commands there are refused"
        f"{parts if left_out else ''} · pickled and large values and its store.duckdb"
        f' are not read · if you know its author: nbdurable trust "{place}"'
    )


def _answer(text: str, data: object, unverified: str) -> Answer:
    """An answer; what a foreign store says can't be taken for what one's own says."""
    if not unverified:
        return Answer(text, data)
    return Answer(f"{unverified}\n\n{text}", {"unverified": unverified, "answer": data})


# ---- looking -----------------------------------------------------------------------------


BEGIN: Final = "to begin: %%durable NAME on a cell's first line · another folder: nbdurable runs PATH"
"""What is said where there is no store yet: a new user looks before they begin."""


def none_yet(given: argparse.Namespace) -> Answer:
    """What a command that lists something says where there is no store yet."""
    path, named = place(given)
    there = f"{path} (NBDURABLE_STORE)" if named else "this folder"
    return Answer(f"no durable runs in {there} yet · {BEGIN}", [])


def runs(given: argparse.Namespace) -> Answer:
    """The runs of the store, latest first."""
    try:
        with looked_at(given) as (store, unverified):
            rows, states = run_rows(store), _states(store)
            paid = run_index.paid(store.scan(PAYING)[0])
    except NothingDurable:
        return none_yet(given)
    data = [
        {
            "id": r.id,
            "number": r.number,
            "notebook": r.notebook,
            "opened_us": r.opened_us,
            "active_us": r.active_us,
            "state": states[r.id],
            **({"usd": recorded(paid[r.id])} if r.id in paid else {}),
            **({"forked": r.forked} if r.forked else {}),
        }
        for r in rows
    ]
    for run in states.keys() & paid.keys():
        states[run] += f", spent {dollars(paid[run])}"
    table = "\n".join([_table(rows, states, now()), *_by_notebook(rows, paid)])
    return _answer(table.strip() or "no runs in this store", data, unverified)


def _by_notebook(rows: list[RunRow], paid: dict[str, Decimal]) -> Iterator[str]:
    """What the runs of each notebook cost together, where there are several."""
    for notebook in dict.fromkeys(line(r.notebook) for r in rows):
        of = [r.id for r in rows if line(r.notebook) == notebook]
        spent = [paid[run] for run in of if run in paid]
        if len(spent) > 1:
            total = dollars(sum(spent, NOTHING))
            yield f"{notebook}: {count(len(spent), 'run')} spent {total} together"


def run_rows(store: Store) -> list[RunRow]:
    """The runs of a store, the one that was used last first."""
    entries, _ = store.scan(run_index.INDEX_KINDS)
    rows = run_index.rows(entries, others(store))
    return sorted(rows, key=lambda r: r.active_us, reverse=True)


def _states(store: Store) -> dict[str, str]:
    """How each run stands, in a few words."""
    alive = others(store)
    folded = run_index.histories(store.scan(run_index.INDEX_KINDS)[0])
    return {run: _state(store, history, alive) for run, history in folded.items()}


def _state(store: Store, history: History, alive: frozenset[str]) -> str:
    pinned = ", pinned" if history.pinned else ""
    step = run_index.unfinished_step(history)
    if history.closed is not None or step is None:
        return f"{'open' if history.closed is None else 'closed'}{pinned}"
    whole = history_of(store, history.run)
    return f"{standing(whole, step, alive)[1]}{pinned}"


def _table(rows: list[RunRow], states: dict[str, str], here: Now) -> str:
    cells = [
        (
            f"run {r.number}",
            line(r.notebook),
            f"since {since(r.opened_us, here)}",
            moment(r.active_us, here),
            states[r.id] + (f", forked from {line(r.forked)}" if r.forked else ""),
        )
        for r in rows
    ]
    widths = [max(len(c[n]) for c in cells) for n in range(4)] if cells else []
    return "\n".join(
        "  ".join([*(c[n].ljust(w) for n, w in enumerate(widths)), c[4]]) for c in cells
    )


def _history(store: Store, run: str) -> History:
    found = reference.find_run(run_rows(store), run)
    return history_of(store, found.id)


def show(given: argparse.Namespace) -> Answer:
    """A run: its cells and calls."""
    with looked_at(given) as (store, unverified):
        history = _history(store, given.run)
        get = store.get if given.json else None
        shown = show_run(history, alive=others(store), get=get)
    text = shell.answers(str(shown), given.run)
    data = plain(shown.run) if given.json else None
    return _answer(text, data, unverified)


def others(store: Store) -> frozenset[str]:
    """The living owners; this process executes nothing."""
    return living(store) - {store.owner}


def why(given: argparse.Namespace) -> Answer:
    """Why a step or call ran, or was replayed."""
    with looked_at(given) as (store, unverified):
        history = _history(store, given.run)
        present = Present(
            now(),
            others(store),
            arguments=arguments_of(store.get),
            evidence=evidence_of(store.get),
        )
        told = explain.why(history, given.what, present, "nbdurable why")
    about = line(told.about)
    said = tuple(shell.answers(line(part), given.run) for part in told.lines)
    data = {"about": about, "lines": list(said)}
    return _answer(str(explain.Why(about, said)), data, unverified)


def diff(given: argparse.Namespace) -> Answer:
    """What differs between two attempts, steps or runs; nothing is unpickled."""
    with opened(given) as store:
        history = _history(store, given.run)
        pair = sides(history, given.old, given.new, partial(find_history, store))
        found = compare(*pair, Reader(store.get, plain_values(store.get)))
    return Answer(str(found), plain(found))


def timeline(given: argparse.Namespace) -> Answer:
    """Write the page or the picture of a run."""
    write = write_page if given.html is not None else write_picture
    wanted = given.html if given.html is not None else given.svg
    with opened(given) as store:
        run = reference.find_run(run_rows(store), given.run)
        try:
            path = write(store, run.id, wanted)
        except OSError as error:
            why = error.strerror or str(error)
            raise FileUnwritable(path=wanted, why=why) from error
    return Answer(str(path), {"path": str(path), "run": run.id})


# ---- acting ------------------------------------------------------------------------------


def resolve(given: argparse.Namespace) -> Answer:
    """Say what became of a call."""
    with opened(given) as store:
        history = _history(store, given.run)
        run = engine.OpenRun(
            store=store,
            history=history,
            clock=SYSTEM_CLOCK,
            secrets=Secrets(os.environ),
        )
        asked = which.question(history, given.call)
        value = None if given.happened is None else value_of(given.happened)
        told, records = engine.resolve(run, asked, _said(given), value)
        store.append(records, sync=True)
    return Answer(line(told.line), {"resolved": asked.reference, "told": told.line})


def _said(given: argparse.Namespace) -> Said:
    if given.happened is not None:
        return Said.HAPPENED
    chosen = {
        Said.DID_NOT: given.did_not,
        Said.KEEP: given.keep,
        Said.AGAIN: given.again,
    }
    return next(said for said, is_it in chosen.items() if is_it)


def trust(given: argparse.Namespace) -> Answer:
    """Sign somebody else's store as one's own."""
    done = nbdurable_store.trust(given.path)
    told = f"{done.place} is yours"
    if done.records or done.left_out:
        told += f" · {count(done.records, 'record')} signed with your key"
    else:
        told += " already, nothing was changed"
    if done.left_out:
        told += f" · {done.left_out} damaged stretches left out"
    return Answer(told, plain(done))


def fsck(given: argparse.Namespace) -> Answer:
    """Read the whole store and say what is damaged."""
    with opened(given) as store:
        checked = store.check()
        where = store.place
    text = "\n".join([*_findings(checked), _summary(checked, where)])
    return Answer(text, plain(checked), DAMAGE if checked.findings else 0)


def _findings(checked: Checked) -> Iterator[str]:
    for found in checked.findings:
        yield f"{GLYPHS[Fate.ERROR]} {line(found.place)}: {line(found.says)}  {found.slug}"
        if found.loses:
            yield f"    not served because of it: {line(', '.join(found.loses))}"


def _summary(checked: Checked, where: str) -> str:
    read = f"{count(checked.records, 'record')} and {count(checked.blobs, 'value')}"
    found = count(len(checked.findings), "finding") if checked.findings else "all whole"
    return f"{where}: {read}, {size(checked.bytes)}, {found}"
