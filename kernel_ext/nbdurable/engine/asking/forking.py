"""Going on in a new run that shares the history of another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from nbdurable.engine.past import fields, forks
from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.past.forks import forked_from
from nbdurable.engine.past.history import History
from nbdurable.engine.past.kept import names_of
from nbdurable.engine.past.kinds import UNDONE
from nbdurable.engine.past.pasts import Order
from nbdurable.engine.steps.session import Session
from nbdurable.engine.telling import reference
from nbdurable.engine.where.moments import count
from nbdurable.engine.where.whereabouts import (
    DEFAULT_NOTEBOOK,
    Facts,
    RunRow,
    shown,
)
from nbdurable.errors import DurableError, ReferenceUnknown, Remedy

COMMAND: Final = "%durable fork"
RESTORE: Final = "%durable restore --overwrite"


@dataclass(kw_only=True, eq=False)
class NotebookUnclear(DurableError):
    """A file name that several notebooks of the store have.

    Attributes:
        given: What was typed.
        runs: The path of each, with the id of its latest run.
    """

    slug: ClassVar[str] = "notebook-unclear"
    given: str
    runs: tuple[tuple[str, str], ...]

    def fact(self) -> str:
        """One line about the name."""
        return f"--of {self.given} may be {len(self.runs)} notebooks."

    def detail(self) -> str:
        """What was not done."""
        return "No run was forked."

    def remedies(self) -> tuple[Remedy, ...]:
        """Each of them by the id of its run, which is unique."""
        return tuple(Remedy(path, f"{COMMAND} --of {run}") for path, run in self.runs)


def fork(session: Session, at: str = "") -> str:
    """Go on in a new run that shares the history of this one; gives what to tell.

    Args:
        session: The kernel's session, attending a run.
        at: The last step that is shared; all of them if none is named.

    Raises:
        ReferenceUnknown: The run has no such step.
    """
    return _branch(session, session.history, session.history.notebook, at)


def fork_of(session: Session, facts: Facts, of: str, at: str = "") -> str:
    """Go on in a new run of this notebook that begins with the history of another one's.

    Args:
        session: The kernel's session.
        facts: What is known of the kernel.
        of: File name or path of the other notebook, or the id of a run.
        at: The last step that is shared; all of them if none is named.

    Raises:
        ReferenceUnknown: The store has no such notebook or run, or that no such step.
        NotebookUnclear: Several notebooks have that file name.
    """
    session.open(facts)
    row = _meant(session.rows(), facts.notebook or DEFAULT_NOTEBOOK, of)
    parent, (entries, _) = History(row.id), session.store.read(row.id)
    forks.begin(parent, entries, lambda run: session.store.read(run)[0])
    parent.apply(entries)
    return _branch(session, parent, facts.notebook or DEFAULT_NOTEBOOK, at)


def _meant(rows: Sequence[RunRow], own: str, of: str) -> RunRow:
    """The run that is forked; one of this notebook itself is named by its id."""
    others = [r for r in rows if r.notebook != own]
    named = [r for r in rows if r.id == of] or [
        r for r in others if of in {r.notebook, r.title}
    ]
    if not named:
        known = tuple(dict.fromkeys(r.title for r in others))
        raise ReferenceUnknown(given=f"--of {of}", known=known)
    notebooks = dict.fromkeys(r.notebook for r in named)
    found = [shown([r for r in named if r.notebook == n]) for n in notebooks]
    latest = [row for row in found if row is not None]
    if len(latest) > 1:
        runs = tuple((row.notebook, row.id) for row in latest)
        raise NotebookUnclear(given=of, runs=runs)
    return latest[0]


def _branch(session: Session, parent: History, notebook: str, at: str) -> str:
    session.end_lingering("the run was forked")
    step = reference.find_step(parent, at, f"{COMMAND} --at") if at else None
    until = parent.last if step is None else _end(parent, step)
    left = _left_behind(parent, until)
    opened = parent.opened.fields if parent.opened else {}
    number = session.branch(
        {
            "notebook": notebook,
            "headless": bool(opened.get("headless")),
            "reason": "forked",
            "parent": parent.run,
            "parent_number": fields.number(opened, "number", 1),
            "until": list(until),
            "at": step.name if step else "",
        }
    )
    names = names_of(session.history).known.items()
    session.keeping.set_back({n: s for n, s in names if s.ref is not None})
    return _told(session.history, number, left)


def _end(history: History, step: StepPast) -> Order:
    """The last entry of an attempt; of one that never ended, that of its calls."""
    calls = (c.ended_order for c in history.calls.values() if c.step == step.id)
    ended = step.state is not StepState.RUNNING
    return step.ended_order if ended else max([step.ended_order, *calls])


def _left_behind(history: History, until: Order) -> list[StepPast]:
    steps = (history.latest(slot) for slot in history.slots)
    return [s for s in steps if s is not None and s.order > until]


def _told(history: History, number: int, left: Sequence[StepPast]) -> str:
    assert history.opened is not None
    latest = {s.slot: history.latest(s.slot) for s in left}
    names = list(dict.fromkeys(s.name for s in left if latest[s.slot] is None))
    behind = f" · not in it: {', '.join(names)}" if names else ""
    earlier = [f"{s.name}@{s.attempt}" for s in latest.values() if s is not None]
    behind += f" · as it was before: {', '.join(earlier)}" if earlier else ""
    behind_it = (history.calls[call] for call in history.forked)
    asks = sum(c.writes and c.resolved != UNDONE for c in behind_it)
    many = count(asks, "write")
    writes = f" · {many} behind it: you are asked before a repetition" if asks else ""
    source = forked_from(history.opened)
    parent = f"run {fields.number(history.opened.fields, 'parent_number', 1)}"
    back = f" · your variables are still those of {parent}: {RESTORE} gives the fork's"
    return f"run {number} · forked from {source}{behind}{writes}{back if left else ''}"
