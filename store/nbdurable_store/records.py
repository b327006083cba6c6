"""What is journaled: records, the blobs they name, and where they were read.

A record is one fact, appended once and never changed. Its ``fields`` are plain data
(JSON: str, int, float, bool, None, list, dict with str keys), so that it can be listed
by anybody without running code. Values stand beside it as blobs; ``docs/format.md``
gives the bytes.

Named tuples: several of each are made per call, and a frozen dataclass takes three times
as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from blake3 import blake3

Buffer = bytes | bytearray | memoryview
"""Bytes in memory that nobody has to copy."""

_Atom = None | bool | int | float | str
Plain = _Atom | Sequence["Plain"] | Mapping[str, "Plain"]
"""Plain data: what JSON can say."""

NO_KEY = b""
"""The key of a record that is not looked up by content."""

NO_FIELDS: Mapping[str, Plain] = {}
"""The fields of a record that has none; nobody adds to them."""


class Kind(StrEnum):
    """Every kind of record of format version 1; unknown kinds are kept and ignored."""

    RUN_OPENED = "run.opened"
    RUN_RENAMED = "run.renamed"
    RUN_CLOSED = "run.closed"
    RUN_PINNED = "run.pinned"
    RUN_BUDGET = "run.budget"
    RUN_REMOVED = "run.removed"
    STEP_STARTED = "step.started"
    STEP_RANDOM = "step.random"
    STEP_GIVEN = "step.given"
    STEP_COMPLETED = "step.completed"
    STEP_FAILED = "step.failed"
    STEP_REPLAYED = "step.replayed"
    STEP_RESET = "step.reset"
    STEP_CHECKPOINT = "step.checkpoint"
    CALL_STARTED = "call.started"
    CALL_COMPLETED = "call.completed"
    CALL_RAISED = "call.raised"
    CALL_ADOPTED = "call.adopted"
    CALL_RESOLVED = "call.resolved"
    CALL_KEPT = "call.kept"
    SIGNAL_SENT = "signal.sent"


class Place(NamedTuple):
    """Where inline bytes stand in the journal.

    Attributes:
        owner: Id of the segment's owner.
        seq: Sequence number of the record that carries them.
        offset: Where they begin in the segment, in bytes from its start.
    """

    owner: str
    seq: int
    offset: int


class BlobRef(NamedTuple):
    """A signed name for immutable bytes.

    Attributes:
        codec: Name of the codec that wrote the bytes; under the MAC.
        id: BLAKE3 of the uncompressed bytes, 32 bytes.
        size: Length of the uncompressed bytes, in bytes.
        mac: HMAC-SHA256 over store id, codec, id and size, 32 bytes.
        inline: The bytes themselves on their way into the journal, else ``None``.
        place: Where the journal carries them, set on refs that were read from it.
            Neither counts when refs are compared: a ref names bytes, not copies.
    """

    codec: str
    id: bytes
    size: int
    mac: bytes
    inline: bytes | None = None
    place: Place | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BlobRef) and self[:NAMING] == other[:NAMING]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:NAMING])

    def __repr__(self) -> str:
        name = f"codec={self.codec!r}, id={self.id.hex()!r}, size={self.size}"
        return f"BlobRef({name}, place={self.place})"

    def names(self, data: bytes) -> bool:
        """Whether these are the bytes it names."""
        return len(data) == self.size and blake3(data).digest() == self.id


NAMING = 4
"""So many of a ref's first members name the bytes."""


class Record(NamedTuple):
    """One fact.

    Attributes:
        kind: What happened; see `Kind`.
        run: Id of the run it belongs to.
        at_us: Wall clock when it was made, microseconds since 1970 UTC; for display.
        step: Id of the step attempt it belongs to, or "" for a fact about the run.
        subject: Id of what it speaks of: a run, a step attempt, a logical call.
        key: The digest it is looked up by, 32 bytes, or `NO_KEY`.
        fields: Plain data, named in ``docs/format.md`` per kind.
        blobs: Values, in the order that the kind defines.
    """

    kind: str
    run: str
    at_us: int
    step: str = ""
    subject: str = ""
    key: bytes = NO_KEY
    fields: Mapping[str, Plain] = NO_FIELDS
    blobs: tuple[BlobRef, ...] = ()


class Entry(NamedTuple):
    """A record in the journal, verified when it was read.

    Attributes:
        owner: Id of the segment's owner (one per kernel process).
        seq: Place in the owner's segment chain, from 1.
        tick: Logical clock: greater than every tick the owner had seen before.
            Entries of a run are ordered by (tick, owner, seq), never by wall clock.
        record: What was appended.
    """

    owner: str
    seq: int
    tick: int
    record: Record
