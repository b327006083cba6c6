"""Which recorded call another one with other arguments is nearest to. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from nbdurable.engine.past.history import CallPast, History
from nbdurable.engine.past.wanted import Wanted

NEAR_MAX: Final = 100
"""Recorded calls that a new one is compared with, the likeliest first: a cell of ten
thousand payments must not compare each with each."""


Given: TypeAlias = Mapping[str, object] | None
"""The arguments of a call that is about to be made; None if they aren't plain."""


class Near(NamedTuple):
    """How near a recorded call is to a new one.

    Attributes:
        equal: How many of their arguments are equal.
        alike: Whether they may be one call with an argument drawn afresh: some argument
            is equal, or there is only one, or nobody can tell.
    """

    equal: int
    alike: bool


UNKNOWN: Final = Near(0, alike=True)
"""Of one of them the arguments were not kept."""


def given(wanted: Wanted) -> Given:
    """The arguments of a call that is about to be made."""
    return _named(wanted.arguments())


def near(call: CallPast, arguments: Given) -> Near:
    """How near a recorded call is to these arguments.

    Args:
        call: The recorded call.
        arguments: What `given` gives.
    """
    kept = call.arguments
    text = kept if isinstance(kept, str) else None
    held = None if text is None else _named(text.encode("utf-8", "surrogatepass"))
    if held is None or arguments is None:
        return UNKNOWN
    equal = sum(held.get(name, _ABSENT) == value for name, value in arguments.items())
    return Near(equal, alike=bool(equal) or len(arguments) < 2)


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


_ABSENT: Final = object()


def _named(data: bytes | None) -> Mapping[str, object] | None:
    if data is None:
        return None
    try:
        found = json.loads(data)  # envelopes stay closed: they are only compared
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None
