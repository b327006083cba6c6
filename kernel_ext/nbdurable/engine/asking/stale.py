"""Which steps would run again now, told without running anything.

The last completed attempt of each slot is compared with what the variables are now, as
it would be if its cell were executed. Nothing is read but the journal and the namespace:
whether a file changed is not asked. A name that isn't there counts as unchanged, since
after a restart nothing is there yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nbdurable.engine.identity import keys
from nbdurable.engine.identity.inputs import read_inputs
from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.steps.step import serves
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


def stale(
    session: Session, here: Here, *, seconds: float = SECONDS_MAX
) -> Mapping[str, str]:
    """By slot, why its cell would run again now; slots that would replay are absent.

    Args:
        session: The kernel's session, attending a run.
        here: The kernel's variables.
        seconds: How long it may take; what wasn't reached then is absent.
    """
    return look(session, here, session.history.slots, seconds=seconds)[0]


def look(
    session: Session, here: Here, slots: Iterable[str], *, seconds: float
) -> tuple[Mapping[str, str], Sequence[str]]:
    """As `stale` of some slots, and which of them weren't reached; the first always is.

    Args:
        session: The kernel's session, attending a run.
        here: The kernel's variables.
        slots: The slots to look at, in order.
        seconds: After how long no other is looked at.
    """
    until_s = session.clock.monotonic_s() + seconds
    found: dict[str, str] = {}
    left = list(slots)
    while left:
        slot = left.pop(0)
        step = session.history.latest(slot)
        told = _told(session, step, here) if step else ""
        if told:
            found[slot] = told
        if session.clock.monotonic_s() > until_s:
            break
    return found, left


def _told(session: Session, step: StepPast, here: Here) -> str:
    history = session.history
    if step.state is not StepState.COMPLETED:
        return ""
    now, dynamic = _now(session, step, here)
    # Of a cell that reads all variables, one that is new is a change.
    seen = {n: d for n, d in now.items() if n in step.counted or dynamic}
    reads = {**step.counted, **seen}
    why = causes.rekeyed(history, step.slot, keys.ALGORITHM) or causes.cause(
        history, slot=step.slot, source=step.source, reads=reads
    )
    if why.reason is causes.Reason.AGAIN:  # nothing differs: it would replay
        return ""
    if why.reason is not causes.Reason.INPUT:
        return causes.because(why)
    if _fits_earlier(session, step, now):
        return ""
    changed_in = session.keeping.changed_in(why.names, here.places)
    places = causes.by_place(why, {**causes.makers(history), **changed_in})
    return ", ".join(_changed(names, place) for place, names in places.items())


def _changed(names: Sequence[str], place: str) -> str:
    where = place if place in {"", causes.ITSELF} else f"in {place}"
    return f"{both(names)} changed{where and f' {where}'}"


def _fits_earlier(
    session: Session, step: StepPast, now: Mapping[str, str | None]
) -> bool:
    """Whether an attempt before the last one is of these inputs: it would be replayed."""
    reads = {**step.counted, **now}
    return any(
        past.state is StepState.COMPLETED
        and past.source == step.source
        and past.algorithm == keys.ALGORITHM
        and None not in past.reads.values()
        and now.keys() <= past.counted.keys()
        and all(reads.get(name) == digest for name, digest in past.counted.items())
        and serves(session, step.slot, past)
        for past in session.history.steps.values()
    )


def _now(
    session: Session, step: StepPast, here: Here
) -> tuple[Mapping[str, str | None], bool]:
    """The digests of what the cell would read and is there; whether it reads all."""
    source = source_of(session, step)
    if source is None:
        return {}, False
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
        return {}, False
    if inputs.unbound & session.deferred.waiting.keys():  # loaded when the cell runs
        return {}, False
    now: dict[str, str | None] = {
        name: digest.hex() if digest else None
        for name, digest in inputs.digests.items()
        if name in here.namespace
    }
    now.update((name, digest.hex()) for name, digest in inputs.codes.items())
    return now, bool(inputs.dynamic)


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
