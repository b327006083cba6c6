"""A completed step is brought back: its variables, its outputs, its result.

A variable that could not be kept has no bytes to come from. If the step's own code did
nothing to the world, the code runs again for it (`rebuilding`), with every call served;
else the line says that it is not back, and which command makes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbdurable.engine.calls import frozen
from nbdurable.engine.files.step import StepFiles
from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.past import fields
from nbdurable.engine.past.history import StepPast
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.slots import Place
from nbdurable.engine.steps.cells import Cell, Output, Replayed
from nbdurable.engine.steps.kept_now import Maker
from nbdurable.engine.steps.rebuilding import (
    Made,
    Rebuilding,
    Served,
    made_again,
    not_back,
)
from nbdurable.engine.steps.running import RESULT, Namespace
from nbdurable.engine.steps.session import Session
from nbdurable.engine.steps.snapshot import Group, Ready, load
from nbdurable.engine.telling import lines
from nbdurable.engine.values import randomness
from nbdurable.engine.values.randomness import RANDOM
from nbdurable_store.errors import DurableError
from nbdurable_store.protocol import Lease
from nbdurable_store.records import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A completed attempt, and the cell that it is an attempt of.

    Attributes:
        place: Where the cell stands.
        past: The attempt.
        inputs: What the cell reads now: equal to what it read then.
        files: The files it reads and writes.
        count: The execution count of the cell.
    """

    place: Place
    past: StepPast
    inputs: Inputs
    files: StepFiles
    count: int = 0


def replay(
    session: Session, known: Known, cell: Cell, namespace: Namespace, lease: Lease
) -> Replayed | Rebuilding | DurableError:
    """Bring a step back, or begin to; the error if its values can't be read.

    The lease is released with the end of the replay.
    """
    past, secrets = known.past, session.secrets
    given = {n: namespace[n] for n in known.inputs.given if n in namespace}
    try:
        outputs, groups = _values(session, past)
        # Before its code changes anything: places lead from what the step was given.
        unchanged = given.keys() - _touched(past)
        ready = load(groups, secrets=secrets, given=given, unchanged=unchanged)
    except DurableError as gone:
        session.tell_once(f"{past.name} runs again: {gone.fact()}")
        return gone
    back = _Back(session, known, namespace, outputs, ready)
    lost = missing(past)
    allowed = past.id in session.allowed
    session.allowed.discard(past.id)
    if not lost or not (alone(past) or allowed):
        lease.release()
        return back(Made(lost=tuple(lost)))
    attempt = Served(session, StepPast.begun(session.ids.new(), past.slot, past.name))
    attempt.used.effects = known.files.effects
    return Rebuilding(
        names=tuple(lost),
        attempt=attempt,
        namespace=namespace,
        source=cell.transformed,
        filename=cell.filename,
        allowed=allowed,
        finish=back,
        release=lease.release,
    )


def _touched(past: StepPast) -> set[str]:
    """The names that a step made, changed or deleted, kept or not."""
    stored = {name for names, _ in past.stored for name in names}
    return stored | {*missing(past), *fields.texts(past.fields, "deleted")}


def missing(step: StepPast) -> Mapping[str, str]:
    """The variables of a step that could not be kept, with why."""
    unsaved = fields.mapping(step.fields, "unsaved").items()
    return {name: str(why) for name, why in unsaved if name.isidentifier()}


def alone(step: StepPast) -> bool:
    """Whether its code may run again by itself: it did nothing to the world."""
    return "effects" in step.fields and not step.fields["effects"]


@dataclass(frozen=True, slots=True)
class _Back:
    """A step whose values are loaded; called once, it is replayed."""

    session: Session
    known: Known
    namespace: Namespace
    outputs: tuple[Output, ...]
    ready: Ready
    view: dict[str, Any] = field(default_factory=dict)

    def __call__(self, made: Made) -> Replayed:
        """Give names their values, and tell.

        Args:
            made: What the step's code made again.
        """
        session, past, view = self.session, self.known.past, self.view
        self.ready.bind(self.namespace, {RESULT: view, RANDOM: view})
        self.namespace.update(made.values)
        if RANDOM in view:
            randomness.restore(view[RANDOM])
        by = Maker(self.known.place.name, self.known.count)
        kept = (*past.stored, *past.beside)
        session.keeping.made(kept, past.digests, self.namespace, by)
        for name in fields.texts(past.fields, "deleted"):
            self.namespace.pop(name, None)
        _adopt(session, self.known.place, past)
        place = self.known.place
        about = {"name": place.name, "slot": place.slot, "made": [*made.values]}
        session.journal(
            Kind.STEP_REPLAYED, about, subject=past.id, key=past.key, sync=False
        )
        return Replayed(
            outputs=self.outputs,
            has_result=RESULT in view,
            result=view.get(RESULT),
            lines=(self._line(made),),
        )

    def _line(self, made: Made) -> str:
        past = self.known.past
        notes = [*self.known.files.lost(past), frozen.note()]
        if made.lost:
            repeats = fields.texts(past.fields, "effects")
            notes.append(not_back(past.name, made.lost, repeats))
        again = made_again([*made.values], made.served) if made.values else ""
        now_us = self.session.clock.now_us()
        return lines.replayed(past, now_us, *notes, again=again)


def _values(session: Session, past: StepPast) -> tuple[tuple[Output, ...], list[Group]]:
    outputs = json.loads(session.store.get(past.blobs[0]))
    groups = [
        Group(names=names, codec=ref.codec, data=session.store.get(ref, stream=True))
        for names, ref in past.stored
    ]
    return tuple(outputs), groups


def _adopt(session: Session, place: Place, past: StepPast) -> None:
    for call_id in past.used:
        call = session.history.calls[call_id]
        if call.slot != place.slot and call.effect is not Effect.PURE:
            about = {"slot": place.slot, "from": call.slot}
            session.journal(
                Kind.CALL_ADOPTED, about, subject=call_id, key=call.key, sync=False
            )
