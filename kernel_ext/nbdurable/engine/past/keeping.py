"""Which runs may be removed from a store, and which in what order. Pure.

A run of which something is still to be decided stays: it waits for a person, or a `write`
of it may have happened. A `read` that was cut off keeps nothing: it is simply asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from nbdurable.engine.past import settle
from nbdurable.engine.past.fates import Fate, step_fate
from nbdurable.engine.past.history import History
from nbdurable.engine.values.plainly import visible
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable.errors import DurableError, Remedy


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run stays.

    Attributes:
        why: For people, as it stands behind «kept: ».
        command: What to type so that it no longer has to, or "".
    """

    why: str
    command: str = ""


@dataclass(kw_only=True, eq=False)
class RunKept(DurableError):
    """A run that was to be removed, and has to stay.

    Attributes:
        run: What people call it.
        why: Why it stays.
        when: When the first remedy fits.
        command: The first remedy.
    """

    slug: ClassVar[str] = "run-kept"
    run: str
    why: str
    when: str = "see it"
    command: str = "!nbdurable show"

    def fact(self) -> str:
        """Say which run, and why."""
        return f"{self.run} stays: {self.why}."

    def detail(self) -> str:
        """Say what was not done."""
        return "Nothing was removed, of the other runs that you named neither."

    def remedies(self) -> tuple[Remedy, ...]:
        """What makes it removable."""
        return (Remedy(self.when, self.command),)


def reason(history: History, living: Mapping[str, int]) -> Reason | None:
    """Why a run has to stay, or ``None`` if nothing keeps it.

    Args:
        history: The fold of all its entries.
        living: Owners that live, this process aside, and their process ids.
    """
    run = f"--run {history.run}"
    if history.pinned:
        return Reason("it is pinned", f"!nbdurable unpin {history.run}")
    for owner in history.seen_us:
        if owner in living:
            return Reason(f"process {living[owner]} works in it")
    for asked in settle.questions(history):
        called = visible(asked.reference, lines=False)
        doubt = asked.past is None or asked.past.name in {"IN_DOUBT", "RAISED_FATAL"}
        says = "may have happened" if doubt else "waits for an answer"
        answer = "--did-not" if doubt else "--keep"
        return Reason(f"{called} {says}", f"!nbdurable resolve {called} {answer} {run}")
    for slot in history.slots:
        step = history.latest(slot)
        if step is not None and step_fate(step, living) is Fate.WAITING:
            return Reason(f"{visible(step.name, lines=False)} waits for you")
    return None


def has_fork(fork: RunRow) -> Reason:
    """Why the run that another one was forked from stays: their history is one."""
    return Reason(f"{called(fork)} was forked from it", f"!nbdurable rm {fork.id}")


def called(row: RunRow) -> str:
    """What people call a run."""
    return f"run {row.number} of {visible(row.notebook, lines=False)}"


def must_go(row: RunRow, why: Reason | None) -> None:
    """Refuse to remove a run that has to stay.

    Raises:
        RunKept: It has to.
    """
    if why is None:
        return
    command = why.command or f"!nbdurable show {row.id}"
    when = "settle it" if "resolve" in command else "then it can go"
    raise RunKept(run=called(row), why=why.why, when=when, command=command)


def aged(rows: Sequence[RunRow], before_us: int) -> list[RunRow]:
    """The runs that nobody used since then, the one unused for longest first."""
    unused = (row for row in rows if row.active_us < before_us)
    return sorted(unused, key=lambda row: row.active_us)


def by_use(rows: Sequence[RunRow]) -> list[RunRow]:
    """The runs in the order in which they go for room: closed ones first, oldest first."""
    return sorted(rows, key=lambda row: (not row.closed, row.active_us))
