"""Runs are removed: others keep everything, and the room comes back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable_store.backends import local
from nbdurable_store.backends.clearing import RunInUse
from nbdurable_store.errors import RunBusy
from nbdurable_store.folder.survey import StoreDamaged, folder_bytes
from nbdurable_store.protocol import Fill, Sink
from nbdurable_store.records import Kind
from tests.store.cleared import LARGE, holds, opened, value, values, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / ".nbdurable"


SMALL = [b"small value of %d" % n for n in range(40)]


def _two_runs(root: Path) -> dict[str, list[bytes]]:
    """Two runs that share a value, mixed in one kernel; a second kernel goes on."""
    shared = value("shared")
    kept = [*SMALL[:20], value("kept"), shared]
    gone = [*SMALL[20:], value("gone"), shared]
    for begin, end in ((0, 10), (10, 22)):
        store = opened(root)
        for nth in range(begin, end):
            write(store, "kept", kept[nth : nth + 1])
            write(store, "gone", gone[nth : nth + 1])
        store.close()
    return {"kept": kept, "gone": gone}


def test_what_is_removed_is_gone_and_the_rest_is_whole(root: Path) -> None:
    """No byte of a removed run is left, and every other value is served and verified."""
    told = _two_runs(root)
    store = opened(root)
    store.flush()
    before = folder_bytes(root)
    done = nbdurable_store.remove(store, ["gone"])
    store.close()
    assert done.runs == ("gone",)
    assert done.left == 0
    assert before - folder_bytes(root) >= LARGE / 2
    after = opened(root)
    assert values(after, "gone") is None
    assert values(after, "kept") == told["kept"]
    assert after.check().findings == ()
    assert holds(root, b"small value of 25") == []
    assert holds(root, b"small value of 5") != []
    assert holds(root, value("gone")[1_000:1_100]) == []
    assert holds(root, value("kept")[1_000:1_100]) != []
    kinds = [entry.record.kind for entry in after.read("gone")[0]]
    assert kinds == [Kind.RUN_REMOVED]


def test_what_stands_between_long_texts_is_kept(root: Path) -> None:
    """A chat of which one run is removed is whole in the other."""

    def chat(turns: int) -> Fill:
        def fill(sink: Sink) -> None:
            for n in range(turns):
                sink.write(b'{"role": "user", "id": "%d", "content": ' % n)
                sink.piece(value(f"turn {n}")[:5_000])

        return fill

    store = opened(root)
    write(store, "kept", [chat(30)])
    write(store, "gone", [chat(40)])
    whole = values(store, "kept")
    store.close()
    clearing = opened(root)
    nbdurable_store.remove(clearing, ["gone"])
    clearing.close()
    after = opened(root)
    assert values(after, "kept") == whole
    assert after.check().findings == ()


def test_what_was_read_before_stays_true(root: Path) -> None:
    """A reader that was there before goes on with its cursors, refs and open values."""
    told = _two_runs(root)
    reader = opened(root)
    entries, cursor = reader.read("kept")
    refs = [ref for entry in entries for ref in entry.record.blobs]
    large = reader.get(refs[-2], stream=True)
    assert not isinstance(large, bytes)
    head = large.head()
    begun = head.read(10)
    remover = opened(root)
    nbdurable_store.remove(remover, ["gone"])
    assert begun + head.read() == told["kept"][-2]
    assert [reader.get(ref) for ref in refs] == told["kept"]
    assert reader.read("kept", cursor)[0] == ()
    again = reader.read("kept")[0]
    assert [e.record for e in again] == [e.record for e in entries]
    assert [e.record.kind for e in reader.read("gone", cursor)[0]] == [Kind.RUN_REMOVED]


def test_a_run_of_a_living_process_is_refused(root: Path) -> None:
    """A run that a living process has records of stays, and so does everything."""
    living = opened(root)
    write(living, "run", [b"value"])
    remover = opened(root)
    with pytest.raises(RunInUse):
        nbdurable_store.remove(remover, ["run"])
    assert values(opened(root), "run") == [b"value"]


def test_a_run_that_is_executed_is_refused(root: Path) -> None:
    """A run that a process has claimed stays, though it has no record of it yet."""
    _two_runs(root)
    executing = opened(root)
    executing.claim("gone")
    with pytest.raises(RunBusy):
        nbdurable_store.remove(opened(root), ["kept", "gone"])
    assert values(opened(root), "kept") is not None


@pytest.mark.slow
def test_the_same_owner_can_be_cleared_twice(root: Path) -> None:
    """A second removal from a segment leaves nothing of it but the word of both."""
    _two_runs(root)
    for run in ("gone", "kept"):
        store = opened(root)
        nbdurable_store.remove(store, [run])
        store.close()
    after = opened(root)
    assert after.check().findings == ()
    assert len(after.scan(set(Kind))[0]) == 2
    assert list((root / "blobs").iterdir()) == []
    assert folder_bytes(root / "journal") < 4_000


def test_a_freed_segment_is_trusted_as_any_other(root: Path) -> None:
    """A store with fillers can be signed with another key."""
    told = _two_runs(root)
    store = opened(root)
    nbdurable_store.remove(store, ["gone"])
    store.close()
    shutil.rmtree(os.environ["JUPYTER_DATA_DIR"])
    foreign = nbdurable_store.look(root, plain={"raw"})
    assert foreign.left_out == 0
    assert len(foreign.read("kept")[0]) == 1 + len(told["kept"])
    foreign.close()
    trusted = nbdurable_store.trust(root)
    assert trusted.left_out == 0
    after = opened(root)
    assert values(after, "kept") == told["kept"]
    assert after.check().findings == ()


@pytest.mark.slow
def test_a_run_with_a_damaged_value_can_be_given_up(root: Path) -> None:
    """Its value keeps all from going, because what it names isn't known, until it goes."""
    told = _two_runs(root)
    store = opened(root)
    file = root / "blobs" / store.put("raw", told["gone"][-2]).id.hex()
    file.write_bytes(b"no chunks of ours")
    store.close()
    with pytest.raises(StoreDamaged) as refused:
        nbdurable_store.remove(opened(root), ["kept"])
    assert refused.value.run == "gone"
    assert values(opened(root), "kept") == told["kept"]
    for store in list(local._open):
        store.close()
    nbdurable_store.remove(opened(root), ["gone"])
    after = opened(root)
    assert after.check().findings == ()
    assert values(after, "kept") == told["kept"]
    assert not file.exists()


@pytest.mark.slow
@pytest.mark.parametrize("part", [0.0, 0.3, 0.5, 0.7])
def test_a_damaged_segment_is_left_alone_and_the_rest_is_collected(
    root: Path, part: float
) -> None:
    """The segment keeps every byte and is named; what is served stays, the rest goes.

    A flipped byte costs one record or, where nothing can be unpacked any more, the rest.
    """
    _two_runs(root)
    store = opened(root)
    store.flush()
    loose = store.put("raw", value("loose")).id.hex()
    store.close()
    (segment, *_) = sorted((root / "journal").glob("*.zst"))
    raw = bytearray(segment.read_bytes())
    raw[int(len(raw) * part)] ^= 255
    segment.write_bytes(raw)
    before = opened(root)
    served = values(before, "kept")
    before.close()
    store = opened(root)
    usage = nbdurable_store.usage(store)
    assert list(usage.damaged) == [segment.name.partition(".")[0]]
    done = nbdurable_store.remove(store, ["gone"])
    store.close()
    assert done.runs == ("gone",)
    assert segment.read_bytes() == bytes(raw)
    assert not (root / "blobs" / loose).exists()
    after = opened(root)
    assert values(after, "gone") is None
    assert values(after, "kept") == served
    assert served


def test_what_only_duckdb_holds_of_a_damaged_segment_stays(root: Path) -> None:
    """A record that is served from DuckDB alone keeps its values, and its row."""
    told = _two_runs(root)
    store = opened(root)
    store.flush()
    store.close()
    (segment, *_) = sorted((root / "journal").glob("*.zst"))
    segment.write_bytes(b"\0" * segment.stat().st_size)
    store = opened(root)
    nbdurable_store.remove(store, ["gone"])
    store.close()
    after = opened(root)
    assert values(after, "kept") == told["kept"]
    assert values(after, "gone") is None
    assert nbdurable_store.usage(after).loose == 0
