"""The story of one durable step: looked up, replayed or executed, recorded.

`begin` makes the step key of a cell and looks for a completed attempt with that key.
If there is one, the step is replayed: its variables are put back and its outputs are
handed to the shell. Otherwise a new attempt is appended and the shell executes the
cell within it; `Running.complete` or `Running.fail` ends it.

Order of writes at the end of a step: the blobs of its outputs and variables first,
then ``step.completed``, durable, which names them. A step that ends before that is an
attempt that never ended; its calls are kept all the same.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

from nbdurable.engine import causes, lines
from nbdurable.engine.attempt import Attempt
from nbdurable.engine.cells import Cell, Output, Replayed
from nbdurable.engine.history import History, StepPast
from nbdurable.engine.identity import keys
from nbdurable.engine.identity.code import source_digest
from nbdurable.engine.identity.inputs import Inputs, read_inputs
from nbdurable.engine.matching import Standing, standing_of
from nbdurable.engine.session import Session
from nbdurable.engine.slots import Place
from nbdurable.engine.snapshot import Group, Marks, mark, put_back, take
from nbdurable.engine.whereabouts import Step
from nbdurable_store.errors import DurableError, DurablePause
from nbdurable_store.killpoints import reach
from nbdurable_store.protocol import Lease
from nbdurable_store.records import BlobRef, Kind, Plain

RESULT = "last expression"
"""Key of the last expression's value among the names of a step; no variable can have
it, since it is no identifier."""

OUTPUTS_CODEC = "json"
"""Outputs are plain data: anybody may list them."""

TITLE_CHARS_MAX = 80
"""A cell's first line in lists."""

Namespace = MutableMapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A cell, looked at before it is executed.

    Attributes:
        source: Digest of its normalised source, 32 bytes.
        inputs: What it reads, with digests.
        key: Its step key, or b"" when an input has no digest.
    """

    source: bytes
    inputs: Inputs
    key: bytes

    def reads(self) -> dict[str, str | None]:
        """Digest (hex) of each name it reads; None without one."""
        digests = self.inputs.digests.items()
        return {name: d.hex() if d else None for name, d in digests}


def look(session: Session, cell: Cell, namespace: Namespace) -> Looked:
    """The step key of a cell, and what went into it."""
    session.sources.add(cell.filename, cell.transformed)
    source = source_digest(cell.transformed)
    inputs = read_inputs(
        cell.transformed,
        namespace,
        session.sources,
        hidden=cell.hidden,
        redact=session.secrets.scrub,
    )
    whole = not inputs.undigestible
    key = keys.step_key(source, inputs.digests.items(), inputs.codes.items())
    return Looked(source=source, inputs=inputs, key=key if whole else b"")


def begin(session: Session, cell: Cell, namespace: Namespace) -> Replayed | Running:
    """Replay a cell's step, or begin an attempt of it.

    Raises:
        DurableError: The store can't be used, or another kernel has the run.
    """
    looked = look(session, cell, namespace)
    step = Step(key=looked.key, name=cell.name, cell_id=cell.cell_id)
    lease = session.enter(cell.facts, step)
    try:
        history = session.history
        place = session.slots.place(history, cell.cell_id, cell.name)
        session.tell_once(place.notice)
        session.slots.sources[place.slot] = looked.source.hex()
        if cell.fresh:
            session.journal(Kind.STEP_RESET, {"slot": place.slot}, sync=False)
        past = None if cell.fresh else replayable(session, place, looked)
        replayed = past and _replay(session, place, past, looked, namespace)
        if replayed:
            lease.release()
            return replayed
        return _start(session, cell, place, looked, namespace, lease)
    except BaseException:
        lease.release()
        raise


def replayable(session: Session, place: Place, looked: Looked) -> StepPast | None:
    """The completed attempt that this step is, if it may be replayed here."""
    history = session.history
    if not looked.key:
        return None
    for step_id in reversed(history.by_step_key.get(looked.key, ())):
        step = history.steps[step_id]
        if _serves(session, place, step):
            return step
    return None


def _serves(session: Session, place: Place, step: StepPast) -> bool:
    history, known = session.history, session.known()
    reset = history.slot(place.slot).reset
    if reset is not None and step.ended_order < reset:
        return False
    if step.fields.get("unsaved"):
        return False
    calls = [history.calls[i] for i in step.used if i in history.calls]
    if len(calls) < len(step.used):
        return False
    standings = {standing_of(history, c, place.slot, known) for c in calls}
    return Standing.TAKEN not in standings


def _replay(
    session: Session,
    place: Place,
    past: StepPast,
    looked: Looked,
    namespace: Namespace,
) -> Replayed | None:
    try:
        outputs, groups = _values(session, past)
        secrets, given = session.secrets, looked.inputs.digests
        view = dict[str, object]()
        aside = {RESULT: view}
        put_back(groups, namespace, secrets=secrets, aside=aside, in_place=given)
    except DurableError as gone:
        session.tell_once(f"{past.name} runs again: {gone.fact()}")
        return None
    for name in _names(past.fields, "deleted"):
        namespace.pop(name, None)
    _adopt(session, place, past)
    session.journal(
        Kind.STEP_REPLAYED,
        {"name": place.name, "slot": place.slot},
        subject=past.id,
        key=past.key,
        sync=False,
    )
    line = lines.replayed(past, session.clock.now_us())
    return Replayed(
        outputs=outputs,
        has_result=RESULT in view,
        result=view.get(RESULT),
        lines=(line,),
    )


def _values(session: Session, past: StepPast) -> tuple[tuple[Output, ...], list[Group]]:
    first, *rest = past.blobs
    outputs = json.loads(session.store.get(first))
    groups = [
        Group(names=names, codec=ref.codec, data=session.store.get(ref))
        for names, ref in zip(past.groups, rest, strict=True)
    ]
    return tuple(outputs), groups


def _names(fields: Mapping[str, Plain], field_name: str) -> list[str]:
    names = fields.get(field_name, ())
    return [str(n) for n in names] if isinstance(names, (list, tuple)) else []


def _adopt(session: Session, place: Place, past: StepPast) -> None:
    for call_id in past.used:
        call = session.history.calls[call_id]
        if call.slot != place.slot:
            fields = {"slot": place.slot, "from": call.slot}
            session.journal(
                Kind.CALL_ADOPTED, fields, subject=call_id, key=call.key, sync=False
            )


def _start(
    session: Session,
    cell: Cell,
    place: Place,
    looked: Looked,
    namespace: Namespace,
    lease: Lease,
) -> Running:
    history = session.history
    because = _because(history, place, looked)
    raw = session.secrets.scrub(cell.raw)
    ref = session.store.put(OUTPUTS_CODEC, json.dumps(raw).encode())
    fields: dict[str, Plain] = {
        "name": place.name,
        "named": bool(cell.name),
        "slot": place.slot,
        "attempt": sum(1 for _ in history.attempts(place.slot)) + 1,
        "source": looked.source.hex(),
        "cell_id": cell.cell_id,
        "count": cell.count,
        "title": _title(raw),
        "reads": looked.reads(),
    }
    step_id = session.ids.new()
    stub = StepPast.begun(step_id, place.slot, place.name)
    attempt = Attempt(session, stub)
    record = attempt.record(Kind.STEP_STARTED, step_id, looked.key, fields, (ref,))
    reach("step.started.before")
    session.append((record,), sync=False)
    reach("step.started.written")
    attempt.step = history.steps[step_id]
    return Running(
        session=session,
        attempt=attempt,
        inputs=looked.inputs,
        namespace=namespace,
        hidden=cell.hidden,
        lease=lease,
        because=because,
    )


def _because(history: History, place: Place, looked: Looked) -> str:
    cause = causes.cause(
        history, slot=place.slot, source=looked.source.hex(), reads=looked.reads()
    )
    continues = cause.reason is causes.Reason.CONTINUES
    return "" if continues else causes.because(cause)


def _title(raw: str) -> str:
    code = (line.strip() for line in raw.splitlines())
    first = (line for line in code if line and not line.startswith(("#", "%")))
    return next(first, "")[:TITLE_CHARS_MAX]


@dataclass(slots=True, kw_only=True)
class Running:
    """A step that is being executed. Exactly one of `complete`, `fail` ends it.

    Neither raises for a value or a disk: what went wrong is in the line they return.
    """

    session: Session
    attempt: Attempt
    inputs: Inputs
    namespace: Namespace
    hidden: frozenset[str]
    lease: Lease
    because: str = ""
    began_s: float = 0.0
    before: dict[str, int] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """The cell's code runs within."""
        self.began_s = self.session.clock.monotonic_s()
        self.before = self._bindings()
        self.marks = mark(self.namespace, self.inputs.digests)
        with self.attempt.active():
            yield

    def complete(self, outputs: Sequence[Output], result: object) -> tuple[str, ...]:
        """The cell ended: record what it made. Returns lines for the user."""
        made = dict[str, object]()
        if result is not None:
            made[RESULT] = result
        after = self._bindings()
        for name in self._changed(after):
            made[name] = self.namespace[name]
        deleted = sorted(self.before.keys() - after.keys())
        taken = take(made, secrets=self.session.secrets, marks=self.marks)
        unsaved = {n: why for n, why in taken.unstorable.items() if n != RESULT}
        fields: dict[str, Plain] = {
            "names": [list(g.names) for g in taken.groups],
            "deleted": deleted,
            "unsaved": unsaved,
        }
        values = [(g.codec, g.data) for g in taken.groups]
        return self._end(Kind.STEP_COMPLETED, fields, outputs, values, unsaved)

    def fail(self, error: BaseException, outputs: Sequence[Output]) -> tuple[str, ...]:
        """The cell raised: record how. Returns lines for the user."""
        kind = type(error)
        fields: dict[str, Plain] = {
            "how": how(error),
            "type": f"{kind.__module__}.{kind.__qualname__}",
            "message": self.session.secrets.scrub(str(error))[:1000],
            "blamed": list(self.attempt.blamed(error)),
            "asked": {
                str(n): [call, past.name]
                for n, (call, past) in self.attempt.used.asked.items()
            },
        }
        return self._end(Kind.STEP_FAILED, fields, outputs, (), {})

    def _end(
        self,
        kind: Kind,
        fields: dict[str, Plain],
        outputs: Sequence[Output],
        values: Sequence[tuple[str, bytes]],
        unsaved: Mapping[str, str],
    ) -> tuple[str, ...]:
        attempt, session = self.attempt, self.session
        attempt.end()
        ms = round((session.clock.monotonic_s() - self.began_s) * 1000, 3)
        fields |= {"ms": ms, **attempt.used.fields()}
        problem = ""
        try:
            try:
                self._record(kind, fields, self._blobs(outputs, values))
            except (DurableError, OSError) as unstored:
                problem = _told(unstored)
                bare = {**fields, "names": [], "unsaved": {"": problem}}
                self._record(kind, bare, ())
        except (DurableError, OSError) as unwritten:
            problem = _told(unwritten)
        finally:
            self.lease.release()
        return self._lines(unsaved, problem)

    def _record(
        self, kind: Kind, fields: dict[str, Plain], blobs: tuple[BlobRef, ...]
    ) -> None:
        step = self.attempt.step
        record = self.attempt.record(kind, step.id, step.key, fields, blobs)
        reach("step.ended.before")
        self.session.append((record,), sync=True)
        reach("step.ended.synced")

    def _blobs(
        self, outputs: Sequence[Output], values: Sequence[tuple[str, bytes]]
    ) -> tuple[BlobRef, ...]:
        shown = json.dumps(list(outputs), ensure_ascii=False)
        text = self.session.secrets.scrub(shown).encode("utf-8", "surrogatepass")
        put = self.session.store.put
        refs = [put(OUTPUTS_CODEC, text), *(put(c, data) for c, data in values)]
        reach("step.values.durable")
        return tuple(refs)

    def _lines(self, unsaved: Mapping[str, str], problem: str) -> tuple[str, ...]:
        session, attempt = self.session, self.attempt
        line = lines.ended(
            session.history,
            attempt.step,
            because=self.because,
            unsaved=unsaved,
            notes=attempt.used.notes(),
        )
        told = [line, *attempt.used.lines()]
        if problem:
            told.append(f"{attempt.step.name}: its variables are not kept: {problem}")
        session.pass_on_notices()
        return tuple(told)

    def _bindings(self) -> dict[str, int]:
        return {
            name: id(value)
            for name, value in self.namespace.items()
            if name not in self.hidden and not name.startswith("_")
        }

    def _changed(self, after: Mapping[str, int]) -> list[str]:
        rebound = {n for n, i in after.items() if self.before.get(n) != i}
        written = {n for n in self.inputs.writes if n in after}
        mutated = self.inputs.mutated(self.namespace, skip=rebound | written)
        return sorted(rebound | written | mutated)


def how(error: BaseException) -> str:
    """How a step ended that didn't complete: raised, interrupted or paused."""
    if isinstance(error, DurablePause):
        return "paused"
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError":
        return "interrupted"
    return "raised"


def _told(error: BaseException) -> str:
    return error.fact() if isinstance(error, DurableError) else str(error)
