"""Objects of a step's inputs beyond those that were marked before it ran.

Marked are the objects nearest to the names that can be filled: a replay finds them by
their places, and whoever holds one sees what the step did to it. What the step made may
hold others, too: one that is farther in, or that is in a closure, in a set or in an object
with a state of its own, or one that nobody can fill anew (an open text, a tensor). If the
input that it comes from is as it was, its place may be found afterwards. If not, and a
variable that the step didn't make holds it as well, then a replay would part the two
without a word, and the step is to run again instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from nbdurable.engine.codec.filling import fills
from nbdurable.engine.codec.grafts import Marks
from nbdurable.engine.codec.meeting import holders, reached
from nbdurable.engine.identity.codes import is_shell_name
from nbdurable.engine.identity.plain import ATOMS
from nbdurable.engine.steps.overlaps import lone, over, parted
from nbdurable.engine.steps.parting import (
    looked_into,
    of_the_notebook,
    parts,
    referents,
)
from nbdurable.engine.steps.standing import standing

Values = Mapping[str, object]
Digests = Callable[[Collection[str]], Mapping[str, bytes]]

FARTHER_MAX: Final = 100_000
"""Objects that are marked afterwards: each is written twice, some 10 µs. With more of
them running the step is the lesser evil."""


def mark_farther(
    marks: Marks, made: Values, mine: Values, before: Mapping[str, bytes], now: Digests
) -> set[str]:
    """Mark those that the step put into what it made.

    Args:
        marks: What was marked before it ran.
        made: The variables that it made or changed.
        mine: All variables.
        before: Digests of variables as they were kept last.
        now: Gives the digests of some variables as they are.

    Returns:
        The names of which a replay would part something that others hold.
    """
    values = {n: v for n, v in made.items() if type(v) not in ATOMS}
    opaque = {} if marks.cut or not values else looked_into(marks.opaque)
    shared = over(lone(marks, values), marks.given)
    if not values or not (marks.cut or opaque or shared):
        return set()
    others = others_of(made, mine)
    # What is below an unchanged input is found by a replay, and left as it is.
    same = {n: v for n, v in marks.given.items() if others.get(n) is v}
    unchanged = marks.below(same)
    written = reached(values.values(), referents, apart=unchanged)
    sought = written - marks.found.keys()
    if not marks.cut:
        sought = {*holders(opaque, sought, ask=referents).found}
    there = holders(same, sought, ask=referents).found if sought else {}
    if len(there) <= FARTHER_MAX:
        marks.widen(same, there.keys() | shared, written)
    fixed = {i: v for i, v in there.items() if i in marks.fixed}
    unsure = _stand(marks, fixed, values, sought) & marks.fixed.keys()
    as_before, changed = _compared(others, unsure, before, now)
    fixed |= {i: marks.fixed[i][0] for i in as_before}
    left = _stand(marks, fixed, values, sought)
    again = parted(lone(marks, values), values, others) if shared else set()
    if not left:
        return again
    ask = referents if marks.cut else of_the_notebook
    # What else is marked and written is filled, with all that is in it.
    filled = written & marks.found.keys()
    held = holders(others, left, apart=filled, ask=ask).found
    apart = {i for i, v in held.items() if parts(v) or (marks.cut and fills(v))}
    again |= holders(values, changed, ask=referents).names
    return again | holders(values, apart, ask=ask).names


def _stand(
    marks: Marks, fixed: Mapping[int, object], values: Values, sought: set[int]
) -> set[int]:
    """Let objects stand where they are; the ids of those that have no place yet."""
    marks.standing = standing(marks, fixed, values)
    whole = reached(marks.standing.values(), referents)
    return sought - marks.found.keys() - whole


def _compared(
    others: Values, ids: set[int], before: Mapping[str, bytes], now: Digests
) -> tuple[set[int], set[int]]:
    """Of objects that others hold, those that are as they were, and those that may not be."""
    names = holders(others, ids, ask=referents).names & before.keys()
    digests = now(names) if names else {}
    same: set[int] = set()
    known: set[int] = set()
    for name in digests:
        held = reached([others[name]], referents) & ids
        known |= held
        if digests[name] == before[name]:
            same |= held
    return same, known - same


def others_of(made: Values, mine: Values) -> Values:
    """The variables that a step didn't make, and that could hold an object."""
    return {
        name: value
        for name, value in mine.items()
        if name not in made and type(value) not in ATOMS and not is_shell_name(name)
    }
