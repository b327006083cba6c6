"""The calls of two attempts, aligned by what they are. Pure.

Equal calls are pairs, wherever they stand. What is left is paired by tool, in order: a
call whose arguments were changed is the one that took the place of the old one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from nbdurable.engine.past.pasts import CallPast


class Pair(NamedTuple):
    """A call before and after; one of them may be missing."""

    old: CallPast | None
    new: CallPast | None


def aligned(old: Sequence[CallPast], new: Sequence[CallPast]) -> list[Pair]:
    """The calls of two attempts as pairs, in the order of the later attempt."""
    found: dict[str, CallPast] = {}
    for sameness in (_by_key, _by_tool):
        taken = {call.id for call in found.values()}
        waiting: dict[object, deque[CallPast]] = {}
        for call in old:
            if call.id not in taken:
                waiting.setdefault(sameness(call), deque()).append(call)
        for call in new:
            twins = waiting.get(sameness(call))
            if call.id not in found and twins:
                found[call.id] = twins.popleft()
    taken = {call.id for call in found.values()}
    pairs = [Pair(found.get(call.id), call) for call in new]
    return [*pairs, *(Pair(call, None) for call in old if call.id not in taken)]


def _by_key(call: CallPast) -> object:
    return call.key


def _by_tool(call: CallPast) -> object:
    return call.name, bool(call.parent)
