"""Appending to one's own segment: group commit, and safe against interrupts.

Theory of operation. Threads write under one lock and sync under another. Whoever gets
the sync lock syncs everything that was written so far, so threads that wait meanwhile
find their records durable and return: that is the group commit.

There is no writer thread. A hand-over to one and back costs 30 µs of CPU here (measured),
twice per call, as much as the sync itself. What a thread would give, that an interrupt
of the main thread can't cut an append in two, is had in another way: what is about to be
written is noted first (`_pending`), and whoever comes next writes it again at the same
place. Writing the same bytes twice changes nothing, so an interrupted append happened
either not at all or wholly.

Order of writes of one append: 1 the segment is looked for, if that was not done just
now (somebody may have removed the store, or put another one at its place: a file without
a name takes bytes, and nobody ever reads them); 2 room is reserved (a full disk shows here, before
anything was recorded); 3 the frames are written in one piece; 4 if asked, they are
synced; 5 only now the caller goes on.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from nbdurable_store import files
from nbdurable_store.errors import StoreFull, StoreUnwritable
from nbdurable_store.journal.frames import (
    HEADER_BYTES,
    Opening,
    body_of,
    closing,
    encode_frame,
    encode_head,
    placed,
)
from nbdurable_store.journal.segments import BEGINNING, SUFFIX, Mark
from nbdurable_store.keys import Chain
from nbdurable_store.killpoints import reach
from nbdurable_store.records import Entry, Record

RESERVE_BYTES = 1 << 16
RESERVE_BYTES_MAX = 1 << 18
"""Room is reserved in pieces, first of this size, then up to that: one sync in a hundred
writes 256 kB and the file's size, which nobody notices."""


LOOK_EVERY_S: Final = 0.05
"""How often a store that is written to is looked for at its place."""


class Writer:
    """Appends to the segment of this process; the segment is made at the first append.

    Args:
        root: The store's folder.
        journal: The folder of segments in it.
        opening: What the segment's first frame will say.
        chain: The MACs of its records.
        stands: Whether the store still is where it was opened.
        now_s: Seconds that never jump.
    """

    def __init__(
        self,
        root: Path,
        journal: Path,
        opening: Opening,
        chain: Chain,
        *,
        stands: Callable[[], bool],
        now_s: Callable[[], float],
    ) -> None:
        self.tick = 0
        """Greatest tick that this process has seen."""
        self._root = root
        self._path = journal / f"{opening.owner}{SUFFIX}"
        self._named = str(self._path)
        self._opening = opening
        self._owner = opening.owner
        self._chain = chain
        self._stands, self._now_s = stands, now_s
        self._looked_s = -LOOK_EVERY_S
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._fd = -1
        self._refusal = ""
        self._unknown = False
        self._written = BEGINNING
        self._pending: tuple[bytes, Mark] | None = None
        self._reserved = 0
        self._synced = 0
        self._sync_failed = False

    def append(self, records: Sequence[Record]) -> tuple[tuple[Entry, ...], Mark]:
        """Append records, all or none; written on return, durable after `sync`.

        Returns:
            What was made of them, and the place in the segment after it.
        """
        entries, pieces = [], []
        with self._lock:
            if self._fd < 0 or self._pending is not None or self._refusal:
                self._ready()
            end, tick = self._written, self.tick
            for record in records:
                tick += 1
                head = encode_head(record, tick)
                offset, seq, _ = end
                body, kept = b"", record
                if record.blobs:
                    body = body_of(record)
                    body_at = offset + HEADER_BYTES + len(head)
                    kept = placed(record, self._owner, seq, body_at)
                entries.append(Entry(self._owner, seq, tick, kept))
                piece, end = self._frame(head, body, end)
                pieces.append(piece)
            if pieces:
                self._look()
                self._write(b"".join(pieces), end)
                self.tick = tick
            return tuple(entries), end

    def written(self) -> int:
        """How many bytes of the segment are written; -1 where that isn't known.

        An append that was cut short may stand there, and in a fork the parent goes on.
        """
        if self._fd < 0 or self._pending is not None:
            return -1
        return self._written.offset

    def begin(self) -> None:
        """Make the segment, if there is none yet: from now on this process is an owner."""
        with self._lock:
            self._ready()

    def observe(self, tick: int) -> None:
        """Learn of a tick that somebody else has given."""
        if tick > self.tick:
            with self._lock:
                self.tick = max(self.tick, tick)

    def sync(self, end: int) -> None:
        """Make durable what stands before an offset of the segment.

        What the caller has to do with its entries it does before: after the wait for
        the disk the processor's caches are cold, and the same code takes twice as long.
        """
        with self._sync_lock:
            if self._synced >= end:
                return
            if self._sync_failed:  # of another thread, while this one waited
                raise self._refused()
            target = self._written.offset
            try:
                files.sync_file(self._fd)
                reach("record.synced")
            except OSError as e:
                # The system forgets pages that it couldn't write: a second sync may
                # succeed without them, so nothing more is accepted here.
                self._unknown = self._sync_failed = True
                self._refusal = f"the disk reported an error ({e.strerror})"
                raise self._told(e) from e
            self._synced = target

    def flush(self) -> None:
        """Make everything durable that was appended."""
        if self._fd >= 0:
            _, end = self.append(())
            self.sync(end.offset)

    def close(self) -> None:
        """Say that nothing follows, sync, and let the lock go. Idempotent.

        Raises:
            StoreUnwritable: The last sync failed.
        """
        with self._lock, self._sync_lock:
            try:
                if self._fd >= 0 and not self._refusal:
                    self._finish()
            finally:
                self._end("it is closed")

    def forked(self) -> None:
        """In the child of a fork: give the segment up without touching it."""
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._refusal = "this process is a fork of the one that opened it"
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _finish(self) -> None:
        # Without room for the closing frame the segment ends as if we had been killed.
        with contextlib.suppress(StoreFull):
            self._settle()
            head = closing(self._written.next_seq)
            self._write(*self._frame(head, b"", self._written))
        try:
            os.ftruncate(self._fd, self._written.offset)
            files.sync_file(self._fd)
        except OSError as e:
            self._unknown = True
            raise self._told(e) from e

    def _end(self, why: str) -> None:
        self._refusal = self._refusal or why
        if self._fd >= 0:
            files.unlock(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _ready(self) -> None:
        if self._refusal:
            raise self._refused()
        if self._fd < 0:
            self._create()
        self._settle()

    def _look(self) -> None:
        """Refuse what nobody would read: the segment has its name no more.

        Not each time: behind a sync, with cold caches, that takes 40 µs.
        """
        now_s = self._now_s()
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        try:
            os.stat(self._named)  # noqa: PTH116  # a Path takes three times as long
        except FileNotFoundError as e:
            raise files.left(self._root) from e
        self._looked_s = now_s

    def _settle(self) -> None:
        """Finish an append that an interrupt cut short."""
        if self._pending is not None:
            self._write(*self._pending)

    def _create(self) -> None:
        """Make the segment: lock it and sign it before it has its name."""
        temp = self._root / "tmp" / self._path.name
        if not self._stands():
            raise files.left(self._root)
        try:
            files.make_folder(temp.parent)
            files.make_folder(self._path.parent)
            temp.unlink(missing_ok=True)
            fd = files.create(temp)
        except OSError as e:
            raise self._told(e) from e
        try:
            files.lock(fd)
            reach("segment.created")
            frame, after = self._frame(self._opening.encode(), b"", BEGINNING)
            reserved = _reserve(fd, 0, len(frame))
            files.write_all(fd, frame, 0)
            os.fsync(fd)
            reach("segment.header")
            temp.rename(self._path)
            files.sync_folder(self._path.parent)
        except OSError as e:
            os.close(fd)
            raise self._told(e) from e
        self._reserved, self._synced, self._written = reserved, len(frame), after
        self._fd = fd

    def _frame(self, head: bytes, body: bytes, at: Mark) -> tuple[bytes, Mark]:
        """The next frame, and the place after it."""
        offset, seq, prev_mac = at
        mac = self._chain.mac(seq, prev_mac, head)
        frame = encode_frame(seq, prev_mac, mac, head, body)
        return frame, Mark(offset + len(frame), seq + 1, mac)

    def _write(self, data: bytes, after: Mark) -> None:
        begin = after.offset - len(data)
        self._pending = (data, after)
        try:
            if after.offset > self._reserved:
                self._reserved = _reserve(self._fd, self._reserved, after.offset)
            files.write_all(self._fd, data, begin)
            reach("record.written")
        except OSError as e:
            self._undo(begin, e)
            raise self._told(e) from e
        self._written = after
        self._pending = None

    def _undo(self, begin: int, error: OSError) -> None:
        """Cut off what a failed append left, or refuse everything from now on."""
        try:
            os.ftruncate(self._fd, begin)
            self._reserved, self._pending = begin, None
        except OSError:
            self._refusal = f"a failed append can't be undone ({error.strerror})"
            self._unknown = True

    def _told(self, error: OSError) -> StoreFull | StoreUnwritable:
        if self._refusal:
            return self._refused()
        return files.told(self._root, error)

    def _refused(self) -> StoreUnwritable:
        place = str(self._root)
        return StoreUnwritable(place=place, why=self._refusal, unknown=self._unknown)


def _reserve(fd: int, begin: int, least: int) -> int:
    """Reserve a piece of room, or where that is too much only what is needed now."""
    piece = min(max(begin, RESERVE_BYTES), RESERVE_BYTES_MAX)
    end = max(begin + piece, least)
    try:
        files.reserve(fd, begin, end - begin)
    except OSError as e:
        if e.errno not in files.NO_ROOM:
            raise
        end = least
        files.reserve(fd, begin, end - begin)
    return end
