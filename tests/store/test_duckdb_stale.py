"""``store.duckdb`` may be older than the journal, and answers are whole all the same."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from nbdurable_store.protocol import START, Cursor
from tests.store.projected import RUN, Projected


def _subjects(projected: Projected) -> list[str]:
    return [entry.record.subject for entry in projected.store.read(RUN)[0]]


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 400])
def test_an_older_copy_hides_nothing(
    projected: Projected, tmp_path: Path, count: int
) -> None:
    """A copy that was put back knows less than the seals, and nothing is missed by it."""
    first = Projected(projected.root)
    first.append(3)
    first.ingest()
    first.projection.close()
    older = tmp_path / "older.duckdb"
    shutil.copy(first.file, older)
    first.append(count)
    first.close()
    projected.append(1)
    projected.store.flush()
    assert list(projected.journal.glob("*.seg.zst"))
    projected.projection.close()
    shutil.copy(older, projected.file)
    reader = Projected(projected.root)
    assert len(_subjects(reader)) == 3 + count + 1
    assert len(reader.store.lookup([(0).to_bytes(32, "big")])) == 3
    reader.store.flush()
    assert reader.held() == reader.expected()
    assert len(_subjects(reader)) == 3 + count + 1
    reader.close()


def test_forgetting_hides_nothing(projected: Projected) -> None:
    """While another thread lets go of what DuckDB has, readers get every entry."""
    projected.append(2500)
    ended = threading.Event()

    def flush() -> None:
        while not ended.is_set():
            projected.append(5, run="other")
            projected.store.flush()

    thread = threading.Thread(target=flush)
    thread.start()
    try:
        for _ in range(30):
            entries, cursor = projected.store.read(RUN, START)
            assert len(entries) == 2500
            assert projected.store.read(RUN, cursor)[0] == ()
            assert cursor != Cursor()
    finally:
        ended.set()
        thread.join()
