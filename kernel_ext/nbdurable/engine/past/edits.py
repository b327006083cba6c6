"""Calls of a tool whose parameters, or whose name, were edited since. Pure.

Theory of operation. A parameter that was added, renamed or left out of the comparison
changes the keys of all calls of a tool, and so does another name. So each `write` is
recorded with a mark of each argument. A call without a record of its own is held
against the writes that its cell made with another signature and that this attempt has
not been served: one that agrees with it in all that both are given is that call, made
with an earlier version of the tool.

A mark is some hex digits of a digest; after a ``-`` where the default was taken, before
a ``~`` where the value looks drawn, ``?`` where the value has no digest, and ``-`` alone for a parameter that takes any number of
arguments: those have names of their own, after a ``*``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.wanted import Wanted
from nbdurable_store.records import Plain

DEFAULT = "-"
"""Before the mark of a default."""

DRAWN = "~"
"""Behind the mark of a value that looks drawn: a uuid, a token."""

UNKNOWN = "?"
"""The mark of a value without a digest."""

ENTRY = "*"
"""Before the name of one of any number of arguments."""

Marks = Mapping[str, Plain]
"""By parameter."""


def edited(old: Marks, new: Marks) -> bool:
    """Whether two calls were made with different signatures.

    Example:
        >>> edited({"x": "ab"}, {"x": "cd"}), edited({"x": "ab"}, {"y": "ab"})
        (False, True)
        >>> edited({"x": "-ab"}, {"x": "-cd"}), edited({"x": "-ab"}, {"x": "cd"})
        (True, False)
    """
    if parameters(old) != parameters(new):
        return True
    return any(
        defaulted(old, n) and defaulted(new, n) and old[n] != new[n] for n in old
    )


def agree(old: Marks, new: Marks) -> bool:
    """Whether two calls have the same arguments, as far as both have parameters for them.

    What only one is given is a parameter that was added or removed; where each has some
    of its own, those were renamed, and have kept their values.

    Example:
        >>> agree({"x": "ab"}, {"x": "ab", "note": "cd"}), agree({"x": "ab"}, {"x": "cd"})
        (True, False)
        >>> agree({"x": "ab"}, {"y": "ab"}), agree({"x": "ab"}, {"y": "cd"})
        (True, False)
    """
    mine, its = _named(old), _named(new)
    if any(_differ(mine[name], its[name]) for name in mine.keys() & its.keys()):
        return False
    gone, come = _apart(mine, its), _apart(its, mine)
    return gone <= come or come <= gone


def differing(old: Marks, new: Marks) -> frozenset[str]:
    """The parameters in which two calls differ; a default that is edited is none.

    Those that were renamed and have kept their values, in order, are no difference; a
    value that nobody can compare is one.

    Example:
        >>> sorted(differing({"x": "ab", "key": "cd"}, {"x": "ab", "key": "ef"}))
        ['key']
        >>> sorted(differing({"x": "ab"}, {"y": "ab", "note": "-cd"}))
        []
        >>> sorted(differing({"a": "1", "b": "2"}, {"c": "2", "d": "1"}))
        ['a', 'b', 'c', 'd']
    """
    mine, its = _named(old), _named(new)
    found = {
        name
        for name in mine.keys() & its.keys()
        if UNKNOWN in (mine[name], its[name]) or _differ(mine[name], its[name])
    }
    gone, come = _only(mine, its), _only(its, mine)
    values = [*gone.values()]
    if values != [*come.values()] or UNKNOWN in values:
        found |= gone.keys() | come.keys()
    return frozenset(found)


def closest(calls: Iterable[CallPast], wanted: Wanted) -> CallPast | None:
    """Of these the call that a new one is, if it agrees with one.

    With the fewest arguments that only one of them has; then told apart as calls with
    equal keys are, the first one first.
    """
    made, best = wanted.marks() or {}, None
    best_rank = (0, False, False, False)
    for call in calls:
        old, new = compared(call, wanted, made)
        if call.marks is None or not agree(old, new):
            continue
        rank = (
            _unmatched(old, new),
            call.parent != wanted.parent,
            call.scope != wanted.scope,
            call.after != wanted.after,
        )
        if best is None or rank < best_rank:
            best, best_rank = call, rank
        if not any(best_rank):
            break
    return best


def compared(call: CallPast, wanted: Wanted, made: Marks) -> tuple[Marks, Marks]:
    """The marks of both; of methods of two classes without the object itself.

    Its class is a part of its value, and may be what was renamed.
    """
    old = call.marks or {}
    if call.name.rpartition(".")[0] == wanted.name.rpartition(".")[0]:
        return old, made
    return _without_object(old), _without_object(made)


def _without_object(marks: Marks) -> Marks:
    return {name: mark for name, mark in marks.items() if name not in _OBJECTS}


_OBJECTS: Final = {"self", "cls"}
"""What the parameter of a method's object is called."""


def _unmatched(old: Marks, new: Marks) -> int:
    mine, its = _named(old), _named(new)
    gone, come = _apart(mine, its), _apart(its, mine)
    return ((gone - come) + (come - gone)).total()


def was_renamed(call: CallPast, wanted: Wanted) -> bool:
    """Whether the tool of a call has the same code now, but for its name."""
    return bool(call.code) and call.code in wanted.under(call).codes


def may_be_renamed(call: CallPast, wanted: Wanted) -> bool:
    """Whether a doubt has the same code now, but for its name, or the same arguments."""
    under = wanted.under(call)
    if call.key == under.key or (bool(call.code) and call.code in under.codes):
        return True
    made = wanted.marks()
    if made is None or call.marks is None:
        return False
    return gave_the_same(*compared(call, wanted, made))


@dataclass(frozen=True, slots=True)
class ByArguments:
    """Calls by what they were given, so that each new one isn't held against each.

    Attributes:
        calls: Those that were given the same, in their order.
        bare: The same, of methods without the object itself.
        values: Those that were given the same values, whatever the names are; of methods
            without the object itself.
    """

    calls: Mapping[_Given, Sequence[CallPast]]
    bare: Mapping[_Given, Sequence[CallPast]]
    values: Mapping[_Values, Sequence[CallPast]]

    @classmethod
    def of(cls, calls: Iterable[CallPast]) -> ByArguments:
        """Put calls in order, as far as they are marked."""
        known = [(call, call.marks) for call in calls if call.marks is not None]
        return cls(
            _by_given((call, marks) for call, marks in known),
            _by_given((call, _without_object(marks)) for call, marks in known),
            _by_values((call, _without_object(marks)) for call, marks in known),
        )

    def given_values_of(self, wanted: Wanted) -> Sequence[CallPast]:
        """Those that were given the values that a new call is given.

        In the order of their parameters first: that may be another one, too.
        """
        given = _given(_without_object(wanted.marks() or {}))
        values = [*given.values()]
        found = self.values.get(tuple(sorted(values)), ())
        if not values or len(found) < 2:
            return found if values else ()
        return sorted(found, key=lambda call: _ordered(call) != values)

    def like(self, wanted: Wanted, old: str) -> Sequence[CallPast]:
        """Those that were given what a new call is, by the same names, or nothing as it.

        Args:
            wanted: The call that is about to be made.
            old: The name of their tool.
        """
        marks = wanted.marks()
        if marks is None:
            return ()
        same_class = old.rpartition(".")[0] == wanted.name.rpartition(".")[0]
        if same_class:
            return self.calls.get(frozenset(_given(marks).items()), ())
        return self.bare.get(frozenset(_given(_without_object(marks)).items()), ())


_Given = frozenset[tuple[str, str]]
_Values = tuple[str, ...]


def _by_given(
    calls: Iterable[tuple[CallPast, Marks]],
) -> dict[_Given, list[CallPast]]:
    found: dict[_Given, list[CallPast]] = {}
    for call, marks in calls:
        given = _given(marks)
        if UNKNOWN not in given.values():
            found.setdefault(frozenset(given.items()), []).append(call)
    return found


def _by_values(
    calls: Iterable[tuple[CallPast, Marks]],
) -> dict[_Values, list[CallPast]]:
    found: dict[_Values, list[CallPast]] = {}
    for call, marks in calls:
        values = tuple(sorted(_given(marks).values()))
        if values and UNKNOWN not in values:
            found.setdefault(values, []).append(call)
    return found


def _ordered(call: CallPast) -> list[str]:
    return [*_given(_without_object(call.marks or {})).values()]


def gave_the_same(old: Marks, new: Marks) -> bool:
    """Whether two calls were given equal arguments, whatever defaults there are beside.

    Example:
        >>> gave_the_same({"x": "ab"}, {"x": "ab", "note": "-cd"})
        True
        >>> gave_the_same({"x": "ab"}, {"x": "ab", "note": "cd"})
        False
    """
    mine, its = _given(old), _given(new)
    return mine == its and UNKNOWN not in mine.values()


def _given(marks: Marks) -> dict[str, str]:
    named = _named(marks).items()
    return {name: mark for name, mark in named if not mark.startswith(DEFAULT)}


def parameters(marks: Marks) -> set[str]:
    """The names of a signature's parameters."""
    return {name for name in marks if not name.startswith(ENTRY)}


def defaulted(marks: Marks, name: str) -> bool:
    """Whether nobody gave this argument."""
    return str(marks[name]).startswith(DEFAULT)


def _named(marks: Marks) -> dict[str, str]:
    """Those of values, those of any number of arguments among them."""
    found = {name.lstrip(ENTRY): str(mark) for name, mark in marks.items()}
    return {name: mark for name, mark in found.items() if mark != DEFAULT}


def _differ(one: str, other: str) -> bool:
    defaults = one.startswith(DEFAULT) and other.startswith(DEFAULT)
    values = {one.lstrip(DEFAULT), other.lstrip(DEFAULT)}
    return not defaults and len(values) > 1 and UNKNOWN not in values


def _apart(mine: Mapping[str, str], its: Mapping[str, str]) -> Counter[str]:
    """What was given to the one by names that the other doesn't have."""
    return Counter(mark for mark in _only(mine, its).values() if mark != UNKNOWN)


def _only(mine: Mapping[str, str], its: Mapping[str, str]) -> dict[str, str]:
    given = ((n, m) for n, m in mine.items() if not m.startswith(DEFAULT))
    return {name: mark for name, mark in given if name not in its}
