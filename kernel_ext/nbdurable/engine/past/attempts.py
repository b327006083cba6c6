"""What is known of the steps and slots of a run.

`history` folds entries into these, as it does into those of `pasts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from nbdurable.engine.past import fields
from nbdurable.engine.past.pasts import FIRST_ALGORITHM, Order, Shown
from nbdurable_store.records import BlobRef, Plain, Record


class StepState(StrEnum):
    """How a step attempt stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class StepPast:
    """One attempt of a step.

    Attributes:
        id: Its id.
        key: The step key, or b"" when an input had no digest.
        slot: The slot it executed in.
        name: What people call it.
        attempt: Its number within its slot, from 1.
        source: Digest of the cell's normalised source, hex.
        cell_id: The front end's id of the cell, or "".
        title: The cell's first line of code, at most 80 characters.
        reads: Digest (hex) of each name it read; None without a digest.
        codes: Digest (hex) of each class and module behind what it read; None where
            that was not recorded.
        algorithm: The version of the digests and keys in it.
        order: Where it started.
        ended_order: Where it ended, or that of its start.
        state: How it stands.
        how: For a failed one: raised, interrupted or paused.
        owner: The process that executed it.
        started_us: When it started, microseconds since 1970 UTC.
        ended_us: When it ended, or 0.
        ms: How long it took, milliseconds.
        used: Logical ids of the calls it was served or ran, in order.
        served: How many of them were served.
        blamed: Logical ids of the calls whose exception ended it.
        fields: Plain data of its end.
        blobs: Values of its end: outputs, then one per group of names, then one per
            group of `beside`.
        inputs: Values of its start: the cell's source, and what it was given.
        random: Where the global random generators stood at its start, if that is known.
        replays: Times (microseconds) at which it was replayed whole.
    """

    id: str
    key: bytes
    slot: str
    name: str
    attempt: int
    source: str
    cell_id: str
    title: str
    reads: Mapping[str, str | None]
    order: Order
    ended_order: Order
    state: StepState = StepState.RUNNING
    how: str = ""
    owner: str = ""
    started_us: int = 0
    ended_us: int = 0
    ms: float = 0.0
    used: tuple[str, ...] = ()
    served: int = 0
    blamed: tuple[str, ...] = ()
    algorithm: str = FIRST_ALGORITHM
    codes: Mapping[str, str] | None = None
    fields: Mapping[str, Plain] = field(default_factory=dict)
    blobs: tuple[BlobRef, ...] = ()
    inputs: tuple[BlobRef, ...] = ()
    random: BlobRef | None = None
    replays: list[int] = field(default_factory=list)

    @property
    def counted(self) -> Mapping[str, str | None]:
        """Digest (hex) of all that it read: names, and the code behind them."""
        return {**self.reads, **(self.codes or {})}

    @property
    def left(self) -> Mapping[str, str]:
        """Digest (hex) that each name had after it, of those it read and changed."""
        found = self.fields.get("left")
        pairs = found.items() if isinstance(found, Mapping) else ()
        return {str(name): str(digest) for name, digest in pairs}

    @property
    def digests(self) -> Mapping[str, bytes]:
        """The digest of each value that it stored, where it had one."""
        found = self.fields.get("digests")
        pairs = found.items() if isinstance(found, Mapping) else ()
        return {str(name): bytes.fromhex(str(digest)) for name, digest in pairs}

    @property
    def active_us(self) -> int:
        """When it was executed or replayed last, microseconds since 1970 UTC."""
        return max([self.started_us, *self.replays])

    @classmethod
    def begun(cls, step: str, slot: str, name: str) -> StepPast:
        """An attempt that is about to be recorded."""
        zero = (0, "", 0)
        return cls(
            id=step,
            key=b"",
            slot=slot,
            name=name,
            attempt=1,
            source="",
            cell_id="",
            title="",
            reads={},
            order=zero,
            ended_order=zero,
        )

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The names it stored, one tuple per group of values that hang together."""
        return groups_of(self.fields)

    @property
    def stored(self) -> list[tuple[tuple[str, ...], BlobRef]]:
        """Its groups, each with its value: what a replay brings back."""
        return list(zip(self.groups, self.blobs[1:], strict=False))

    @property
    def beside(self) -> list[tuple[tuple[str, ...], BlobRef]]:
        """Groups with names that it didn't make, too: they share an object with those.

        A restore takes them from here, so that it is one object again.
        """
        groups = groups_of(self.fields, "beside")
        return list(zip(groups, self.blobs[1 + len(self.groups) :], strict=False))


def groups_of(
    of: Mapping[str, Plain], field: str = "names"
) -> tuple[tuple[str, ...], ...]:
    """The names that a record stored, one tuple per group of values."""
    stored = of.get(field, ())
    groups = stored if isinstance(stored, (list, tuple)) else ()
    return tuple(
        tuple(str(n) for n in g) if isinstance(g, (list, tuple)) else () for g in groups
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPast:
    """What plain cells had made when a step was given it.

    Attributes:
        step: Id of the step.
        at_us: When, microseconds since 1970 UTC.
        groups: The names whose values were stored, by what hangs together.
        blobs: One value per group.
        modules: The names of modules, by name.
        unsaved: Names that could not be stored, with why.
    """

    step: str
    at_us: int
    groups: tuple[tuple[str, ...], ...]
    blobs: tuple[BlobRef, ...]
    modules: Mapping[str, Plain]
    unsaved: Mapping[str, Plain]


@dataclass(slots=True)
class SlotPast:
    """A slot's attempts in order, replays included, and the last rerun asked for.

    Attributes:
        id: Its id.
        attempts: Ids of its steps; of one that was replayed once more for each time.
        reset: Where the last rerun was asked for.
        kept_writes: What was said of the writes of before it; None if nothing was.
        kept_differ: The parameters in which the calls differed that were shown when that
            was said; None if unknown.
        shown: What was said of calls beside earlier ones, by the name of the tool.
    """

    id: str
    attempts: list[str] = field(default_factory=list)
    reset: Order | None = None
    kept_writes: bool | None = None
    kept_differ: frozenset[str] | None = None
    shown: dict[str, list[Shown]] = field(default_factory=dict)


def begun(record: Record, order: Order) -> StepPast:
    """An attempt as its start says it."""
    f = record.fields
    reads = fields.mapping(f, "reads")
    return StepPast(
        id=record.subject,
        key=record.key,
        slot=fields.text(f, "slot"),
        name=fields.text(f, "name"),
        attempt=fields.number(f, "attempt", 1),
        source=fields.text(f, "source"),
        cell_id=fields.text(f, "cell_id"),
        title=fields.text(f, "title"),
        reads={k: v if isinstance(v, str) else None for k, v in reads.items()},
        algorithm=fields.text(f, "algorithm") or FIRST_ALGORITHM,
        codes=_codes(f),
        order=order,
        ended_order=order,
        owner=order[1],
        started_us=record.at_us,
        fields=f,
        inputs=record.blobs,
    )


def _codes(f: fields.Fields) -> dict[str, str] | None:
    found = fields.mapping(f, "codes")
    return {k: str(v) for k, v in found.items()} if "codes" in f else None
