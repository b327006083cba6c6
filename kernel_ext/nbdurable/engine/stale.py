"""Which steps would run again now, told without running anything.

The last completed attempt of each slot is compared with what the variables are now, as
it would be if its cell were executed. Nothing is read but the journal and the namespace:
whether a file changed is not asked. A name that isn't there counts as unchanged, since
after a restart nothing is there yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nbdurable.engine import causes
from nbdurable.engine.contents import digest_of
from nbdurable.engine.identity import keys
from nbdurable.engine.identity.inputs import read_inputs
from nbdurable.engine.pasts import StepPast, StepState
from nbdurable.engine.wording import both
from nbdurable_store.errors import DurableError

if TYPE_CHECKING:
    from nbdurable.engine.cells import Places
    from nbdurable.engine.session import Session

SECONDS_MAX: Final = 2.0
"""How long the comparing takes at most: a page that a person asked for. Big arrays cost
nothing unless they were written; a list of ten million numbers takes a second."""

MARK: Final = "%%durable"
"""How a cell begins whose first line is the mark; its body is what counts."""


@dataclass(frozen=True, slots=True)
class Here:
    """A kernel's variables.

    Attributes:
        namespace: The variables.
        hidden: Names of them that are not the user's.
        places: Where names were assigned last.
    """

    namespace: Mapping[str, object]
    hidden: Collection[str] = frozenset()
    places: Places = field(default=lambda _: {})


def stale(session: Session, here: Here) -> Mapping[str, str]:
    """By slot, why its cell would run again now; slots that would replay are absent.

    Args:
        session: The kernel's session, attending a run.
        here: The kernel's variables.
    """
    began_s, history = session.clock.monotonic_s(), session.history
    found: dict[str, str] = {}
    for slot in history.slots:
        step = history.latest(slot)
        if step is None or session.clock.monotonic_s() - began_s > SECONDS_MAX:
            continue
        told = _asked_for(session, step) or _told(session, step, here)
        if told:
            found[slot] = told
    return found


def _asked_for(session: Session, step: StepPast) -> str:
    reset = session.history.slot(step.slot).reset
    return "you asked for a rerun" if reset and step.ended_order < reset else ""


def _told(session: Session, step: StepPast, here: Here) -> str:
    if step.state is not StepState.COMPLETED or step.algorithm != keys.ALGORITHM:
        return ""
    names = _changed(session, step, here)
    if not names:
        return ""
    now = {n for n, d in step.left.items() if names.get(n) == d}
    places = {**causes.makers(session.history), **here.places(sorted(names))}
    places.update(dict.fromkeys(now, causes.ITSELF))
    where = dict.fromkeys(places[n] for n in sorted(names) if n in places)
    told = " and ".join(p if p == causes.ITSELF else f"in {p}" for p in where)
    return f"{both(sorted(names))} changed{told and f' {told}'}"


def _changed(session: Session, step: StepPast, here: Here) -> Mapping[str, str | None]:
    """The names that are another value now, with their digest."""
    source = _source(session, step)
    if source is None:
        return {}
    try:
        inputs = read_inputs(
            source,
            here.namespace,
            session.sources,
            hidden=here.hidden,
            redact=session.secrets.apart,
            contents=digest_of,
        )
    except SyntaxError:
        return {}
    bound = (n for n in inputs.digests.items() if n[0] in here.namespace)
    now: dict[str, str | None] = {n: d.hex() if d else None for n, d in bound}
    now.update((n, d.hex()) for n, d in inputs.codes.items())
    both_sides = now.keys() & step.counted.keys()
    old = {n: step.counted[n] for n in both_sides}
    names = causes.changed(old, {n: now[n] for n in both_sides})
    return {causes.coded(n): now[n] for n in names}


def _source(session: Session, step: StepPast) -> str | None:
    """The text of the cell, as plain Python."""
    try:
        raw = json.loads(session.store.get(step.inputs[0])) if step.inputs else None
    except (DurableError, ValueError):
        return None
    if not isinstance(raw, str):
        return None
    first, _, body = raw.lstrip().partition("\n")
    text = body if first.startswith(MARK) else raw
    transform: Callable[[str], str] | None = session.sources.transform
    return transform(text) if transform else text
