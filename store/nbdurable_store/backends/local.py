"""The store on disk: segments and side files, with DuckDB behind them for readers."""

from __future__ import annotations

import contextlib
import os
import secrets
import weakref
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal, overload

from blake3 import blake3

from nbdurable_store.backends.background import Background
from nbdurable_store.backends.clearing import Clearing
from nbdurable_store.backends.comparison import Comparison
from nbdurable_store.backends.duckdb import Away, Unusable
from nbdurable_store.backends.ingest import Backlog
from nbdurable_store.backends.projection import Projection
from nbdurable_store.backends.reader import Reader
from nbdurable_store.chunks.blobs import INLINE_BYTES_MAX, BlobFiles
from nbdurable_store.chunks.sinks import filling
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.errors import BlobDamaged, BlobMissing
from nbdurable_store.folder.check import Checker
from nbdurable_store.folder.format import VERSION, Format, signer_of
from nbdurable_store.folder.format import read as read_format
from nbdurable_store.folder.survey import Usage
from nbdurable_store.journal.frames import Opening
from nbdurable_store.journal.sealing import Sealer
from nbdurable_store.journal.sources import Sources
from nbdurable_store.journal.tails import Tails
from nbdurable_store.journal.writer import Writer
from nbdurable_store.keys import same
from nbdurable_store.protocol import (
    START,
    Checked,
    Cursor,
    Fill,
    Owner,
    Removed,
    Stored,
)
from nbdurable_store.records import BlobRef, Entry, Record
from nbdurable_store.sharing.gates import TIDY, Gate
from nbdurable_store.sharing.leases import Leases, RunLease

TAIL_KEPT = 2_000
"""Entries of a segment that are kept in memory even if DuckDB has them: some 5 MB, and
readers that are not far behind need no burst."""


class LocalStore:
    """A store in a folder. `nbdurable_store.open` makes one.

    Args:
        root: The store's folder.
        said: Its ``FORMAT``.
        clock: The machine's clock, or a test's.
        notices: What `notices` will tell first.
    """

    def __init__(
        self,
        root: Path,
        said: Format,
        *,
        clock: Clock = SYSTEM_CLOCK,
        notices: Iterable[str] = (),
    ) -> None:
        self.id = said.store
        self.owner = secrets.token_hex(8)
        self.place = str(root)
        self._root = root
        self._journal = root / said.journal
        self._signer = signer_of(root, said)
        self.pepper = self._signer.pepper()
        self._notices = list(notices)
        self._leases = Leases(root, self.owner, clock)
        self._clock = clock
        self._blobs = BlobFiles(root, self.owner)
        self._writer = self._make_writer(clock)
        self._sources = Sources(self._journal, self._signer)
        self._projection = Projection(root, self._journal, self._signer, clock)
        self._background = Background(self._projection, clock, self._tidy)
        self._sealer = Sealer(root, self._journal, self._signer, self.owner)
        tails = Tails(
            self._journal,
            self._signer,
            self._sources,
            clock,
            owner=self.owner,
            written=self._writer.written,
        )
        self._reader = Reader(tails, self._writer.observe)
        _open.add(self)

    def append(self, records: Sequence[Record], *, sync: bool) -> tuple[Entry, ...]:
        """Append in order; see `nbdurable_store.protocol.Store`."""
        entries, end = self._writer.append(records)
        if self._reader.begun:
            self._reader.feed(entries, end)
        if not self._background.nudged:
            self._background.nudge()
        if sync:
            self._writer.sync(end.offset)
        return entries

    def put(self, codec: str, data: bytes | Fill) -> BlobRef:
        """Keep bytes and name them; see `nbdurable_store.protocol.Store`."""
        inline = None
        if isinstance(data, bytes) and len(data) <= INLINE_BYTES_MAX:
            digest, size, inline = blake3(data).digest(), len(data), data
        else:
            self._writer.begin()  # who collects leaves alone what a living owner put
            digest, size = self._blobs.put(filling(data))
        mac = self._signer.blob(codec, digest, size)
        return BlobRef(codec, digest, size, mac, inline)

    @overload
    def get(self, ref: BlobRef) -> bytes: ...

    @overload
    def get(self, ref: BlobRef, *, stream: Literal[True]) -> bytes | Stored: ...

    def get(self, ref: BlobRef, *, stream: bool = False) -> bytes | Stored:
        """The bytes, checked; see `nbdurable_store.protocol.Store`."""
        if not same(self._signer.blob(ref.codec, ref.id, ref.size), ref.mac):
            raise self._damaged(ref, "its signature doesn't fit")
        if ref.inline is None and ref.place is None:
            stored = self._blobs.get(ref.id, ref.size)
            if stream:
                return stored
            with contextlib.closing(stored):
                return stored.whole()
        if ref.inline is None:
            return self._inline(ref)
        if blake3(ref.inline).digest() != ref.id:
            raise self._damaged(ref, "its record holds other bytes")
        return ref.inline

    def read(
        self, run: str, after: Cursor = START, *, calls_with: str = ""
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of one run; see `nbdurable_store.protocol.Store`."""
        return self._reader.answer(
            lambda tails, since: tails.of_run(run, since),
            lambda since: self._projection.of_run(run, since, calls_with),
            after,
        )

    def scan(
        self, kinds: Collection[str], after: Cursor = START
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of these kinds; see `nbdurable_store.protocol.Store`."""
        wanted = frozenset(kinds)
        return self._reader.answer(
            lambda tails, since: tails.of_kinds(wanted, since),
            lambda since: self._projection.of_kinds(wanted, since),
            after,
        )

    def lookup(self, keys: Collection[bytes]) -> tuple[Entry, ...]:
        """Entries with one of these keys; see `nbdurable_store.protocol.Store`."""
        wanted = frozenset(keys)
        return self._reader.lookup(
            wanted,
            lambda _: self._projection.with_keys(wanted),
            self._projection.key_beginnings,
        )

    def claim(self, run: str) -> RunLease:
        """Take a run; see `nbdurable_store.protocol.Store`."""
        return self._leases.claim(run)

    def owners(self) -> tuple[Owner, ...]:
        """Everyone who ever appended; see `nbdurable_store.protocol.Store`."""
        return self._sources.owners()

    def flush(self) -> None:
        """Make everything durable; see `nbdurable_store.protocol.Store`."""
        self._settle()
        self._tidy()

    def check(self) -> Checked:
        """Read everything; see `nbdurable_store.protocol.Store`."""
        ends: dict[str, int] = {}
        with contextlib.suppress(Away, Unusable, OSError):
            ends = self._projection.ends(rowless=False)
        # Its own view of the files: what this process remembers is not asked.
        blobs = BlobFiles(self._root, self.owner)
        checked = Checker(self._journal, self._signer, blobs).check(ends)
        backlog = Backlog(self._journal, self._signer)
        compared = Comparison(self._projection, backlog, self._signer).findings()
        return replace(checked, findings=(*checked.findings, *compared))

    def usage(self, giving_up: Collection[str] = ()) -> Usage:
        """What takes how much room; see `nbdurable_store.usage`."""
        return self._clearing().usage(giving_up)

    def remove(self, runs: Collection[str] = ()) -> Removed:
        """Remove runs, and what nobody needs; see `nbdurable_store.remove`."""
        return self._clearing().remove(runs)

    def notices(self) -> tuple[str, ...]:
        """Sentences for a person; see `nbdurable_store.protocol.Store`."""
        told, self._notices = self._notices, []
        return (*told, *self._projection.notices())

    def close(self) -> None:
        """Flush and let go; see `nbdurable_store.protocol.Store`."""
        self._background.close()
        self._leases.close()
        try:
            self._writer.close()
        finally:
            self._projection.close()
            self._sources.close()

    def forked(self) -> None:
        """In the child of a fork: keep nothing of the parent's."""
        self._reader.forked()
        self._writer.forked()
        self._leases.forked()
        self._background.forked()
        self._projection.forked()

    def _make_writer(self, clock: Clock) -> Writer:
        opening = Opening(
            store=self.id,
            owner=self.owner,
            pid=os.getpid(),
            since_us=clock.now_us(),
            format=VERSION,
        )
        chain = self._signer.chain(self.owner)
        stands = self._stands
        now_s = clock.monotonic_s
        return Writer(
            self._root, self._journal, opening, chain, stands=stands, now_s=now_s
        )

    def _stands(self) -> bool:
        said = read_format(self._root)
        return said is not None and said.store == self.id

    def _clearing(self) -> Clearing:
        return Clearing(
            root=self._root,
            journal=self._journal,
            signer=self._signer,
            sources=self._sources,
            projection=self._projection,
            sealer=self._sealer,
            claim=self.claim,
            append=partial(self.append, sync=True),
            settle=self._settle,
            clock=self._clock,
        )

    def _settle(self) -> None:
        self._writer.flush()
        self._background.flush()

    def _tidy(self) -> None:
        """Once DuckDB has everything: let go of it here, and put away what is left.

        Nothing of this is needed by anybody, so what can't be done is done next time.
        """
        with contextlib.suppress(Away, Unusable, OSError):
            ends = self._projection.ends()
            self._reader.forget(ends, TAIL_KEPT)
            with Gate(self._root / TIDY, self._clock).passed() as alone:
                if alone:
                    self._sealer.seal(ends)
                    self._sealer.sweep(self._clock)

    def _inline(self, ref: BlobRef) -> bytes:
        """Bytes that travelled in a record; DuckDB may have what a segment has lost."""
        assert ref.place is not None
        owner, _, offset = ref.place
        data = self._sources.read(owner, offset, ref.size)
        if data is not None and blake3(data).digest() == ref.id:
            return data
        kept = self._projection.inline(ref.place, ref.size)
        if kept is not None and blake3(kept).digest() == ref.id:
            return kept
        if data is None and kept is None:
            raise BlobMissing(id=ref.id.hex(), place=self.place)
        raise self._damaged(ref, "its record holds other bytes")

    def _damaged(self, ref: BlobRef, why: str) -> BlobDamaged:
        return BlobDamaged(id=ref.id.hex(), place=self.place, why=why)


_open: weakref.WeakSet[LocalStore] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for store in list(_open):
        store.forked()


os.register_at_fork(after_in_child=_after_fork_in_child)
