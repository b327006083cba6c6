"""Which variables hold an object that others hold too, however many objects there are.

The walk is that of `connected`; it only looks. A value is walked once for each step that
makes something which could be a part of it: half a second for a million of objects.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, TypeVar

from nbdurable.engine.codec.connected import (
    OBJECTS_MAX,
    PASSED,
    Referents,
    by_kind,
    no_atoms,
    parts,
    referents_of,
)

Ask = Callable[[type], Referents | None]


class Holders(NamedTuple):
    """Names whose values hold some objects.

    Attributes:
        names: The names.
        found: The objects that were found, by id.
    """

    names: set[str]
    found: dict[int, object]


def reached(
    values: Iterable[object], ask: Ask = referents_of, *, apart: Collection[int] = ()
) -> set[int]:
    """The ids of all objects that can be changed and that some values reach.

    They hold as long as the values do.

    Args:
        values: The values.
        ask: How objects of a kind are asked what they refer to.
        apart: Ids of objects that are not looked into; they don't count.
    """
    look = Look(frozenset(), ask)
    look.seen.update(apart)
    for value in values:
        look.through(value)
    return look.seen.difference(apart) if apart else look.seen


def holders(
    values: Mapping[str, object],
    sought: Collection[int],
    *,
    apart: Collection[int] = (),
    ask: Ask = referents_of,
) -> Holders:
    """The names whose values reach an object.

    Of names that share an object which holds it, only the first is sure to be found. A
    name of which more is there than is ever looked at counts as one that holds it.

    Args:
        values: The variables.
        sought: Ids of objects.
        apart: Ids of objects that are not looked into.
        ask: How objects of a kind are asked what they refer to.
    """
    if not sought:
        return Holders(set(), {})
    look = Look(frozenset(sought), ask)
    look.seen.update(apart)
    names = {name for name, value in values.items() if look.through(value)}
    return Holders(names, look.found)


_T = TypeVar("_T")


def of_kind(kind: type[_T], values: Iterable[object]) -> list[_T]:
    """The objects of exactly one type that values reach."""
    look = Look(frozenset())
    for value in values:
        look.through(value)
    return [o for some in look.alive for o in some if type(o) is kind]


def kinds(values: Iterable[object]) -> set[type]:
    """The types of the objects that values reach, and what these are subclasses of."""
    look = Look(frozenset())
    for value in values:
        look.through(value)
    found = {type(each) for some in look.alive for each in some}
    return {cls for kind in found for cls in kind.__mro__}


class Look:
    """One walk through values, one after the other: what was met is not met again.

    Args:
        sought: Ids of objects.
        ask: How objects of a kind are asked what they refer to.

    Attributes:
        found: The objects that were sought, by id.
        seen: Ids of all objects that can be changed.
        alive: Those, and what they are in; each is held, so that its id stays its own.
    """

    def __init__(self, sought: frozenset[int], ask: Ask = referents_of) -> None:
        self.sought = sought
        self.ask = ask
        self.found: dict[int, object] = {}
        self.hit = False
        self.seen: set[int] = set()
        self.passed: set[int] = set()
        self.alive: list[list[object]] = []
        self.kinds: dict[type, Referents | None] = {}

    def through(self, value: object) -> bool:
        """Whether an object that is sought is in there, or may be."""
        stack, self.hit = [[value]], False
        while stack:
            for kind, some in by_kind(stack.pop()):
                if kind not in self.kinds:
                    self.kinds[kind] = self.ask(kind)
                referents = self.kinds[kind]
                if referents is not None:
                    new = self._new(some, self.passed if kind in PASSED else self.seen)
                    stack += filter(None, map(no_atoms, parts(referents, new)))
            if len(self.seen) > OBJECTS_MAX:
                return True
        return self.hit

    def _new(self, some: list[object], seen: set[int]) -> list[object]:
        """Those that nobody has met."""
        ids = {*map(id, some)}
        if seen is self.seen and not self.sought.isdisjoint(ids):
            self.found |= {id(each): each for each in some if id(each) in self.sought}
            self.hit = True
        fresh = ids - seen
        seen |= fresh
        if len(fresh) < len(some):
            some = [*{id(each): each for each in some if id(each) in fresh}.values()]
        self.alive.append(some)  # or an id could become another object's
        return some
