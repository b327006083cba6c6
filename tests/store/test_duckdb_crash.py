"""Ingest and rebuild are killed, and writes are torn: each record is one row, after all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.projected import RUN, Ingester, Projected

pytestmark = pytest.mark.slow

PAGE = 4096
BURST_POINTS = (
    "ingest.attached",
    "ingest.appended",
    "ingest.committed",
    "ingest.checkpointed",
)
NEW_FILE_POINTS = (
    "ingest.appended",
    "ingest.committed",
    "ingest.checkpointed",
    "rebuild.temp",
    "rebuild.renamed",
)


def _killed_at(projected: Projected, point: str) -> None:
    ingester = Ingester(projected.root, kill=f"{point}=kill")
    ingester.begin()
    assert ingester.died_of_kill(), f"{point} was not reached"


def _whole(projected: Projected) -> None:
    projected.ingest()
    assert projected.held() == projected.expected()
    part = projected.projection.of_run(RUN, {})
    assert len(part.entries) == len(projected.expected())


@pytest.mark.parametrize("point", BURST_POINTS)
def test_a_burst_is_killed(projected: Projected, point: str) -> None:
    """Wherever a burst ends, the next one takes over what is missing, and that only."""
    projected.append(20)
    projected.ingest()
    projected.append(20)
    _killed_at(projected, point)
    projected.append(1)
    _whole(projected)
    assert projected.notices() == []


@pytest.mark.parametrize("point", NEW_FILE_POINTS)
def test_the_first_creation_is_killed(projected: Projected, point: str) -> None:
    """Wherever the first creation ends, the next one begins anew, without a word."""
    projected.append(20)
    _killed_at(projected, point)
    assert projected.file.exists() == (point == "rebuild.renamed")
    _whole(projected)
    assert projected.notices() == []


@pytest.mark.parametrize("point", NEW_FILE_POINTS)
def test_a_rebuild_is_killed(projected: Projected, point: str) -> None:
    """Wherever a rebuild ends, the next one makes the file, with one sentence."""
    projected.append(20)
    projected.ingest()
    projected.file.write_bytes(b"no database")
    _killed_at(projected, point)
    _whole(projected)
    assert len(projected.notices()) == (point != "rebuild.renamed")


def _torn(before: bytes, after: bytes) -> Iterator[bytes]:
    """What may be on disk while ``before`` becomes ``after``: pages in two orders."""
    before = before.ljust(len(after), b"\0")
    changed = [
        at
        for at in range(0, len(after), PAGE)
        if before[at : at + PAGE] != after[at : at + PAGE]
    ]
    assert len(changed) > 3
    for order in (changed, changed[::-1]):
        state = bytearray(before)
        for at in order[:-1]:
            state[at : at + PAGE] = after[at : at + PAGE]
            yield bytes(state)


def test_writes_of_a_burst_are_torn(projected: Projected) -> None:
    """Whatever part of a checkpoint reached the disk, no row is lost or doubled.

    DuckDB's checkpoint writes blocks in place, so some of these states never open again.
    """
    projected.append(20)
    projected.ingest()
    before = projected.file.read_bytes()
    projected.append(20)
    projected.ingest()
    after = projected.file.read_bytes()
    expected, rebuilt, states = projected.expected(), 0, 0
    for state in _torn(before, after):
        projected.file.unlink()
        projected.file.write_bytes(state)
        part = projected.projection.of_run(RUN, {})
        assert len(part.entries) in {0, 20, 40}
        projected.ingest()
        projected.ingest()
        assert projected.held() == expected
        states += 1
        rebuilt += len(projected.notices())
    assert 0 < rebuilt <= states
