"""Where a call stands since it was served, folded into the history. Pure.

It is served to another cell, to another call around it, or to code whose tool has other
parameters or another name by now. From then on it is known as it is made there.
"""

from __future__ import annotations

from typing import Protocol

from nbdurable.engine.past import fields
from nbdurable.engine.past.keyed import Keyed
from nbdurable.engine.past.pasts import CallPast, KeptTool, Order
from nbdurable_store.records import Record


class Adopting(Protocol):
    """The part of a history that adoption changes."""

    calls: dict[str, CallPast]
    by_key: Keyed
    forked: set[str]
    kept_tools: dict[tuple[str, str], KeptTool]


def call_adopted(history: Adopting, record: Record, order: Order) -> None:
    """A call was served at another place, or as another one than it was made as."""
    call, f = history.calls.get(record.subject), record.fields
    if call is None:
        return
    history.forked.discard(call.id)
    if record.step != call.step:
        call.taken_in += (record.step,)  # it is known before that one ends, if ever
    slot = fields.text(f, "slot")
    if slot != call.slot:
        call.adopted_from, call.slot = call.slot, slot
    if "parent" in f:
        outer = history.calls.get(call.parent)
        if outer is not None and outer.step != record.step:  # else it did without it
            call.once_in += ((call.parent, order),)
        call.parent, call.scope = fields.text(f, "parent"), fields.text(f, "scope")
    if "marks" in f:
        kept = history.kept_tools.get((slot, call.name))
        if kept is not None:  # for later versions too
            history.kept_tools.setdefault((slot, fields.text(f, "name")), kept)
        known_as(history, call, record)


def known_as(history: Adopting, call: CallPast, record: Record) -> None:
    """A call was served to one of another version of its tool: it is that one by now."""
    f, name = record.fields, fields.text(record.fields, "name")
    call.renamed |= call.name != name
    call.name, call.code = name, fields.text(f, "code")
    call.codes, call.marks = fields.mapping(f, "codes"), fields.mapping(f, "marks")
    call.key = record.key
    history.by_key.add(call.key, call.id)
