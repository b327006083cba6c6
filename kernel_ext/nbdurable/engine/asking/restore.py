"""Bring variables back from the journal, executing nothing."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nbdurable.engine.past.attempts import StepState
from nbdurable.engine.past.kept import (
    Lost,
    Names,
    Source,
    cure_unloaded,
    names_of,
)
from nbdurable.engine.steps.deferred import at_once, load, reached
from nbdurable.engine.telling import lines, wording
from nbdurable.engine.telling.reference import alike, few, nearest
from nbdurable.engine.where.moments import duration, moment, size
from nbdurable.errors import ReferenceUnknown

if TYPE_CHECKING:
    from nbdurable.engine.past.attempts import StepPast
    from nbdurable.engine.steps.session import Session

NOTHING = "nothing to restore: no durable step of this run made a variable"

SIZE_TOLD_BYTES_MIN = 1_000_000
"""Below a megabyte nobody waits, so the size is not told."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Restored:
    """What came back.

    Attributes:
        back: Names that are back, with the step that made each.
        waiting: Names that are back and are loaded when a cell first uses them, with
            the step that made each.
        not_back: Names that are not, with what makes them; a waiting name whose value
            can't be loaded is added when it is used.
        reasons: Why, for those.
        kept: Names left alone because they were assigned since the kernel started.
        line: The whole as one line.
    """

    back: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    not_back: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    line: str = ""

    def rows(self) -> list[tuple[str, str, str]]:
        """A table: name, state, and the step or the command that makes it."""
        return [
            *((n, "back", step) for n, step in self.back.items()),
            *((n, "loaded when used", step) for n, step in self.waiting.items()),
            *((n, "yours", "--overwrite") for n in self.kept),
            *((n, self._why(n), cure) for n, cure in self.not_back.items()),
        ]

    def _why(self, name: str) -> str:
        why = self.reasons.get(name, "")
        return f"not back: {why}" if why else "not back"

    def __str__(self) -> str:
        return self.line

    def __repr__(self) -> str:
        return self.line

    def _repr_html_(self) -> str:
        """The line, and the table below it on demand."""
        if not self.rows():
            return html.escape(self.line)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows()
        )
        head = "<tr><th>name</th><th>state</th><th>from</th></tr>"
        return (
            f"<details><summary>{html.escape(self.line)}</summary>"
            f"<table>{head}{rows}</table></details>"
        )


def restore(
    session: Session,
    namespace: MutableMapping[str, object],
    names: Collection[str] = (),
    *,
    overwrite: bool = False,
    until: StepPast | None = None,
    used: Collection[str] | None = None,
) -> Restored:
    """Give names their value at the last durable step that made or was given them.

    Args:
        session: The kernel's session, attending a run.
        namespace: The user's variables; changed in place.
        names: Which, and at once, with those that share an object with one of them and
            have no value here; empty for all.
        overwrite: Also those assigned since the kernel started.
        until: As of the end of this step; ``None`` for the latest values.
        used: Leave what may take long until a cell uses it, except these names, which
            are used now; ``None`` to load everything.

    Raises:
        ReferenceUnknown: The run holds no such name, or the step didn't complete.
    """
    began_s = session.clock.monotonic_s()
    if until is not None and until.state is not StepState.COMPLETED:
        raise ReferenceUnknown(given=f"completed step {until.name}", known=())
    found = names_of(session.history, until)
    wanted = _wanted(found, names)
    deferred = session.deferred
    there = [n for n in wanted if n in namespace and not overwrite]
    # What a plain cell has made again is no news, unless it was asked for.
    kept = tuple(n for n in there if names or not _is_given(found, n))
    asked = [n for n in wanted if n not in there]
    asked += _beside(found, asked, namespace)
    sources = {n: found.known[n] for n in asked if n in found.known}
    later = {} if names or used is None else _later(sources)
    now = {n: s for n, s in sources.items() if n not in later}
    for name in now:
        deferred.waiting.pop(name, None)
    reasons = load(session, namespace, now)
    deferred.failed = {n: w for n, w in deferred.failed.items() if n not in now}
    deferred.failed |= reasons
    not_back = _cures(found.lost, asked) | {n: cure_unloaded(now[n]) for n in reasons}
    reasons |= {n: found.lost[n].why for n in asked if n in found.lost}
    session.keeping.forget(sources)
    know = session.keeping.restored if until is None else session.keeping.set_back
    know({n: s for n, s in sources.items() if n not in reasons})
    for name, source in later.items():
        namespace.pop(name, None)
        deferred.defer(name, source, not_back)
    at_hand = reached(namespace, deferred.waiting, used or ())
    reasons |= deferred.load(session, namespace, at_hand)
    restored = Restored(
        back={n: s.step.name for n, s in sources.items() if n in namespace},
        waiting={n: s.step.name for n, s in later.items() if n in deferred.waiting},
        not_back=not_back,
        reasons=reasons,
        kept=kept,
    )
    return _told(session, restored, sources, began_s)


def _is_given(found: Names, name: str) -> bool:
    return name in found.known and found.known[name].given


def _wanted(found: Names, names: Collection[str]) -> Sequence[str]:
    unknown = [n for n in names if n not in found.known and n not in found.lost]
    if unknown:
        known = nearest(unknown[0], found.known)
        close = alike(unknown[0], known)
        meant = f"%durable restore {close[0]}" if close else ""
        raise ReferenceUnknown(
            given=f"name {unknown[0]}", nearest=meant, known=few(known)
        )
    return list(names) or [*found.known, *found.lost]


def _beside(
    found: Names, asked: Sequence[str], namespace: Mapping[str, object]
) -> list[str]:
    """Names that are to come with others: alone they would have objects of their own."""
    sources = [found.known[n] for n in asked if n in found.known]
    graphs = {(s.ref.id, s.names) for s in sources if s.ref is not None}
    others = found.known.keys() - {*asked, *namespace}
    return [
        name
        for name, source in found.known.items()
        if name in others
        and source.ref is not None
        and (source.ref.id, source.names) in graphs
    ]


def _later(sources: Mapping[str, Source]) -> dict[str, Source]:
    return {n: s for n, s in sources.items() if not at_once(s)}


def _cures(lost: Mapping[str, Lost], asked: Sequence[str]) -> dict[str, str]:
    return {n: lost[n].cure for n in asked if n in lost}


def _told(
    session: Session, restored: Restored, sources: Mapping[str, Source], began_s: float
) -> Restored:
    now_us = session.clock.now_us()
    at_us = max((s.at_us for s in sources.values()), default=now_us)
    took = duration((session.clock.monotonic_s() - began_s) * 1000)
    back = len(restored.back) + len(restored.waiting)
    total = back + len(restored.not_back) + len(restored.kept)
    told = NOTHING
    if total:
        told = wording.restored(
            back,
            total=total,
            when=f"{moment(at_us, lines.now(now_us))}, {took}",
            not_back=restored.not_back,
            kept=restored.kept,
            waiting=_waiting([sources[n] for n in restored.waiting], restored.waiting),
        )
    return replace(restored, line=told)


def _waiting(sources: Sequence[Source], names: Collection[str]) -> str:
    refs = {s.ref.id: s.ref.size for s in sources if s.ref is not None}
    length = sum(refs.values())
    told = wording.listed([*names])
    return f"{told} ({size(length)})" if length >= SIZE_TOLD_BYTES_MIN else told
