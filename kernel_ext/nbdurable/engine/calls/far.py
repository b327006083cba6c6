"""Objects of a call's arguments beyond those that were marked before it began.

A call that changed its arguments is served by changing them again, and whoever holds one
of the marked objects sees it. Of very many, those that stood in a marked one are found
afterwards. What is farther in is a part of its owner, and comes back as such: unless
somebody else holds it too, who would then be left with it as it was. Who that is nobody
knows; but that there is somebody, the count of references says.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Collection
from typing import Final

from nbdurable.engine.codec import Unstorable
from nbdurable.engine.codec.connected import by_kind, no_atoms, parts, referents_of
from nbdurable.engine.codec.filling import fills
from nbdurable.engine.codec.grafts import Marks
from nbdurable.engine.codec.meeting import reached

FAR_MAX: Final = 100_000
"""Objects that are marked afterwards: each is written twice, some 10 µs."""


def mark_far(marks: Marks, written: list[object]) -> None:
    """Mark what is written of a call and was farther in.

    Args:
        marks: What was marked before it began.
        written: Its result and its arguments; these themselves have more references.

    Raises:
        Unstorable: Somebody else holds a part of it that a replay would not find.
    """
    if not marks.cut:
        return
    far = reached(written) - {*marks.found, *map(id, written)}
    if len(far) <= FAR_MAX:
        marks.find(far)
    if _held_elsewhere([written, marks.rest, marks.opaque], far - marks.found.keys()):
        why = "it changed what it was given, of which others hold more than is followed"
        raise Unstorable(why=why)


def _held_elsewhere(known: list[object], ids: Collection[int]) -> bool:
    """Whether an object has more references than those that some values hold."""
    box: list[object] = [[]]  # what is in it has as many as one that nobody else holds
    met, held = _references([known, box])
    alone = sys.getrefcount(met[id(box[0])]) - held[id(box[0])]
    return any(
        sys.getrefcount(met[i]) - held[i] > alone
        for i in ids
        if i in met and fills(met[i])
    )


def _references(
    values: list[object],
) -> tuple[dict[int, object], collections.Counter[int]]:
    """By id: all objects that some values reach, and how many references they are."""
    met: dict[int, object] = {}
    held: collections.Counter[int] = collections.Counter()
    stack: list[list[object]] = [values]
    while stack:
        for kind, some in by_kind(stack.pop()):
            new = {id(v): v for v in some if id(v) not in met}
            met |= new
            if (ask := referents_of(kind)) is not None:
                for found in parts(ask, [*new.values()]):
                    held.update(map(id, found))
                    stack.append(no_atoms(found))
    return met, held
