"""Sealed segments without the records of removed runs.

What stood there becomes fillers of the same size, so every offset, sequence number and
MAC of the other records stays what it was: who has read them before reads them again.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Container
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from nbdurable_store.journal.frames import (
    HEADER,
    Frame,
    about_segment,
    filler,
    is_filler,
)
from nbdurable_store.journal.sealed import SealedFile, seal
from nbdurable_store.journal.segments import Mark, Scan, Source
from nbdurable_store.keys import Chain, Signer
from nbdurable_store.records import Kind

FILLER_BYTES_MAX = 1 << 20
"""A filler is made in memory, so long stretches get several. One record may be longer."""

_end = attrgetter("end")


class Stretch(NamedTuple):
    """Records, one after the other, that are to be removed.

    Attributes:
        offset: Where they begin in the segment, in bytes.
        end: Where they end.
        seq: Sequence number of the first.
        next_seq: Sequence number of the frame after them.
    """

    offset: int
    end: int
    seq: int
    next_seq: int


def removable(frame: Frame, runs: Container[str]) -> bool:
    """Whether a frame holds a record that goes with its run: all but the word of it."""
    if about_segment(frame):
        return False
    said = json.loads(frame.head)
    return said["run"] in runs and said["kind"] != Kind.RUN_REMOVED


class Plan:
    """What is to be done with one segment.

    Args:
        source: Its bytes.
        chain: The MACs of its owner.
        runs: The removed runs.
    """

    def __init__(self, source: Source, chain: Chain, runs: Container[str]) -> None:
        self.stretches: list[Stretch] = []
        self.removes = 0
        """Records that go."""
        self.keeps = 0
        """Records that stay."""
        scan = Scan(source, chain)
        for frame in scan.walk():
            if not isinstance(frame, Frame):
                continue
            gone = removable(frame, runs)
            if gone or is_filler(frame):
                self._add(frame, scan.mark)
            self.removes += gone
            self.keeps += not gone and not about_segment(frame)
        self.end = scan.mark

    def _add(self, frame: Frame, after: Mark) -> None:
        last = self.stretches[-1] if self.stretches else None
        if (
            last is not None
            and last.end == frame.offset
            and frame.end - last.offset <= FILLER_BYTES_MAX
        ):
            last = self.stretches.pop()
            added = Stretch(last.offset, frame.end, last.seq, after.next_seq)
        else:
            added = Stretch(frame.offset, frame.end, frame.seq, after.next_seq)
        self.stretches.append(added)


class Erased:
    """A segment's bytes with fillers in the place of stretches.

    Args:
        source: Its bytes as they are.
        chain: The MACs of its owner.
        stretches: What is removed, in order.
    """

    def __init__(self, source: Source, chain: Chain, stretches: list[Stretch]) -> None:
        self._source = source
        self._chain = chain
        self._stretches = stretches
        self._made: tuple[Stretch, bytes] | None = None

    def read(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer only at the end."""
        data = bytearray(self._source.read(offset, size))
        first = bisect_right(self._stretches, offset, key=_end)
        for stretch in islice(self._stretches, first, None):
            if stretch.offset >= offset + size:
                break
            begin, end = max(stretch.offset, offset), min(stretch.end, offset + size)
            made = self._filler(stretch)
            part = made[begin - stretch.offset : end - stretch.offset]
            data[begin - offset : end - offset] = part
        return bytes(data)

    def last_mac(self, end: Mark) -> bytes:
        """The MAC of the last frame."""
        last = self._stretches[-1]
        if last.end < end.offset:
            return end.prev_mac
        return HEADER.unpack_from(self._filler(last))[-1]  # type: ignore[no-any-return]  # struct's

    def close(self) -> None:
        """Give the descriptor back. Idempotent."""
        self._source.close()

    def _filler(self, stretch: Stretch) -> bytes:
        if self._made is None or self._made[0] != stretch:
            size = stretch.end - stretch.offset
            made = filler(self._chain, stretch.seq, stretch.next_seq, size)
            self._made = stretch, made
        return self._made[1]


def erase(
    path: Path, owner: str, runs: Container[str], temp: Path, signer: Signer
) -> int:
    """Write a sealed segment anew without the records of some runs; how many went.

    Args:
        path: Its file.
        owner: Its owner.
        runs: The removed runs.
        temp: Where it is written first.
        signer: Checks what is there, signs what is written.

    Raises:
        SealBroken: Its index isn't whole and ours.
    """
    source = SealedFile(path, owner, signer)
    try:
        chain = signer.chain(owner)
        plan = Plan(source, chain, runs)
        if plan.removes:
            erased = Erased(source, chain, plan.stretches)
            end = plan.end._replace(prev_mac=erased.last_mac(plan.end))
            seal(erased, end, path, temp, signer)
    finally:
        source.close()
    return plan.removes
