"""Which runs may be removed from a store, and which in what order. Pure.

A run of which something is still to be decided stays: it waits for a person, or a `write`
of it may have happened. A `read` that was cut off keeps nothing: it is simply asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from nbdurable.engine.past import settle
from nbdurable.engine.past.decide import SETTLED
from nbdurable.engine.past.fates import Fate, step_fate
from nbdurable.engine.past.history import History
from nbdurable.engine.past.waits import Waiting, waiting
from nbdurable.engine.values.plainly import visible
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable.errors import DurableError, Remedy


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run stays.

    Attributes:
        why: For people, as it stands behind «kept: ».
        command: What to type so that it no longer has to, or to see it, or "".
        when: What the command is for, as it stands before it.
    """

    why: str
    command: str = ""
    when: str = "see it"


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
        return "Nothing was removed, no other run that you named either."

    def remedies(self) -> tuple[Remedy, ...]:
        """What makes it removable."""
        return (Remedy(self.when, self.command),)


def reason(
    history: History, living: Mapping[str, int], whole: History | None = None
) -> Reason | None:
    """Why a run has to stay, or ``None`` if nothing keeps it.

    Args:
        history: The fold of its own entries: what a fork has of its parent stays there.
        living: Owners that live, this process aside, and their process ids.
        whole: The run with what it has of its parent, about which a fork may ask; its
            own entries by default.
    """
    whole = whole or history
    run = f"--run {history.run}"
    if history.pinned:
        command = f"!nbdurable unpin {history.run}"
        return Reason("it is pinned", command, "then it can go")
    for owner in history.seen_us:
        if owner in living:
            told = f"process {living[owner]} has worked in it since it started"
            return Reason(told, "restart or shut down its kernel", "then it can go")
    latest = [s for slot in history.slots if (s := history.latest(slot)) is not None]
    asked_of = [q for step in latest for q in settle.asked(whole, step)]
    for asked in (*settle.questions(history), *asked_of):
        called = visible(asked.reference, lines=False)
        named = visible(asked.asked, lines=False)
        doubt = asked.past is None or asked.past in SETTLED
        says = "may have happened" if doubt else "waits for an answer"
        answer = "--did-not" if doubt else "--keep"
        command = f"!nbdurable resolve {named} {answer} {run}"
        return Reason(f"{called} {says}", command, "settle it")
    for asks in waiting(history) if history.closed is None else ():
        return _waits(asks, history.run)
    for step in latest:
        waits = step_fate(step, living) is Fate.WAITING
        if waits and not settle.answered(whole, step):
            told = f"{visible(step.name, lines=False)} waits for you"
            return Reason(told, f"!nbdurable show {history.run}", "see for what")
    return None


def _waits(asks: Waiting, run: str) -> Reason:
    """A run that waits goes on later: its call has its answer, or somebody gives it."""
    called = visible(asks.reference, lines=False)
    if asks.command:
        command = f"!{asks.command} --run {run}"
        return Reason(f"{called} waits", command, "answer it")
    is_there = "is answered, and its cell has not run since"
    told = is_there if asks.answered else "waits"
    return Reason(f"{called} {told}", f"!nbdurable show {run}", "see it")


def has_fork(row: RunRow, fork: RunRow, keeps: Reason | None) -> Reason:
    """Why the run that another one was forked from stays: their history is one.

    Args:
        row: The run.
        fork: The other one.
        keeps: Why that one has to stay itself, if it does.
    """
    told = f"{called(fork)} was forked from it"
    if keeps is not None:
        return Reason(f"{told}, and there {keeps.why}", keeps.command, keeps.when)
    return Reason(told, f"!nbdurable rm {fork.id} {row.id}", "remove both")


def called(row: RunRow) -> str:
    """What people call a run."""
    return f"run {row.number} of {visible(row.notebook, lines=False)}"


def must_go(name: str, why: Reason | None, run: str = "") -> None:
    """Refuse to remove a run that has to stay.

    Args:
        name: What people call it.
        why: Why it has to, if it has to.
        run: Its id, for who wants to look at it.

    Raises:
        RunKept: It has to.
    """
    if why is None:
        return
    command = why.command or f"!nbdurable show {run}"
    raise RunKept(run=name, why=why.why, when=why.when, command=command)


def aged(rows: Sequence[RunRow], before_us: int) -> list[RunRow]:
    """The runs that nobody used since then, the one unused for longest first."""
    unused = (row for row in rows if row.active_us < before_us)
    return sorted(unused, key=lambda row: row.active_us)


def by_use(rows: Sequence[RunRow]) -> list[RunRow]:
    """The runs in the order in which they go for room: closed ones first, oldest first."""
    return sorted(rows, key=lambda row: (not row.closed, row.active_us))
