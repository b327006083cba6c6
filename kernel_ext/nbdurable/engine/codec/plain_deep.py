"""Plain data of any depth: cut into pieces that are each a few levels deep.

Theory of operation
-------------------
Writing and reading JSON need a frame of the interpreter for each level, and there are a
thousand in all. So what is deeper is cut from below: a container with `LEVELS` levels
under it is a piece of its own, and stands in its parents as a number. The pieces are
written one after the other, the inner ones first:

    {"$": ["deep", [{"$": ["piece", [...]]}, ..., the value itself]]}

and ``{"$": ["at", 3]}`` is the fourth piece, which the reader has made when it meets
this. A container that is met twice is a piece, too, and comes back as one object. What
holds itself has no inner one to begin with, and is refused.

Only what no other layer could keep is written so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from nbdurable.engine.codec.errors import Unstorable
from nbdurable.engine.codec.plain_write import NotPlain, Places, Writer, tag
from nbdurable.engine.values.redact import Secrets

LEVELS: Final = 40
"""Levels of one piece. Each can be three of JSON."""

COUNT_MAX: Final = 2_000_000
"""Values in one; each takes some microseconds and, as a tree, some hundred bytes."""

_CONTAINERS: Final = frozenset({list, tuple, dict, set, frozenset})


def encode(value: object, secrets: Secrets, marks: Places | None = None) -> bytes:
    """Write plain data that is nested too deeply for `plain.encode`.

    Args:
        value: The data.
        secrets: What must not be inside.
        marks: Objects in it that are written as the places where they were.

    Raises:
        NotPlain: It is no plain data, holds itself, or exceeds a limit.
        Unstorable: It holds a secret that can't be put back.
    """
    try:
        return _Pieces(secrets, marks).encode(value)
    except Unstorable as refusal:
        # The way to it would be told from the piece, not from the value.
        raise Unstorable(why=refusal.why) from None


class _Pieces(Writer):
    """Writes pieces, and their numbers in what holds them."""

    count_max: int = COUNT_MAX

    def __init__(self, secrets: Secrets, marks: Places | None) -> None:
        super().__init__(secrets, marks)
        self._numbers: dict[int, int] = {}
        self._whole: object = self

    def grafted(self, value: object) -> Any:
        """The pieces, the inner ones first, and the value after them."""
        pieces = []
        for piece in _cut(value):
            if self.placed(piece) is not None:
                continue
            self._whole = piece
            pieces.append(tag("piece", self.tree(piece)))
            self._numbers[id(piece)] = len(self._numbers)
        return tag("deep", [*pieces, super().grafted(value)])

    def container(self, value: object) -> Any:
        """The number of a container that is a piece; ``None`` where it is written."""
        if value is self._whole:
            self._whole = self
        elif (number := self._numbers.get(id(value))) is not None:
            return tag("at", number)
        return None


def _cut(root: object) -> Iterator[object]:
    """The containers that are pieces, each after those in it."""
    heights: dict[int, int] = {}
    shared = _met_twice(root)
    for value in _from_below(root):
        height = 1 + max(
            (heights.get(id(item), 0) for item in _inside(value)), default=0
        )
        heights[id(value)] = height
        if height >= LEVELS or id(value) in shared:
            heights[id(value)] = 0
            yield value


def _met_twice(root: object) -> set[int]:
    seen: set[int] = set()
    twice: set[int] = set()
    stack = [root]
    while stack:
        value = stack.pop()
        if id(value) in seen:
            twice.add(id(value))
            continue
        seen.add(id(value))
        if len(seen) > COUNT_MAX:
            raise NotPlain
        stack += _containers(value)
    return twice


def _from_below(root: object) -> Iterator[object]:
    """Each container once, after all that it holds.

    Raises:
        NotPlain: One holds itself.
    """
    done: set[int] = set()
    way: dict[int, Iterator[object]] = {id(root): iter(_containers(root))}
    held = [root]
    while held:
        value = held[-1]
        inner = next(way[id(value)], None)
        if inner is None:
            held.pop()
            del way[id(value)]
            done.add(id(value))
            yield value
        elif id(inner) in way:
            raise NotPlain
        elif id(inner) not in done:
            way[id(inner)] = iter(_containers(inner))
            held.append(inner)


def _containers(value: object) -> list[object]:
    return [item for item in _inside(value) if type(item) in _CONTAINERS]


def _inside(value: Any) -> Iterable[object]:
    if type(value) is dict:
        return (part for item in value.items() for part in item)
    return value if type(value) in _CONTAINERS else ()
