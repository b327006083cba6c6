"""What became of the steps that this kernel executed, beside what was recorded before.

A step whose variables differ although its code is the same is a difference; one whose
code was edited may make what it likes, and that is only told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from nbdurable.engine.asking.loading import loaded
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.past import fields
from nbdurable.engine.past.history import History, StepPast, StepState
from nbdurable.engine.past.kept_arguments import evidence_of
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.steps.alike import changes
from nbdurable.engine.steps.session import Session
from nbdurable.engine.telling.details import Side, details
from nbdurable.engine.values.contents import digest_of
from nbdurable.errors import DurableError
from nbdurable_store.records import Kind, Record

REPLAYED: Final = "replayed"
RAN: Final = "ran"
STOPPED: Final = "stopped"

LINES_MAX: Final = 8
"""Differing variables told of one step; more are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One step that this kernel executed.

    Attributes:
        name: What people call it.
        how: ``replayed`` whole, ``ran`` to its end, or ``stopped`` before it.
        served: Calls that were served.
        ran: Calls that were made.
        new: Whether no completed attempt of it was recorded before.
        edited: Whether its code, or code that it reaches, is another one.
        because: What differs in what it was given, one place each.
        differs: How its variables differ from the recorded ones, one place each.
        not_compared: Variables that could not be compared, each with why.
        effects: What its code did beside its calls.
        type: The type of what stopped it, or "".
        message: What that said.
    """

    name: str
    how: str
    served: int = 0
    ran: int = 0
    new: bool = False
    edited: bool = False
    because: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    type: str = ""
    message: str = ""


def checked(session: Session) -> tuple[Checked, ...]:
    """The steps that this kernel executed, in order; none if it has no run."""
    if not session.run_id:
        return ()
    session.refresh()
    owner = session.store.owner
    entries, _ = session.store.read(session.history.run)
    own = (e.record for e in entries if e.owner == owner)
    return tuple(_one(session, r) for r in own if r.kind in _ENDS)


_ENDS: Final = {Kind.STEP_COMPLETED, Kind.STEP_FAILED, Kind.STEP_REPLAYED}


def _one(session: Session, record: Record) -> Checked:
    history = session.history
    step = history.steps[record.subject]
    if record.kind == Kind.STEP_REPLAYED:
        name = fields.text(record.fields, "name") or step.name
        calls = Ledger(history).attempt(step).calls
        return Checked(name=name, how=REPLAYED, served=calls)
    tally = Ledger(history).attempt(step)
    told = Checked(
        name=step.name,
        how=RAN if step.state is StepState.COMPLETED else STOPPED,
        served=tally.served,
        ran=tally.ran,
        effects=fields.texts(step.fields, "effects"),
        type=fields.text(step.fields, "type"),
        message=fields.text(step.fields, "message").partition("\n")[0],
    )
    old = _recorded(history, step, session.store.owner)
    return _compared(session, told, old, step) if old else _with(told, new=True)


def _recorded(history: History, step: StepPast, owner: str) -> StepPast | None:
    """The latest completed attempt of its slot that was there before this kernel."""
    for attempt in history.attempts(step.slot):
        if attempt.owner != owner and attempt.state is StepState.COMPLETED:
            return attempt
    return None


def _compared(session: Session, told: Checked, old: StepPast, new: StepPast) -> Checked:
    read = evidence_of(session.store.get)
    sides = Side(old, read(old)), Side(new, read(new))
    edited = _edited(*sides)
    because = details(*sides)
    if new.state is not StepState.COMPLETED:
        return _with(told, edited=edited, because=because)
    found = Variables()
    found.compare(session, old, new)
    rest = len(found.differs) - LINES_MAX
    more = (f"and {rest:,} more",) if rest > 0 else ()
    return _with(
        told,
        edited=edited,
        because=because,
        differs=(*found.differs[:LINES_MAX], *more),
        not_compared=tuple(found.not_compared),
    )


def _with(told: Checked, **more: bool | tuple[str, ...]) -> Checked:
    kept = {name: getattr(told, name) for name in Checked.__slots__}
    return Checked(**{**kept, **more})


def _edited(old: Side, new: Side) -> bool:
    """Whether its code differs, or that of a function, class or module it reaches."""
    if old.step.source != new.step.source or old.step.codes != new.step.codes:
        return True
    before, after = old.evidence.code, new.evidence.code
    versions = old.evidence.versions != new.evidence.versions
    return versions or any(before.get(n) != after.get(n) for n in {*before, *after})


@dataclass(slots=True)
class Variables:
    """How the variables of two attempts differ."""

    differs: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)

    def compare(self, session: Session, old: StepPast, new: StepPast) -> None:
        """Load what both made, and compare it by digest."""
        before, after = _names(old), _names(new)
        self.differs += [f"{n} is not made any more" for n in before if n not in after]
        self.differs += [f"{n} is new" for n in after if n not in before]
        both = [n for n in after if n in before]
        was = loaded(session.store, session.secrets, old, both)
        now = loaded(session.store, session.secrets, new, both)
        for name in both:
            self._one(name, was, now)
        for step in (old, new):
            lost = fields.mapping(step.fields, "unsaved").items()
            told = [f"{name} ({why})" for name, why in lost if name.isidentifier()]
            self.not_compared += [t for t in told if t not in self.not_compared]

    def _one(
        self, name: str, was: Mapping[str, object], now: Mapping[str, object]
    ) -> None:
        pair = was.get(name), now.get(name)
        gone = [v for v in pair if isinstance(v, DurableError)]
        if gone:
            self.not_compared.append(f"{name} ({gone[0].fact().rstrip('.')})")
            return
        try:
            same = _digest(pair[0]) == _digest(pair[1])
        except Undigestible as undigestible:
            self.not_compared.append(f"{name} ({undigestible})")
            return
        if not same:
            self.differs += changes(name, *pair) or [f"{name} is another one"]


def _digest(value: object) -> bytes:
    return digest(value, contents=digest_of)


def _names(step: StepPast) -> list[str]:
    return [n for n in _all_names(step) if n.isidentifier()]


def _all_names(step: StepPast) -> Iterator[str]:
    for group in step.groups:
        yield from group
