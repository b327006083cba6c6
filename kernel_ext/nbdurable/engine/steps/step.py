"""The story of one durable step: looked up, replayed or executed, recorded.

`begin` makes the step key of a cell and looks for a completed attempt with that key.
If there is one, the step is replayed: its variables are put back and its outputs are
handed to the shell (`replaying`). Otherwise a new attempt is appended and the shell executes the
cell within it; `Running.complete` or `Running.fail` ends it.
"""

from __future__ import annotations

import functools
import json
import types
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.codec.meeting import holders
from nbdurable.engine.files.step import StepFiles
from nbdurable.engine.files.typed import Typed
from nbdurable.engine.identity import keys
from nbdurable.engine.identity.code import source_digest
from nbdurable.engine.identity.inputs import Inputs, read_inputs
from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepState
from nbdurable.engine.past.belonging import Standing, standing_of
from nbdurable.engine.past.history import History, StepPast
from nbdurable.engine.past.matching import Matcher
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.slots import Place
from nbdurable.engine.steps import ahead
from nbdurable.engine.steps.cells import Cell, Replayed
from nbdurable.engine.steps.plaincells import keep_given
from nbdurable.engine.steps.reach import gone_from, together_in
from nbdurable.engine.steps.rebuilding import Rebuilding
from nbdurable.engine.steps.replaying import Known, replay
from nbdurable.engine.steps.resuming import draw_again
from nbdurable.engine.steps.running import OUTPUTS_CODEC, Namespace, Running
from nbdurable.engine.steps.session import Session
from nbdurable.engine.steps.witness import written
from nbdurable.engine.telling import causes
from nbdurable.engine.values.contents import digest_of
from nbdurable.engine.where.folders import place_of
from nbdurable.engine.where.whereabouts import Step
from nbdurable_store.errors import DurableError
from nbdurable_store.killpoints import reach
from nbdurable_store.protocol import Lease
from nbdurable_store.records import BlobRef, Kind, Plain

TITLE_CHARS_MAX = 80
TAGS_MAX = 20
TAG_CHARS_MAX = 80
"""A cell's first line in lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A cell, looked at before it is executed.

    Attributes:
        source: Digest of its normalised source, 32 bytes.
        inputs: What it reads, with digests.
        key: Its step key, or b"" when an input has no digest.
        files: The files it reads and writes.
        gone: Why its recorded outcome can't be brought back, or "".
    """

    source: bytes
    inputs: Inputs
    key: bytes
    files: StepFiles
    gone: str = ""

    def codes(self) -> dict[str, str]:
        """Digest (hex) of each class and module behind what it reads."""
        return {name: code.hex() for name, code in self.inputs.codes.items()}

    def reads(self) -> dict[str, str | None]:
        """Digest (hex) of each name it reads; None without one."""
        digests = self.inputs.digests.items()
        return {name: d.hex() if d else None for name, d in digests}


def look(session: Session, cell: Cell, namespace: Namespace) -> Looked:
    """The step key of a cell, and what went into it."""
    ran = cell.ran()
    itself = bool(ran) and ran[-1] == cell.transformed
    session.sources.remember(ran[:-1] if itself else ran)
    source = source_digest(cell.transformed)
    inputs = _inputs(session, cell, namespace)
    while session.deferred.waiting.keys() & inputs.unbound:
        session.deferred.load(session, namespace, inputs.unbound)
        inputs = _inputs(session, cell, namespace)
    session.sources.add(cell.filename, cell.transformed)
    whole = not inputs.undigestible
    key = keys.step_key(source, inputs.digests.items(), inputs.codes.items())
    root, store = cell.facts.start_dir, place_of(cell.facts)
    files = StepFiles.of(root, store, session.contents, on=cell.files)
    return Looked(source=source, inputs=inputs, key=key if whole else b"", files=files)


def _inputs(session: Session, cell: Cell, namespace: Namespace) -> Inputs:
    return read_inputs(
        cell.transformed,
        namespace,
        session.sources,
        hidden=cell.hidden,
        redact=session.secrets.apart,
        contents=digest_of,
    )


def _shared(session: Session, cell: Cell, place: Place, looked: Looked) -> str:
    """Without a person nobody edits a cell: another source of its name is another cell."""
    if cell.cell_id or cell.facts.interactive:
        return ""
    return session.slots.shared(place, looked.source.hex())


def begin(
    session: Session, cell: Cell, namespace: Namespace
) -> Replayed | Rebuilding | Running:
    """Replay a cell's step, or begin an attempt of it.

    A step of which a variable could not be kept is replayed while its code runs again
    for that variable, within what is returned then.

    Raises:
        DurableError: The store can't be used, or another kernel has the run.
    """
    if frozen.is_on():  # beginning afresh would refuse every call
        cell = replace(cell, fresh=False)
    looked = look(session, cell, namespace)
    step = Step(key=looked.key, name=cell.name, cell_id=cell.cell_id)
    lease = session.enter(cell.facts, step)
    try:
        ahead.journal(session)
        history = session.history
        place = session.slots.place(history, cell.cell_id, cell.name)
        session.tell_once(place.notice or _shared(session, cell, place, looked))
        session.overtake(place.slot, place.name)
        session.slots.sources[place.slot] = looked.source.hex()
        if cell.fresh and not _is_answered(history, place.slot):
            session.journal(Kind.STEP_RESET, {"slot": place.slot}, sync=False)
        past = None if cell.fresh else replayable(session, place, looked)
        if past is not None:
            known = Known(
                place=place,
                past=past,
                inputs=looked.inputs,
                files=looked.files,
                count=cell.count,
            )
            replayed = replay(session, known, cell, namespace, lease)
            if not isinstance(replayed, DurableError):
                return replayed
            looked = replace(looked, gone=replayed.fact().rstrip("."))
        return _start(session, cell, place, looked, namespace, lease)
    except BaseException:
        lease.release()
        raise


def _is_answered(history: History, slot: str) -> bool:
    """Whether the last beginning asked about its writes, and this one has the answer."""
    latest = history.latest(slot)
    stopped = latest is not None and latest.state is not StepState.COMPLETED
    return stopped and history.slot(slot).kept_writes is not None


def replayable(session: Session, place: Place, looked: Looked) -> StepPast | None:
    """The completed attempt that this step is, if it may be replayed here."""
    history = session.history
    if not looked.key:
        return None
    for step_id in reversed(history.by_step_key.get(looked.key, ())):
        step = history.steps[step_id]
        if serves(session, place.slot, step) and not looked.files.changed(step):
            return step
    return None


def serves(session: Session, slot: str, step: StepPast) -> bool:
    """Whether a completed attempt may be replayed in a slot, its files aside."""
    history, known = session.history, session.known()
    reset = history.slot(slot).reset
    if reset is not None and step.ended_order < reset:
        return False
    if "" in fields.mapping(step.fields, "unsaved") or step.fields.get("inside"):
        return False
    calls = [history.calls[i] for i in step.used if i in history.calls]
    if len(calls) < len(step.used) or any(c.resolved in _AFRESH for c in calls):
        return False
    owned = (c for c in calls if c.effect is not Effect.PURE)
    standings = {standing_of(history, c, slot, known) for c in owned}
    return Standing.TAKEN not in standings


_AFRESH: Final = frozenset({"afresh", "again", "undone"})
"""How a call was settled that is to happen when its cell runs again."""


def _tagged(session: Session, tags: Collection[str]) -> dict[str, Plain]:
    """The cell's tags, by which people find its run."""
    said = [session.secrets.scrub(tag)[:TAG_CHARS_MAX] for tag in tags]
    return {"tags": said[:TAGS_MAX]} if said else {}


def _start(
    session: Session,
    cell: Cell,
    place: Place,
    looked: Looked,
    namespace: Namespace,
    lease: Lease,
) -> Running:
    history = session.history
    cause = _cause(history, place, looked, fresh=cell.fresh)
    cells = session.keeping.changed_in(cause.names, cell.places)
    because = causes.because(cause, cells)
    raw = session.secrets.scrub(cell.raw)
    refs = _written(session, raw, looked, namespace)
    about: dict[str, Plain] = {
        "name": place.name,
        "named": bool(cell.name),
        "slot": place.slot,
        "attempt": sum(1 for _ in history.attempts(place.slot)) + 1,
        "source": looked.source.hex(),
        "algorithm": keys.ALGORITHM,
        "cell_id": cell.cell_id,
        "count": cell.count,
        **_tagged(session, cell.tags),
        "title": _title(raw),
        "reads": looked.reads(),
        "codes": looked.codes(),
        **_noted(session, looked, fresh=cell.fresh),
        **({"changed_files": dict(cause.files)} if cause.files else {}),
        **({"cells": dict(cells)} if cells else {}),
    }
    step_id = session.ids.new()
    stub = StepPast.begun(step_id, place.slot, place.name)
    attempt = Attempt(session, stub)
    attempt.files = looked.files.watched
    attempt.used.effects = looked.files.effects
    looked.files.effects.typed = Typed(cell.filename, cell.raw, cell.transformed)
    advice = causes.advice(cause)
    if advice and session.first_time(advice):
        attempt.used.told.append(advice)
    if looked.inputs.outdated:
        attempt.used.told.append(causes.outdated(looked.inputs.outdated))
    record = attempt.record(Kind.STEP_STARTED, step_id, looked.key, about, refs)
    reach("step.started.before")
    session.append((record,), sync=False)
    reach("step.started.written")
    attempt.step = session.history.steps[step_id]
    drawn = draw_again(session, attempt)
    if drawn is not None:
        session.append((drawn,), sync=False)
    _say_what_is_there(attempt.matcher, looked.inputs, namespace)
    keep_given(attempt, session.keeping, looked.inputs, namespace, cell.hidden)
    return Running(
        session=session,
        attempt=attempt,
        inputs=looked.inputs,
        files=looked.files,
        namespace=namespace,
        hidden=cell.hidden,
        lease=lease,
        because="" if cause.reason is causes.Reason.CONTINUES else because,
        fresh=cell.fresh,
    )


_CODE: Final = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    functools.partial,
    type,
)


def _say_what_is_there(matcher: Matcher, inputs: Inputs, namespace: Namespace) -> None:
    matcher.data = _data(inputs, namespace)
    matcher.gone = gone_from(inputs, namespace)
    matcher.together = together_in(namespace)


def _data(inputs: Inputs, namespace: Namespace) -> frozenset[str]:
    """The names it reads that hold data, and no output of its own or code."""
    outputs = inputs.outputs - _held_by_code(inputs, namespace)
    names = inputs.digests.keys() - outputs
    named = ((name, namespace.get(name)) for name in names)
    return frozenset(name for name, value in named if not isinstance(value, _CODE))


def _held_by_code(inputs: Inputs, namespace: Namespace) -> set[str]:
    """The outputs that a function may look at in its closure, or in a default."""
    put = {n: id(namespace[n]) for n in inputs.outputs if n in namespace}
    values = {n: namespace[n] for n in inputs.given if n in namespace}
    code = {n: v for n, v in values.items() if isinstance(v, types.FunctionType)}
    held = holders(code, set(put.values())).found
    return {name for name, value in put.items() if value in held}


def _written(
    session: Session, raw: str, looked: Looked, namespace: Namespace
) -> tuple[BlobRef, ...]:
    """The cell's source, and what it is given."""
    put = session.store.put
    source = put(OUTPUTS_CODEC, json.dumps(raw).encode())
    given = written(looked.inputs, namespace, session.sources, session.secrets)
    return (source, put(given.codec, given.data)) if given else (source,)


def _noted(session: Session, looked: Looked, *, fresh: bool) -> dict[str, Plain]:
    """What is remembered only to be told."""
    inputs = looked.inputs
    scrub = session.secrets.scrub
    refused = inputs.undigestible.items()
    bare = {n: scrub(str(u)) for n, u in refused if n in inputs.digests}
    noted: dict[str, Plain] = {
        "fresh": fresh,
        "gone": looked.gone,
        "bare": bare,
        "dynamic": sorted(inputs.dynamic),
    }
    return {name: value for name, value in noted.items() if value}


def _cause(
    history: History, place: Place, looked: Looked, *, fresh: bool
) -> causes.Cause:
    last = history.latest(place.slot)
    cause = causes.rekeyed(history, place.slot, keys.ALGORITHM) or causes.cause(
        history,
        slot=place.slot,
        source=looked.source.hex(),
        reads={**looked.reads(), **looked.codes()},
        files=looked.files.changed(last) if last else {},
    )
    if cause.reason is causes.Reason.AGAIN:
        return replace(cause, gone=looked.gone)
    rerun = cause.reason is causes.Reason.RERUN
    return causes.Cause(causes.Reason.FRESH) if fresh and rerun else cause


def _title(raw: str) -> str:
    code = (line.strip() for line in raw.splitlines())
    first = (line for line in code if line and not line.startswith(("#", "%")))
    return next(first, "")[:TITLE_CHARS_MAX]
