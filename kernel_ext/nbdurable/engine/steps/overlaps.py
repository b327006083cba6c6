"""Arrays that a step made over memory which others see too.

A part of an array is found by a replay where the array has a place, or one over the same
memory has. A part of a masked array, of one with a class of its own or of an
`array.array` has no such place: a replay gives it memory of its own, and parts it from
what others hold.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from nbdurable.engine.codec import arrays, layout, owners, views
from nbdurable.engine.codec.connected import Referents
from nbdurable.engine.codec.filling import GENERATORS
from nbdurable.engine.codec.grafts import Marks
from nbdurable.engine.codec.meeting import Ask, holders, reached
from nbdurable.engine.codec.reducers import qualified
from nbdurable.engine.identity.held import held_by
from nbdurable.engine.steps.parting import of_the_notebook, referents

Values = Mapping[str, object]
Arrays = Mapping[int, Any]


def lone(marks: Marks, made: Values) -> Arrays:
    """The arrays in what a step made whose memory no place leads to, by id.

    Args:
        marks: What a replay finds by its place.
        made: The variables that the step made or changed.
    """
    if "numpy" not in sys.modules:
        return {}
    there = marks.found.keys() | marks.standing.keys()
    wholes = owners.Wholes(each for each, _, _ in marks.found.values())

    def is_found(array: Any) -> bool:
        first = views.owner_of(array)
        memory = views.bytes_of(array if first is None else first)
        whole = (each for each in (first, memory) if id(each) in marks.found)
        placed = filter(views.can_be_placed, whole)
        if id(array) in there or any(views.can_hold(each, array) for each in placed):
            return True
        return first is not None and wholes.holding(array) is not None

    found: list[Any] = []
    reached(made.values(), _noting(found, referents))
    mine = (a for a in found if a.nbytes and not arrays.is_mapped(a))
    return {id(a): a for a in mine if not is_found(a)}


def over(some: Arrays, values: Values) -> set[int]:
    """Ids of what variables hold over the memory of some arrays, or to own it.

    Args:
        some: The arrays.
        values: The variables.
    """
    roots = {id(layout.root_of(array)) for array in some.values()}
    if not roots:
        return set()
    seen: list[Any] = []
    held = holders(values, roots, ask=_noting(seen, referents)).found
    return {*held, *(id(a) for a in seen if id(layout.root_of(a)) in roots)}


def parted(some: Arrays, made: Values, others: Values) -> set[str]:
    """The names of what a step made that a replay would part from what others hold.

    Args:
        some: Arrays that no place leads to.
        made: The variables that the step made or changed.
        others: Those that it didn't make.
    """
    if not some:
        return set()
    roots = {i: layout.root_of(array) for i, array in some.items()}
    seen: list[Any] = []
    buffers = {type(each) for each in roots.values() if not views.is_array(each)}

    def ask(kind: type) -> Referents | None:
        return held_by if kind in buffers else of_the_notebook(kind)

    whole = holders(others, {*map(id, roots.values())}, ask=_noting(seen, ask)).found
    written = {i for i, each in whole.items() if _is_writable(each)}
    written |= {id(layout.root_of(each)) for each in seen if each.flags.writeable}
    read = {*whole, *(id(layout.root_of(each)) for each in seen)}
    lost = {
        i
        for i, array in some.items()
        if id(roots[i]) in (read if array.flags.writeable else written)
    }
    return holders(made, lost, ask=referents).names


def _is_writable(root: object) -> bool:
    """Whether whoever holds what owns the memory can write to it."""
    try:
        return not memoryview(root).readonly  # type: ignore[arg-type]  # a buffer or not
    except (TypeError, ValueError, BufferError):
        return False


def _noting(found: list[Any], ask: Ask) -> Ask:
    """The same way to ask, which notes the arrays that it is asked about."""

    def noted(kind: type) -> Referents | None:
        asked = ask(kind)
        if qualified(kind) in GENERATORS:  # filled by its state, whatever that lies in
            return None
        if asked is None or not views.is_kind_of_array(kind):
            return asked

        def of_array(array: Any) -> Iterable[object]:
            found.append(array)
            return asked(array)

        return of_array

    return noted
