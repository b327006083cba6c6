"""The store in memory: the shortest code that keeps every promise, and the oracle."""

from __future__ import annotations

import itertools
import os
import secrets
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Literal, overload

from nbdurable_store.chunks import trees
from nbdurable_store.chunks.blobs import INLINE_BYTES_MAX
from nbdurable_store.chunks.sinks import BlobSink, filling
from nbdurable_store.chunks.stored import StoredBlob
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.errors import BlobDamaged, BlobMissing, RunBusy, StoreUnwritable
from nbdurable_store.journal.frames import encode_head, placed
from nbdurable_store.keys import Signer, same
from nbdurable_store.protocol import (
    START,
    Checked,
    Cursor,
    Fill,
    Lease,
    Owner,
    Stored,
)
from nbdurable_store.records import BlobRef, Buffer, Entry, Record


class World:
    """What outlives a process: the journal, the blobs, and who holds which run."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self.signer = Signer(secrets.token_bytes(32), self.id)
        self.lock = threading.RLock()
        self.entries: list[Entry] = []
        self.inline: dict[bytes, bytes] = {}
        self.chunks: dict[bytes, bytes] = {}
        self.owners: dict[str, Owner] = {}
        self.holders: dict[str, tuple[str, int]] = {}

    def tick(self) -> int:
        """A tick greater than every tick so far."""
        return self.entries[-1].tick + 1 if self.entries else 1

    def died(self, owner: str) -> None:
        """What the death of a process changes."""
        with self.lock:
            if owner in self.owners:
                self.owners[owner] = replace(self.owners[owner], alive=False)
            self.holders = {r: h for r, h in self.holders.items() if h[0] != owner}


class MemoryStore:
    """One process's view of a `World`. Nothing survives the world."""

    def __init__(self, world: World | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self._world = world or World()
        self._clock = clock
        self._closed = False
        self._count = itertools.count(1)
        self.id = self._world.id
        self.owner = secrets.token_hex(8)
        self.place = "memory"
        self.pepper = self._world.signer.pepper()
        self._since_us = clock.now_us()
        self._claims: dict[str, int] = {}

    def append(self, records: Sequence[Record], *, sync: bool) -> tuple[Entry, ...]:
        """Append in order; see `nbdurable_store.protocol.Store`."""
        del sync
        with self._world.lock:
            self._must_be_open()
            for record in records:
                encode_head(record, 0)
                self._keep(record)
            return tuple(self._append(record) for record in records)

    def put(self, codec: str, data: bytes | Fill) -> BlobRef:
        """Keep bytes and name them; see `nbdurable_store.protocol.Store`."""
        self._must_be_open()
        inline = None
        if isinstance(data, bytes) and len(data) <= INLINE_BYTES_MAX:
            digest, size, inline = trees.id_of(data), len(data), data
        else:
            chunks = _Chunks(self._world)
            sink = BlobSink(chunks)
            filling(data)(sink)
            digest, size = sink.finish(), sink.size
            self._world.chunks.update(chunks.new)
        mac = self._world.signer.blob(codec, digest, size)
        return BlobRef(codec=codec, id=digest, size=size, mac=mac, inline=inline)

    @overload
    def get(self, ref: BlobRef) -> bytes: ...

    @overload
    def get(self, ref: BlobRef, *, stream: Literal[True]) -> bytes | Stored: ...

    def get(self, ref: BlobRef, *, stream: bool = False) -> bytes | Stored:
        """The bytes, checked; see `nbdurable_store.protocol.Store`."""
        name = ref.id.hex()
        if not same(self._world.signer.blob(ref.codec, ref.id, ref.size), ref.mac):
            why = "its signature doesn't fit"
            raise BlobDamaged(id=name, place=self.place, why=why)
        if ref.inline is None and ref.id in self._world.chunks:
            stored = StoredBlob(ref.id, ref.size, _Chunks(self._world))
            return stored if stream else stored.whole()
        data = self._world.inline.get(ref.id) if ref.inline is None else ref.inline
        if data is None:
            raise BlobMissing(id=name, place=self.place)
        if trees.id_of(data) != ref.id:
            why = "its record holds other bytes"
            raise BlobDamaged(id=name, place=self.place, why=why)
        return data

    def read(
        self,
        run: str,
        after: Cursor = START,
        *,
        calls_with: str = "",  # noqa: ARG002  # nothing is cheaper to leave out
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of one run; see `nbdurable_store.protocol.Store`."""
        return self._after(after, lambda record: record.run == run)

    def scan(
        self, kinds: Collection[str], after: Cursor = START
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """Entries of these kinds; see `nbdurable_store.protocol.Store`."""
        return self._after(after, lambda record: record.kind in kinds)

    def lookup(self, keys: Collection[bytes]) -> tuple[Entry, ...]:
        """Entries with one of these keys; see `nbdurable_store.protocol.Store`."""
        wanted = frozenset(keys)
        return self._entries(lambda record: record.key in wanted)

    def claim(self, run: str) -> Lease:
        """Take a run; see `nbdurable_store.protocol.Store`."""
        with self._world.lock:
            self._must_be_open()
            holder, since_us = self._world.holders.get(run, (self.owner, 0))
            if holder != self.owner:
                age_s = max(0, self._clock.now_us() - since_us) / 1e6
                pid = (
                    self._world.owners[holder].pid
                    if holder in self._world.owners
                    else 0
                )
                raise RunBusy(run=run, pid=pid, age_s=age_s)
            self._world.holders.setdefault(run, (self.owner, self._clock.now_us()))
            self._claims[run] = self._claims.get(run, 0) + 1
        return _MemoryLease(self, run)

    def release(self, run: str) -> None:
        """Give one claim back; the last one lets others in."""
        with self._world.lock:
            self._claims[run] -= 1
            holder = self._world.holders.get(run)
            if not self._claims[run] and holder and holder[0] == self.owner:
                del self._world.holders[run]

    def owners(self) -> tuple[Owner, ...]:
        """Everyone who ever appended; see `nbdurable_store.protocol.Store`."""
        with self._world.lock:
            return tuple(o for _id, o in sorted(self._world.owners.items()))

    def flush(self) -> None:
        """Nothing to do: what is in memory is as durable as it gets."""

    def check(self) -> Checked:
        """Read everything; see `nbdurable_store.protocol.Store`."""
        with self._world.lock:
            entries = list(self._world.entries)
        refs = [ref for entry in entries for ref in entry.record.blobs]
        sizes = [len(self.get(ref)) for ref in refs]
        return Checked(records=len(entries), blobs=len(refs), bytes=sum(sizes))

    def notices(self) -> tuple[str, ...]:
        """Nothing to tell."""
        return ()

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        self._closed = True
        self._world.died(self.owner)

    def kill(self) -> None:
        """What SIGKILL does to the process, for tests."""
        self.close()

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreUnwritable(place=self.place, why="it is closed")

    def _append(self, record: Record) -> Entry:
        world = self._world
        if self.owner not in world.owners:
            world.owners[self.owner] = Owner(
                id=self.owner, pid=os.getpid(), since_us=self._since_us, alive=True
            )
        seq = next(self._count)
        record = placed(record, self.owner, seq, 0)
        entry = Entry(self.owner, seq, world.tick(), record)
        world.entries.append(entry)
        return entry

    def _keep(self, record: Record) -> None:
        for ref in record.blobs:
            if ref.inline is not None:
                self._world.inline[ref.id] = ref.inline

    def _after(
        self, after: Cursor, wanted: Callable[[Record], bool]
    ) -> tuple[tuple[Entry, ...], Cursor]:
        since = dict(after.next_seq)
        with self._world.lock:
            entries = list(self._world.entries)
        found = (e for e in entries if e.seq >= since.get(e.owner, 0))
        return tuple(e for e in found if wanted(e.record)), after.past(entries)

    def _entries(self, wanted: Callable[[Record], bool]) -> tuple[Entry, ...]:
        with self._world.lock:
            return tuple(e for e in self._world.entries if wanted(e.record))


class _Chunks:
    """Chunks in a dict: the `Keeper` of a sink, the `Fetcher` of a blob."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.new: dict[bytes, bytes] = {}

    def keep(self, data: Buffer, name: bytes, *, pack: bool) -> bool:
        self.new[name] = bytes(data)
        return pack

    def keep_list(self, data: bytes) -> bytes:
        name = trees.list_id_of(data)
        self.new[name] = data
        return name

    def fetch(self, name: bytes, into: memoryview) -> None:
        into[:] = self.load(name)

    def load(self, name: bytes) -> bytes:
        if name not in self._world.chunks:
            raise BlobMissing(id=name.hex(), place="memory")
        return self._world.chunks[name]

    def broken(self, why: str) -> Exception:
        return BlobDamaged(id="", place="memory", why=why)

    def close(self) -> None:
        """Nothing is open."""


class _MemoryLease:
    def __init__(self, store: MemoryStore, run: str) -> None:
        self._store = store
        self._run: str | None = run

    def release(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            self._store.release(run)
