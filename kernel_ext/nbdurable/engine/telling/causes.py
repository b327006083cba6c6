"""Why a step has to be executed and is not replayed. Pure.

`cause` compares a step with the last attempt of its slot; `because` says it as it stands
in the line under the cell and in `why`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from nbdurable.engine.identity import keys
from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import Order
from nbdurable.engine.telling.wording import both

LATER: Final[Order] = (1 << 62, "", 0)
"""After every entry of a run."""


class Reason(StrEnum):
    """Why a step is executed and not replayed."""

    NEW = "new"
    CONTINUES = "continues"
    ALGORITHM = "algorithm"
    CODE = "code"
    INPUT = "input"
    FILE = "file"
    NO_DIGEST = "no digest"
    RERUN = "rerun"
    FRESH = "fresh"
    UNKEPT = "unkept"
    INSIDE = "inside"
    UNDONE = "undone"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a step is executed.

    Attributes:
        reason: The kind of reason.
        names: The names that changed, that have no digest, or that were not kept; the
            release that changed the keys.
        files: The files that changed, and what became of each.
        stopped: How the attempt that is continued had ended.
        itself: Those of the names that the cell changed itself when it last ran.
        gone: Why the recorded outcome can't be brought back.
    """

    reason: Reason
    names: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    stopped: str = ""
    itself: tuple[str, ...] = ()
    gone: str = ""


def cause(
    history: History,
    *,
    slot: str,
    source: str,
    reads: Mapping[str, str | None],
    before: Order = LATER,
    files: Mapping[str, str] | None = None,
) -> Cause:
    """Why a step with this source and these inputs has to be executed.

    Args:
        history: The fold of the run.
        slot: The slot it is executed in.
        source: Digest of its normalised source, hex.
        reads: Digest (hex) of each name it reads, and of each class and module behind
            them; None without one.
        before: Only attempts that started before this are looked at.
        files: What became of the files that the last attempt read.
    """
    last = previous(history, slot, before)
    if last is None:
        return Cause(Reason.NEW)
    reset = history.slot(slot).reset
    if reset is not None and last.order < reset < before:
        return Cause(Reason.RERUN)
    if last.source != source:
        return Cause(Reason.CODE)
    names = {coded(name) for name in changed(last.counted, _comparable(last, reads))}
    if names:
        itself = tuple(sorted(n for n in names if last.left.get(n) == reads.get(n, "")))
        return Cause(Reason.INPUT, tuple(sorted(names)), itself=itself)
    if last.state is not StepState.COMPLETED or last.ended_order > before:
        return Cause(Reason.CONTINUES, stopped=last.how)
    if files:
        return Cause(Reason.FILE, files=files)
    return _asked_for(history, last) or _though_equal(last, reads)


def rekeyed(
    history: History, slot: str, algorithm: str, before: Order = LATER
) -> Cause | None:
    """The cause of an attempt whose digests are of another version than the last one's.

    Args:
        history: The fold of the run.
        slot: The slot it is executed in.
        algorithm: The version of its digests.
        before: Only attempts that started before this are looked at.
    """
    last = previous(history, slot, before)
    if last is None or last.algorithm == algorithm:
        return None
    return Cause(Reason.ALGORITHM, (keys.ALGORITHMS.get(algorithm, ""),))


def previous(history: History, slot: str, before: Order = LATER) -> StepPast | None:
    """The attempt of a slot that an attempt is compared with."""
    return next((s for s in history.attempts(slot) if s.order < before), None)


def _asked_for(history: History, last: StepPast) -> Cause | None:
    """What a person asked for of the calls of a completed attempt."""
    if _has_call_afresh(history, last):
        return Cause(Reason.RERUN)
    undone = {c.name for c in history.calls_of(last) if c.resolved == "undone"}
    return Cause(Reason.UNDONE, tuple(sorted(undone))) if undone else None


def _has_call_afresh(history: History, last: StepPast) -> bool:
    """Whether a rerun of one of its calls was asked for."""
    calls = (history.calls[i] for i in last.used if i in history.calls)
    return any(
        call.resolved == "afresh"
        or (call.step != last.id and any(e.resolved == "afresh" for e in call.earlier))
        for call in calls
    )


def _though_equal(last: StepPast, reads: Mapping[str, str | None]) -> Cause:
    """Why a step is executed whose code and inputs are those of a completed one."""
    bare = tuple(sorted(n for n, d in reads.items() if d is None))
    if bare:
        return Cause(Reason.NO_DIGEST, bare)
    unkept = last.fields.get("unsaved")
    if isinstance(unkept, Mapping) and "" in unkept:
        return Cause(Reason.UNKEPT)
    inside = last.fields.get("inside")
    if isinstance(inside, list | tuple) and inside:
        return Cause(Reason.INSIDE, tuple(map(str, inside)))
    return Cause(Reason.AGAIN)


def changed(
    old: Mapping[str, str | None], new: Mapping[str, str | None]
) -> Collection[str]:
    """Names whose digest is another one; a name without a digest counts as equal."""
    return {
        name
        for name in (*old, *new)
        if (name in old) != (name in new)
        or (old[name] and new[name] and old[name] != new[name])
    }


def _comparable(
    last: StepPast, reads: Mapping[str, str | None]
) -> Mapping[str, str | None]:
    """What can be compared: not what was not yet written down of the last attempt."""
    if last.codes is not None:
        return reads
    return {name: digest for name, digest in reads.items() if name.isidentifier()}


def coded(label: str) -> str:
    """What people call a class or module behind what a cell reads.

    Example:
        >>> coded("__main__.Invoice"), coded("import pack.inner")
        ('Invoice', 'pack.inner')
    """
    module = label.removeprefix("import ")
    return module if module != label else label.rpartition(".")[2]


def changed_files(step: StepPast) -> Mapping[str, str]:
    """The files for whose sake an attempt was executed, and what became of them."""
    found = step.fields.get("changed_files")
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {str(name): str(told) for name, told in pairs}


def because(why: Cause, cells: Mapping[str, str] | None = None) -> str:
    """A cause, as it stands behind «ran again because»; "" for a new step.

    Args:
        why: The cause.
        cells: Where each name was assigned, such as ``cell 2``.

    Example:
        >>> because(Cause(Reason.INPUT, ("PROMPT",)), {"PROMPT": "cell 2"})
        'PROMPT changed (cell 2)'
    """
    names = both(why.names)
    stopped = {
        "interrupted": "its last attempt was interrupted",
        "paused": "its last attempt waited for an answer",
        "raised": "its last attempt ended with an error",
    }
    told = {
        Reason.NEW: "",
        Reason.CONTINUES: stopped.get(why.stopped, "the kernel stopped during it"),
        Reason.ALGORITHM: _keys_differ(names),
        Reason.CODE: "its code changed",
        Reason.INPUT: _inputs_changed(why, cells or {}),
        Reason.FILE: both([f"{name} {told}" for name, told in why.files.items()]),
        Reason.NO_DIGEST: f"{names} {_have(why.names)} no digest",
        Reason.RERUN: "you asked for a rerun",
        Reason.FRESH: "its line says --fresh",
        Reason.UNKEPT: "its variables could not be kept",
        Reason.INSIDE: f"only running it changes {names} in place",
        Reason.UNDONE: f"you undid {names}",
        Reason.AGAIN: why.gone or "its calls belong to another cell now",
    }
    return told[why.reason]


def advice(why: Cause) -> str:
    """How to have a cell replayed that changes its own input; "" for any other."""
    if not why.itself:
        return ""
    name = why.itself[0]
    return (
        f"to have it replayed: make {name} in this cell,"
        f" or bind what it makes of {name} to another name"
    )


def outdated(modules: Collection[str]) -> str:
    """That a cell runs code whose file says something else by now."""
    told = both(sorted(modules))
    return f"{told} edited since the import: the old code ran, restart or reload"


def _keys_differ(since: str) -> str:
    return f"nbdurable computes keys differently{since and f' since version {since}'}"


ITSELF: Final = "by this cell itself"
"""The place of a change that the cell made when it last ran."""


def by_place(why: Cause, cells: Mapping[str, str]) -> Mapping[str, list[str]]:
    """The names that changed, by where they did; "" where nobody knows.

    Example:
        >>> by_place(Cause(Reason.INPUT, ("a", "b"), itself=("b",)), {"a": "cell 2"})
        {'cell 2': ['a'], 'by this cell itself': ['b']}
    """
    found = {**cells, **dict.fromkeys(why.itself, ITSELF)}
    names: dict[str, list[str]] = {}
    for name in why.names:
        names.setdefault(found.get(name, ""), []).append(name)
    return names


def _inputs_changed(why: Cause, cells: Mapping[str, str]) -> str:
    places = by_place(why, cells)
    if len(places) == 1:
        (place,) = places
        return f"{both(why.names)} changed{place and f' ({place})'}"
    told = [f"{both(n)}{place and f' ({place})'}" for place, n in places.items()]
    return f"{both(told)} changed"


def _have(names: tuple[str, ...]) -> str:
    return "has" if len(names) == 1 else "have"


def makers(history: History, before: Order = LATER) -> Mapping[str, str]:
    """The step that last stored each name, among those that ended before."""
    made: dict[str, str] = {}
    for step in sorted(history.steps.values(), key=lambda s: s.ended_order):
        if step.ended_order < before:
            made.update((n, step.name) for group in step.groups for n in group)
    return made
