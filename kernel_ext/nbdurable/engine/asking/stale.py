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

from nbdurable.engine.identity import keys
from nbdurable.engine.identity.inputs import read_inputs
from nbdurable.engine.past.pasts import StepPast, StepState
from nbdurable.engine.telling import causes
from nbdurable.engine.telling.wording import both
from nbdurable.engine.values.contents import digest_of
from nbdurable_store.errors import DurableError

if TYPE_CHECKING:
    from nbdurable.engine.steps.cells import Places
    from nbdurable.engine.steps.session import Session

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
        told = _told(session, step, here)
        if told:
            found[slot] = told
    return found


def _told(session: Session, step: StepPast, here: Here) -> str:
    history = session.history
    if step.state is not StepState.COMPLETED:
        return ""
    reads = _reads(session, step, here)
    why = causes.rekeyed(history, step.slot, keys.ALGORITHM) or causes.cause(
        history, slot=step.slot, source=step.source, reads=reads
    )
    if why.reason is causes.Reason.AGAIN:  # nothing differs: it would replay
        return ""
    if why.reason is not causes.Reason.INPUT:
        return causes.because(why)
    places = {**causes.makers(history), **here.places(why.names)}
    places.update(dict.fromkeys(why.itself, causes.ITSELF))
    where = dict.fromkeys(places[n] for n in why.names if n in places)
    told = " and ".join(p if p == causes.ITSELF else f"in {p}" for p in where)
    return f"{both(why.names)} changed{told and f' {told}'}"


def _reads(session: Session, step: StepPast, here: Here) -> Mapping[str, str | None]:
    """The digests of what the cell would read now; what isn't there is as it was."""
    source = source_of(session, step)
    if source is None:
        return step.counted
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
        return step.counted
    if inputs.unbound & session.deferred.waiting.keys():  # loaded when the cell runs
        return step.counted
    now: dict[str, str | None] = {
        name: digest.hex() if digest else None
        for name, digest in inputs.digests.items()
        if name in here.namespace
    }
    now.update((name, digest.hex()) for name, digest in inputs.codes.items())
    known = step.counted
    # Of a cell that reads all variables, one that is new is a change.
    seen = {n: d for n, d in now.items() if n in known or inputs.dynamic}
    return {**known, **seen}


def source_of(session: Session, step: StepPast) -> str | None:
    """The text of a step's cell, as plain Python; None if it isn't kept."""
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
