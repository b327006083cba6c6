"""Blobs in chunks: what is saved again costs what is new in it."""

from __future__ import annotations

import contextlib
import itertools
import random
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nbdurable_store
from nbdurable_store.backends.memory import MemoryStore
from nbdurable_store.chunks import trees
from nbdurable_store.chunks.chunkfiles import directory
from nbdurable_store.chunks.cutting import CHUNK_BYTES_MAX, cut
from nbdurable_store.chunks.sinks import BlobSink
from nbdurable_store.chunks.trees import BrokenList, Entry, How
from nbdurable_store.errors import BlobDamaged, StoreFull, StoreUnwritable
from nbdurable_store.killpoints import arm
from nbdurable_store.protocol import Sink

MB = 1_000_000


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that nothing shrinks, the same on each call."""
    return random.Random(seed).randbytes(size)


def taken(root: Path) -> int:
    """What the files of a store's blobs take, in bytes."""
    return sum(p.stat().st_size for p in (root / "blobs").iterdir())


def test_cuts_never_move() -> None:
    """Long bytes are cut where they have always been cut."""
    data = noise(3 * MB) + bytes(MB) + noise(MB, 2)
    cuts = [len(part) for part in cut(memoryview(data))]
    assert sum(cuts) == len(data)
    assert max(cuts) == CHUNK_BYTES_MAX
    assert cuts[:6] == GOLDEN_CUTS
    text = ",".join(map(str, cuts))
    assert blake3(text.encode()).hexdigest() == GOLDEN_DIGEST


def test_names_never_change() -> None:
    """A blob has the name it has always had."""
    store = MemoryStore()

    def fill(sink: Sink) -> None:
        for number in range(500):
            sink.write(b"%d " % number)
            sink.piece(b"%d" % number * 2_000)
        sink.leaf(noise(MB))

    assert store.put("x", fill).id.hex() == GOLDEN_NAME


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda data: data, 0),
        (
            lambda data: (
                data[: 4 * MB] + noise(MB // 10, 3) + data[4 * MB + MB // 10 :]
            ),
            0.5,
        ),
        (lambda data: data[: 5 * MB] + noise(131, 4) + data[5 * MB :], 0.3),
        (lambda data: data[: 5 * MB] + data[5 * MB + 77 :], 0.3),
        (lambda data: data + noise(MB // 10, 5), 0.5),
        (lambda data: noise(MB // 10, 6) + data, 0.5),
    ],
    ids=["same", "one place", "inserted", "removed", "appended", "prepended"],
)
@pytest.mark.parametrize("reopened", [False, True])
def test_a_change_costs_what_changed(
    tmp_path: Path, change: Callable[[bytes], bytes], most: float, reopened: bool
) -> None:
    """Bytes that were changed in one place share all chunks but those around it."""
    store = nbdurable_store.open(tmp_path / "s")
    data = noise(10 * MB)
    store.put("raw", data)
    if reopened:
        store.close()
        store = nbdurable_store.open(tmp_path / "s")
    before = taken(tmp_path / "s")
    changed = change(data)
    ref = store.put("raw", changed)
    grown = taken(tmp_path / "s") - before
    assert grown <= most * MB
    assert store.get(ref) == changed
    store.close()


@pytest.mark.slow
def test_what_shrinks_is_found_behind_what_does_not(tmp_path: Path) -> None:
    """Texts behind random bytes are compressed, the random bytes are not."""
    store = nbdurable_store.open(tmp_path / "s")
    data = noise(4 * MB) + b"".join(b"%d is a number " % n for n in range(700_000))
    assert len(data) > 16 * MB
    ref = store.put("raw", data)
    assert 4 * MB < taken(tmp_path / "s") < 11 * MB
    assert store.get(ref) == data
    store.close()


@pytest.mark.slow
def test_a_chat_that_grows_costs_its_turns(tmp_path: Path) -> None:
    """Two hundred saves of a growing chat take little more than its turns."""
    store = nbdurable_store.open(tmp_path / "s")
    turns = [noise(8_192, n) for n in range(200)]

    def fill(upto: int) -> Callable[[Sink], None]:
        def filling(sink: Sink) -> None:
            for number, turn in enumerate(turns[:upto]):
                sink.write(b'{"role":"user","id":"%d","content":' % number)
                sink.piece(turn)

        return filling

    refs = [store.put("json", fill(upto)) for upto in range(1, 201)]
    assert taken(tmp_path / "s") <= 1.2 * 200 * 8_192
    assert len(store.get(refs[-1])) > 200 * 8_192
    assert turns[99] in store.get(refs[99])
    assert turns[100] not in store.get(refs[99])
    store.close()


class _Kept(dict[bytes, bytes]):
    """Chunks in a dict."""

    def keep(self, data: memoryview, name: bytes, *, pack: bool) -> bool:
        self[name] = bytes(data)
        return pack

    def keep_list(self, data: bytes) -> bytes:
        self[trees.list_id_of(data)] = data
        return trees.list_id_of(data)


parts = st.lists(
    st.tuples(st.sampled_from(["write", "piece", "leaf"]), st.integers(0, 3_000)),
    max_size=300,
)


@settings(max_examples=40, deadline=None)
@given(parts)
def test_whatever_is_handed_over_comes_back(handed: list[tuple[str, int]]) -> None:
    """Any sequence of writes, pieces and leaves is read back as it was."""
    store = MemoryStore()
    pieces = [(how, noise(size, n)) for n, (how, size) in enumerate(handed)]

    def fill(sink: Sink) -> None:
        for how, data in pieces:
            getattr(sink, how)(data)

    stored = store.get(store.put("x", fill), stream=True)
    assert not isinstance(stored, bytes)
    assert stored.head().read() == b"".join(d for how, d in pieces if how != "leaf")
    assert list(stored.leaves()) == [d for how, d in pieces if how == "leaf"]


@settings(max_examples=40, deadline=None)
@given(parts)
def test_all_that_a_blob_consists_of_is_reached(handed: list[tuple[str, int]]) -> None:
    """What collects chunks that nobody needs knows each that somebody needs."""
    kept = _Kept()
    sink = BlobSink(kept)
    for n, (how, size) in enumerate(handed):
        getattr(sink, how)(noise(size, n))
    reached: set[bytes] = set()
    trees.reached(sink.finish(), kept.__getitem__, reached)
    assert reached == kept.keys()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 400_000), max_size=20))
@example([1, 256_889, 391_686, 400_000, 250_256])  # its last chunk has two bytes
def test_how_it_is_handed_over_makes_no_difference(sizes: list[int]) -> None:
    """The name of a head doesn't depend on the writes it was made of."""

    def name(pieces: Iterable[bytes]) -> bytes:
        sink = BlobSink(_Kept())
        for piece in pieces:
            sink.write(piece)
        return sink.finish()

    data = noise(sum(sizes))
    at = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
    assert name(data[a:b] for a, b in itertools.pairwise(at)) == name([data])


@pytest.mark.parametrize("count", [1, 63, 65, 500, 50_000])
def test_a_long_list_is_in_sections(count: int) -> None:
    """A list of any length is a short one, names the same, and shares its beginning."""
    kept = _Kept()
    entries = [Entry(How.CHUNK, blake3(b"%d" % n).digest(), n) for n in range(count)]
    short = trees.sectioned(entries, kept.keep_list)
    assert len(short) <= trees.LIST_ENTRIES_MAX
    assert list(trees.expanded(short, kept.__getitem__)) == entries
    assert max(map(len, kept.values()), default=0) <= CHUNK_BYTES_MAX
    before = len(kept)
    trees.sectioned([*entries, entries[0]], kept.keep_list)
    assert len(kept) - before <= 4


@given(st.binary(max_size=300))
def test_other_bytes_are_no_list(data: bytes) -> None:
    """Bytes are a list that is written the same, or none."""
    try:
        entries = trees.decode(data)
    except BrokenList:
        return
    assert trees.encode(entries) == data


def test_a_list_is_never_taken_for_bytes() -> None:
    """Equal bytes have another name as a list."""
    assert trees.id_of(b"x") != trees.list_id_of(b"x")


def test_a_chunk_that_others_damaged_is_written_again(tmp_path: Path) -> None:
    """What another process wrote is read before anything relies on it."""
    root, data = tmp_path / "s", noise(3 * MB)
    first = nbdurable_store.open(root)
    first.put("raw", data)
    first.close()
    (path,) = (root / "blobs").iterdir()
    whole = bytearray(path.read_bytes())
    whole[MB] ^= 1
    path.write_bytes(whole)
    second = nbdurable_store.open(root)
    ref = second.put("raw", data + b"more")
    second.close()
    third = nbdurable_store.open(root)
    assert third.get(ref) == data + b"more"
    assert third.get(third.put("raw", data)) == data
    third.close()


def test_chunks_may_move_to_another_file(tmp_path: Path) -> None:
    """No name says which file has a chunk, so files can be rewritten."""
    root, data = tmp_path / "s", noise(3 * MB)
    store = nbdurable_store.open(root)
    ref = store.put("raw", data)
    (path,) = (root / "blobs").iterdir()
    path.rename(path.with_name("elsewhere"))
    assert store.get(ref) == data
    assert len(dict(directory(path.with_name("elsewhere")))) > 20
    store.close()


@pytest.mark.parametrize(
    ("point", "error"),
    [
        ("blob.temp=error:ENOSPC", StoreFull),
        ("blob.renamed=error:EIO", StoreUnwritable),
    ],
)
def test_a_disk_that_refuses_leaves_nothing_behind(
    tmp_path: Path, point: str, error: type[Exception]
) -> None:
    """A blob that can't be written is an error, and the next one can."""
    store = nbdurable_store.open(tmp_path / "s")
    arm(point)
    try:
        with pytest.raises(error):
            store.put("raw", noise(MB))
    finally:
        arm("")
    assert list((tmp_path / "s" / "tmp").iterdir()) == []
    assert store.get(store.put("raw", noise(MB))) == noise(MB)
    store.close()


def opened(root: Path) -> int:
    """How many files below a folder this process has open."""
    numbers = Path("/proc/self/fd")
    names = (str(n.readlink()) for n in numbers.iterdir() if n.is_symlink())
    return sum(name.startswith(str(root / "blobs")) for name in names)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what is open")
@pytest.mark.parametrize("damaged", [False, True])
def test_what_is_read_leaves_no_file_open(tmp_path: Path, *, damaged: bool) -> None:
    """A kernel that reads long values all day doesn't run out of files."""
    store = nbdurable_store.open(tmp_path / "s")
    ref = store.put("x", noise(MB))
    if damaged:
        (file,) = (tmp_path / "s" / "blobs").iterdir()
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    for _ in range(3):
        with contextlib.suppress(BlobDamaged):
            store.get(ref)
    assert opened(tmp_path / "s") == 0
    store.close()


def test_a_size_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """Lists whose sizes don't add up are damage, whatever their names say."""
    kept = _Kept()
    four = memoryview(b"four")
    name = trees.id_of(four)
    kept.keep(four, name, pack=False)
    wrong = trees.encode([Entry(How.CHUNK, name, 5)])
    store = MemoryStore()
    store._world.chunks.update(kept)
    root = trees.list_id_of(wrong)
    store._world.chunks[root] = wrong
    mac = store._world.signer.blob("x", root, 4)
    ref = nbdurable_store.BlobRef(codec="x", id=root, size=4, mac=mac)
    with pytest.raises(BlobDamaged):
        store.get(ref)


GOLDEN_CUTS = [33258, 78308, 80973, 39403, 28737, 67810]
GOLDEN_DIGEST = "a73b21d4d19f78e1e0198d05b9aba0ff29746494ac4320d87a98e90c0e9cbdee"
GOLDEN_NAME = "dd73fd0593405accd115eece34924cd32b1004c7f039a4b4d1f25ad97d047106"
