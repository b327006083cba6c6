"""How far an answer holds that was given about a call beside a recorded one. Pure.

Theory of operation. «The same» is said of two calls that are shown: of a tool that was
edited, or of one with an argument drawn afresh. It is meant for the other calls of the
cell, too, as far as they differ in what those two differed in: pay('ann', key='b') was
pay('ann', key='a'), so pay('bob', key='d') is pay('bob', key='c'), but no pay('cid', …).
«Another one» holds the other way: for calls that differ in that, and perhaps in more.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from nbdurable.engine.past.attempts import SlotPast
from nbdurable.engine.past.circumstances import AGAIN, KEEP, Circumstances, holds
from nbdurable.engine.past.edits import compared, differing
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import CallPast, Shown
from nbdurable.engine.past.wanted import Wanted
from nbdurable_store.records import Plain

ALL = None
"""The parameters that two calls differ in, where nobody knows those."""


def apart(call: CallPast, wanted: Wanted) -> frozenset[str] | None:
    """The parameters in which a call differs from a recorded one; `ALL` if unknown.

    Args:
        call: The recorded call.
        wanted: The call that is about to be made.
    """
    made = wanted.marks()
    if made is None or call.marks is None:
        return ALL
    return differing(*compared(call, wanted, made))


def is_same_version(
    history: History, slot: str, call: CallPast, wanted: Wanted
) -> bool:
    """Whether a person said that an edited tool's recorded results are kept for this.

    Args:
        history: The fold of the run.
        slot: The slot in which the call is about to be made.
        call: A call that the tool, as it was, has made.
        wanted: The call that is about to be made.
    """
    kept = history.kept_tools.get((slot, call.name))
    if kept is None:
        return False
    found = frozenset[str]() if call.key == wanted.key else apart(call, wanted)
    return found is ALL or found <= kept.differ


def is_same(
    history: History, where: Circumstances, call: CallPast, wanted: Wanted
) -> bool:
    """Whether a person said of two such calls that they are one."""
    said = _said(history, where, (call.name, wanted.name), KEEP)
    found = apart(call, wanted) if said else ALL
    return any(
        it.differ is ALL or (found is not ALL and found <= it.differ) for it in said
    )


def stands_for(history: History, slot: str, call: CallPast, wanted: Wanted) -> bool:
    """Whether a doubt of which a person said that it is a new call is this new one.

    Args:
        history: The fold of the run.
        slot: The slot in which it was asked about.
        call: That doubt.
        wanted: The call that is about to be made.
    """
    shown = history.instead.get((slot, call.name), {}).get(call.id)
    if shown is None or shown.differ is ALL:
        return shown is not None
    found = apart(call, wanted)
    return found is ALL or found <= shown.differ


def is_kept(slot: SlotPast, call: CallPast, wanted: Wanted) -> bool:
    """Whether a person said of a rerun that what was done before it is kept for this."""
    found = apart(call, wanted)
    within = slot.kept_differ is ALL or (found is not ALL and found <= slot.kept_differ)
    return bool(slot.kept_writes) and within


def is_another(
    history: History,
    where: Circumstances,
    call: CallPast,
    wanted: Wanted,
    *,
    whole: bool = False,
) -> bool:
    """Whether a person said of two such calls, when this one had ended, that they are two.

    Args:
        history: The fold of the run.
        where: The attempt that is about to make a call.
        call: The recorded call.
        wanted: The call that is about to be made.
        whole: Whether that has to hold for whatever else is held against the recorded
            call: no other call can differ from it in less.
    """
    said = _said(history, where, (call.name, wanted.name), AGAIN)
    found = apart(call, wanted) if said else ALL
    return any(
        (call.id in history.forked or call.ended_order < it.said.order)
        and not (whole and it.differ is not ALL and len(it.differ) > 1)
        and (it.differ is ALL or found is ALL or found >= it.differ)
        for it in said
    )


def _said(
    history: History, where: Circumstances, names: Iterable[str], how: str
) -> Sequence[Shown]:
    """What was said so of a tool, by the names that it has had."""
    given = history.slot(where.slot).shown
    known = itertools.chain(*(given.get(name, ()) for name in dict.fromkeys(names)))
    return [it for it in known if it.said.how == how and holds(history, where, it.said)]


def differ_field(
    call: CallPast, beside: Mapping[str, object], number: str
) -> dict[str, Plain]:
    """What an answer keeps of the two calls that were shown; nothing where that is `ALL`.

    Args:
        call: The recorded call.
        beside: Marks of the calls that were asked about beside another one, by number.
        number: The number of the one that is meant.
    """
    if number not in beside:
        return {"differ": []}  # it was that call
    made = beside[number]
    if not isinstance(made, Mapping) or call.marks is None:
        return {}
    return {"differ": sorted(differing(call.marks, made))}
