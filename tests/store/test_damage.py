"""What broken bytes do: they are named, never served, and lose nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable_store.errors import BlobDamaged, BlobMissing
from nbdurable_store.journal.frames import HEADER_BYTES, Frame
from nbdurable_store.journal.sealed import SealedFile, seal
from nbdurable_store.journal.segments import SEALED_SUFFIX as SEALED
from nbdurable_store.journal.segments import Damage, MemoryFile, PlainFile, Scan
from nbdurable_store.journal.sources import open_segment
from nbdurable_store.keys import Signer, find_key
from nbdurable_store.protocol import Store
from nbdurable_store.records import Entry, Record

CALLS = 12


def _fill(root: Path, calls: int = CALLS) -> Path:
    """Append calls, end without closing, and return the segment."""
    store = nbdurable_store.open(root)
    for n in range(calls):
        ref = store.put("json", f"value {n} ".encode() * 20)
        made = Record(
            kind="call.completed", run="run", subject=f"c{n}", at_us=n, blobs=(ref,)
        )
        store.append([made], sync=n == calls - 1)
    store.forked()
    (segment,) = (root / "journal").glob("*.seg")
    return segment


def _signer(store: Store) -> Signer:
    (key,) = (Path(p) for p in _keys())
    return Signer(find_key(key.name) or b"", store.id)


def _keys() -> list[Path]:
    from nbdurable_store.keys import data_dir

    return list((data_dir() / "nbdurable" / "keys").iterdir())


def _frames(root: Path, segment: Path) -> list[Frame]:
    store = nbdurable_store.open(root)
    scan = Scan(PlainFile(segment), _signer(store).chain(segment.stem))
    return [item for item in scan.walk() if isinstance(item, Frame)]


def _read(root: Path) -> tuple[list[str], list[str]]:
    """The subjects that are served, and the slugs that `check` finds."""
    store = nbdurable_store.open(root)
    served = []
    for entry in store.read("run")[0]:
        _must_be_true(store, entry)
        served.append(entry.record.subject)
    slugs = [finding.slug for finding in store.check().findings]
    store.close()
    return served, slugs


def _must_be_true(store: Store, entry: Entry) -> None:
    (ref,) = entry.record.blobs
    number = entry.record.subject[1:]
    try:
        value = store.get(ref)
    except (BlobDamaged, BlobMissing):
        return
    assert value == f"value {number} ".encode() * 20


def _flip(path: Path, at: int, bit: int = 0) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1 << bit
    path.write_bytes(raw)


@pytest.mark.slow
def test_a_flipped_bit_anywhere_is_named_and_loses_one_record(tmp_path: Path) -> None:
    """Whichever bit of the segment flips, it is named, and at most one record is lost."""
    segment = _fill(tmp_path / "s")
    whole = segment.read_bytes()
    end = _frames(tmp_path / "s", segment)[-1].end
    chance = random.Random(20)
    for _ in range(150):
        at, bit = chance.randrange(end), chance.randrange(8)
        _flip(segment, at, bit)
        served, slugs = _read(tmp_path / "s")
        last = at >= _frames_end_before_last(whole, end)
        assert len(served) >= CALLS - 1, (at, bit)
        assert slugs or last, (at, bit)
        segment.write_bytes(whole)


def _frames_end_before_last(whole: bytes, end: int) -> int:
    return whole.rindex(b"\xabNB1", 0, end)


def test_a_flip_in_the_middle_is_damage(tmp_path: Path) -> None:
    """One flipped byte is named with its place, and its record isn't served."""
    segment = _fill(tmp_path / "s")
    frame = _frames(tmp_path / "s", segment)[5]
    _flip(segment, frame.offset + HEADER_BYTES + 10)
    served, slugs = _read(tmp_path / "s")
    assert slugs == ["segment-damaged"]
    assert served == [f"c{n}" for n in range(CALLS) if n != 4]
    store = nbdurable_store.open(tmp_path / "s")
    (finding,) = store.check().findings
    assert finding.place == f"journal/{segment.name}:{frame.offset}"
    assert "1 record can't be read" in finding.says
    store.close()


def test_an_erased_page_is_damage(tmp_path: Path) -> None:
    """Zeros in the middle are told from the zeros of reserved room."""
    segment = _fill(tmp_path / "s")
    frames = _frames(tmp_path / "s", segment)
    raw = bytearray(segment.read_bytes())
    raw[frames[3].offset : frames[6].end] = bytes(frames[6].end - frames[3].offset)
    segment.write_bytes(raw)
    served, slugs = _read(tmp_path / "s")
    assert served == ["c0", "c1", *(f"c{n}" for n in range(6, CALLS))]
    assert slugs == ["segment-damaged"]


@pytest.mark.slow
def test_a_torn_tail_is_no_damage(tmp_path: Path) -> None:
    """Wherever the last append of a dead owner was cut, the rest is whole and clean."""
    segment = _fill(tmp_path / "s")
    frames = _frames(tmp_path / "s", segment)
    whole = segment.read_bytes()
    last = frames[-1]
    for end in range(last.offset, last.end, 7):
        for padding in (b"", bytes(5000)):
            segment.write_bytes(whole[:end] + padding)
            served, slugs = _read(tmp_path / "s")
            assert served == [f"c{n}" for n in range(CALLS - 1)]
            assert slugs == []


def test_swapped_records_are_damage(tmp_path: Path) -> None:
    """Two records that changed places are both whole and still not believed."""
    segment = _fill(tmp_path / "s")
    frames = _frames(tmp_path / "s", segment)
    raw = segment.read_bytes()
    a, b = frames[4], frames[5]
    swapped = raw[b.offset : b.end] + raw[a.offset : a.end]
    segment.write_bytes(raw[: a.offset] + swapped + raw[b.end :])
    served, slugs = _read(tmp_path / "s")
    assert served == [f"c{n}" for n in range(CALLS) if n != 3]
    assert slugs


def test_a_removed_record_is_damage(tmp_path: Path) -> None:
    """A record that was cut out without a trace leaves a gap in the numbers."""
    segment = _fill(tmp_path / "s")
    gone = _frames(tmp_path / "s", segment)[4]
    raw = segment.read_bytes()
    segment.write_bytes(raw[: gone.offset] + raw[gone.end :])
    served, slugs = _read(tmp_path / "s")
    assert served == [f"c{n}" for n in range(CALLS) if n != 3]
    assert slugs == ["segment-damaged"]


def test_a_repeated_record_is_not_served_twice(tmp_path: Path) -> None:
    """A copy of an old record at the end counts for nothing."""
    segment = _fill(tmp_path / "s")
    frames = _frames(tmp_path / "s", segment)
    raw = segment.read_bytes()[: frames[-1].end]
    segment.write_bytes(raw + raw[frames[3].offset : frames[4].end])
    served, _ = _read(tmp_path / "s")
    assert served == [f"c{n}" for n in range(CALLS)]


def test_a_segment_of_another_owner_counts_for_nothing(tmp_path: Path) -> None:
    """A copy of a segment under another name isn't read a second time."""
    segment = _fill(tmp_path / "s")
    copy = segment.with_name(f"{'0' * 16}.seg")
    copy.write_bytes(segment.read_bytes())
    served, slugs = _read(tmp_path / "s")
    assert served == [f"c{n}" for n in range(CALLS)]
    assert slugs == ["segment-unopened"]


def test_a_value_that_looks_like_the_journal_is_a_value(tmp_path: Path) -> None:
    """A stored copy of older records isn't taken for records when damage precedes it."""
    root = tmp_path / "s"
    store = nbdurable_store.open(root)
    store.append([Record(kind="x", run="run", subject="first", at_us=1)], sync=True)
    (segment,) = (root / "journal").glob("*.seg")
    copy = segment.read_bytes()[:2000]
    frames = [
        store.append(
            [
                Record(
                    kind="x",
                    run="run",
                    subject=name,
                    at_us=1,
                    blobs=(store.put("raw", v),),
                )
            ],
            sync=True,
        )
        for name, v in (("copy", copy), ("last", b"v"))
    ]
    store.forked()
    place = frames[0][0].record.blobs[0].place
    assert place is not None
    _flip(segment, place.offset - 3)
    later = nbdurable_store.open(root)
    assert [e.record.subject for e in later.read("run")[0]] == ["first", "last"]
    later.close()


def _spoilt(whole: bytes) -> Iterator[bytes]:
    """The file with a bit flipped: in its magic, its chunk, its directory, its foot."""
    for at in (1, 20, len(whole) - 30, len(whole) - 2):
        yield whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


def test_a_blob_file_is_never_believed(tmp_path: Path) -> None:
    """A changed, truncated, emptied or removed file of a value is named and not served."""
    root = tmp_path / "s"
    store = nbdurable_store.open(root)
    value = b"large " * 40_000
    ref = store.put("raw", value)
    store.append(
        [Record(kind="x", run="run", subject="c", at_us=1, blobs=(ref,))], sync=True
    )
    (path,) = (p for p in (root / "blobs").rglob("*") if p.is_file())
    whole = path.read_bytes()
    for bad in (*_spoilt(whole), whole[:-5], b"", b"\0" * len(whole)):
        path.write_bytes(bad)
        other = nbdurable_store.open(root)
        with pytest.raises(BlobDamaged):
            other.get(ref)
        (finding,) = other.check().findings
        other.close()
        assert (finding.slug, finding.loses) == ("blob-damaged", ("c",))
    path.unlink()
    with pytest.raises(BlobMissing):
        store.get(ref)
    assert [f.slug for f in store.check().findings] == ["blob-missing"]
    assert store.get(store.put("raw", value)) == value
    store.close()


def test_putting_again_mends_a_damaged_file(tmp_path: Path) -> None:
    """A value that is put again writes its damaged file anew."""
    root = tmp_path / "s"
    value = b"large " * 40_000
    first = nbdurable_store.open(root)
    first.put("raw", value)
    first.close()
    (path,) = (p for p in (root / "blobs").rglob("*") if p.is_file())
    path.write_bytes(path.read_bytes()[:-5])
    second = nbdurable_store.open(root)
    assert second.get(second.put("raw", value)) == value
    second.close()


@pytest.fixture
def sealed(tmp_path: Path) -> tuple[Path, Signer, bytes]:
    """A sealed segment of 400 calls, with torn bytes cut; its signer; its plain bytes."""
    segment = _fill(tmp_path / "s", calls=3000)
    store = nbdurable_store.open(tmp_path / "s")
    signer = _signer(store)
    store.close()
    source = PlainFile(segment)
    scan = Scan(source, signer.chain(segment.stem))
    assert len(list(scan.walk())) == 3001
    plain = source.read(0, scan.mark.offset)
    final = segment.with_name(segment.stem + SEALED)
    seal(source, scan.mark, final, tmp_path / "temp", signer)
    segment.unlink()
    return final, signer, plain


def test_a_sealed_segment_reads_alike(sealed: tuple[Path, Signer, bytes]) -> None:
    """Every stretch of a sealed segment is what it was, and it is smaller."""
    path, signer, plain = sealed
    file = SealedFile(path, path.name.removesuffix(SEALED), signer)
    assert file.read(0, len(plain) + 9) == plain
    chance = random.Random(1)
    for _ in range(200):
        at, size = chance.randrange(len(plain)), chance.randrange(400_000)
        assert file.read(at, size) == plain[at : at + size]
    assert path.stat().st_size < 0.5 * len(plain)
    file.close()


def test_a_sealed_segment_serves_its_values(
    tmp_path: Path, sealed: tuple[Path, Signer, bytes]
) -> None:
    """Records and values are read from a sealed segment as before."""
    served, slugs = _read(tmp_path / "s")
    assert served == [f"c{n}" for n in range(3000)]
    assert slugs == []


def test_a_broken_seal_is_named(
    tmp_path: Path, sealed: tuple[Path, Signer, bytes]
) -> None:
    """A changed index is named; what the pieces hold is still verified and served."""
    path, _signer, _plain = sealed
    _flip(path, path.stat().st_size - 30)
    served, slugs = _read(tmp_path / "s")
    assert len(served) == 3000
    assert slugs == ["seal-broken"]


@pytest.mark.slow
def test_a_broken_piece_loses_its_records_only(
    tmp_path: Path, sealed: tuple[Path, Signer, bytes]
) -> None:
    """A changed piece is named; the records of other pieces are served."""
    path, _signer, _plain = sealed
    _flip(path, path.stat().st_size // 2)
    served, slugs = _read(tmp_path / "s")
    assert 1500 < len(served) < 3000
    assert set(slugs) == {"segment-damaged"}


@pytest.mark.slow
def test_a_cut_seal_is_named(
    tmp_path: Path, sealed: tuple[Path, Signer, bytes]
) -> None:
    """A sealed segment that lost its end is told from a whole one."""
    path, _signer, _plain = sealed
    path.write_bytes(path.read_bytes()[:-200])
    _, slugs = _read(tmp_path / "s")
    assert "seal-broken" in slugs


def test_a_missing_segment_is_nobody(tmp_path: Path) -> None:
    """Nobody's segment is no error: there is nothing to read."""
    store = nbdurable_store.open(tmp_path / "s")
    assert open_segment(tmp_path / "s" / "journal", "0" * 16, _signer(store)) is None
    store.close()


def test_random_bytes_are_no_segment(tmp_path: Path) -> None:
    """Reading bytes that mean nothing ends, and finds nothing."""
    store = nbdurable_store.open(tmp_path / "s")
    chance = random.Random(3)
    for size in (0, 1, 87, 5000, 200_000):
        data = b"\xabNB1".join(chance.randbytes(size // 4) for _ in range(4))
        scan = Scan(MemoryFile(data), _signer(store).chain("0" * 16))
        assert [i for i in scan.walk() if isinstance(i, Frame | Damage)] == []
    store.close()
