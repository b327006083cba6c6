"""Where two pieces of plain data differ, in few words. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.values.plainly import visible

SIDE_CHARS_MAX: Final = 40
"""Characters shown of the old and of the new value: two of them fit a line."""

CONTEXT_CHARS: Final = 8
"""Characters shown before the first one that differs."""

ABSENT: Final = object()
"""Stands for a value that is not there."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place in which two values differ.

    Attributes:
        path: Where, such as ``messages[3].content``; "" for the whole value.
        old: The old value, shortened; "" if it was not there.
        new: The new value, shortened; "" if it is not there.
    """

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        where = self.path or "the value"
        if not self.old:
            return f"{where} is new: {self.new}"
        if not self.new:
            return f"{where} is gone (was {self.old})"
        return f"{where} was {self.old}, is {self.new}"


def differences(
    old: object, new: object, most: int = 3, root: str = ""
) -> tuple[Difference, ...]:
    """The first places in which two values differ, deepest path first named.

    Args:
        old: The old value.
        new: The new one.
        most: How many places.
        root: What the value is called; paths begin with it.

    Example:
        >>> old = {"messages": [{"role": "user", "content": "Summarise in one line"}]}
        >>> new = {"messages": [{"role": "user", "content": "Summarise in two lines"}]}
        >>> print(*differences(old, new))
        messages[0].content was '…rise in one line', is '…rise in two lines'
    """
    return tuple(itertools.islice(_walk(root, old, new), most))


def _walk(path: str, old: object, new: object) -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            sides = old.get(key, ABSENT), new.get(key, ABSENT)
            yield from _walk(_member(path, str(key)), *sides)
    elif _listed(old) and _listed(new):
        pairs = itertools.zip_longest(old, new, fillvalue=ABSENT)  # type: ignore[call-overload]  # both are lists
        for nth, (left, right) in enumerate(pairs):
            yield from _walk(f"{path}[{nth}]", left, right)
    elif type(old) is not type(new) or old != new:
        yield Difference(path, *_sides(old, new))


def _listed(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _member(path: str, key: str) -> str:
    if key.isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{key!r}]"


def _sides(old: object, new: object) -> tuple[str, str]:
    if isinstance(old, str) and isinstance(new, str):
        same = next(
            (n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
            min(len(old), len(new)),
        )
        start = max(0, same - CONTEXT_CHARS)
        start = 0 if start <= 1 else start
        return _cut(old, start), _cut(new, start)
    return short(old), short(new)


def _cut(text: str, start: int) -> str:
    shown = text[start : start + SIDE_CHARS_MAX]
    before = "…" if start else ""
    after = "…" if start + SIDE_CHARS_MAX < len(text) else ""
    return f"'{before}{visible(shown, lines=False)}{after}'"


def short(value: object) -> str:
    """A value in a few words; "" for one that is not there."""
    if value is ABSENT:
        return ""
    if isinstance(value, str):
        return _cut(value, 0)
    told = visible(repr(value), lines=False)
    return told if len(told) <= SIDE_CHARS_MAX else f"{told[: SIDE_CHARS_MAX - 1]}…"
