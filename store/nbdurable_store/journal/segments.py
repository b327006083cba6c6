"""Reading segments: where they are, who of their owners lives, and what is whole.

Theory of operation. A segment is a chain of frames that one process appended. A reader
walks it with `Scan` and may come back later to the place where it stopped. Three things
can stand where a frame is expected:

* nothing yet: zeros that were reserved, or the end of the file;
* a torn tail: bytes that are no whole frame, and no frame of ours comes later. While
  the owner lives this may be an append on its way; of a dead owner it was never
  acknowledged, and is cut when the segment is sealed;
* damage: bytes that are no whole frame, and a frame of ours comes later. Named, stepped
  over, never cut, never served.

The owner may append while all this is read, so a look at one place and a later look at
another don't show one moment: an empty place, and behind it a frame that came since. But
frames are written in order. Once a later frame was seen, everything before it is written,
and what a new look at it shows is final; before that, nothing is called damage.

A frame "of ours" has a valid CRC, a valid MAC for this store and owner, and a sequence
number that isn't behind the one expected: so a value that holds a copy of older frames
can't be taken for the journal itself.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from nbdurable_store import files
from nbdurable_store.journal.frames import (
    FIRST_MAC,
    HEADER_BYTES,
    MAGIC,
    Frame,
    Opening,
    candidates,
    decode_frame,
    following,
    verified,
)
from nbdurable_store.keys import Chain

SUFFIX = ".seg"
SEALED_SUFFIX = ".seg.zst"
FIRST_WINDOW_BYTES = 1 << 13
WINDOW_BYTES = 1 << 20
"""How much of a segment is read at once: little first, for who looks often."""


class Source(Protocol):
    """A segment's bytes, wherever they are kept."""

    def read(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer only at the end."""
        ...

    def close(self) -> None:
        """Give the descriptor back. Idempotent."""
        ...


class PlainFile:
    """A segment that lies in its file as it was appended."""

    def __init__(self, path: Path) -> None:
        self._fd = files.open_to_read(path)

    def read(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer only at the end."""
        data = os.pread(self._fd, size, offset)
        return data if len(data) == size else files.read_all(self._fd, size, offset)

    def close(self) -> None:
        """Give the descriptor back. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class MemoryFile:
    """A segment's bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer only at the end."""
        return self._data[offset : offset + size]

    def close(self) -> None:
        """Nothing to give back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A stretch of a segment that can't be served, with whole frames after it.

    Attributes:
        offset: Where it begins in the segment, in bytes.
        end: Where the next whole frame begins.
        first_seq: Sequence number of the first record that is lost by it.
        next_seq: Sequence number of the first whole record after it.
    """

    offset: int
    end: int
    first_seq: int
    next_seq: int


class Mark(NamedTuple):
    """A place in a segment from which reading can go on.

    Attributes:
        offset: Where the next frame begins, in bytes.
        next_seq: Its expected sequence number.
        prev_mac: MAC of the frame before it.
    """

    offset: int = 0
    next_seq: int = 0
    prev_mac: bytes = FIRST_MAC


BEGINNING = Mark()


class Scan:
    """Walks a segment from a mark; can be asked again when the segment has grown.

    Args:
        source: The segment's bytes.
        chain: MACs of its owner, or ``None`` to take every frame with a valid CRC.
        mark: Where to begin.
    """

    def __init__(
        self, source: Source, chain: Chain | None, mark: Mark = BEGINNING
    ) -> None:
        self.mark = mark
        self._source = source
        self._chain = chain
        self._window = b""
        self._base = 0
        self._ahead = FIRST_WINDOW_BYTES

    def grown(self) -> bool:
        """Whether something stands at the mark now. One small read."""
        return self._source.read(self.mark.offset, HEADER_BYTES).strip(b"\0") != b""

    def walk(self, *, deep: bool = True) -> Iterator[Frame | Damage]:
        """Every whole frame and every damaged stretch up to the end there is now.

        Args:
            deep: Look behind zeros too, for frames after a stretch that was erased.
        """
        self._window, self._base = b"", self.mark.offset
        self._ahead = FIRST_WINDOW_BYTES
        while (frame := self._next(deep=deep)) is not None:
            if frame.offset != self.mark.offset or frame.seq != self.mark.next_seq:
                yield Damage(
                    offset=self.mark.offset,
                    end=frame.offset,
                    first_seq=self.mark.next_seq,
                    next_seq=frame.seq,
                )
            self.mark = Mark(
                offset=frame.end, next_seq=following(frame), prev_mac=frame.mac
            )
            yield frame
        self._window = b""

    def _next(self, *, deep: bool) -> Frame | None:
        frame = self._frame_at(self.mark.offset)
        if frame is not None:
            return frame
        if not (deep or self.grown()) or self._search() is None:
            return None
        # A later frame is there, so the ones before it are whole by now, or never.
        self._window, self._base = b"", self.mark.offset
        return self._frame_at(self.mark.offset) or self._search()

    def _frame_at(self, offset: int) -> Frame | None:
        at = offset - self._base
        found = decode_frame(self._window, at, self._base)
        if not isinstance(found, Frame) and found.need:
            self._load(offset, max(self._ahead, found.need))
            self._ahead = min(2 * self._ahead, WINDOW_BYTES)
            found = decode_frame(self._window, 0, self._base)
            if not isinstance(found, Frame) and found.need > len(self._window):
                self._load(offset, found.need)
                found = decode_frame(self._window, 0, self._base)
        if not isinstance(found, Frame) or not self._ours(found):
            return None
        return found

    def _ours(self, frame: Frame) -> bool:
        if frame.seq < self.mark.next_seq:
            return False
        return self._chain is None or verified(frame, self._chain)

    def _load(self, offset: int, size: int) -> None:
        self._window, self._base = self._source.read(offset, size), offset

    def _search(self) -> Frame | None:
        """The next frame of ours after bytes that are none, if there is one."""
        offset = self.mark.offset
        data = self._source.read(offset, WINDOW_BYTES)
        while data:
            for at in candidates(data, 0):
                if offset + at > self.mark.offset:
                    frame = self._frame_at(offset + at)
                    if frame is not None:
                        return frame
            offset += max(1, len(data) - len(MAGIC) + 1)
            data = self._source.read(offset, WINDOW_BYTES)
            if len(data) < len(MAGIC):
                break
        return None


def opening_of(source: Source, chain: Chain) -> Opening | None:
    """What a segment's first frame says, or ``None`` if it isn't whole and ours."""
    scan = Scan(source, chain)
    first = next(scan.walk(), None)
    if not isinstance(first, Frame) or first.seq != 0:
        return None
    return Opening.decode(first.head)


class Listing(NamedTuple):
    """The segments of a journal, by owner; one that is being sealed may be in both."""

    plain: dict[str, Path]
    sealed: dict[str, Path]


def listing(journal: Path) -> Listing:
    """Every segment there is now."""
    plain, sealed = {}, {}
    with contextlib.suppress(FileNotFoundError), os.scandir(journal) as entries:
        for entry in entries:
            owner, _, ending = entry.name.partition(".")
            if ending == SUFFIX[1:]:
                plain[owner] = journal / entry.name
            elif ending == SEALED_SUFFIX[1:]:
                sealed[owner] = journal / entry.name
    return Listing(plain, sealed)


def plain_segments(journal: Path) -> dict[str, Path]:
    """The unsealed segments of a journal, by owner."""
    return listing(journal).plain


def alive(path: Path) -> bool:
    """Whether the owner of a segment lives: whether its flock is held.

    Probing takes a shared lock for a moment, so that two who probe don't see each
    other. An owner takes its lock before its segment gets its name.
    """
    try:
        fd = files.open_to_read(path)
    except FileNotFoundError:
        return False
    try:
        return not files.lock(fd, shared=True)
    finally:
        os.close(fd)
