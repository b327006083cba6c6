"""Objects that were there before: written as places, found again or made anew on load.

Theory of operation
-------------------
A step that appends to a list it was given has changed an object that others may hold.
Giving the name a new, equal list would leave them with the old one. So what a step can
reach before it runs is *marked*: each object that can be filled, with its place (a name
and the way from it). In the values of the step, such an object is written as its place,
and beside them stands its *twin*, the content it has now.

On replay the step's inputs are equal to what they were, so every place leads to the
object that stood there, and it is filled from its twin: nothing was rebound, everybody
who holds it sees it. Where there is no such object (another kernel, a restored
variable) an empty one is made first; places that are equal are then one object.
"""

from __future__ import annotations

import collections
import itertools
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nbdurable.engine.codec import layout, rebuild, reducers
from nbdurable.engine.codec.filling import (
    FILLED,
    GENERATORS,
    attributes,
    fill,
    fills,
    fresh,
    slots,
    stamp,
)
from nbdurable.engine.codec.plain_write import Place

MARKS_MAX: Final = 10_000
"""Objects that are marked, nearest to the names first. Marking one costs half a
microsecond; of those beyond, only what the step put elsewhere is marked, afterwards."""

LEVELS_MAX: Final = 50
"""Steps from a name to an object that is marked: each is written with the place."""

_ATOMS: Final = frozenset({str, int, float, bool, type(None), bytes, complex})


@dataclass(slots=True)
class Marks:
    """What names could reach before a step ran.

    Attributes:
        found: By id: the object, held so that its id stays its own, the id of the one
            it was found in (0 for a name), and the step from there.
        given: The values of the names.
        opaque: What was met and not looked into: it may hold more.
        rest: By the id of an object whose parts are too many to be marked: what it held.
        cut: Whether there are more objects than are marked.
        fixed: What was met and can't be filled, as in ``found``.
        standing: Of these, by id: what is as it was, and written beside its place.
    """

    found: dict[int, tuple[object, int, Any]] = field(default_factory=dict)
    given: dict[str, object] = field(default_factory=dict)
    opaque: list[object] = field(default_factory=list)
    rest: dict[int, object] = field(default_factory=dict)
    cut: bool = False
    fixed: dict[int, tuple[object, int, Any]] = field(default_factory=dict)
    standing: dict[int, object] = field(default_factory=dict)

    def place(self, value: object) -> Place | None:
        """Where an object was, or ``None`` if it was not met."""
        at = self.found.get(id(value)) or self.fixed.get(id(value))
        if at is None:
            return None
        steps: list[tuple[str, Any]] = []
        _, parent, step = at
        while parent:
            steps.append(step)
            _, parent, step = self.found[parent]
        return step, tuple(reversed(steps))

    def below(self, names: Collection[str]) -> set[int]:
        """Of what is marked below some names."""
        roots: dict[int, bool] = {}
        for each, (_, parent, step) in self.found.items():  # parents come first
            roots[each] = roots.get(parent, step in names)
        return {each for each, below in roots.items() if below}

    @property
    def ids(self) -> set[int]:
        """Of what is marked, and of the values of the names themselves."""
        return {*self.found, *map(id, self.given.values())}

    def widen(
        self, names: Iterable[str], ids: Collection[int], written: Collection[int] = ()
    ) -> None:
        """Mark some objects too, and those on the way to them.

        Args:
            names: Where they are; these values must be as they were.
            ids: Of the objects.
            written: Of all that is to be written. What is in an object that has a
                state of its own is marked only if that object isn't among these.
        """
        every = mark(self.given, names, most=sys.maxsize, deep=bool(written)).found
        for each in ids:
            if each not in every:
                continue
            way = [each]
            while every[way[-1]][1]:
                way.append(every[way[-1]][1])
            inside = (i for i in way[1:] if _has_own_state(type(every[i][0])))
            if not any(i in written for i in inside):
                self.found.update((i, every[i]) for i in way if i not in self.found)

    def find(self, ids: Collection[int]) -> None:
        """Mark some objects too, where they were in one that is marked.

        Args:
            ids: Of the objects.
        """
        for owner, held in self.rest.items():
            for step, part in _children(held, deep=False):
                if id(part) in ids and step and id(part) not in self.found:
                    self.found[id(part)] = part, owner, step

    def lost(self, name: str, value: object) -> bool:
        """Whether a name still holds what it held, and that can't be changed in place."""
        same = name in self.given and self.given[name] is value
        return same and id(value) not in self.found and type(value) not in _ATOMS


def mark(
    namespace: Mapping[str, object],
    names: Iterable[str],
    most: int = MARKS_MAX,
    *,
    deep: bool = False,
    rest: bool = False,
) -> Marks:
    """Remember the objects that can be filled, by their places.

    Args:
        namespace: The variables.
        names: Those a step reads: on replay their values are equal to these.
        most: How many are remembered.
        deep: Also those in objects that have a state of their own.
        rest: Remember what held those beyond, too, for `Marks.find`.
    """
    given = {name: namespace[name] for name in sorted(names) if name in namespace}
    marks = Marks(given=given)
    queue: collections.deque[tuple[object, int, Any, int]] = collections.deque(
        (value, 0, name, LEVELS_MAX) for name, value in given.items()
    )
    while queue and len(marks.found) < most:
        value, parent, step, room = queue.popleft()
        kind = type(value)
        if step is None:
            marks.opaque.append(value)
        elif kind in _ATOMS or id(value) in marks.found:
            continue
        elif kind is not tuple and not fills(value):
            marks.opaque.append(value)
            marks.fixed.setdefault(id(value), (value, parent, step))
        else:
            marks.found[id(value)] = value, parent, step
            left = max(0, most - len(marks.found) - len(queue)) if room else 0
            parts = (p for p in _children(value, deep=deep) if type(p[1]) not in _ATOMS)
            few = itertools.islice(parts, left)
            queue.extend((part, id(value), step, room - 1) for step, part in few)
            if next(parts, None) is not None:
                marks.cut = True
                marks.rest |= {id(value): _shallow(value)} if rest else {}
    marks.cut = marks.cut or bool(queue)
    return marks


def _shallow(value: Any) -> object:
    """What an object holds now; nothing of it costs more than a reference."""
    return list(value) if type(value) in (list, tuple) else dict(_named(value))


def _named(value: Any) -> dict[Any, object]:
    return value if isinstance(value, dict) else {}


_Part = tuple[tuple[str, Any] | None, object]


def _children(value: Any, *, deep: bool) -> Iterator[_Part]:
    """Its parts and the steps to them; no step leads to what can't be looked into."""
    kind = type(value)
    if kind in (list, tuple):
        if not set(map(type, value)) <= _ATOMS:
            yield from ((("at", i), item) for i, item in enumerate(value))
    elif issubclass(kind, dict):
        for key, item in value.items():
            yield (("key", key) if type(key) in _ATOMS else None), item
    elif kind in FILLED:
        yield from ((None, item) for item in value)
    elif reducers.qualified(kind) not in GENERATORS:
        yield from _in_object(value, deep=deep)


def _in_object(value: Any, *, deep: bool) -> Iterator[_Part]:
    if _has_own_state(type(value)) and not deep:
        yield None, value
    else:
        for name, item in {**attributes(value), **slots(value)}.items():
            yield ("attribute", name), item


def _has_own_state(kind: type) -> bool:
    """Whether its parts may be copied while it is loaded, before they are filled."""
    own = [name for cls in kind.__mro__[:-1] for name in vars(cls)]
    return "__getstate__" in own or "__setstate__" in own


@dataclass(slots=True)
class Grafting:
    """The objects of one load that places stand for, and what to fill them with.

    Attributes:
        namespace: The variables that places start from.
        unchanged: Names of those that are as they are to be: nothing there is filled.
    """

    namespace: Mapping[str, object] = field(default_factory=dict)
    unchanged: Collection[str] = ()
    _left: set[int] = field(default_factory=set)
    _there: set[int] = field(default_factory=set)
    _made: dict[str, object] = field(default_factory=dict)
    _twins: list[tuple[object, object]] = field(default_factory=list)

    def existing(
        self, kind: type, place: Place, mark: Any, memory: Any = None
    ) -> object:
        """The object at a place; a new one if there is none of its kind.

        Args:
            kind: Its type.
            place: Where it stands.
            mark: Its `stamp`.
            memory: Of a ``bytearray``, how long it is; of an array that is a part of
                something else that has a place, where it lies there; of another one
                whose rows don't lie one after the other, how it lies in memory.
        """
        name, steps = place
        key = f"{name}{steps!r}"
        if key not in self._made:
            found = _walk(self.namespace, ((("key", name)), *steps))
            if type(found) is not kind or stamp(found) != mark or not fills(found):
                found = self._new(kind, mark, memory)
            else:
                self._there.add(id(found))
                if name in self.unchanged:
                    self._left.add(id(found))
            self._made[key] = found
        return self._made[key]

    def _new(self, kind: type, mark: Any, memory: Any) -> object:
        if memory is None:
            return fresh(kind, mark)
        if kind is bytearray:
            return bytearray(memory)  # or what is over it would be over nothing
        owner, offset, strides, *laid = memory
        dtype, shape = mark
        if owner is None:
            return layout.room(shape, dtype, strides)
        there = self.existing(*owner)
        return rebuild.view(there, offset, dtype, shape, strides, *laid)

    def standing(self, place: Place, content: object) -> object:
        """The object at a place, which is as it was; what was stored if there is none."""
        name, steps = place
        key = f"{name}{steps!r}"
        if key not in self._made:
            found = _walk(self.namespace, (("key", name), *steps))
            same = type(found) is type(content)
            self._made[key] = found if same else content
        return self._made[key]

    def twin(self, old: object, new: object) -> None:
        """Fill ``old`` with the content of ``new`` when everything is loaded."""
        if type(old) is not type(new) or stamp(old) != stamp(new):
            raise TypeError(f"{type(new).__name__} for {type(old).__name__}")
        if id(old) not in self._left:
            self._twins.append((old, new))

    def there(self) -> list[tuple[object, object]]:
        """Those that were there before, each with the content that was stored."""
        return [pair for pair in self._twins if id(pair[0]) in self._there]

    def apply(self) -> None:
        """Fill them all."""
        for old, new in self._twins:
            fill(old, new)
        self._twins.clear()


def _walk(value: Any, steps: Iterable[tuple[str, Any]]) -> object:
    try:
        for how, which in steps:
            held = (
                {**slots(value), **attributes(value)} if how == "attribute" else value
            )
            value = held[which]
    except (LookupError, TypeError):
        return None
    return value
