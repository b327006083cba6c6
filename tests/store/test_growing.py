"""Reading a segment while its owner appends: no record is stepped over."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from nbdurable_store.journal.frames import FIRST_MAC, Frame, encode_frame
from nbdurable_store.journal.segments import Damage, Scan
from nbdurable_store.keys import Chain, Signer
from nbdurable_store.protocol import START
from nbdurable_store.records import Kind, Record
from tests.store.harness import LocalHarness

BODIES = (9_000, 40, 5_000, 3, 9_000, 0, 200, 20_000, 1)
"""Sizes in bytes: of several pages, of more than the first window, and small ones."""
PAGE_BYTES = 4096
CALLS = 600


@pytest.fixture(scope="module")
def chain() -> Chain:
    """The MACs of an owner."""
    return Signer(b"k" * 32, "store").chain("0" * 16)


@pytest.fixture(scope="module")
def frames(chain: Chain) -> list[bytes]:
    """Frames as their owner writes them, one after the other."""
    made, prev_mac = [], FIRST_MAC
    for seq, size in enumerate(BODIES):
        head = b'{"kind":"x"}'
        mac = chain.mac(seq, prev_mac, head)
        made.append(encode_frame(seq, prev_mac, mac, head, b"b" * size))
        prev_mac = mac
    return made


class Growing:
    """A segment of which each look shows more: so many bytes are written by then.

    Args:
        data: What its owner writes, in order, into room that was reserved.
        looks: How many bytes are written at each look; after the last one, all.
    """

    def __init__(self, data: bytes, looks: Iterator[int]) -> None:
        self._data = data
        self._looks = looks

    def read(self, offset: int, size: int) -> bytes:
        """What is written; a page that is read later may show more than one before."""
        pieces = []
        for begin in range(offset, offset + size, PAGE_BYTES):
            written = next(self._looks, len(self._data))
            end = min(begin + PAGE_BYTES, offset + size, len(self._data))
            piece = self._data[begin : max(begin, min(end, written))]
            pieces.append(piece.ljust(max(0, end - begin), b"\0"))
        return b"".join(pieces)

    def close(self) -> None:
        """Nothing to give back."""


def _ends(frames: list[bytes]) -> list[int]:
    ends = [0]
    for frame in frames:
        ends.append(ends[-1] + len(frame))
    return ends


def _walked(scan: Scan, end: int, chance: random.Random) -> list[Frame | Damage]:
    """All that a reader finds who comes again until he is at the end."""
    found: list[Frame | Damage] = []
    while scan.mark.offset < end:
        found += scan.walk(deep=chance.random() < 0.5)
    return found


def test_a_frame_that_came_between_two_looks_is_read(
    chain: Chain, frames: list[bytes]
) -> None:
    """Nothing stood at the mark, then two frames were appended: both are read."""
    ends = _ends(frames)
    scan = Scan(Growing(b"".join(frames[:2]), iter((0, 0, ends[2]))), chain)
    found = list(scan.walk(deep=False))
    assert [type(item) for item in found] == [Frame, Frame]


@pytest.mark.slow
def test_a_torn_frame_that_was_completed_between_two_looks_is_read(
    chain: Chain, frames: list[bytes]
) -> None:
    """Half a frame stood at the mark, then it and two more were whole: all are read."""
    ends = _ends(frames)
    for half in range(1, ends[1], 9):
        looks = iter((half,) * 6)
        scan = Scan(Growing(b"".join(frames[:3]), looks), chain)
        found = _walked(scan, ends[3], random.Random(half))
        assert [type(item) for item in found] == [Frame] * 3, half


@pytest.mark.slow
def test_whatever_is_written_while_it_is_read_nothing_is_damage(
    chain: Chain, frames: list[bytes]
) -> None:
    """However appends and looks alternate, every frame is read and none is damaged."""
    data, ends = b"".join(frames), _ends(frames)
    for seed in range(500):
        chance = random.Random(seed)
        cuts = [*ends, *(chance.randrange(len(data)) for _ in range(6))]
        looks = sorted(chance.choices(cuts, k=chance.randrange(1, 30)))
        scan = Scan(Growing(data, iter(looks)), chain)
        found = _walked(scan, len(data), chance)
        assert [type(item) for item in found] == [Frame] * len(frames), seed


def test_real_damage_is_as_long_as_it_is_while_its_owner_appends(
    chain: Chain, frames: list[bytes]
) -> None:
    """A frame after a damaged one that came between two looks isn't lost with it."""
    ends = _ends(frames)
    data = bytearray(b"".join(frames))
    data[ends[1] + 20] ^= 1
    for seed in range(200):
        chance = random.Random(seed)
        looks = sorted(chance.choices(ends[2:], k=chance.randrange(1, 20)))
        scan = Scan(Growing(bytes(data), iter(looks)), chain)
        found = _walked(scan, len(data), chance)
        (damage,) = (item for item in found if isinstance(item, Damage))
        assert (damage.first_seq, damage.next_seq) == (1, 2), seed


@pytest.fixture
def often() -> Iterator[None]:
    """Threads change places after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_who_reads_a_living_segment_misses_nothing(
    often: None, harness: LocalHarness
) -> None:
    """What one process appends is all read by another, and all taken over for good."""
    writing, reading = harness.open(), harness.open()

    def append() -> None:
        for n in range(0, CALLS, 2):
            writing.append([_record(n), _record(n + 1)], sync=False)

    with ThreadPoolExecutor(1) as pool:
        appending = pool.submit(append)
        seen, cursor, ended = [], START, False
        while not ended:
            ended = appending.done()
            entries, cursor = reading.read("run", cursor)
            seen += entries
            reading.flush()
    appending.result()
    later, _ = harness.open().read("run")
    whole = [str(n) for n in range(CALLS)]
    assert [entry.record.subject for entry in seen] == whole
    assert [entry.record.subject for entry in later] == whole


def _record(n: int) -> Record:
    return Record(kind=Kind.CALL_STARTED, run="run", subject=str(n), at_us=1)
