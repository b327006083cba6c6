"""The store's interface: a list of promises. `conformance` holds a backend to them.

Words: an *owner* is one process that appends (one segment, one flock that says it
lives); an *entry* is a record that was appended; *durable* means that it survives
SIGKILL and power loss; *written* means that it survives SIGKILL.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol, overload

from nbdurable_store.records import BlobRef, Buffer, Entry, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that appends to the store.

    Attributes:
        id: Its id, also the name of its segment.
        pid: Process id on its machine.
        since_us: When it began, microseconds since 1970 UTC.
        alive: Whether its flock is held now.
    """

    id: str
    pid: int
    since_us: int
    alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing `Store.check` saw.

    Attributes:
        slug: Stable name of what is wrong, such as ``segment-damaged``.
        place: File relative to the store, with an offset where one is known.
        says: One sentence for a person.
        loses: Ids of the calls or steps that can't be served because of it.
    """

    slug: str
    place: str
    says: str
    loses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What `Store.check` read and found; no findings means the store is whole."""

    records: int
    blobs: int
    bytes: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """What `nbdurable_store.trust` did; nothing was to do if the store was one's own.

    Attributes:
        place: The store's folder.
        records: How many records are signed with the user's key now.
        left_out: How many stretches weren't whole and were left out.
    """

    place: str
    records: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What `nbdurable_store.remove` did.

    Attributes:
        runs: Ids of the runs that are gone, those that an earlier attempt had begun with
            among them.
        freed: How many bytes the store's folder is smaller than before.
        left: How many bytes could go, and may be relied on by a process that lives.
    """

    runs: tuple[str, ...]
    freed: int
    left: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has read: per owner, the next sequence number."""

    next_seq: tuple[tuple[str, int], ...] = ()

    def past(self, entries: Iterable[Entry]) -> Cursor:
        """This cursor, moved past entries that the reader already has.

        An appender calls it with what `Store.append` returned, so that it doesn't
        read its own entries again.
        """
        upto = dict(self.next_seq)
        for entry in entries:
            upto[entry.owner] = max(upto.get(entry.owner, 0), entry.seq + 1)
        return Cursor(tuple(sorted(upto.items())))


START = Cursor()


class Sink(Protocol):
    """What a blob is handed over to, piece by piece; see ``docs/format.md`` §5.

    A buffer must not change until `Store.put` returns.
    """

    def write(self, data: Buffer) -> None:
        """Add bytes to the head."""
        ...

    def piece(self, data: Buffer) -> None:
        """Add bytes to the head that are stored on their own: a long text, say."""
        ...

    def leaf(self, data: Buffer) -> None:
        """Add a buffer beside the head, such as the memory of an array."""
        ...


Fill = Callable[[Sink], None]
"""Hands a blob over."""


class Stored(Protocol):
    """A blob that is read piece by piece, each piece verified before it is handed out.

    Reading raises like `Store.get`.
    """

    @property
    def size(self) -> int:
        """How many bytes the head and the leaves have."""
        ...

    def head(self) -> BinaryIO:
        """The head, as a file that is read once from its beginning."""
        ...

    def leaves(self) -> Iterator[bytearray | memoryview]:
        """Each leaf in memory of its own, in the order in which they were put.

        One that is damaged raises its error, and the next ones can be had all the same.
        """
        ...

    def whole(self) -> bytes:
        """The head and the leaves, joined."""
        ...

    def close(self) -> None:
        """Let go of files. Idempotent."""
        ...


class Lease(Protocol):
    """The right to execute in a run, until released or until the process ends."""

    def release(self) -> None:
        """Give the run back. Idempotent."""
        ...


class Store(Protocol):
    """A journal and its blobs. Every method may be called from any thread."""

    @property
    def id(self) -> str:
        """Id of the store, made once."""
        ...

    @property
    def owner(self) -> str:
        """Id of this process as an owner."""
        ...

    @property
    def place(self) -> str:
        """Where it is, for people: a folder, or ``memory``."""
        ...

    @property
    def pepper(self) -> bytes:
        """32 bytes, the same in each process, that only who can sign for it can know."""
        ...

    def append(self, records: Sequence[Record], *, sync: bool) -> tuple[Entry, ...]:
        """Append in order, all or nothing seen by readers of this process.

        On return the records are written, and durable if ``sync``. Records that
        were appended earlier without sync are durable then too. If it raises, no
        later reader sees any of them, or the error says that this is not known.
        Concurrent callers share one sync. The entries' refs carry no inline bytes.

        Raises:
            StoreFull: The disk is full; nothing was appended.
            StoreUnwritable: The place can't be written (read-only, closed, forked).
            ValueError, TypeError: Fields that JSON can't say; nothing was appended.
        """
        ...

    def put(self, codec: str, data: bytes | Fill) -> BlobRef:
        """Keep bytes and name them; durable on return, each chunk once per store.

        Small bytes travel inline in the record that names them and cost no I/O
        here; they are durable when that record is. What a function hands over is
        never in memory as a whole; if the function raises, nothing is kept.
        """
        ...

    @overload
    def get(self, ref: BlobRef) -> bytes: ...

    @overload
    def get(self, ref: BlobRef, *, stream: Literal[True]) -> bytes | Stored: ...

    def get(self, ref: BlobRef, *, stream: bool = False) -> bytes | Stored:
        """The bytes, after their MAC and digests were checked.

        Args:
            ref: Their signed name.
            stream: Hand out a large blob to be read piece by piece.

        Raises:
            BlobMissing: Nobody has the bytes.
            BlobDamaged: MAC or digest don't fit; the bytes are never handed out.
        """
        ...

    def read(
        self, run: str, after: Cursor = START, *, calls_with: str = ""
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of one run that come after ``after``, in order, each verified.

        Sees everything written by any owner before the call. Damaged entries are
        left out; `check` names them. Refs come without inline bytes; `get` has them.
        Costs next to nothing when nothing is new. Of calls, those may be left out whose
        start has no field ``calls_with``, if that is given: of a long run few are read.
        """
        ...

    def scan(
        self, kinds: Collection[str], after: Cursor = START
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of these kinds over all runs that come after ``after``, like `read`.

        Meant for few and small records (runs, steps), not for calls.
        """
        ...

    def lookup(self, keys: Collection[bytes]) -> tuple[Entry, ...]:
        """Entries with one of these keys over all runs, in order, each verified."""
        ...

    def claim(self, run: str) -> Lease:
        """Take the right to execute in a run; re-entrant within this process.

        Raises:
            RunBusy: Another living process holds it (its pid and age are fields).
        """
        ...

    def owners(self) -> tuple[Owner, ...]:
        """Everyone who ever appended, and who of them is alive now."""
        ...

    def flush(self) -> None:
        """Make everything written durable and visible to readers of other tools."""
        ...

    def check(self) -> Checked:
        """Read everything, compare each copy with the other, change nothing."""
        ...

    def notices(self) -> tuple[str, ...]:
        """Sentences for a person since the last call, such as «… was rebuilt …»."""
        ...

    def close(self) -> None:
        """Flush, seal the segment, release locks. Idempotent."""
        ...
