"""Which recorded call another one with other arguments is nearest to. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from nbdurable.engine.past.circumstances import Circumstances
from nbdurable.engine.past.edits import DEFAULT, UNKNOWN, Marks
from nbdurable.engine.past.history import CallPast, History

NEAR_MAX: Final = 100
"""Recorded calls that a new one is compared with, the likeliest first: a cell of ten
thousand payments must not compare each with each."""


class Near(NamedTuple):
    """How near a recorded call is to a new one.

    Attributes:
        equal: How many of their arguments are equal, defaults aside.
        alike: Whether they may be one call with an argument drawn afresh: some argument
            is equal, or there is only one, or nobody can tell.
    """

    equal: int
    alike: bool


class Left(NamedTuple):
    """A call that happened, and that this attempt was not served.

    Attributes:
        call: The call.
        near: How near it is to the one that is about to be made.
        kept: Whether its result is served for that one, as a person said.
    """

    call: CallPast
    near: Near
    kept: bool


def near(call: CallPast, marks: Marks | None) -> Near:
    """How near a recorded call is to a new one.

    Args:
        call: The recorded call.
        marks: The marks of the new one's arguments, if it has some.
    """
    if call.marks is None or marks is None:
        return Near(0, alike=True)
    given = _given(marks)
    bare = UNKNOWN in given.values() or UNKNOWN in call.marks.values()
    equal = shared(call.marks, marks)
    return Near(equal, alike=bool(equal) or bare or len(given) < 2)


def shared(one: Marks | None, other: Marks | None) -> int:
    """How many arguments of two calls are equal, defaults of the other one aside."""
    if one is None or other is None:
        return 0
    return sum(one.get(n) == m != UNKNOWN for n, m in _given(other).items())


def have_nothing_in_common(one: Marks | None, other: Marks | None) -> bool:
    """Whether it is known of two calls that no argument of them is equal."""
    if not one or not other or UNKNOWN in {*one.values(), *other.values()}:
        return False
    return bool(_given(one) and _given(other)) and not shared(one, other)


def _given(marks: Marks) -> Marks:
    return {n: m for n, m in marks.items() if not str(m).startswith(DEFAULT)}


def is_nearer(
    left: Left, doubt: CallPast | None, marks: Marks | None, where: Circumstances
) -> bool:
    """Whether a call that happened is nearer than one that may have happened.

    Where neither is, the cell made first what it made first.
    """
    if doubt is None or doubt.slot != where.slot:
        return False
    equal = near(doubt, marks).equal
    if left.near.equal != equal or not where.was_of(doubt):
        return left.near.equal > equal
    return left.call.order < doubt.order


def no_longer_alike(call: CallPast, marks: Marks | None) -> bool:
    """Whether a recorded call has its parameters still, and shares no argument by now."""
    old, new = call.marks or {}, marks or {}
    return _given(old).keys() <= new.keys() and not near(call, marks).alike


def place(history: History, scope: str, parent: str) -> tuple[str, ...]:
    """Where in its cell a call is made, told by names: an id is another one each time.

    Args:
        history: The fold of the run.
        scope: The scope of the call.
        parent: Logical id of the enclosing call, or "".
    """
    parts = [scope.removeprefix(parent)]
    seen: set[str] = set()
    while (outer := history.calls.get(parent)) is not None and parent not in seen:
        seen.add(parent)
        parts += [outer.name, outer.scope.removeprefix(outer.parent)]
        parent = outer.parent
    return tuple(parts)
