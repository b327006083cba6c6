"""The values of the variables that a tool reads, at each of its calls.

A small one is looked at at each call, so that a cell that changes it between two calls
makes two different ones. A big one costs too much for that: it is looked at when the
attempt first meets it, and when another object is bound to its name.

Code in the values is reached as well: what it changes doesn't count. Each look meets
code of its own, since several threads look for one tool at once.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import NamedTuple

from nbdurable.engine.identity import plain
from nbdurable.engine.identity.canonical import Hasher, Redact
from nbdurable.engine.identity.code import CallCodes
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.identity.held import held_by
from nbdurable.engine.identity.registry import CODE, kind_of
from nbdurable.engine.identity.variables import Variable, Variables
from nbdurable.engine.past.wanted import VALUE
from nbdurable.engine.values.contents import digest_of

SMALL_MAX = 1000
"""Elements and items that are hashed at each call; less than a sync takes."""

CHARACTERS = 64
"""Of a text that count as one element."""

_BIG = frozenset({"pandas", "polars", "pyarrow"})
"""Libraries of which nobody can quickly say how much a value holds."""

_SIZED = frozenset({"builtins", "collections", "array"})
"""Modules whose containers say quickly how much they hold; a `range` holds nothing."""

_SETS = frozenset({set, frozenset})
_NUMBERS = plain.ATOMS - plain.TEXTS
_DATA = plain.PLAIN | _SETS


class Look(NamedTuple):
    """What a variable was bound to, looked at.

    Attributes:
        value: That object.
        reached: What the code in it reads and changes.
        digest: Its digest, if it has one.
        types: The types of what is in it, apart from those of plain data.
    """

    value: object
    reached: Variables
    digest: bytes | None = None
    types: frozenset[type] = frozenset()


_Place = tuple[int, int, str]
"""A variable, and the notebook that code in its value belongs to."""


class Looking:
    """The variables of an attempt, as they are at each call."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self._big: dict[_Place, Look] = {}
        self._first: dict[_Place, Look] = {}

    def settle(self, codes: CallCodes) -> None:
        """Meet what the code in the values of the variables reaches; big ones have none."""
        looked = set[str]()
        while todo := [v for v in codes.variables.left() if v.label not in looked]:
            for variable in todo:
                looked.add(variable.label)
                if _holds_code(variable.value):
                    look = self._once(variable, codes, self._first)
                    codes.variables.take(look.reached)

    def now(
        self, variables: Sequence[Variable], codes: CallCodes
    ) -> tuple[dict[str, bytes], set[type]]:
        """The digests of those that count by now, and the types in them."""
        digests, types = dict[str, bytes](), set[type]()
        for variable in variables:
            look = self._now(variable, codes)
            if look.digest is not None and codes.leaves(look.types, look.reached):
                digests[f"{VALUE}{variable.label}"] = look.digest
                types |= look.types
        return digests, types

    def _now(self, variable: Variable, codes: CallCodes) -> Look:
        value = variable.value
        if _is_small(value):
            return self._look(value, codes)
        return self._once(variable, codes, self._big)

    def _once(
        self, variable: Variable, codes: CallCodes, looks: dict[_Place, Look]
    ) -> Look:
        value, place = variable.value, (codes.home, id(variable.home), variable.name)
        known = looks.get(place)
        if known is None or known.value is not value:
            known = looks[place] = self._look(value, codes)
        return known

    def _look(self, value: object, codes: CallCodes) -> Look:
        own = codes.anew()
        hasher = Hasher(
            call_arguments=True, redact=self._redact, codes=own, contents=digest_of
        )
        try:
            digest = hasher.digest(value)
        except Undigestible:
            return Look(value, own.variables)
        return Look(value, own.variables, digest, frozenset(hasher.types))


def _holds_code(value: object) -> bool:
    """Whether a value is little but for the code in it, and there may be some."""
    if type(value) in plain.ATOMS:
        return False
    found: set[type] = set()
    return _is_small(value, found) and not found <= _DATA


def _is_small(value: object, found: set[type] | None = None) -> bool:
    """Whether a value is little data; the elements of sets and attributes count.

    Args:
        value: Any value.
        found: Takes the types met; what code holds then doesn't count.
    """
    level: list[object] = [value]
    room = SMALL_MAX
    for _ in range(plain.LEVELS_MAX):
        types = set(map(type, level))
        if found is not None:
            found |= types
        if types <= _NUMBERS:
            return True
        room -= sum(map(_size, level))
        if room < 0:
            return False
        inner = [x for x in level if type(x) not in plain.ATOMS]
        if found is not None and not types <= _DATA:
            inner = [x for x in inner if kind_of(type(x)) is not CODE]
        level = held_by(*inner)
        if not types <= plain.PLAIN:  # instances lead to their classes
            level = [x for x in level if not isinstance(x, type)]
    return False


def _size(value: object) -> int:
    """How much of a value stands in itself: elements, or the length of a text."""
    kind = type(value)
    if kind in plain.TEXTS:
        return len(value) // CHARACTERS  # type: ignore[arg-type]  # a text
    if kind in plain.ATOMS:
        return 0
    if kind in plain.PLAIN or kind in _SETS:
        return 1 + len(value)  # type: ignore[arg-type]  # a container
    library = str(kind.__module__).partition(".")[0]
    if library in _SIZED and kind is not range and issubclass(kind, Sized):
        return 1 + len(value) // (CHARACTERS if kind is bytearray else 1)  # type: ignore[arg-type]  # it has one
    if library == "numpy":
        return 1 + int(getattr(value, "nbytes", 0)) // CHARACTERS
    return SMALL_MAX + 1 if library in _BIG else 1
