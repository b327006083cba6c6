"""Keeps what a step changed in place where none of its outputs says so.

A counter's closure, a mutable default, an iterator: running the cell moves them on, and
nothing but running it does that again. A restore, which runs nothing, would hand back
what they were when the step was given them. So they are kept as the step left them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.steps.beside import with_aliases
from nbdurable.engine.steps.kept_now import Keeping
from nbdurable.engine.steps.snapshot import take
from nbdurable_store.errors import DurableError
from nbdurable_store.records import Kind

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt


def keep_inside(
    attempt: Attempt,
    known: Keeping,
    inputs: Inputs,
    namespace: Mapping[str, object],
    made: Collection[str],
    away: Collection[str],
) -> list[str]:
    """Keep code that keeps something else by now, and inputs without a digest.

    Whether one of the latter was changed can't be said, so each is kept.

    Args:
        attempt: The step's, before it is completed.
        known: What the run keeps.
        inputs: What the step was given.
        namespace: The variables by now.
        made: Names that are kept as its outputs.
        away: Names that hold what it changed of an input that has no name any more.

    Returns:
        The functions and classes that keep something else, and those names.
    """
    inside = sorted({*inputs.kept_inside(namespace), *away})
    digests = {**inputs.digests, **inputs.reached}
    unsure = [name for name, digest in digests.items() if digest is None]
    moved = {
        name: namespace[name]
        for name in (*inside, *unsure)
        if name in namespace and name not in made
    }
    values = with_aliases(known, namespace, moved) if moved else {}
    if values:
        _keep(attempt, known, values)
    return inside


def _keep(attempt: Attempt, known: Keeping, values: Mapping[str, object]) -> None:
    home = attempt.home
    taken = take(values, home.store.put, secrets=home.secrets)
    groups = known.new(taken.groups)
    if not (groups or taken.unstorable):
        return
    fields = {
        "names": [list(group.names) for group in groups],
        "modules": {},
        "unsaved": taken.unstorable,
    }
    refs = tuple(group.ref for group in groups)
    record = attempt.record(Kind.STEP_GIVEN, attempt.step.id, b"", fields, refs)
    try:
        home.append((record,), sync=False)
    except (DurableError, OSError):  # the end of the step says so, or is in time again
        return
    known.blobs |= {n: (g.ref.id, g.names) for g in groups for n in g.names}
