"""The calls of a tool by the signature that they were made with. Pure.

A cell may have made thousands of them, and each new call is held against those with
another signature. One that is such a call agrees with it in what both are given, so
only those are looked at that have these values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nbdurable.engine.past.edits import (
    DEFAULT,
    UNKNOWN,
    Marks,
    defaulted,
    edited,
    parameters,
)
from nbdurable.engine.past.history import CallPast

_Values = tuple[str, ...]
"""Marks of some arguments, in the order of their names; whether defaults or not."""


@dataclass(slots=True)
class Version:
    """The calls that were made with one signature.

    Attributes:
        made: One of them, as it was marked.
        calls: All of them, with their marks, in order.
    """

    made: Marks
    calls: list[tuple[CallPast, Marks]] = field(default_factory=list)
    _by_values: dict[_Values, Mapping[_Values, Sequence[CallPast]]] = field(
        default_factory=dict
    )

    def like(self, new: Marks) -> Iterator[CallPast]:
        """Those that may have been given what a new call is, where both take it."""
        names = sorted(
            name
            for name in parameters(self.made) & parameters(new)
            if not defaulted(self.made, name) and new[name] not in {DEFAULT, UNKNOWN}
        )
        known = self._by_values.get(tuple(names))
        if known is None:
            known = self._by_values[tuple(names)] = self._ordered(names)
        yield from known.get(_values(new, names), ())
        if names:
            yield from known.get((), ())

    def _ordered(self, names: Sequence[str]) -> Mapping[_Values, Sequence[CallPast]]:
        """By their values; those of which one is unknown by none."""
        found: dict[_Values, list[CallPast]] = {}
        for call, marks in self.calls:
            values = _values(marks, names)
            found.setdefault(() if UNKNOWN in values else values, []).append(call)
        return found


@dataclass(slots=True)
class Versions:
    """The marked calls of a tool, by the signature that they were made with.

    Attributes:
        by_signature: Those that were made with the same one.
    """

    by_signature: Mapping[frozenset[object], Version]

    @classmethod
    def of(cls, calls: Iterable[CallPast]) -> Versions:
        """Put calls in order; what they are served as later changes nothing of it."""
        found: dict[frozenset[object], Version] = {}
        for call in calls:
            if call.marks is not None:
                place = frozenset(_signature(call.marks))
                version = found.setdefault(place, Version(call.marks))
                version.calls.append((call, call.marks))
        return cls(found)

    def earlier(self, new: Marks) -> list[CallPast]:
        """Those with another signature than a new call that may agree with it."""
        versions = self.by_signature.values()
        return [c for v in versions if edited(v.made, new) for c in v.like(new)]


def _values(marks: Marks, names: Iterable[str]) -> _Values:
    return tuple(str(marks[name]).removeprefix(DEFAULT) for name in names)


def _signature(marks: Marks) -> Iterable[object]:
    for name in parameters(marks):
        yield (name, marks[name]) if defaulted(marks, name) else name
