"""Making a store one's own: signing what another key signed, or nobody can check.

The records of a foreign store can't be verified, so trusting it means to take every
frame whose CRC fits as it is. Only a person decides that.

Order of writes: 1 a new folder of segments, signed and synced, which nothing names yet;
2 ``store.duckdb`` goes: it is made anew from segments; 3 ``FORMAT`` is replaced, and from
this moment the store is ours; 4 the old segments go. Dying before 3 leaves a foreign
store and a folder that the next attempt removes; dying after 3 leaves ours.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from nbdurable_store import files
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.errors import DurableError, NotAStore
from nbdurable_store.folder.format import LOCK_NAME, NAME, Format, is_ours, read, sign
from nbdurable_store.form import Remedy
from nbdurable_store.journal.frames import (
    FIRST_MAC,
    Frame,
    Opening,
    about_segment,
    closing,
    encode_frame,
    encode_head,
    is_filler,
    sound,
)
from nbdurable_store.journal.sealed import salvage, sealed_segments
from nbdurable_store.journal.segments import (
    SUFFIX,
    PlainFile,
    Scan,
    Source,
    alive,
    plain_segments,
)
from nbdurable_store.keys import Signer, key_id, own_key
from nbdurable_store.killpoints import reach
from nbdurable_store.protocol import Trusted
from nbdurable_store.records import Record

OWNER = re.compile(r"[0-9a-f]{16}")


@dataclass(kw_only=True, eq=False)
class StoreBusy(DurableError):
    """A store that has to be quiet is open in another process.

    Attributes:
        place: The store's folder.
    """

    slug: ClassVar[str] = "store-busy"
    place: str

    def fact(self) -> str:
        """Say what is in the way."""
        return f"another process has {self.place} open."

    def detail(self) -> str:
        """Say what was not done."""
        return "It was not signed, and nothing in it was changed."

    def remedies(self) -> tuple[Remedy, ...]:
        """Wait until it is quiet."""
        again = f'!nbdurable trust "{self.place}"'
        return (Remedy("stop the kernels that use it, then", again),)


def trust(path: str | os.PathLike[str], *, clock: Clock = SYSTEM_CLOCK) -> Trusted:
    """Sign a store with one's own key; nobody may have it open meanwhile.

    Args:
        path: The store's folder.
        clock: The machine's clock, or a test's.

    Raises:
        NotAStore: No store is there.
        StoreNewer: A later version wrote it.
        StoreBusy: Another process has it open.
        StoreFull: No room for the new segments; the store is as it was.
        StoreUnwritable: No permission; the store is as it was.
    """
    root = Path(path).absolute()
    said = read(root)
    if said is None:
        raise NotAStore(place=str(root), why="it has no FORMAT file")
    try:
        return _trust(root, said, clock)
    except OSError as e:
        raise files.told(root, e) from e


def _trust(root: Path, said: Format, clock: Clock) -> Trusted:
    key = own_key()
    if said.key == key_id(key) and is_ours(said, key):
        return Trusted(place=str(root), records=0, left_out=0)
    _must_be_quiet(root, said)
    fd = os.open(
        root / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, files.FILE_MODE
    )
    try:
        files.lock(fd, wait=True)
        name = f"journal-{clock.now_us() & 0xFFFFFFFF:08x}"
        for leftover in root.glob("journal-*"):
            if leftover.name != said.journal:
                shutil.rmtree(leftover)
        files.make_folder(root / name)
        counts = _rewrite(root / said.journal, root / name, Signer(key, said.store))
        reach("trust.written")
        for projection in root.glob("store.duckdb*"):
            projection.unlink()
        made = sign(said.store, key, said.made_us, name)
        files.publish(root / NAME, made.encode(), root / "FORMAT.tmp")
        reach("trust.signed")
        if said.journal != name:
            shutil.rmtree(root / said.journal, ignore_errors=True)
    finally:
        os.close(fd)
    return Trusted(place=str(root), records=counts[0], left_out=counts[1])


def _must_be_quiet(root: Path, said: Format) -> None:
    for path in root.iterdir():
        if path.is_symlink():
            raise NotAStore(place=str(root), why=f"{path.name} in it is a link")
    for path in plain_segments(root / said.journal).values():
        if alive(path):
            raise StoreBusy(place=str(root))


def _rewrite(old: Path, new: Path, signer: Signer) -> tuple[int, int]:
    records = left_out = 0
    for owner, source in _sources(old):
        path = new / f"{owner}{SUFFIX}"
        fd = files.create(path)
        try:
            some, bad = _resign(fd, owner, source, signer)
            os.fsync(fd)
        finally:
            os.close(fd)
            source.close()
        records, left_out = records + some, left_out + bad
    files.sync_folder(new)
    return records, left_out


def _sources(journal: Path) -> Iterator[tuple[str, Source]]:
    plain = plain_segments(journal)
    sealed = sealed_segments(journal)
    for owner in sorted(plain.keys() | sealed.keys()):
        if OWNER.fullmatch(owner):
            source: Source = (
                PlainFile(plain[owner]) if owner in plain else salvage(sealed[owner])
            )
            yield owner, source


def _resign(fd: int, owner: str, source: Source, signer: Signer) -> tuple[int, int]:
    """Write one segment anew, frame by frame; a frame that isn't one is left out."""
    chain = signer.chain(owner)
    scan, prev_mac, offset, records, left_out = Scan(source, None), FIRST_MAC, 0, 0, 0
    for item in scan.walk():
        head = _head(owner, item, signer) if isinstance(item, Frame) else None
        if not isinstance(item, Frame) or head is None:
            left_out += 1
            continue
        body = source.read(item.body_offset, item.body_len)
        mac = chain.mac(item.seq, prev_mac, head)
        frame = encode_frame(item.seq, prev_mac, mac, head, body)
        files.write_all(fd, frame, offset)
        offset, prev_mac = offset + len(frame), mac
        records += not about_segment(item)
    return records, left_out


def _head(owner: str, frame: Frame, signer: Signer) -> bytes | None:
    """The head signed anew; ``None`` if it isn't what a head must be."""
    try:
        if about_segment(frame):
            return _about_segment(owner, frame, signer.store)
        entry = sound(owner, frame)
        if entry is None:
            return None
        return encode_head(_signed(entry.record, signer), entry.tick)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None


def _about_segment(owner: str, frame: Frame, store: str) -> bytes | None:
    if is_filler(frame):
        return frame.head
    opening = Opening.decode(frame.head)
    if opening is None:
        return frame.head if frame.head == closing(frame.seq) else None
    numbers = (opening.pid, opening.since_us, opening.format)
    if frame.seq or not all(isinstance(number, int) for number in numbers):
        return None
    return replace(opening, owner=owner, store=store).encode()


def _signed(record: Record, signer: Signer) -> Record:
    refs = tuple(
        ref._replace(
            mac=signer.blob(ref.codec, ref.id, ref.size),
            inline=None if ref.place is None else b"",
        )
        for ref in record.blobs
    )
    return record._replace(blobs=refs)
