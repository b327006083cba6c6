"""Which arrays a graph keeps, besides those that it sees parts of.

A part of a large array may be all that is left of it: it is stored alone then, and the
large one is not stored for its sake. But what shares memory has to share it again. So
an array is kept beside its parts if the graph holds it anyway, if the parts are a good
deal of it, or if two of them overlap.
"""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from nbdurable.engine.codec import views
from nbdurable.engine.codec.connected import Referents, beside_base, referents_of
from nbdurable.engine.codec.meeting import reached
from nbdurable.engine.codec.reducers import qualified

COMPARED_MAX: Final = 10_000
"""Pairs of parts that are compared; of an array with more, parts count as shared."""

_WORK_MAX: Final = 1_000
"""Solutions that numpy tries for a pair; it may be one that takes for ever."""


def owners(roots: Iterable[object]) -> set[int]:
    """Ids of the arrays that are kept whole; they hold as long as the roots do.

    Args:
        roots: What is written.
    """
    arrays: list[Any] = []

    def of_array(array: Any) -> Iterable[object]:
        arrays.append(array)
        return beside_base(array)

    def ask(kind: type) -> Referents | None:
        asked = referents_of(kind)
        names = {qualified(cls) for cls in kind.__mro__}
        return of_array if asked and "numpy.ndarray" in names else asked

    kept = reached(roots, ask)
    parts: defaultdict[int, list[Any]] = defaultdict(list)
    for array in arrays:
        owner = _memory(array)
        if owner is not None and id(owner) not in kept:
            parts[id(owner)].append(array)
    return kept | {owner for owner, of in parts.items() if _is_worth_it(of)}


def _memory(array: Any) -> Any:
    first = views.owner_of(array)
    return views.bytes_of(array) if first is None else first


def by_owner(found: Iterable[Any]) -> dict[int, list[Any]]:
    """Arrays that views can be parts of, by the id of the array that owns their memory.

    Args:
        found: Any objects.
    """
    arrays: defaultdict[int, list[Any]] = defaultdict(list)
    for each in found:
        if views.is_array(each) and views.can_be_placed(each):
            arrays[id(views.owner_of(each))].append(each)
    return dict(arrays)


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
    if type(owner) is not bytearray and owner.dtype.hasobject:
        return any(views.is_all_of(part, owner) for part in parts)
    own = type(owner) is not bytearray and views.is_close(size, owner.nbytes)
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
