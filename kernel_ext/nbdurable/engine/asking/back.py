"""Going back behind the last step: its variables, not what it did to the world.

A name that the step made is removed, or gets the value that the step before it made. A
name that was assigned or changed since is left alone. What the step changed without
having a kept value to put back is named, and so is every effect: those stay.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nbdurable.engine.asking.loading import loaded
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.past.history import History
from nbdurable.engine.past.kept import Source, names_of
from nbdurable.engine.past.kinds import UNDONE
from nbdurable.engine.steps.deferred import load
from nbdurable.engine.telling.wording import both, line, listed
from nbdurable.engine.values.contents import digest_of
from nbdurable.errors import ReferenceUnknown
from nbdurable_store.errors import DurableError

if TYPE_CHECKING:
    from nbdurable.engine.steps.session import Session

COMMAND: Final = "%durable back"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Back:
    """What became of the variables, and what stays as it is.

    Attributes:
        step: The step that was gone back behind.
        removed: Names that it had made first.
        back: Names that have their value of before, with the step that made it.
        not_back: Names whose value of before isn't kept.
        kept: Names left alone, since they were assigned or changed after the step.
        effects: What the step did to the world, and is not taken back.
    """

    step: str
    removed: tuple[str, ...] = ()
    back: Mapping[str, str] = field(default_factory=dict)
    not_back: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()

    def __str__(self) -> str:
        steps = dict.fromkeys(self.back.values())
        old = [
            f"{both([n for n, s in self.back.items() if s == step])} as of {step}"
            for step in steps
        ]
        return line(
            f"back before {self.step}",
            f"removed: {listed(self.removed)}" if self.removed else "",
            listed(old),
            f"not back: {listed(self.not_back)} → run the cell that makes it"
            if self.not_back
            else "",
            f"kept yours: {listed(self.kept)}" if self.kept else "",
            f"not taken back: {listed(self.effects)}" if self.effects else "",
        )

    def __repr__(self) -> str:
        return str(self)


def back(session: Session, namespace: MutableMapping[str, object]) -> Back:
    """Give the variables their values of before the last step.

    Called again it goes back behind the step before that, until a cell is executed.

    Args:
        session: The kernel's session, attending a run.
        namespace: The user's variables; changed in place.

    Raises:
        ReferenceUnknown: No completed step is left.
    """
    history = session.history
    before = _completed(history, session.undone)
    if not before:
        raise ReferenceUnknown(
            given="completed step to go back behind",
            nearest="%durable restore",
            known=(),
        )
    last = before[-1]
    session.undone.add(_visit(last))
    made, deleted = _made(last), fields.texts(last.fields, "deleted")
    changed = [n for names, _ in last.beside for n in names if n not in made]
    # What a restore left to be loaded has the value of this step: it is taken back too.
    session.deferred.load(session, namespace, [*made, *changed])
    theirs = _unchanged(session, namespace, last, [*made, *changed])
    wanted = [*theirs, *(n for n in deleted if n not in namespace)]
    undone = {s.id for s in history.steps.values() if _visit(s) in session.undone}
    names = names_of(history, last, without=undone)
    sources = {n: names.known[n] for n in wanted if n in names.known}
    found: dict[str, object] = {}
    failed = load(session, found, dict(sources))
    namespace.update(found)
    session.keeping.forget(wanted)
    session.keeping.set_back({n: sources[n] for n in found})
    left = [n for n in wanted if n in names.lost or n in failed]
    gone = [n for n in theirs if n not in found and n not in left]
    removed = [n for n in gone if n in made and n not in last.reads]
    for name in removed:
        del namespace[name]
    return Back(
        step=last.name,
        removed=tuple(removed),
        back={n: _called(sources[n], last) for n in found},
        not_back=(*left, *(n for n in gone if n not in removed)),
        kept=tuple(n for n in made if n in namespace and n not in {*theirs, *found}),
        effects=_effects(history, last),
    )


def _called(source: Source, last: StepPast) -> str:
    """Where a value of before is from, in few words."""
    if source.given:
        return "the cell before"
    step = source.step
    return f"{step.name}@{step.attempt}" if step.name == last.name else step.name


def _visit(step: StepPast) -> tuple[str, int]:
    """One execution or replay of an attempt."""
    return step.id, step.active_us


def _completed(history: History, undone: set[tuple[str, int]]) -> list[StepPast]:
    """The attempts whose variables are in the namespace, oldest first."""
    steps = (s for s in history.steps.values() if s.state is StepState.COMPLETED)
    left = [s for s in steps if _visit(s) not in undone]
    return sorted(left, key=lambda s: (s.active_us, s.order))


def _made(step: StepPast) -> list[str]:
    stored = [n for group in step.groups for n in group if n.isidentifier()]
    return [*stored, *filter(None, fields.mapping(step.fields, "unsaved"))]


def _unchanged(
    session: Session,
    namespace: Mapping[str, object],
    step: StepPast,
    made: list[str],
) -> list[str]:
    """The names that still have the value that the step gave them."""
    here = [n for n in made if n in namespace]
    values = loaded(session.store, session.secrets, step, here)
    return [n for n in here if n not in values or _equal(namespace[n], values[n])]


def _equal(now: object, then: object) -> bool:
    """Whether two values are equal, as far as anybody can tell."""
    if isinstance(then, DurableError):
        return True
    try:
        return digest(now, contents=digest_of) == digest(then, contents=digest_of)
    except Undigestible:
        return type(now) is type(then)


def _effects(history: History, step: StepPast) -> tuple[str, ...]:
    calls = (history.calls[i] for i in step.used if i in history.calls)
    writes = (c.text or c.name for c in calls if c.writes and c.resolved != UNDONE)
    files = (f"file {name}" for name in fields.mapping(step.fields, "wrote"))
    return (*writes, *files)
