"""A store of somebody else's, looked at without trusting it. Nothing here writes.

Theory of operation. Of a foreign store nothing can be verified: its MACs are made with
a key that isn't ours. So whatever its files claim is taken for what it is, the words of a
stranger. Frames are walked from the start of each segment and only as long as one follows
the other (a search for the next frame behind damage could be made to take for ever);
lengths are bounded before anything is read, and records whose types are wrong are left
out. ``store.duckdb`` is never opened. Bytes of values are handed out for the codecs that
the caller can read without running anything, if their digest fits and a record carries
them: the files of larger values aren't opened.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from blake3 import blake3

from nbdurable_store import files
from nbdurable_store.chunks.blobs import INLINE_BYTES_MAX
from nbdurable_store.errors import BlobDamaged, StoreForeign
from nbdurable_store.folder.format import Format
from nbdurable_store.journal.frames import (
    Frame,
    Torn,
    about_segment,
    decode_frame,
    sound,
)
from nbdurable_store.journal.segments import MemoryFile, Source, alive, listing
from nbdurable_store.protocol import START, Checked, Cursor, Fill, Lease, Owner
from nbdurable_store.records import BlobRef, Entry, Record

OWNER: Final = re.compile(r"[0-9a-f]{16}")

STORE_BYTES_MAX: Final = 1 << 27
"""Of all segments together; a journal that has more is trusted or left."""

HEADS_BYTES_MAX: Final = 1 << 25
"""Of all records, their values aside: parsed JSON can take twenty times its length."""

ENTRIES_MAX: Final = 50_000
"""Records that are looked at; folding and drawing more of them takes minutes."""

UNPACK_WINDOW_BYTES_MAX: Final = 1 << 23
"""What unpacking may take at once; our own pieces need a quarter of a megabyte."""

WINDOW_BYTES: Final = 1 << 20


class ForeignStore:
    """A store that can be looked at; whatever would change it raises `StoreForeign`.

    Args:
        root: Its folder.
        said: What its ``FORMAT`` claims.
        plain: Codecs whose bytes may be handed out.
    """

    def __init__(self, root: Path, said: Format, plain: Collection[str]) -> None:
        self.id = said.store
        self.owner = ""
        self.place = str(root)
        self.pepper = bytes(32)
        """No secret: nobody calls anything here."""
        self.left_out = 0
        """Stretches of the journal that hold no records, or more than is looked at."""
        self._error = StoreForeign(place=str(root), key=said.key)
        self._plain = plain
        self._journal = root / said.journal
        self._segments = dict(self._open_segments())
        self._room = HEADS_BYTES_MAX
        walks = (e for owner in self._segments for e in self._walk(owner))
        entries = list(itertools.islice(walks, ENTRIES_MAX))
        self.left_out += len(entries) == ENTRIES_MAX
        self._entries = sorted(entries, key=lambda e: (e.tick, e.owner, e.seq))

    # ---- looking -------------------------------------------------------------------------

    def read(
        self,
        run: str,
        after: Cursor = START,
        *,
        calls_with: str = "",  # noqa: ARG002  # all are in memory
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of one run, in order, unverified."""
        return self._after(after, lambda record: record.run == run)

    def scan(
        self, kinds: Collection[str], after: Cursor = START
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of these kinds over all runs, in order, unverified."""
        return self._after(after, lambda record: record.kind in kinds)

    def lookup(self, keys: Collection[bytes]) -> tuple[Entry, ...]:
        """Entries with one of these keys, in order, unverified."""
        return tuple(e for e in self._entries if e.record.key in keys)

    def get(self, ref: BlobRef, *, stream: bool = False) -> bytes:  # noqa: ARG002  # never large
        """The bytes of a value in a plain codec, if they are those of its digest.

        Raises:
            StoreForeign: Its codec can run code, or it is too large for a record.
            BlobDamaged: Its record holds other bytes.
        """
        if ref.codec not in self._plain or ref.place is None:
            raise self._error
        source = self._segments.get(ref.place.owner)
        size = min(ref.size, INLINE_BYTES_MAX)
        data = b"" if source is None else source.read(ref.place.offset, size)
        if len(data) != ref.size or blake3(data).digest() != ref.id:
            why = "its record holds other bytes"
            raise BlobDamaged(id=ref.id.hex(), place=self.place, why=why)
        return data

    def owners(self) -> tuple[Owner, ...]:
        """Everyone who has a segment; what it says of its process isn't believed."""
        plain = listing(self._journal).plain
        return tuple(
            Owner(id=o, pid=0, since_us=0, alive=o in plain and _held(plain[o]))
            for o in self._segments
        )

    def notices(self) -> tuple[str, ...]:
        """Nothing is told of a store that isn't ours."""
        return ()

    def flush(self) -> None:
        """Nothing was written."""

    def close(self) -> None:
        """Let go of what was read. Idempotent."""
        for source in self._segments.values():
            source.close()

    # ---- what is not done ----------------------------------------------------------------

    def append(
        self,
        records: Sequence[Record],  # noqa: ARG002  # the protocol's
        *,
        sync: bool,  # noqa: ARG002  # the protocol's
    ) -> tuple[Entry, ...]:
        """Refused."""
        raise self._error

    def put(self, codec: str, data: bytes | Fill) -> BlobRef:  # noqa: ARG002  # the protocol's
        """Refused."""
        raise self._error

    def claim(self, run: str) -> Lease:  # noqa: ARG002  # the protocol's
        """Refused."""
        raise self._error

    def check(self) -> Checked:
        """Refused: without the key there is nothing to check against."""
        raise self._error

    # ---- reading -------------------------------------------------------------------------

    def _after(
        self, after: Cursor, wanted: Callable[[Record], bool]
    ) -> tuple[tuple[Entry, ...], Cursor]:
        since = dict(after.next_seq)
        found = (e for e in self._entries if e.seq >= since.get(e.owner, 0))
        return tuple(e for e in found if wanted(e.record)), after.past(self._entries)

    def _open_segments(self) -> Iterator[tuple[str, Source]]:
        plain, sealed = listing(self._journal)
        room = STORE_BYTES_MAX
        for owner in sorted(filter(OWNER.fullmatch, plain.keys() | sealed.keys())):
            path = plain.get(owner) or sealed[owner]
            data = _bytes_of(path, room, packed=owner not in plain)
            if data is None or len(data) > room:
                self.left_out += 1
            if data:
                yield owner, MemoryFile(data[:room])
                room = max(0, room - len(data))

    def _walk(self, owner: str) -> Iterator[Entry]:
        """The records at the beginning of a segment, as far as one follows another."""
        source, expected = self._segments[owner], 0
        for frame in _frames(source):
            self._room -= len(frame.head)
            if frame.seq < expected or self._room < 0:
                self.left_out += 1
                return
            expected = frame.seq + 1
            if about_segment(frame):
                continue
            entry = sound(owner, frame)
            if entry is None:
                self.left_out += 1
            else:
                yield entry


def _frames(source: Source) -> Iterator[Frame]:
    """Frame after frame from the beginning, until something else stands there."""
    window, base, offset = b"", 0, 0
    while True:
        found = decode_frame(window, offset - base, base)
        if isinstance(found, Torn) and found.need:
            base = offset
            window = source.read(offset, max(found.need, WINDOW_BYTES))
            found = decode_frame(window, 0, base)
        if isinstance(found, Torn) and len(window) < found.need:
            window = source.read(offset, found.need)
            found = decode_frame(window, 0, base)
        if isinstance(found, Torn):
            return
        yield found
        offset = found.end


def _bytes_of(path: Path, most: int, *, packed: bool) -> bytes | None:
    """The bytes of a plain file, one more than ``most`` at most; None if it is none."""
    try:
        fd = files.open_to_read(path)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        return _unpacked(fd, most) if packed else files.read_all(fd, most + 1, 0)
    except OSError:
        return None
    finally:
        os.close(fd)


def _unpacked(fd: int, most: int) -> bytes:
    """What can be unpacked of a sealed segment; a bomb stops at the limit."""
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=UNPACK_WINDOW_BYTES_MAX)
    data = bytearray()
    with (
        io.FileIO(fd, closefd=False) as raw,
        unpacker.stream_reader(raw, read_across_frames=True, closefd=False) as reader,
        contextlib.suppress(zstandard.ZstdError),
    ):
        while len(data) <= most and (piece := reader.read(WINDOW_BYTES)):
            data += piece
    return bytes(data[: most + 1])


def _held(path: Path) -> bool:
    """Whether somebody has a segment's lock; one that can't be asked has nobody."""
    with contextlib.suppress(OSError):
        return alive(path)
    return False
