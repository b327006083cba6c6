"""The history of one run, folded from its entries. Pure: no I/O, no clock.

Theory of operation. `History.apply` takes each entry once, in order; what it builds
are three kinds of things: step attempts, logical calls and slots. A logical call is
one call with all its attempts, its latest outcome counts. Matching, the timeline and
`why` all read the same fold, so they can't disagree.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from nbdurable.engine.past import adoption, answers, fields
from nbdurable.engine.past.attempts import (
    GivenPast,
    SlotPast,
    StepPast,
    StepState,
    begun,
    groups_of,
)
from nbdurable.engine.past.keyed import Keyed
from nbdurable.engine.past.pasts import (
    FIRST_ALGORITHM,
    Another,
    CallPast,
    CallState,
    CheckpointPast,
    KeptTool,
    Order,
    Said,
    Shown,
    SignalPast,
)
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.spending import Spending
from nbdurable.engine.where.dollars import amount
from nbdurable_store.records import BlobRef, Entry, Kind, Record

__all__ = [
    "CallPast",
    "CallState",
    "History",
    "SlotPast",
    "StepPast",
    "StepState",
]


class History:
    """Everything a run's entries say, by id."""

    remarks = 0
    """How many of them are about something else than the course of a call."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.notebook = ""
        self.opened: Record | None = None
        self.closed: Record | None = None
        self.removed: Record | None = None
        self.pinned = False
        self.budget: Decimal | None = None
        self.spending = Spending()
        self.steps: dict[str, StepPast] = {}
        self.calls: dict[str, CallPast] = {}
        self.slots: dict[str, SlotPast] = {}
        self.given: list[GivenPast] = []
        self.random: dict[str, BlobRef] = {}
        self.signals: dict[str, SignalPast] = {}
        self.checkpoints: dict[tuple[str, str], CheckpointPast] = {}
        self.by_key = Keyed()
        self.by_step_key: dict[bytes, list[str]] = {}
        self.kept_tools: dict[tuple[str, str], KeptTool] = {}
        self.answers: dict[tuple[str, str, str], Said] = {}
        self.instead: dict[tuple[str, str], dict[str, Shown]] = {}
        self.others: dict[tuple[str, str], list[Another]] = {}
        self.apart: set[tuple[str, str]] = set()
        self.forked: set[str] = set()
        self.behind: dict[str, StepPast] = {}  # the parent's attempts after a fork
        self.taken = 0  # how often something of the parent's was taken
        self.last: Order = (0, "", 0)
        self.last_at_us = 0
        self.seen_us: dict[str, tuple[int, int]] = {}
        self.kernels: set[str] = set()
        self.algorithms: set[str] = set()

    def apply(self, entries: Iterable[Entry]) -> None:
        """Take entries, each once, in the order of the run."""
        for entry in entries:
            record = entry.record
            # Equal numbers are one object, which is kept with every call.
            seq = entry.tick if entry.seq == entry.tick else entry.seq
            order = (entry.tick, sys.intern(entry.owner), seq)
            self.last = max(self.last, order)
            if record.kind not in _ABOUT_KEEPING:
                self._saw(entry.owner, record.at_us)
            self.remarks += record.kind not in _COURSE
            fold = _FOLDS.get(record.kind)
            if fold is not None:
                fold(self, record, order)

    def _saw(self, owner: str, at_us: int) -> None:
        self.last_at_us = max(self.last_at_us, at_us)
        first, last = self.seen_us.get(owner, (at_us, at_us))
        self.seen_us[owner] = (min(first, at_us), max(last, at_us))

    def owner_last_us(self, owner: str) -> int:
        """When an owner last journaled anything here, microseconds since 1970."""
        return self.seen_us.get(owner, (0, 0))[1]

    def slot(self, slot: str) -> SlotPast:
        """The slot of this id, made if it is new."""
        past = self.slots.get(slot)
        if past is None:
            past = self.slots[slot] = SlotPast(slot)
        return past

    def attempts(self, slot: str) -> Iterator[StepPast]:
        """The attempts of a slot, latest first."""
        past = self.slots.get(slot)
        for step in reversed(past.attempts if past else []):
            yield self.steps[step]

    def latest(self, slot: str, *, ended: bool = False) -> StepPast | None:
        """The latest attempt of a slot, or its latest that ended."""
        for step in self.attempts(slot):
            if not ended or step.state is not StepState.RUNNING:
                return step
        return None

    def algorithm(self, call: CallPast) -> str:
        """The version of the key that a call was last executed with."""
        step = self.steps.get(call.step)
        return step.algorithm if step else FIRST_ALGORITHM

    def named(self, name: str) -> StepPast | None:
        """The latest attempt of the step that people call ``name``."""
        named = [s for s in self.steps.values() if s.name == name]
        return max(named, key=lambda s: s.order, default=None)

    def calls_of(self, step: StepPast) -> list[CallPast]:
        """The calls a step attempt used or executed, in order."""
        ids = dict.fromkeys(step.used)
        ids.update((c.id, None) for c in self.calls.values() if c.step == step.id)
        return [self.calls[i] for i in ids if i in self.calls]


def _run_opened(history: History, record: Record, _: Order) -> None:
    history.opened, history.closed = record, None
    history.notebook = fields.text(record.fields, "notebook")


def _run_renamed(history: History, record: Record, _: Order) -> None:
    history.notebook = fields.text(record.fields, "notebook")


def _run_closed(history: History, record: Record, _: Order) -> None:
    history.closed = record


def _run_pinned(history: History, record: Record, _: Order) -> None:
    history.pinned = record.fields.get("pinned") is True


def _run_budget(history: History, record: Record, _: Order) -> None:
    history.budget = amount(record.fields.get("usd"))


def _run_removed(history: History, record: Record, _: Order) -> None:
    history.removed = record


def _step_started(history: History, record: Record, order: Order) -> None:
    step = begun(record, order)
    step.random = history.random.get(order[1])
    history.kernels.add(step.owner)
    history.algorithms.add(step.algorithm)
    history.steps[step.id] = step
    history.slot(step.slot).attempts.append(step.id)


def _step_random(history: History, record: Record, order: Order) -> None:
    """It holds for later steps of that owner too, until one begins elsewhere."""
    if record.blobs and (step := history.steps.get(record.subject)):
        step.random = history.random[order[1]] = record.blobs[0]


def _step_given(history: History, record: Record, _: Order) -> None:
    f = record.fields
    history.given.append(
        GivenPast(
            step=record.subject,
            at_us=record.at_us,
            groups=groups_of(f),
            blobs=record.blobs,
            modules=fields.mapping(f, "modules"),
            unsaved=fields.mapping(f, "unsaved"),
        )
    )


def _step_ended(history: History, record: Record, order: Order) -> None:
    step = history.steps.get(record.subject)
    if step is None:
        return
    f = record.fields
    done = record.kind == Kind.STEP_COMPLETED
    step.state = StepState.COMPLETED if done else StepState.FAILED
    step.how = fields.text(f, "how")
    step.ended_order, step.ended_us, step.ms = order, record.at_us, fields.ms(f)
    step.used, step.blamed = _ids(history, f, "used"), _ids(history, f, "blamed")
    step.served = fields.number(f, "replayed")
    step.fields = {**step.fields, **fields.beside(f, "used", "blamed")}
    step.blobs = record.blobs
    for used in filter(None, map(history.calls.get, step.used)):
        used.blamed = used.id in step.blamed
    if done and step.key:
        history.by_step_key.setdefault(step.key, []).append(step.id)


def _ids(history: History, f: fields.Fields, name: str) -> tuple[str, ...]:
    """Ids of calls; those that are known are no texts of their own."""
    known = history.calls
    return tuple(known[i].id if i in known else i for i in fields.texts(f, name))


def _step_replayed(history: History, record: Record, order: Order) -> None:
    step = history.steps.get(record.subject)
    if step is not None:
        history.kernels.add(order[1])
        step.replays.append(record.at_us)
        history.slot(fields.text(record.fields, "slot") or step.slot).attempts.append(
            step.id
        )


def _step_reset(history: History, record: Record, order: Order) -> None:
    slot = history.slot(fields.text(record.fields, "slot"))
    writes = fields.text(record.fields, "writes")
    if writes:
        slot.kept_writes = writes == "keep"
        slot.kept_differ = fields.names(record.fields, "differ")
    else:
        slot.reset, slot.kept_writes = order, None


_ABOUT_KEEPING = frozenset({Kind.RUN_PINNED, Kind.RUN_REMOVED})
"""Kinds by which nobody works in a run: they say how long it is kept."""

_COURSE = frozenset(
    {Kind.CALL_STARTED, Kind.CALL_COMPLETED, Kind.CALL_RAISED, Kind.CALL_ADOPTED}
)

_EFFECTS = {effect.value: effect for effect in Effect}
"""What isn't known is a write: of those nothing is repeated unasked."""


def _call_started(history: History, record: Record, order: Order) -> None:
    f = record.fields
    known = history.calls.get(record.subject)
    step = history.steps.get(record.step)
    slot = step.slot if step else ""
    call = CallPast(
        id=record.subject,
        key=record.key,
        name=fields.word(f, "name"),
        number=fields.number(f, "n"),
        slot=slot,
        step=sys.intern(record.step),
        scope=fields.word(f, "scope"),
        after=fields.word(f, "after"),
        parent=fields.word(f, "parent"),
        order=known.order if known else order,
        ended_order=order,
        effect=_EFFECTS.get(fields.text(f, "effect"), Effect.WRITE),
        kind=fields.word(f, "kind"),
        code=fields.word(f, "code"),
        codes=fields.mapping(f, "codes"),
        text=fields.text(f, "text"),
        undigestible=fields.text(f, "undigestible"),
        inner=fields.text(f, "inner"),
        attempts=fields.number(f, "attempt", 1),
        tries=fields.number(f, "tries", 1),
        owner=order[1],
        started_us=record.at_us,
        arguments=fields.arguments(record),
        marks=fields.mapping(f, "marks") if "marks" in f else None,
        adopted_from=known.adopted_from if known else "",
        once_in=known.once_in if known else (),
        earlier=(*known.earlier, replace(known, earlier=())) if known else (),
        wait=fields.mapping(f, "wait"),
    )
    history.calls[call.id] = call
    history.spending.began(call.id, f)
    history.forked.discard(call.id)
    if known is None or known.key != call.key:
        history.by_key.add(call.key, call.id)


def _call_ended(history: History, record: Record, order: Order) -> None:
    call = history.calls.get(record.subject)
    if call is None:
        return
    done = record.kind == Kind.CALL_COMPLETED
    history.spending.ended(call.id, record.fields, completed=done)
    if record.fields.get("late") and not _takes_late(call, record):
        return
    if done:
        call.state = CallState.COMPLETED
    elif record.fields.get("interrupted"):
        call.state = CallState.INTERRUPTED
    else:
        call.state = CallState.RAISED
    call.ended_order, call.ended_us = order, record.at_us
    call.ms = fields.ms(record.fields)
    call.fields = fields.beside(record.fields, "ms", "attempt")
    call.outcome, call.changed, *_ = (*record.blobs, None, None)


def _takes_late(call: CallPast, record: Record) -> bool:
    """Whether what came late is the call's outcome: it settles a doubt."""
    over = call.state is CallState.COMPLETED or call.resolved == "happened"
    if over or fields.number(record.fields, "attempt") != call.attempts:
        return False
    done = record.kind == Kind.CALL_COMPLETED
    if not done and not record.fields.get("not_done"):
        return False
    call.resolved = ""
    return True


def _step_checkpoint(history: History, record: Record, order: Order) -> None:
    f = record.fields
    place = fields.text(f, "slot"), fields.text(f, "parent")
    history.checkpoints[place] = CheckpointPast(
        of=fields.text(f, "of"),
        value=record.blobs[0] if record.blobs else None,
        at_us=record.at_us,
        order=order,
    )


def _signal_sent(history: History, record: Record, order: Order) -> None:
    """The first of its id counts: a send that is done again sends nothing new."""
    f = record.fields
    history.signals.setdefault(
        record.subject,
        SignalPast(
            id=record.subject,
            to=fields.text(f, "to"),
            name=fields.text(f, "name"),
            value=record.blobs[0] if record.blobs else None,
            by=fields.text(f, "by"),
            via=fields.text(f, "via"),
            at_us=record.at_us,
            order=order,
        ),
    )


_FOLDS: dict[str, Callable[[History, Record, Order], None]] = {
    Kind.RUN_OPENED: _run_opened,
    Kind.RUN_RENAMED: _run_renamed,
    Kind.RUN_CLOSED: _run_closed,
    Kind.RUN_PINNED: _run_pinned,
    Kind.RUN_BUDGET: _run_budget,
    Kind.RUN_REMOVED: _run_removed,
    Kind.STEP_STARTED: _step_started,
    Kind.STEP_RANDOM: _step_random,
    Kind.STEP_GIVEN: _step_given,
    Kind.STEP_COMPLETED: _step_ended,
    Kind.STEP_FAILED: _step_ended,
    Kind.STEP_REPLAYED: _step_replayed,
    Kind.STEP_RESET: _step_reset,
    Kind.STEP_CHECKPOINT: _step_checkpoint,
    Kind.CALL_STARTED: _call_started,
    Kind.CALL_COMPLETED: _call_ended,
    Kind.CALL_RAISED: _call_ended,
    Kind.CALL_ADOPTED: adoption.call_adopted,
    Kind.CALL_RESOLVED: answers.call_resolved,
    Kind.CALL_KEPT: answers.call_kept,
    Kind.SIGNAL_SENT: _signal_sent,
}
"""Which function folds which kind; kinds that a newer version adds are ignored."""
