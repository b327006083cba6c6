"""Calls that differ in nothing but values that were drawn. Pure.

Theory of operation. A key that is sent along with a payment is another one whenever the
code runs, so the call that is made after a repair has no record. Where all else is equal
it may be the one that was made before, whatever else of the cell was edited. A mark says
of a value whether it looks drawn (`edits`). So it is with what the call itself changes
in place, such as the books of the object that pays: in the same kernel they are as the
payments have left them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nbdurable.engine.past import fields
from nbdurable.engine.past.edits import DEFAULT, DRAWN, UNKNOWN, Marks
from nbdurable.engine.past.history import CallPast, CallState, History
from nbdurable.engine.past.tries import ANEW

_Shape = frozenset[tuple[str, str]]
"""The arguments, those that look drawn by their names alone."""


@dataclass(frozen=True, slots=True)
class Redrawn:
    """Calls of a tool by what they were given, but for what looks drawn or is changed.

    Attributes:
        by_shape: By the parameters that they changed in place, those that were given
            the same, in their order.
    """

    by_shape: Mapping[frozenset[str], Mapping[_Shape, Sequence[CallPast]]]

    @classmethod
    def of(cls, calls: Iterable[CallPast]) -> Redrawn:
        """Put calls in order, as far as they have such arguments and are to be served."""
        found: dict[frozenset[str], dict[_Shape, list[CallPast]]] = {}
        for call in calls:
            known = call.state is CallState.COMPLETED and call.resolved not in ANEW
            changes = frozenset(fields.texts(call.fields, "changes"))
            shape = _shape(call.marks, changes) if known else None
            if shape is not None:
                found.setdefault(changes, {}).setdefault(shape, []).append(call)
        return cls(found)

    def like(self, marks: Marks | None) -> Iterator[CallPast]:
        """Those that a new call may be, with what it draws drawn anew."""
        for changes, known in self.by_shape.items():
            shape = _shape(marks, changes)
            if shape is not None:
                yield from known.get(shape, ())


def recent(history: History, slot: str, step: str) -> frozenset[str]:
    """The calls of a cell's latest attempts, back to the last one that completed.

    Args:
        history: The fold of the run.
        slot: The slot of the cell.
        step: Id of the attempt that is being made.
    """
    found, steps = set[str](), set[str]()
    for earlier in history.attempts(slot):
        if earlier.id != step:
            found.update(earlier.used)
            steps.add(earlier.id)
            if earlier.state is earlier.state.COMPLETED:
                break
    found |= {call.id for call in history.calls.values() if call.step in steps}
    return frozenset(found)


def _shape(marks: Marks | None, changes: Collection[str]) -> _Shape | None:
    """None of a call in which nothing looks drawn or is changed, or something is unknown."""
    given = [(n, str(m)) for n, m in (marks or {}).items()]
    given = [
        (n, DRAWN if n in changes else m) for n, m in given if not m.startswith(DEFAULT)
    ]
    if any(m == UNKNOWN for _, m in given):
        return None
    if not any(m.endswith(DRAWN) for _, m in given):
        return None
    return frozenset((n, DRAWN if m.endswith(DRAWN) else m) for n, m in given)
