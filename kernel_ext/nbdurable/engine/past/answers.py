"""What was said of calls, folded into the history. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import SlotPast
from nbdurable.engine.past.pasts import (
    Another,
    CallPast,
    CallState,
    KeptTool,
    Order,
    Said,
    Shown,
)
from nbdurable_store.records import Record


class Answered(Protocol):
    """The part of a history that answers change."""

    calls: dict[str, CallPast]
    answers: dict[tuple[str, str, str], Said]
    instead: dict[tuple[str, str], dict[str, Shown]]
    others: dict[tuple[str, str], list[Another]]
    apart: set[tuple[str, str]]
    kept_tools: dict[tuple[str, str], KeptTool]

    def slot(self, slot: str) -> SlotPast:
        """The slot of this id, made if it is new."""
        ...


def call_resolved(history: Answered, record: Record, order: Order) -> None:
    """How a call is settled: `settle.answer` writes it, or the policy of its tool."""
    call = history.calls.get(record.subject)
    if call is None:
        return
    how, slot = fields.text(record.fields, "how"), fields.text(record.fields, "slot")
    if how == "apart":
        history.apart.add((slot, call.id))
        return
    unsettled = call.state is not CallState.COMPLETED
    call.resolved, call.ended_order = how, order
    if how == "happened":
        call.state, call.fields = CallState.COMPLETED, record.fields
        call.outcome = record.blobs[0] if record.blobs else None
        if source := fields.text(record.fields, "instead"):
            standing = history.instead.setdefault((slot, call.name), {})
            differs = fields.names(record.fields, "differ")
            standing[call.id] = Shown(differs, Said("keep", source, order))
    for inner in _within(history, call.id):
        _resolve_inner(inner, how, order, unsettled=unsettled)


def _within(history: Answered, call_id: str) -> Iterator[CallPast]:
    """The calls that were made inside a call, at any depth."""
    for call in history.calls.values():
        if call.parent == call_id:
            yield call
            yield from _within(history, call.id)


def _resolve_inner(inner: CallPast, how: str, order: Order, *, unsettled: bool) -> None:
    """What was said of a call holds for those inside it, so that it is said once.

    What is done afresh is done afresh within. Of a call in doubt those are settled that
    are in doubt with it; the others have happened, and it goes on behind them.
    """
    done = inner.state is CallState.COMPLETED
    if how == "afresh" or (how == "again" and not unsettled):
        inner.resolved = how
    elif how != "keep" and not done and not inner.resolved:
        inner.resolved = "with" if how == "happened" else how
    else:
        return
    inner.ended_order = order


def call_kept(history: Answered, record: Record, order: Order) -> None:
    """An answer that holds for a tool in a cell."""
    f = record.fields
    place = fields.text(f, "slot"), fields.text(f, "tool")
    past = fields.text(f, "past")
    if not past:
        differ = frozenset(fields.texts(f, "differ"))
        known = history.kept_tools.get(place)
        differ |= known.differ if known else frozenset()
        history.kept_tools[place] = KeptTool(differ, order)
        return
    how, source = fields.text(f, "how"), fields.text(f, "source")
    before = history.answers.get((*place, past))
    until = before.until if before and before.source == source else None
    said = Said(how, source, order, order if how == "again" else until)
    history.answers[(*place, past)] = said
    if past == "EARLIER_TRY":
        differs = fields.names(f, "differ")
        history.slot(place[0]).shown.setdefault(place[1], []).append(
            Shown(differs, said)
        )
    if past == "OTHER_IN_DOUBT":
        marks = fields.mapping(f, "marks") if "marks" in f else None
        told = Another(record.subject, fields.text(f, "number"), marks, said)
        history.others.setdefault(place, []).append(told)
    if past == "INSTEAD" and record.subject in history.calls:
        standing = history.instead.setdefault(place, {})
        standing.pop(record.subject, None)
        if said.how == "keep":
            standing[record.subject] = Shown(None, said)
