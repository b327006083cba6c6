"""Functions that go on from where they were, held by names of which a step made one.

A counter's function keeps its count in a variable of its closure. A replay can't put the
function of an earlier step into a list: what it puts there is another one, equal, with a
count of its own. So where both could move on, the step is to run again instead.
"""

from __future__ import annotations

import dis
import linecache
import types
from collections.abc import Iterator, Mapping
from typing import Any, Final

from nbdurable.engine.codec.meeting import holders, of_kind
from nbdurable.engine.identity.plain import ATOMS
from nbdurable.engine.identity.sources import Sources
from nbdurable.engine.steps.farther import others_of

Values = Mapping[str, object]


def counting(made: Values, mine: Values, sources: Sources) -> set[str]:
    """The names of which a replay would part a function from others that hold it.

    Args:
        made: The variables that the step made or changed.
        mine: All variables.
        sources: The texts of the cells: where none says it, no function counts, and
            values are not walked.
    """
    if not (sources.say(_WORD) or any(map(_says, [*linecache.cache.values()]))):
        return set()
    made = {n: v for n, v in made.items() if type(v) not in ATOMS}
    own = of_kind(types.FunctionType, made.values())
    if not any(map(_kept_in, own)):
        return set()
    theirs = of_kind(types.FunctionType, others_of(made, mine).values())
    shared = {id(c) for f in own for c in _kept_in(f)}
    shared &= {id(c) for f in theirs for c in _kept_in(f)}
    moved = {id(c) for f in (*own, *theirs) for c in _moved_by(f)}
    return holders(made, shared & moved).names


_WORD: Final = "nonlocal"


def _says(entry: tuple[Any, ...]) -> bool:
    """Whether the text of a cell, of this kernel or an earlier one, has the word."""
    # An entry without a time is none of a file.
    return len(entry) > 2 and entry[1] is None and any(_WORD in x for x in entry[2])


def _kept_in(function: types.FunctionType) -> tuple[types.CellType, ...]:
    """The variables of a closure of the notebook."""
    own = function.__globals__.get("__name__") == "__main__"
    return function.__closure__ or () if own else ()


def _moved_by(function: types.FunctionType) -> Iterator[types.CellType]:
    """Those that it gives other values (`nonlocal`), or that a function in it does."""
    if cells := _kept_in(function):
        names = set(_assigned(function.__code__))
        free = function.__code__.co_freevars
        yield from (c for name, c in zip(free, cells, strict=True) if name in names)


def _assigned(code: types.CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("STORE_DEREF", "DELETE_DEREF"):
            yield step.argval
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from set(_assigned(inner)) & {*inner.co_freevars}
