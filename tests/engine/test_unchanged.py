"""An array that wasn't written is not read again, and one that was always is.

All of this holds on every machine. Where pages can't be watched (no Linux, an old
kernel, a container that forbids it) everything is read each time, and `AGAIN` is 1.
"""

from __future__ import annotations

import gc
import io
import mmap
import os
import threading
from collections.abc import Callable, Iterator
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbdurable.engine.identity.canonical import digest, hashed
from nbdurable.engine.identity.forms import Content
from nbdurable.engine.values.contents import _unchanged, digest_of
from nbdurable.engine.values.pages import PAGE, working
from nbdurable.engine.values.unchanged import (
    REST_DIGESTS,
    WATCHED_BYTES_MIN,
    WRITES_MAX,
)

AGAIN = 0 if working() else 1
"""How often an unchanged array is read again."""

ITEMS = WATCHED_BYTES_MIN // 8 + 3 * PAGE


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """Nothing is known of memory that an earlier test had."""
    yield
    unchanged = _unchanged(os.getpid())
    if unchanged:
        unchanged.close()
    _unchanged.cache_clear()


def array() -> np.ndarray:
    """An array that is big enough to be watched, and doesn't end with a page."""
    return np.arange(ITEMS + 5, dtype=np.float64)


def reads(value: np.ndarray) -> tuple[bytes, int]:
    """The digest of an array's contents, and how often all of it was read."""
    counted = []

    def read() -> memoryview:
        counted.append(value)
        return memoryview(np.ascontiguousarray(value).reshape(-1).view(np.uint8))

    return digest_of(Content(read, value)), len(counted)


def read(value: np.ndarray) -> bytes:
    """The digest by reading."""
    flat = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    return hashed(Content(lambda: memoryview(flat)))


def test_an_unchanged_array_is_read_once() -> None:
    """A second digest costs no reading, and views of the array have theirs."""
    value = array()
    first = reads(value)
    assert first == (read(value), 1)
    assert reads(value) == (first[0], AGAIN)
    for view in (value[10:-10], value[::2], value[::-1], value[:-5].reshape(2, -1).T):
        assert reads(view) == (read(view), 1)
        assert reads(view) == (read(view), AGAIN)
    assert reads(value) == (first[0], AGAIN)


def write(value: np.ndarray, place: int) -> None:
    """Write one element."""
    value[place] = -1


def by_view(value: np.ndarray, place: int) -> None:
    """Write through a view that was made earlier."""
    value[place - 1 :][1:2].fill(-1)


def by_bytes(value: np.ndarray, place: int) -> None:
    """Write through a memoryview."""
    memoryview(value)[place] = -1.0


def by_kernel(value: np.ndarray, place: int) -> None:
    """Let the system write, as ``readinto`` does."""
    octets = memoryview(value).cast("B")[8 * place : 8 * place + 8]
    ends = os.pipe()
    os.write(ends[1], b"\7" * 8)
    assert os.readv(ends[0], [octets]) == 8
    for end in ends:
        os.close(end)


def by_file(value: np.ndarray, place: int) -> None:
    """Let a file write."""
    octets = memoryview(value).cast("B")[8 * place : 8 * place + 8]
    io.BytesIO(b"\7" * 8).readinto(octets)


def by_thread(value: np.ndarray, place: int) -> None:
    """Write from another thread."""
    thread = threading.Thread(target=write, args=(value, place))
    thread.start()
    thread.join()


WRITES: list[Callable[[np.ndarray, int], None]] = [
    write, by_view, by_bytes, by_kernel, by_file, by_thread
]  # fmt: skip


@pytest.mark.wide
@pytest.mark.parametrize("place", [1, PAGE // 8 + 3, ITEMS // 2, ITEMS + 4])
@pytest.mark.parametrize("way", WRITES)
def test_every_write_is_seen(
    way: Callable[[np.ndarray, int], None], place: int
) -> None:
    """At the edges and in the middle, by whatever writes: the array is read again."""
    value = array()
    before, _ = reads(value)
    way(value, place)
    assert reads(value) == (read(value), 1)
    assert read(value) != before
    assert reads(value)[1] == AGAIN


def test_a_write_through_one_view_is_seen_in_all() -> None:
    """Stamps of all layouts go when a page of the owner is written."""
    value = array()
    views = (value, value[100:], value[: ITEMS // 2], value[::2])
    for view in views:
        reads(view)
    value[200] = -1
    for view in views:
        assert reads(view) == (read(view), 1)


def test_a_write_while_it_is_hashed_is_seen_next_time() -> None:
    """Pages are protected before they are read."""
    value = array()

    def read_and_write() -> memoryview:
        flat = memoryview(value.copy()).cast("B")
        value[ITEMS // 2] = -1
        return flat

    digest_of(Content(read_and_write, value))
    assert reads(value) == (read(value), 1)


@pytest.mark.slow
def test_new_memory_at_an_old_place_is_read() -> None:
    """The next array may get the same address, or one that overlaps."""
    for turn in range(12):
        items = ITEMS + 1000 * (turn % 3)
        value = np.zeros(items) if turn % 4 == 3 else np.full(items, float(turn))
        assert reads(value)[0] == read(value)
        other = np.full(ITEMS // 2 + turn, -float(turn))
        assert reads(other)[0] == read(other)
        assert reads(value) == (read(value), AGAIN)
        del value
        if turn % 2:
            del other
        gc.collect()


def test_an_array_that_changed_its_size_is_read() -> None:
    """Memory that was given back and taken again holds nothing of before."""
    value = array()
    reads(value)
    value.resize(ITEMS // 4, refcheck=False)
    value.resize(ITEMS + 5, refcheck=False)
    assert reads(value) == (read(value), 1)


def test_zeros_that_nobody_touched_can_be_watched() -> None:
    """Pages that don't exist yet are watched, too."""
    value = np.zeros(ITEMS)
    reads(value)
    assert reads(value) == (read(value), AGAIN)
    value[ITEMS // 2] = 1
    assert reads(value) == (read(value), 1)


def test_an_array_that_is_written_a_lot_is_not_watched_for_a_while() -> None:
    """After some writes it is read each time, which is right each time, then watched."""
    value = array()
    for turn in range(WRITES_MAX + 2):
        value[turn] = -1
        assert reads(value) == (read(value), 1)
    for _ in range(REST_DIGESTS - 1):
        assert reads(value) == (read(value), 1)
    reads(value)
    assert reads(value) == (read(value), AGAIN)


def test_a_child_process_starts_anew() -> None:
    """After a fork the child reads its own memory, and the parent goes on."""
    value = array()
    before, _ = reads(value)
    ends = os.pipe()
    child = os.fork()
    if not child:
        value[ITEMS // 2] = -1
        os.write(ends[1], reads(value)[0])
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(ends[0], 64)
    for end in ends:
        os.close(end)
    assert reads(value) == (before, AGAIN)
    value[ITEMS // 2] = -1
    assert told == read(value) == reads(value)[0]


def test_memory_of_others_is_read_each_time(tmp_path: Path) -> None:
    """Files, shared memory, other buffers and strides out of bounds aren't watched."""
    size = 8 * ITEMS
    anonymous = mmap.mmap(-1, size)
    shared = shared_memory.SharedMemory(create=True, size=size)
    mapped = np.memmap(tmp_path / "data", np.float64, "w+", shape=(ITEMS,))
    holders = [
        np.frombuffer(anonymous, np.float64), np.frombuffer(bytearray(size), np.float64),
        np.ndarray((ITEMS,), np.float64, shared.buf), np.asarray(mapped),
    ]  # fmt: skip
    for holder in holders:
        assert reads(holder)[1] == reads(holder)[1] == 1
        holder[5] = 1
        assert reads(holder) == (read(holder), 1)
    del holder, holders
    shared.close()
    shared.unlink()


@pytest.mark.slow
def test_a_frame_that_did_not_change_keeps_its_digest() -> None:
    """Columns are views of blocks, and those are watched."""
    frame = pd.DataFrame(np.arange(4.0 * ITEMS).reshape(ITEMS, 4), columns=list("abcd"))
    before = digest(frame, contents=digest_of)
    assert digest(frame, contents=digest_of) == before == digest(frame)
    frame.iloc[3, 2] = -1
    assert digest(frame, contents=digest_of) == digest(frame) != before
