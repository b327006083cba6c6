"""Which run a kernel is in. Pure: facts and the store's runs in, a choice out.

Theory of operation. *Interactive* kernels (requests carry cell ids) continue the
notebook's open run until `%durable new`. *Headless* ones (nbclient, papermill, cron)
resume the newest unfinished run that died a short while ago and knows this step, else
they begin a new one; so a nightly notebook starts afresh each night and resumes the
night that died.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RESUME_HOURS = 12.0
"""A headless kernel resumes a run that was active at most this long ago."""

DEFAULT_NOTEBOOK = "default"
"""The notebook of a kernel of which nobody knows the path."""

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a kernel when a durable cell is executed.

    Attributes:
        start_dir: The directory the kernel started in.
        interactive: Whether requests carry cell ids.
        store: ``NBDURABLE_STORE``, or "".
        notebook: Path of the notebook as far as anybody says, or "".
        run: ``NBDURABLE_RUN``: an id, ``new``, ``resume``, or "".
        resume_hours: ``NBDURABLE_RESUME``: how old a run may be to be resumed.
    """

    start_dir: str
    interactive: bool = False
    store: str = ""
    notebook: str = ""
    run: str = ""
    resume_hours: float = RESUME_HOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run of the store, as far as the choice needs it.

    Attributes:
        id: Its id.
        number: Its number among the runs of its notebook, from 1.
        notebook: The notebook it belongs to.
        headless: Whether a headless kernel opened it.
        opened_us: When it was opened, microseconds since 1970 UTC.
        active_us: When it last journaled anything about a step.
        closed: Whether it was closed.
        unfinished: Whether a step of it failed or never ended.
        alive: Whether a living process appended to it last.
        stopped_in: Name of the step in which it stopped, or "".
        keys: Keys of its steps.
        names: Names that people gave to its steps.
        cell_ids: Ids of the cells it executed.
        parent: Id of the run that it was forked from, or "".
        forked: From where it was forked, such as ``run 2 at findings``, or "".
    """

    id: str
    number: int
    notebook: str
    headless: bool
    opened_us: int
    active_us: int
    closed: bool = False
    unfinished: bool = False
    alive: bool = False
    stopped_in: str = ""
    keys: frozenset[bytes] = frozenset()
    names: frozenset[str] = frozenset()
    cell_ids: frozenset[str] = frozenset()
    parent: str = ""
    forked: str = ""

    @property
    def title(self) -> str:
        """The notebook without its folders."""
        return self.notebook.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The step that is about to run: its key, given name and cell id, if any."""

    key: bytes = b""
    name: str = ""
    cell_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which run it is.

    Attributes:
        run: The run to go on with, or None for a new one.
        number: Number of the new run.
        reason: ``continues``, ``resumes``, ``named``, ``new``, ``renamed``, ``copy``.
        left: An unfinished run that is left behind, to be named.
        beside: A run that a living kernel without a front end has begun, to be named.
    """

    run: RunRow | None = None
    number: int = 1
    reason: str = "new"
    left: RunRow | None = None
    beside: RunRow | None = None


class RunUnknownError(LookupError):
    """``NBDURABLE_RUN`` names a run that the store doesn't have."""


def choose(
    facts: Facts,
    runs: Sequence[RunRow],
    step: Step,
    *,
    now_us: int,
    gone: Iterable[str] = (),
) -> Choice:
    """Which run a kernel goes on with, or that it begins one.

    Args:
        facts: What is known of the kernel.
        runs: All runs of the store.
        step: The step that is about to run.
        now_us: Wall clock, microseconds since 1970 UTC.
        gone: Notebooks, of the runs and the kernel's own, whose file doesn't exist.

    Raises:
        RunUnknownError: ``NBDURABLE_RUN`` names a run that isn't there.
    """
    notebook = facts.notebook or DEFAULT_NOTEBOOK
    mine = [r for r in runs if r.notebook == notebook]
    number = max((r.number for r in mine), default=0) + 1
    if facts.run and facts.run not in {"new", "resume"}:
        return _named(facts.run, runs)
    if facts.interactive and not facts.run:
        return _interactive(notebook, runs, step, number, frozenset(gone))
    return _headless(facts, mine, step, number, now_us)


def shown(runs: Sequence[RunRow]) -> RunRow | None:
    """The run of a notebook that people look at: the one that goes on, else the newest.

    Args:
        runs: All runs of the notebook.
    """
    found = _going(runs) or runs
    return _newest(found) if found else None


def _going(runs: Sequence[RunRow]) -> list[RunRow]:
    """Those that are open. Who forked a run left it: it isn't gone back to."""
    left = {r.parent for r in runs}
    return [r for r in runs if not r.closed and r.id not in left]


def _named(run: str, runs: Sequence[RunRow]) -> Choice:
    for row in runs:
        if row.id == run:
            return Choice(run=row, reason="named")
    raise RunUnknownError(run)


def _interactive(
    notebook: str,
    runs: Sequence[RunRow],
    step: Step,
    number: int,
    gone: frozenset[str],
) -> Choice:
    mine = [r for r in runs if r.notebook == notebook]
    going = _going(mine)
    if going:
        return Choice(run=_newest(going), reason="continues")
    if mine or not step.cell_id:
        return Choice(number=number)
    known = [r for r in runs if step.cell_id in r.cell_ids and not r.closed]
    if not known:
        return Choice(number=number)
    other = _newest(known)
    if other.notebook in gone:
        return Choice(run=other, reason="renamed")
    if notebook in gone:  # it was renamed while this kernel ran, and the run knows that
        return Choice(run=other, reason="continues")
    return Choice(number=number, reason="copy", left=other)


def _headless(
    facts: Facts, mine: Sequence[RunRow], step: Step, number: int, now_us: int
) -> Choice:
    stopped = [r for r in mine if _stopped(r)]
    newest = _newest(stopped) if stopped else None
    living = [r for r in mine if r.alive and r.headless and not r.closed]
    beside = _newest(living) if living else None
    if facts.run == "new" or newest is None:
        return Choice(number=number, left=newest, beside=beside)
    age_us = now_us - newest.active_us
    young = age_us <= facts.resume_hours * HOUR_US
    knows = step.key in newest.keys or step.name in newest.names
    if facts.run == "resume" or (young and knows):
        return Choice(run=newest, reason="resumes")
    return Choice(number=number, left=newest, beside=beside)


def _stopped(row: RunRow) -> bool:
    return not row.closed and not row.alive and (row.headless or row.unfinished)


def _newest(rows: Sequence[RunRow]) -> RunRow:
    return max(rows, key=lambda r: (r.opened_us, r.number, r.id))
