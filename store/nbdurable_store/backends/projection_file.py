"""The file ``store.duckdb``: whether it is ours, adding to it, making it anew.

A file is compared with what is expected of it before anything in it is read, unless it
still is as a process of ours left it (by inode, size and times, signed, in
``store.lock``): everything in its catalogue, whose records it says
it holds, and whether it has as many as its watermarks say. So a view, a macro or a
trigger of a foreign tool is never run, and rows that one has removed are missed.

Order of writes of a burst: 1 rows and watermarks, in one transaction; 2 the checkpoint,
which makes both part of the file or neither. Of a new file: 1 all of it, under a
temporary name; 2 its checkpoint, which syncs it; 3 the log that a foreign tool may have
left beside the old file is removed, or it would be replayed into the new one; 4 the
rename; 5 a sync of the folder. DuckDB's first writes to a file aren't safe against a
kill, so no file is ever made under its final name.

Never open the file with anything but DuckDB while it may be attached: closing it would
drop DuckDB's lock.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from nbdurable_store import files
from nbdurable_store.backends.duckdb import Away, Instance, Unusable
from nbdurable_store.backends.ingest import Batch, Watermark
from nbdurable_store.backends.migrations import (
    VERSION,
    Catalogue,
    Cursor,
    catalogue,
    migrate,
    transaction,
    version_of,
)
from nbdurable_store.clock import Clock
from nbdurable_store.journal.segments import Mark
from nbdurable_store.keys import Signer, same
from nbdurable_store.killpoints import reach

NAME = "store.duckdb"
LOG_SUFFIX = ".wal"

WATERMARKS = """
    select owner, arg_max(byte, next_seq), max(next_seq), arg_max(prev_mac, next_seq),
           max(rows)
      from store.main.watermarks group by owner
"""
ADD_WATERMARK = "insert into store.main.watermarks values (?, ?, ?, ?, ?)"
COUNTED = """
    select (select count(*) from store.main.entries),
           (select coalesce(sum(rows), 0) from
             (select max(rows) as rows from store.main.watermarks group by owner))
"""
META = "select name, value from store.main.meta"


class Missing(Unusable):
    """There is no file."""


STAMP = struct.Struct("<QQQQ?")


class Stamp(NamedTuple):
    """By what a change of the file by somebody else is noticed."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    log: bool


class ProjectionFile:
    """The file of one store. To be used from inside the `Turnstile` only.

    Args:
        root: The store's folder.
        facts: Whose records the file has to say it holds.
        signer: Signs how this process left the file.
        clock: The machine's clock, or a test's.
    """

    def __init__(
        self, root: Path, facts: Mapping[str, str], signer: Signer, clock: Clock
    ) -> None:
        self._signer = signer
        self._root = root
        self._path = root / NAME
        self._facts = dict(facts)
        self._clock = clock
        self._instance = Instance(root)
        self._left: Stamp | None = None
        """The file as this process left it."""

    @contextmanager
    def open(self, *, write: bool) -> Iterator[Cursor]:
        """The file, attached as ``store`` and known to be ours, for one burst.

        Raises:
            Missing: There is none.
            Unusable: It has to be made anew.
            Away: It can't be opened now.
        """
        found = self._stamp()
        unseen = self._instance.expected() if found != self._left else None
        with self._instance.attached(self._path, write=write) as at:
            if unseen is not None:
                self._inspect(at, unseen)
            yield at
            self._left = self._stamp()

    def recall(self, note: bytes) -> None:
        """Take the word of another process of ours for the file as that one left it.

        Args:
            note: What `note` said there; anything else is no word.
        """
        packed, mac = note[: STAMP.size], note[STAMP.size :]
        if same(self._signer.stamp(packed), mac):
            self._left = Stamp(*STAMP.unpack(packed))

    def note(self) -> bytes:
        """The file as this process left it, signed: it needs no inspection as it is."""
        if self._left is None:
            return b""
        packed = STAMP.pack(*self._left)
        return packed + self._signer.stamp(packed)

    def replace(self, batches: Iterable[Batch]) -> int:
        """Make the file anew from all there is; how many records it holds.

        Raises:
            Away: There is no room, or no permission.
        """
        temp = self._root / "tmp" / NAME
        files.make_folder(temp.parent)
        _remove(temp)
        try:
            rows = self._fill(temp, batches)
        except BaseException:
            _remove(temp)
            raise
        reach("rebuild.temp")
        _log(self._path).unlink(missing_ok=True)
        temp.rename(self._path)
        files.sync_folder(self._root)
        reach("rebuild.renamed")
        self._left = None
        return rows

    def sweep(self) -> None:
        """Remove a new file that a killed process didn't come to use."""
        _remove(self._root / "tmp" / NAME)

    @property
    def loaded(self) -> bool:
        """Whether there is an instance."""
        return self._instance.loaded

    def close(self) -> None:
        """End the instance. Idempotent."""
        self._instance.close()

    def _fill(self, temp: Path, batches: Iterable[Batch]) -> int:
        rows = 0
        with self._instance.attached(temp, write=True) as at:
            temp.chmod(files.FILE_MODE)
            migrate(at, self._facts, self._clock.now_us())
            for batch in batches:
                append(at, batch)
                rows += len(batch.rows)
            at.execute("checkpoint store")
        return rows

    def _stamp(self) -> Stamp:
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            raise Missing("was gone") from None
        if not stat.S_ISREG(found.st_mode):
            raise Unusable("was no plain file")
        return Stamp(
            inode=found.st_ino,
            size=found.st_size,
            modified_ns=found.st_mtime_ns,
            changed_ns=found.st_ctime_ns,
            log=os.path.lexists(_log(self._path)),
        )

    def _inspect(self, at: Cursor, expected: Catalogue) -> None:
        """Compare with what is expected."""
        held = catalogue(at)
        if held != expected:
            if version_of(at, held) > VERSION:
                raise Away("was written by a later version of nbdurable")
            raise Unusable("held other things than our tables")
        if dict(answer(at, META)) != self._facts:
            raise Unusable("belonged to another store")
        [(count, taken)] = answer(at, COUNTED)
        if count != taken:
            raise Unusable("had lost records")


def answer(at: Cursor, question: str, asked: object = None) -> list[tuple[Any, ...]]:
    """Every row, at once: an answer that isn't fetched whole keeps the file locked."""
    at.execute(question, asked)
    return at.fetchall()


def watermarks(at: Cursor) -> dict[str, Watermark]:
    """How far each owner's segment has been taken over."""
    return {
        owner: Watermark(Mark(offset=byte, next_seq=seq, prev_mac=mac), rows)
        for owner, byte, seq, mac, rows in answer(at, WATERMARKS)
    }


def append(at: Cursor, batch: Batch) -> None:
    """Add rows and watermarks in one transaction, and make them part of the file."""
    with transaction(at):
        if batch.rows:
            with at.appender("store.main.entries") as appender:
                appender.append_rows(batch.rows)
        for owner, (mark, rows) in batch.watermarks.items():
            added = [owner, mark.offset, mark.next_seq, mark.prev_mac, rows]
            at.execute(ADD_WATERMARK, added)
        reach("ingest.appended")
    reach("ingest.committed")
    at.execute("checkpoint store")
    reach("ingest.checkpointed")


def _remove(path: Path) -> None:
    """Remove a file and the log beside it."""
    path.unlink(missing_ok=True)
    _log(path).unlink(missing_ok=True)


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}{LOG_SUFFIX}")
