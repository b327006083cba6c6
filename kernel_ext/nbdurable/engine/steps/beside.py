"""What hangs together with what is about to be kept, so that it has to be kept with it.

Theory of operation. A restore gives each name its latest value. Where two names share an
object, both values have to come from one graph, or each gets an object of its own. So
names that share an object are kept in one graph, always the latest: whenever one of them
is kept anew, all of them are.

Which names those are is known from two sides: what was kept together before, and the
objects among those that are kept which a new value reaches. What is found so is a guess,
and the graph is walked before anything is stored.
"""

from __future__ import annotations

from collections.abc import Mapping

from nbdurable.engine.codec.connected import connected
from nbdurable.engine.codec.meeting import holders, reached
from nbdurable.engine.identity.plain import ATOMS
from nbdurable.engine.steps.kept_now import Keeping

Values = Mapping[str, object]


def with_aliases(known: Keeping, mine: Values, values: Values) -> dict[str, object]:
    """The values, and those that are kept and share an object with one of them.

    Args:
        known: What the run keeps.
        mine: The variables.
        values: Those that are about to be kept.
    """
    names = {*values, *_owners(values, _kept(known, mine, values))}
    names |= {other for name in names for other in known.beside(name)}
    return {name: value for name, value in mine.items() if name in names}


def hanging(known: Keeping, mine: Values, made: Values) -> list[dict[str, object]]:
    """What a step made or changed, with what shares an object with it and is kept.

    Args:
        known: What the run keeps.
        mine: The variables.
        made: Those that the step made or changed.

    Returns:
        Groups of values that hang together: some made by the step, some not.
    """
    kept = _kept(known, mine, made)
    names = {*made, *_owners(made, kept)}
    names |= {other for name in names for other in known.beside(name)}
    others = {name: kept[name] for name in names if name in kept}
    if not others:
        return []
    values = {**others, **made}
    groups = (group.names for group in connected(values))
    return [
        {name: values[name] for name in names}
        for names in groups
        if not (others.keys() >= {*names} or made.keys() >= {*names})
    ]


def _kept(known: Keeping, mine: Values, values: Values) -> dict[str, object]:
    """The variables that are kept already, without some."""
    names = (name for name in known.blobs if name in mine and name not in values)
    return {n: mine[n] for n in names if type(mine[n]) not in ATOMS}


def _owners(values: Values, kept: Values) -> set[str]:
    """The names among those that are kept of which the values reach an object."""
    new = [value for value in values.values() if type(value) not in ATOMS]
    return holders(kept, reached(new)).names if new and kept else set()
