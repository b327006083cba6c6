"""A check finds every row that isn't what its frame is, and changes nothing."""

from __future__ import annotations

import duckdb
import pytest

from nbdurable_store.backends.comparison import Comparison
from nbdurable_store.backends.ingest import Backlog
from nbdurable_store.protocol import Finding
from tests.store.projected import Projected

STEP = 7


def _compared(projected: Projected) -> tuple[Finding, ...]:
    backlog = Backlog(projected.journal, projected.signer)
    projection, signer = projected.projection, projected.signer
    return Comparison(projection, backlog, signer, stretch=STEP).findings()


@pytest.mark.parametrize("count", [0, 1, STEP - 1, STEP, STEP + 1, 3 * STEP])
def test_a_whole_file_has_no_findings(projected: Projected, count: int) -> None:
    """Rows that are their frames pass, wherever a stretch ends."""
    projected.append(count)
    other = Projected(projected.root)
    other.append(5)
    other.close()
    projected.ingest()
    projected.append(2)
    before = projected.file.read_bytes()
    assert _compared(projected) == ()
    assert projected.file.read_bytes() == before


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (
            ("update entries set name = 'other' where seq = 3",),
            "0 records are missing, 1 are others and 0 stand there twice",
        ),
        (
            ("update entries set body = 'other' where seq = 9",),
            "0 records are missing, 1 are others and 0 stand there twice",
        ),
        (
            (
                "insert into entries select * from entries where seq = 9",
                "delete from entries where seq = 2",
            ),
            "1 records are missing, 0 are others and 1 stand there twice",
        ),
    ],
)
def test_rows_that_differ_are_counted(
    projected: Projected, statements: tuple[str, ...], says: str
) -> None:
    """A changed, missing or doubled row is found, in whichever column it is."""
    projected.append(20)
    projected.ingest()
    projected.meddle(*statements)
    [finding] = _compared(projected)
    assert finding.slug == "duckdb-differs"
    assert says in finding.says
    assert finding.loses == ()


def test_a_row_outlives_its_frame(projected: Projected) -> None:
    """A row whose frame is damaged is held to its own MAC."""
    projected.append(20)
    projected.ingest()
    [segment] = projected.journal.iterdir()
    row = projected.expected()[8]
    with segment.open("r+b") as file:
        file.seek(row.byte + 100)
        file.write(b"\xff\xff\xff")
    assert _compared(projected) == ()
    projected.meddle(f"update entries set head = 'x' where seq = {row.seq}")
    [finding] = _compared(projected)
    assert "1 are others" in finding.says


def test_an_unusable_file_is_named(projected: Projected) -> None:
    """What would be made anew is a finding; a missing or held file is none."""
    projected.append(3)
    assert _compared(projected) == ()
    projected.ingest()
    with duckdb.connect(str(projected.file)):
        assert _compared(projected) == ()
    projected.file.write_bytes(b"no database")
    [finding] = _compared(projected)
    assert finding.slug == "duckdb-unusable"
    assert finding.says.startswith("store.duckdb did not open.")
