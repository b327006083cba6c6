"""What a step changed of an input to whose name it then gave another value.

Theory of operation. ``queue.append(1); queue = []`` leaves a changed list behind. Where a
variable holds it that the step didn't make, that one changes too, and no value of the step
says so: a replay would leave it as it was. So the step is to run again.

Most often the old value is nobody's by then. That is seen by the references to it, before
it gets a digest once more, and before all variables are looked through.
"""

from __future__ import annotations

import collections
import gc
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from nbdurable.engine.codec.grafts import Marks
from nbdurable.engine.codec.meeting import holders, reached
from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.identity.plain import ATOMS
from nbdurable.engine.steps.farther import others_of

Values = Mapping[str, object]


def changed_away(
    inputs: Inputs, marks: Marks, made: Values, mine: Values
) -> Collection[str]:
    """The variables that hold something changed of which no value of the step is made.

    Args:
        inputs: What the step was given.
        marks: What it could reach before it ran.
        made: The variables that it made or changed, and what is no variable.
        mine: All variables.
    """
    given = marks.given.items()
    old = {n: v for n, v in given if mine.get(n) is not v and type(v) not in ATOMS}
    changed = inputs.changed(old) if _held_elsewhere(marks, old) else ()
    if not changed:
        return ()
    sought = reached(old[n] for n in changed) - reached(made.values())
    return holders(others_of(made, mine), sought).names


def _held_elsewhere(marks: Marks, old: Values) -> bool:
    """Whether something below some names has more references than are known of."""
    if not old:
        return False
    below = [marks.found[i][0] for i in marks.below(old)]
    every = [*below, *(part for v in old.values() for part in _memories(v))]
    alone: list[object] = [[]]  # what is in it is held by it, and in `every`
    every += alone
    held = collections.Counter(map(id, below))  # by its mark
    named = marks.given.values(), old.values()
    for known in (*named, marks.opaque, below, every, alone):
        held.update(map(id, known))
    held.update(map(id, gc.get_referents(*below)))
    counts = [(id(each), sys.getrefcount(each)) for each in every]
    least = counts[-1][1] - held[counts[-1][0]]
    return any(count - held[each] > least for each, count in counts)


def _memories(value: Any) -> Iterator[object]:
    """A value, and the arrays that it is a part of."""
    while value is not None:
        yield value
        value = getattr(value, "base", None) if hasattr(value, "strides") else None
