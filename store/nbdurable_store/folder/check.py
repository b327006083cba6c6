"""Reading everything there is, and naming what isn't whole. Changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from blake3 import blake3

from nbdurable_store.chunks.blobs import BlobFiles
from nbdurable_store.errors import BlobDamaged, BlobMissing
from nbdurable_store.journal.frames import Frame, about_segment, decode_entry, is_filler
from nbdurable_store.journal.sealed import (
    SealBroken,
    SealedFile,
    salvage,
    sealed_segments,
)
from nbdurable_store.journal.segments import (
    BEGINNING,
    SUFFIX,
    Damage,
    Mark,
    PlainFile,
    Scan,
    Source,
    opening_of,
    plain_segments,
)
from nbdurable_store.keys import Signer, same
from nbdurable_store.protocol import Checked, Finding
from nbdurable_store.records import BlobRef, Entry


class Checker:
    """Reads every segment and every blob that a record names.

    Args:
        journal: The folder of segments.
        signer: Checks frames and refs.
        blobs: The side files.
    """

    def __init__(self, journal: Path, signer: Signer, blobs: BlobFiles) -> None:
        self.findings: list[Finding] = []
        self.ends: dict[str, Mark] = {}
        """Per owner, the place after its last whole frame."""
        self._journal = journal
        self._signer = signer
        self._blobs = blobs
        self._records = 0
        self._refs = 0
        self._bytes = 0
        self._sound: set[tuple[bytes, int]] = set()
        self._chunks: set[bytes] = set()

    def check(self, ends: Mapping[str, int]) -> Checked:
        """Read everything, and tell.

        Args:
            ends: Per owner, the first sequence number that DuckDB doesn't have yet.
        """
        for place, owner, source in self._segments():
            self._segment(place, owner, source)
            source.close()
        self._short(ends)
        return Checked(
            records=self._records,
            blobs=self._refs,
            bytes=self._bytes,
            findings=tuple(self.findings),
        )

    def _short(self, ends: Mapping[str, int]) -> None:
        """Name segments that have less than DuckDB took over from them."""
        for owner, end in sorted(ends.items()):
            mark = self.ends.get(owner, BEGINNING)
            if mark.next_seq < end:
                place = f"{self._journal.name}/{owner}{SUFFIX}"
                lost = end - mark.next_seq
                says = f"{place} has lost its end: {lost} records are in DuckDB only."
                self._found("segment-short", place, says)

    def _segments(self) -> Iterator[tuple[str, str, Source]]:
        plain = plain_segments(self._journal)
        for owner, path in sorted(plain.items()):
            yield f"{self._journal.name}/{path.name}", owner, PlainFile(path)
        for owner, path in sorted(sealed_segments(self._journal).items()):
            place = f"{self._journal.name}/{path.name}"
            try:
                source: Source = SealedFile(path, owner, self._signer)
            except SealBroken as e:
                self._found(
                    "seal-broken", place, f"The seal of {place} is broken: {e}."
                )
                source = salvage(path)
            if owner in plain:
                source.close()
            else:
                yield place, owner, source

    def _segment(self, place: str, owner: str, source: Source) -> None:
        chain = self._signer.chain(owner)
        if opening_of(source, chain) is None:
            says = f"{place} doesn't begin as a segment of this store."
            self._found("segment-unopened", place, says)
        scan, last = Scan(source, chain), BEGINNING.prev_mac
        for item in scan.walk():
            if isinstance(item, Damage):
                self._damage(place, item)
                last = b""
                continue
            if is_filler(item):
                last = b""
                continue
            if last and item.prev_mac != last:
                at = f"{place}:{item.offset}"
                says = f"{place} has another history before byte {item.offset}."
                self._found("segment-spliced", at, says)
            last = item.mac
            if not about_segment(item):
                self._record(place, owner, item, source)
        self.ends[owner] = scan.mark

    def _damage(self, place: str, damage: Damage) -> None:
        lost = damage.next_seq - damage.first_seq
        says = (
            f"{place} is damaged from byte {damage.offset} to {damage.end}: "
            f"{lost} record{'s' * (lost != 1)} can't be read from it."
        )
        self._found("segment-damaged", f"{place}:{damage.offset}", says)

    def _record(self, place: str, owner: str, frame: Frame, source: Source) -> None:
        entry = decode_entry(owner, frame.seq, frame.head, frame.body_offset)
        self._records += 1
        for ref in entry.record.blobs:
            self._refs += 1
            self._bytes += ref.size
            mac = self._signer.blob(ref.codec, ref.id, ref.size)
            if not same(mac, ref.mac):
                why = "its signature doesn't fit"
                self._unserved("blob-damaged", place, entry, why)
            elif ref.place is not None:
                data = source.read(ref.place.offset, ref.size)
                if blake3(data).digest() != ref.id:
                    why = "its bytes are others"
                    self._unserved("blob-damaged", place, entry, why)
            elif (ref.id, ref.size) not in self._sound:
                self._file(ref, entry)

    def _file(self, ref: BlobRef, entry: Entry) -> None:
        name = ref.id.hex()
        place = f"blobs/{name}"
        try:
            stored = self._blobs.get(ref.id, ref.size)
            with contextlib.closing(stored):
                stored.verify(self._chunks)
        except BlobMissing:
            self._unserved("blob-missing", place, entry, "its file is gone")
        except BlobDamaged as damaged:
            self._unserved("blob-damaged", place, entry, damaged.why)
        else:
            self._sound.add((ref.id, ref.size))

    def _unserved(self, slug: str, place: str, entry: Entry, why: str) -> None:
        record = entry.record
        says = f"A value of {record.kind} {record.subject} can't be served: {why}."
        self._found(slug, place, says, (record.subject,) if record.subject else ())

    def _found(
        self, slug: str, place: str, says: str, loses: tuple[str, ...] = ()
    ) -> None:
        self.findings.append(Finding(slug=slug, place=place, says=says, loses=loses))
