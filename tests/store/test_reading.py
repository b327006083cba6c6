"""Readers get one answer, from whatever is left of two copies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable_store.clock import SystemClock
from nbdurable_store.journal.frames import HEADER_BYTES
from nbdurable_store.protocol import START
from nbdurable_store.records import Entry, Kind, Record
from tests.store.harness import LocalHarness, LocalStore

HERE = Path(__file__).parents[2]
FLUSH = "import sys, nbdurable_store as s; s.open(sys.argv[1]).flush()"
SEAL_POINTS = ["seal.written", "seal.renamed", "seal.done"]


def _append(store: LocalStore, first: int, last: int, size: int = 20) -> None:
    for n in range(first, last):
        ref = store.put("raw", _value(n, size))
        made = Record(
            kind=Kind.CALL_COMPLETED,
            run="run",
            subject=str(n),
            key=n.to_bytes(32, "big"),
            at_us=n,
            blobs=(ref,),
        )
        store.append([made], sync=False)


def _value(n: int, size: int = 20) -> bytes:
    return f"value {n} ".encode() * size


def _dead(harness: LocalHarness, first: int, last: int) -> str:
    """A process that appended and was killed; its owner id."""
    store = harness.open()
    _append(store, first, last)
    harness.kill(store)
    return store.owner


def _served(store: LocalStore, entries: tuple[Entry, ...]) -> list[int]:
    """The numbers of entries, in their order, after their values were compared."""
    for entry in entries:
        (ref,) = entry.record.blobs
        assert store.get(ref) == _value(int(entry.record.subject))
    return [int(entry.record.subject) for entry in entries]


def _all(store: LocalStore) -> list[int]:
    """The numbers of all entries; owners that didn't see each other are in no order."""
    return sorted(_served(store, store.read("run")[0]))


def _segments(root: Path) -> list[str]:
    return sorted(p.name.partition(".")[2] for p in (root / "journal").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["delete", "truncate", "empty", "scribble"])
def test_duckdb_is_never_precious(harness: LocalHarness, harm: str) -> None:
    """store.duckdb deleted, truncated or overwritten: one sentence, and all is there."""
    _dead(harness, 0, 9)
    harness.open().flush()
    file = harness.root / "store.duckdb"
    whole = file.read_bytes()
    match harm:
        case "delete":
            file.unlink()
        case "truncate":
            file.write_bytes(whole[: len(whole) // 2])
        case "empty":
            file.write_bytes(b"")
        case _:
            file.write_bytes(os.urandom(len(whole)))
    store = harness.open()
    assert _all(store) == list(range(9))
    store.flush()
    (notice,) = store.notices()
    assert "made anew from the journal: 9 records" in notice
    assert "\n" not in notice
    assert _all(harness.open()) == list(range(9))
    assert store.check().findings == ()
    assert store.notices() == ()


def test_the_first_file_is_made_without_a_word(harness: LocalHarness) -> None:
    """A store that never had a store.duckdb gets one, and nobody is told."""
    store = harness.open()
    _append(store, 0, 3)
    store.flush()
    assert (harness.root / "store.duckdb").exists()
    assert store.notices() == ()


def test_a_flip_before_ingest_is_never_served(harness: LocalHarness) -> None:
    """A record damaged before DuckDB had it is named, skipped, and not in the file."""
    owner = _dead(harness, 0, 9)
    _damage(harness, owner, 4)
    store = harness.open()
    store.flush()
    expected = [0, 1, 2, 3, *range(5, 9)]
    assert _all(store) == expected
    assert _all(harness.open()) == expected
    assert store.lookup([(4).to_bytes(32, "big")]) == ()
    (finding,) = store.check().findings
    assert finding.slug == "segment-damaged"


def test_a_flip_after_ingest_is_named_and_served_from_the_row(
    harness: LocalHarness,
) -> None:
    """What a segment has lost is still served from DuckDB, under its own MAC."""
    store = harness.open()
    _append(store, 0, 9)
    store.flush()
    before = harness.open()
    assert _all(before) == list(range(9))
    _damage(harness, store.owner, 4)
    for reader in (before, harness.open()):
        assert _all(reader) == list(range(9))
        assert _served(reader, reader.lookup([(4).to_bytes(32, "big")])) == [4]
        assert "segment-damaged" in [f.slug for f in reader.check().findings]


def _damage(harness: LocalHarness, owner: str, number: int) -> None:
    """Flip a byte in the head and in the body of a record."""
    store = harness.open()
    (entry,) = store.lookup([number.to_bytes(32, "big")])
    (ref,) = entry.record.blobs
    assert ref.place is not None
    path = harness.root / "journal" / f"{owner}.seg"
    raw = bytearray(path.read_bytes())
    for at in (ref.place.offset - 20, ref.place.offset + 5):
        raw[at] ^= 1
    path.write_bytes(raw)


def test_a_lost_segment_is_served_from_the_rows(harness: LocalHarness) -> None:
    """A segment that is gone altogether is read from DuckDB, and named by a check."""
    store = harness.open()
    _append(store, 0, 9)
    store.flush()
    harness.kill(store)
    (harness.root / "journal" / f"{store.owner}.seg").unlink()
    reader = harness.open()
    assert _all(reader) == list(range(9))
    _, cursor = reader.read("run")
    assert reader.read("run", cursor)[0] == ()
    assert "segment-short" in [f.slug for f in reader.check().findings]


def test_a_cut_segment_is_named(harness: LocalHarness) -> None:
    """Records cut off the end after DuckDB had them are served from it, and named."""
    owner = _dead(harness, 0, 9)
    store = harness.open()
    store._background.flush()
    path = harness.root / "journal" / f"{owner}.seg"
    (entry,) = store.lookup([(6).to_bytes(32, "big")])
    place = entry.record.blobs[0].place
    assert place is not None
    path.write_bytes(path.read_bytes()[: place.offset - HEADER_BYTES])
    reader = harness.open()
    assert _all(reader) == list(range(9))
    assert "segment-short" in [f.slug for f in reader.check().findings]


def test_dead_segments_are_sealed(harness: LocalHarness) -> None:
    """A flush seals what dead processes left; living segments stay as they are."""
    _dead(harness, 0, 9)
    living = harness.open()
    _append(living, 9, 12)
    before = harness.open()
    assert _all(before) == list(range(12))
    living.flush()
    assert _segments(harness.root) == ["seg", "seg.zst"]
    for reader in (before, living, harness.open()):
        assert _all(reader) == list(range(12))
    assert [o.alive for o in living.owners()].count(True) == 1
    assert len(living.owners()) == 2
    assert living.check().findings == ()
    assert living.check().records == 12


def test_sealed_segments_are_enough(harness: LocalHarness) -> None:
    """From sealed segments alone everything is read, and DuckDB made anew."""
    for n in range(3):
        _dead(harness, 3 * n, 3 * n + 3)
    harness.open().flush()
    assert _segments(harness.root) == ["seg.zst"] * 3
    (harness.root / "store.duckdb").unlink()
    store = harness.open()
    assert _all(store) == list(range(9))
    store.flush()
    assert _all(harness.open()) == list(range(9))


@pytest.mark.slow
@pytest.mark.parametrize("point", SEAL_POINTS)
def test_dying_while_sealing_loses_nothing(harness: LocalHarness, point: str) -> None:
    """A process that dies while it seals loses nothing; the next one ends the work."""
    for n in range(2):
        _dead(harness, 5 * n, 5 * n + 5)
    done = subprocess.run(
        [sys.executable, "-c", FLUSH, str(harness.root)],
        env={
            **os.environ,
            "NBDURABLE_KILLPOINTS": f"{point}=kill",
            "PYTHONPATH": f"{HERE}/store",
        },
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    store = harness.open()
    assert _all(store) == list(range(10))
    store.flush()
    assert _segments(harness.root) == ["seg.zst"] * 2
    assert _all(harness.open()) == list(range(10))
    assert store.check().findings == ()


@pytest.mark.slow
def test_nothing_is_sealed_that_duckdb_lacks(harness: LocalHarness) -> None:
    """While another program holds store.duckdb, segments stay as they are."""
    import duckdb

    _dead(harness, 0, 5)
    harness.open().flush()
    _dead(harness, 5, 9)
    with duckdb.connect(str(harness.root / "store.duckdb")):
        held = subprocess.run(
            [sys.executable, "-c", FLUSH, str(harness.root)],
            env={**os.environ, "PYTHONPATH": f"{HERE}/store"},
            check=False,
        )
    assert held.returncode == 0
    assert _segments(harness.root) == ["seg", "seg.zst"]


def test_a_cursor_outlives_ingest_and_sealing(harness: LocalHarness) -> None:
    """A reader that comes back late gets each entry once, wherever it is by then."""
    reader, seen, cursor = harness.open(), [], START
    for n in range(4):
        _dead(harness, 3 * n, 3 * n + 3)
        if n % 2:
            harness.open().flush()
            reader._reader.forget(dict.fromkeys((o.id for o in reader.owners()), 99), 0)
        entries, cursor = reader.read("run", cursor)
        seen += _served(reader, entries)
    assert sorted(seen) == list(range(12))
    assert reader.read("run", cursor) == ((), cursor)
    assert _all(reader) == list(range(12))


def test_what_follows_the_rows_is_later(harness: LocalHarness) -> None:
    """An entry comes after all that its owner has read, where only DuckDB had that."""
    _dead(harness, 0, 9)
    harness.open().flush()
    store = harness.open()
    store.read("run")
    _append(store, 9, 11)
    assert _served(store, store.read("run")[0]) == list(range(11))


def test_what_was_forgotten_is_read_again(harness: LocalHarness) -> None:
    """A reader that let go of entries reads them anew when DuckDB has lost them."""
    store = harness.open()
    _append(store, 0, 9)
    store.flush()
    assert _all(store) == list(range(9))
    store._reader.forget({store.owner: 10}, 0)
    (harness.root / "store.duckdb").unlink()
    assert _all(store) == list(range(9))


def test_appending_needs_no_duckdb(tmp_path: Path) -> None:
    """Opening, appending and reading a new store import neither duckdb nor zstandard."""
    code = (
        "import sys, nbdurable_store as s; t = s.open(sys.argv[1]);"
        "r = s.Record(kind='x', run='run', at_us=1, blobs=(t.put('raw', b'v'),));"
        "t.append([r], sync=True); t.read('run'); t.lookup([b'k' * 32]); t.close();"
        "print(sorted({'duckdb', 'zstandard', 'jupyter_core', 'ctypes', 'asyncio'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s")],
        env={**os.environ, "PYTHONPATH": f"{HERE}/store"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


class Later(SystemClock):
    """Two hours later."""

    def now_us(self) -> int:
        """The wall clock, ahead."""
        return super().now_us() + 2 * 3600 * 1_000_000


def test_files_that_the_dead_left_are_removed(tmp_path: Path) -> None:
    """Half values of dead processes go, half segments after an hour; the living's stay."""
    store = nbdurable_store.open(tmp_path / "s")
    store.append([Record(kind="x", run="run", at_us=1)], sync=False)
    names = (f"{store.owner}-0", "0123456789abcdef.seg", "0123456789abcdef-0")
    mine, theirs, value = (tmp_path / "s" / "tmp" / name for name in names)
    for path in (mine, theirs, value):
        path.write_bytes(b"half a value")
    store.flush()
    assert theirs.exists()
    assert not value.exists()
    later = nbdurable_store.open(tmp_path / "s", clock=Later())
    later.flush()
    assert mine.exists()
    assert not theirs.exists()
    store.close()
    later.close()


def test_who_was_interrupted_sees_what_was_written(
    harness: LocalHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt right after the bytes were written: the next reader sees the record."""
    store = harness.open()
    _append(store, 0, 2)
    assert store.lookup([(0).to_bytes(32, "big")])
    write = os.pwrite

    def interrupted(fd: int, data: bytes, offset: int) -> int:
        write(fd, data, offset)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _append(store, 2, 3)
    assert _all(store) == [0, 1, 2]
    assert store.lookup([(2).to_bytes(32, "big")])
    _append(store, 3, 4)
    assert _all(store) == [0, 1, 2, 3]


def test_a_fork_reads_on_behind_its_parent(harness: LocalHarness) -> None:
    """What the parent appends after a fork is seen by the child's reader."""
    store = harness.open()
    _append(store, 0, 2)
    assert _all(store) == [0, 1]
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.read(told, 1)
            code = int(_all(store) != [0, 1, 2])
        finally:
            os._exit(code)
    _append(store, 2, 3)
    os.write(tell, b"!")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(told)
    os.close(tell)
