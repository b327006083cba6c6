"""Inputs that nobody can fill anew, and that a step has put into what it made.

Such as a tensor in a list. The step left it as it was, so on replay it stands where it
stood, and that very object goes into the list. What it is goes along, for a kernel in
which it doesn't stand there.
"""

from __future__ import annotations

import types
from collections.abc import Mapping

from nbdurable.engine.codec.filling import fills
from nbdurable.engine.codec.grafts import Marks
from nbdurable.engine.codec.meeting import holders, reached
from nbdurable.engine.steps.parting import parts

_BY_NAME = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


def standing(
    marks: Marks, there: Mapping[int, object], values: Mapping[str, object]
) -> dict[int, object]:
    """Those of some objects that are written beside their places, by id.

    Not one of which a part is held beside it: the part would be a copy, and be parted
    from the object that stands there.

    Args:
        marks: What was met before the step ran.
        there: Objects of its inputs, by id, that are in what it made, and are as they were.
        values: What it made.
    """
    fixed = {i: v for i, v in there.items() if not isinstance(v, _BY_NAME)}
    if not fixed:
        return {}
    inside = {i: reached([v]) - {i} for i, v in fixed.items()}
    every = set().union(*inside.values()) - fixed.keys() - marks.found.keys()
    beside = holders(values, every, apart=fixed).found
    held = {i for i, v in beside.items() if parts(v) or fills(v)}
    few = (
        i for i in sorted(fixed, key=lambda i: len(inside[i])) if not inside[i] & held
    )
    found: dict[int, object] = {}
    for each in few:
        if not inside[each] & (fixed.keys() - found.keys()):
            found[each] = fixed[each]
    return found
