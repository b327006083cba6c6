"""Keeps the variables that a step made or changed.

Order: digests first, values then. What changes in between (a thread that goes on) is in
the value and not in the digest, so the next step that reads it keeps it once more; the
other way round nobody would notice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.steps.beside import hanging
from nbdurable.engine.steps.counting import counting
from nbdurable.engine.steps.farther import mark_farther
from nbdurable.engine.steps.session import Session
from nbdurable.engine.steps.snapshot import Kept, Marks, Taken, take
from nbdurable_store.records import BlobRef, Plain

KEPT: Final = ("names", "digests", "beside")
"""The fields that say what is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is kept.

    Attributes:
        taken: What the step made or changed, for a replay.
        beside: The same with all that shares an object with it, for a restore.
        digests: Of these values, where they have one.
        again: Names that only running the step again makes as they are.
    """

    taken: Taken
    beside: list[Kept]
    digests: Mapping[str, bytes]
    again: Collection[str]

    def fields(self) -> dict[str, Plain]:
        """As the record says it."""
        names = [list(group.names) for group in self.taken.groups]
        beside = [list(group.names) for group in self.beside]
        stored = {name for group in (*names, *beside) for name in group}
        digests = {n: d.hex() for n, d in self.digests.items() if n in stored}
        ties: dict[str, Plain] = {"beside": beside} if beside else {}
        return {"names": names, "digests": digests, **ties}

    @property
    def groups(self) -> list[tuple[tuple[str, ...], BlobRef]]:
        """All names, and where they are kept, in the order of the fields."""
        return [(g.names, g.ref) for g in (*self.taken.groups, *self.beside)]


def keep_made(
    session: Session,
    inputs: Inputs,
    namespace: Mapping[str, object],
    made: Mapping[str, object],
    marks: Marks,
    known: Mapping[str, bytes],
) -> Left:
    """Store what a step made or changed.

    Args:
        session: Whose run it is in.
        inputs: What the step was given.
        namespace: The variables.
        made: Those that it made or changed, and what is no variable.
        marks: What it could reach before it ran.
        known: Digests of some, as they are now.
    """
    variables = {n: v for n, v in made.items() if n.isidentifier()}
    here = {n for n, v in variables.items() if namespace.get(n) is v}
    digests = dict(known) | inputs.now(here - known.keys())
    before = session.keeping.digests
    again = mark_farther(marks, variables, namespace, before, inputs.now)
    again |= counting(variables, namespace, session.sources)
    put, secrets = session.store.put, session.secrets
    taken = take(made, put, secrets=secrets, marks=marks)
    stored = {name for group in taken.groups for name in group.names}
    own = {n: v for n, v in variables.items() if n in stored}
    beside: list[Kept] = []
    for values in hanging(session.keeping, namespace, own):
        digests |= inputs.now(values.keys() - made.keys())
        whole = take(values, put, secrets=secrets)
        beside += [g for g in whole.groups if _is_tie(g.names, own)]
    return Left(taken=taken, beside=beside, digests=digests, again=again)


def _is_tie(names: Iterable[str], own: Mapping[str, object]) -> bool:
    """Whether a group has names of both kinds: a value that failed may have parted it."""
    return len({name in own for name in names}) > 1


def is_over(value: object) -> bool:
    """A pool that was shut down, as a ``with`` leaves it: nothing of it is to be kept."""
    # It says only by an attribute of its own that it ended.
    ended = ("_shutdown", "_shutdown_thread")
    return isinstance(value, Executor) and any(getattr(value, a, 0) for a in ended)
