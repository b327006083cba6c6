"""A run that was forked from another one: what of its history it begins with.

Theory of operation. A fork's ``run.opened`` names its parent and the place up to which
their history is one. Nothing is copied: whoever folds the fork folds the parent's entries
up to that place first, and the values in them are the parent's blobs. What the parent did
behind it is no history of the fork, but for one thing: a `write` that it made happened in
the world, so the fork knows it and asks before it makes the same one. Another kernel may
go on in the parent meanwhile: what it has appended is *followed*, with each look at the
run and before the fork makes a `write`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.adoption import known_as
from nbdurable.engine.past.attempts import begun
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import CallPast, CallState, Order
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.spending import Spending
from nbdurable.errors import CallPause, Remedy
from nbdurable_store.records import Entry, Kind, Record

Read = Callable[[str], Sequence[Entry]]
"""All entries of a run, in order."""

Own = Callable[[CallPast], bool]
"""Whether a call was last made by the fork itself."""

_OUTCOMES: Final = {Kind.CALL_COMPLETED, Kind.CALL_RAISED, Kind.CALL_RESOLVED}


NOWHERE: Final[Order] = (0, "", 0)
"""Before every entry of a run."""


@dataclass(kw_only=True, eq=False)
class HappenedInParent(CallPause):
    """A write that completed in the run that this one was forked from.

    Attributes:
        run: What people call that run.
        version: Its tool was edited since.
    """

    slug: ClassVar[str] = "happened-in-parent"
    run: str
    version: bool = False

    def fact(self) -> str:
        """One line about the call."""
        then = f", with an earlier version of {self.tool}" if self.version else ""
        then += f", as {self.earlier}" if self.earlier else ""
        return f"{self.call} already happened in {self.run}{then}."

    def detail(self) -> str:
        """Why it asks."""
        return (
            f"This run was forked from {self.run} before that call, which can't be"
            " taken back. It was not repeated."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """That result, or a second call."""
        return (
            Remedy("take that result", f"%durable resolve {self.reference} --keep"),
            Remedy("a second call", f"%durable resolve {self.reference} --again"),
        )


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a run has from those before it.

    Attributes:
        shared: Their entries that are its history too.
        later: Their entries behind the place where it was forked.
    """

    shared: list[Entry] = field(default_factory=list)
    later: list[Entry] = field(default_factory=list)


def begin(history: History, entries: Sequence[Entry], read: Read) -> None:
    """Fold what a run begins with, if it was forked; before anything of its own.

    Args:
        history: The fold of the run, still empty.
        entries: The first entries of the run.
        read: Reads another run.
    """
    lineage = _lineage(entries, read, {history.run})
    history.apply(lineage.shared)
    _take(history, lineage.later)
    history.spending = Spending()  # what was shared was paid by the other run


def follow(history: History, entries: Iterable[Entry], own: Own) -> Iterable[str]:
    """Fold what a parent has appended since; gives the calls that it says something of.

    Args:
        history: The fold of the fork.
        entries: New entries of a run that it was forked from.
        own: Whether a call was last made by the fork itself.
    """
    spending, history.spending = history.spending, Spending()
    try:
        return _take(history, entries, own)
    finally:
        history.spending = spending


def _never(_: CallPast) -> bool:
    return False


def _take(
    history: History,
    entries: Iterable[Entry],
    own: Own = _never,
) -> dict[str, None]:
    told: dict[str, None] = {}
    for entry in entries:
        record = entry.record
        if record.kind == Kind.STEP_STARTED:
            order = entry.tick, entry.owner, entry.seq
            history.behind[record.subject] = begun(record, order)
        known = history.calls.get(record.subject)
        if known is not None and record.kind == Kind.CALL_ADOPTED:
            _known_as(history, known, record)
            continue
        going = known is not None and own(known) and known.state in _GOING
        if going or not _is_told(history, record):
            continue
        history.apply((_without_place(entry),))
        told[record.subject] = None
        if record.kind == Kind.CALL_STARTED:
            history.forked.add(record.subject)
    history.taken += bool(told)
    return told


def _known_as(history: History, call: CallPast, record: Record) -> None:
    """What a parent's cell kept after an edit of the tool is found as it was kept there.

    A call of the shared history stays what it was: whether the edited tool has its result
    was said behind the place where this run was forked, and so it is asked here.
    """
    if "marks" not in record.fields:
        return
    if call.id in history.forked:
        known_as(history, call, record)
    else:
        history.by_key.add(record.key, call.id)


def _without_place(entry: Entry) -> Entry:
    """What a parent tells, but for the call that a result was said to be of there."""
    told = entry.record.fields
    if entry.record.kind != Kind.CALL_RESOLVED or "instead" not in told:
        return entry
    left = {name: value for name, value in told.items() if name != "instead"}
    return entry._replace(record=entry.record._replace(fields=left))


_GOING: Final = {CallState.STARTED, CallState.INTERRUPTED}
"""A call that the fork is making, or may have made: it asks about that itself."""


def _is_told(history: History, record: Record) -> bool:
    """Whether this is of a `write` that has no outcome in the shared history."""
    call = history.calls.get(record.subject)
    if record.kind == Kind.CALL_STARTED:
        known = call is not None and _stands(call)
        write = fields.text(record.fields, "effect") in {"", Effect.WRITE.value}
        return write and (not known or record.subject in history.forked)
    return (
        record.kind in _OUTCOMES
        and call is not None
        and call.effect is Effect.WRITE
        and (record.subject in history.forked or call.state is CallState.STARTED)
    )


def _stands(call: CallPast) -> bool:
    """Whether it has a result that is served: nobody makes it anew."""
    return call.state is CallState.COMPLETED and call.resolved in {"", "keep"}


_PARENTS_ALONE = {Kind.RUN_CLOSED, Kind.RUN_PINNED, Kind.RUN_REMOVED}
"""Kinds that say something of the parent, and nothing of what is forked from it."""


def _lineage(entries: Sequence[Entry], read: Read, seen: set[str]) -> Lineage:
    opened = _opened(entries)
    parent = _parent(entries)
    if opened is None or not parent or parent in seen:
        return Lineage()
    until = _until(opened)
    own = read(parent)
    before = _lineage(own, read, {*seen, parent})
    whole = [e for e in own if e.record.kind not in _PARENTS_ALONE]
    return Lineage(
        [*before.shared, *(e for e in whole if _order(e) <= until)],
        [*before.later, *(e for e in whole if _order(e) > until)],
    )


def _opened(entries: Sequence[Entry]) -> Record | None:
    return next((e.record for e in entries if e.record.kind == Kind.RUN_OPENED), None)


def _parent(entries: Sequence[Entry]) -> str:
    opened = _opened(entries)
    return fields.text(opened.fields, "parent") if opened else ""


def _order(entry: Entry) -> Order:
    return entry.tick, entry.owner, entry.seq


def is_own(history: History, order: Order) -> bool:
    """Whether a place in a run is its own, and no part of what it was forked with."""
    return history.opened is None or order > _until(history.opened)


def _until(opened: Record) -> Order:
    found = opened.fields.get("until")
    if isinstance(found, (list, tuple)) and len(found) == len(NOWHERE):
        tick, owner, seq = found
        if isinstance(tick, int) and isinstance(owner, str) and isinstance(seq, int):
            return tick, owner, seq
    return NOWHERE


def forked_from(opened: Record | None) -> str:
    """From where a run was forked, such as ``run 2 at findings``; "" if it wasn't.

    Args:
        opened: Its ``run.opened``.
    """
    if opened is None or not fields.text(opened.fields, "parent"):
        return ""
    at = fields.text(opened.fields, "at")
    number = fields.number(opened.fields, "parent_number", 1)
    return f"run {number}{at and f' at {at}'}"
