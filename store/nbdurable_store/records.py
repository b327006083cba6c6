"""What is journaled: records, the blobs they name, and where they were read.

A record is one fact, appended once and never changed. Its ``fields`` are plain data
(JSON: str, int, float, bool, None, list, dict with str keys), so that it can be listed
by anybody without running code. Values stand beside it as blobs; ``docs/format.md``
gives the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


class Kind(StrEnum):
    """Every kind of record of format version 1; unknown kinds are kept and ignored."""

    RUN_OPENED = "run.opened"
    RUN_RENAMED = "run.renamed"
    RUN_CLOSED = "run.closed"
    STEP_STARTED = "step.started"
    STEP_COMPLETED = "step.completed"
    STEP_FAILED = "step.failed"
    STEP_REPLAYED = "step.replayed"
    STEP_RESET = "step.reset"
    CALL_STARTED = "call.started"
    CALL_COMPLETED = "call.completed"
    CALL_RAISED = "call.raised"
    CALL_ADOPTED = "call.adopted"
    CALL_RESOLVED = "call.resolved"
    CALL_KEPT = "call.kept"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRef:
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
    inline: bytes | None = field(default=None, repr=False, compare=False)
    place: Place | None = field(default=None, repr=False, compare=False)

    def names(self, data: bytes) -> bool:
        """Whether these are the bytes it names."""
        return len(data) == self.size and blake3(data).digest() == self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One fact.

    Attributes:
        kind: What happened; see `Kind`.
        run: Id of the run it belongs to.
        step: Id of the step attempt it belongs to, or "" for a fact about the run.
        subject: Id of what it speaks of: a run, a step attempt, a logical call.
        key: The digest it is looked up by, 32 bytes, or `NO_KEY`.
        at_us: Wall clock when it was made, microseconds since 1970 UTC; for display.
        fields: Plain data, named in ``docs/format.md`` per kind.
        blobs: Values, in the order that the kind defines.
    """

    kind: str
    run: str
    step: str = ""
    subject: str = ""
    key: bytes = NO_KEY
    at_us: int
    fields: Mapping[str, Plain] = field(default_factory=dict)
    blobs: tuple[BlobRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
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
