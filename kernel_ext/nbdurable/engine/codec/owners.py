"""Which arrays a graph keeps, besides those that it sees parts of.

A part of a large array may be all that is left of it: it is stored alone then, and the
large one is not stored for its sake. But what shares memory has to share it again. So
an array is kept beside its parts if the graph holds it anyway, if the parts are a good
deal of it, or if two of them overlap.
"""

from __future__ import annotations

import bisect
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from nbdurable.engine.codec import layout, views
from nbdurable.engine.codec.connected import Referents, beside_base, referents_of
from nbdurable.engine.codec.meeting import Look
from nbdurable.engine.codec.reducers import qualified

COMPARED_MAX: Final = 10_000
"""Pairs of parts that are compared; of an array with more, parts count as shared."""

_WORK_MAX: Final = 1_000
"""Solutions that numpy tries for a pair; it may be one that takes for ever."""


class Owners:
    """The arrays that are kept whole, of what is written one after the other."""

    def __init__(self) -> None:
        self._look = Look(frozenset(), self._ask)
        self._left: list[object] = []
        self._parts: defaultdict[int, list[Any]] = defaultdict(list)
        self._worth: dict[int, bool] = {}

    def add(self, root: object) -> None:
        """One more value that is written, with all that it reaches."""
        self._left.append(root)

    def __contains__(self, owner: object) -> bool:
        while self._left:
            self._look.through(self._left.pop())
        if id(owner) in self._look.seen:
            return True
        if id(owner) not in self._worth:
            parts = self._parts.get(id(owner))
            self._worth[id(owner)] = parts is not None and _is_worth_it(parts)
        return self._worth[id(owner)]

    def _ask(self, kind: type) -> Referents | None:
        asked = referents_of(kind)
        names = {qualified(cls) for cls in kind.__mro__}
        return self._of_array if asked and "numpy.ndarray" in names else asked

    def _of_array(self, array: Any) -> Iterable[object]:
        owner = _memory(array)
        if owner is not None:
            self._parts[id(owner)].append(array)
            if not self._worth.get(id(owner)):  # more parts can only make it worth it
                self._worth.pop(id(owner), None)
        return beside_base(array)


def _memory(array: Any) -> Any:
    first = views.owner_of(array)
    return views.bytes_of(array) if first is None else first


class Wholes:
    """Arrays that views can be parts of, among thousands over one memory.

    Only those are looked at that lie in no other one: of these, the last that begins
    before a view is the only one that can hold it.

    Args:
        found: Any objects.
    """

    def __init__(self, found: Iterable[Any]) -> None:
        every: defaultdict[_Memory, list[tuple[int, int, int, Any]]] = defaultdict(list)
        for number, each in enumerate(found):
            if views.is_array(each) and views.can_be_placed(each):
                begin, end = views.stretch_of(each)
                every[_over(each)].append((begin, -end, number, each))
        self._wholes: dict[_Memory, tuple[list[int], list[Any]]] = {}
        for memory, parts in every.items():
            begins, wholes, last = list[int](), list[Any](), 0
            for begin, end, _, each in sorted(parts, key=lambda part: part[:3]):
                if -end > last:
                    begins.append(begin)
                    wholes.append(each)
                    last = -end
            self._wholes[memory] = begins, wholes

    def holding(self, part: Any) -> Any:
        """The array that a view is a part of, or itself; ``None`` if there is none."""
        begins, wholes = self._wholes.get(_over(part), ((), ()))
        at = bisect.bisect_right(begins, views.stretch_of(part)[0])
        whole = wholes[at - 1] if at else None
        return whole if at and views.can_hold(whole, part) else None


_Memory = tuple[int, Any]


def _over(array: Any) -> _Memory:
    """Whose memory it is; objects are found among objects of their type alone."""
    return id(views.owner_of(array)), array.dtype if array.dtype.hasobject else None


def memories(found: Iterable[Any]) -> set[int]:
    """Ids of what owns the memory of arrays, where that is not the array itself.

    Args:
        found: Any objects.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return set()
    first = [_memory(each) for each in found if isinstance(each, numpy.ndarray)]
    return {id(owner) for owner in first if owner is not None}


def _is_worth_it(parts: list[Any]) -> bool:
    owner = _memory(parts[0])
    size = sum(part.nbytes for part in parts)
    if not layout.is_bytes(owner) and owner.dtype.hasobject:
        return any(views.is_all_of(part, owner) for part in parts)
    own = not layout.is_bytes(owner) and views.is_close(size, owner.nbytes)
    return own or _overlap(parts)


def _overlap(parts: list[Any]) -> bool:
    numpy = sys.modules["numpy"]
    pairs = itertools.combinations(parts, 2)
    for one, other in itertools.islice(pairs, COMPARED_MAX):
        try:
            if numpy.shares_memory(one, other, max_work=_WORK_MAX):
                return True
        except numpy.exceptions.TooHardError:
            return True
    return next(pairs, None) is not None
