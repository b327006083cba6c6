"""Of names that share an object, those that can be loaded although others can't."""

from __future__ import annotations

from collections.abc import Sequence

from nbdurable.engine.codec import PICKLE, Unreadable
from nbdurable.engine.codec.connected import referents_of
from nbdurable.engine.codec.meeting import holders
from nbdurable.engine.codec.parts import Parts
from nbdurable.engine.values.redact import Secrets


def salvaged(
    names: Sequence[str], data: bytes | Parts, secrets: Secrets
) -> tuple[dict[str, object], dict[str, str]]:
    """The values that are what was stored, and of the others why they are not.

    Args:
        names: The names whose values are stored together.
        data: Their bytes, verified.
        secrets: What keys of clients are put back from.

    Raises:
        Exception: None can be had.
    """
    from nbdurable.engine.codec.salvage import salvage  # lazy: cloudpickle costs 15 ms

    value, spoilt = salvage(data, secrets)
    if not isinstance(value, tuple) or len(value) != len(names):
        raise Unreadable(codec=PICKLE, why=f"it is not {len(names)} values")
    if any(referents_of(type(each)) is None for each, _ in spoilt.values()):
        # A class, say: nobody looks for those in values.
        raise Unreadable(codec=PICKLE, why="what is spoilt can't be told apart")
    made: dict[str, object] = {}
    lost: dict[str, str] = {}
    for name, one in zip(names, value, strict=True):
        held = holders({name: one}, spoilt.keys())
        if held.names:
            whys = (why for i, (_, why) in spoilt.items() if i in held.found)
            lost[name] = next(whys, "it is too much to be looked through")
        else:
            made[name] = one
    return made, lost
