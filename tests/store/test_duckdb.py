"""What was appended is in ``store.duckdb`` once, and questions find it there."""

from __future__ import annotations

import os
from operator import attrgetter

import pytest

from nbdurable_store.backends.ingest import Limit
from nbdurable_store.backends.projection import Turn
from nbdurable_store.protocol import START, Cursor
from nbdurable_store.records import NO_KEY, Entry, Record
from tests.store.projected import RUN, Ingester, Projected

DONE, MORE = Turn.DONE, Turn.MORE
ORDER = attrgetter("tick", "owner", "seq")


def _sorted(entries: tuple[Entry, ...]) -> list[Entry]:
    return sorted(entries, key=ORDER)


def test_rows_are_the_frames(projected: Projected) -> None:
    """Every record is one row, and the row has what the frame has."""
    projected.append(30)
    projected.ingest()
    projected.append(30, run="run-2")
    projected.ingest()
    assert projected.held() == projected.expected()
    assert len(projected.held()) == 60
    assert projected.notices() == []


def test_strange_fields_make_rows_too(projected: Projected) -> None:
    """Lone surrogates, huge numbers and other types than expected do no harm."""
    record = Record(
        kind="call.started",
        run="r\ud800\0",
        subject="'; drop table entries; --",
        key=NO_KEY,
        at_us=-1,
        fields={
            "name": ["no text"],
            "model": "m\udfff",
            "ms": 10**400,
            "tokens_in": 1 << 70,
            "tokens_out": True,
            "attempt": 2,
        },
    )
    projected.store.append([record], sync=True)
    projected.ingest()
    [row] = projected.held()
    assert (row.run, row.key8, row.name, row.model) == (
        "r\\ud800\0",
        None,
        None,
        "m\\udfff",
    )
    assert (row.ms, row.tokens_in, row.tokens_out, row.attempt) == (None, None, None, 2)
    part = projected.projection.of_run("r\ud800\0", {})
    assert [e.record for e in part.entries] == [record]


def test_questions_find_what_the_segments_hold(projected: Projected) -> None:
    """Answers from DuckDB equal those of a store that reads segments only."""
    projected.append(10)
    projected.append(10, run="run-2")
    other = Projected(projected.root)
    other.append(10)
    other.close()
    projected.ingest()
    store, projection = projected.store, projected.projection
    entries, cursor = store.read(RUN)
    assert _sorted(projection.of_run(RUN, {}).entries) == list(entries)
    assert projection.of_run(RUN, dict(cursor.next_seq)).entries == ()
    first = Cursor().past(entries[:5])
    since = projection.of_run(RUN, dict(first.next_seq))
    assert _sorted(since.entries) == list(store.read(RUN, first)[0])
    keys = [(3).to_bytes(32, "big"), (4).to_bytes(32, "big"), b"\xff" * 32]
    assert _sorted(projection.with_keys(keys).entries) == list(store.lookup(keys))
    kinds = ["call.completed", "run.opened"]
    found = projection.of_kinds(kinds, {}).entries
    assert _sorted(found) == list(store.scan(kinds)[0])


def test_keys_that_begin_alike_are_told_apart(projected: Projected) -> None:
    """A key is compared whole, not by the eight bytes it is searched by."""
    one, other = b"12345678" + b"a" * 24, b"12345678" + b"b" * 24
    for key in (one, other):
        record = Record(kind="call.started", run=RUN, key=key, at_us=0)
        projected.store.append([record], sync=True)
    projected.ingest()
    [found] = projected.projection.with_keys([other]).entries
    assert found.record.key == other


def test_a_part_says_how_far_it_goes(projected: Projected) -> None:
    """What was appended after the last ingest begins where the part ends."""
    projected.append(5)
    projected.ingest()
    projected.append(2)
    part = projected.projection.of_run(RUN, {})
    [(owner, mark)] = part.upto.items()
    assert owner == projected.store.owner
    assert len(part.entries) == 5
    assert mark.next_seq == part.entries[-1].seq + 1
    rest, _ = projected.store.read(RUN, Cursor(((owner, mark.next_seq),)))
    assert len(rest) == 2


def test_inline_bytes_are_kept_too(projected: Projected) -> None:
    """A value that a segment has lost can be had from the row."""
    projected.append(3)
    projected.ingest()
    entry = projected.projection.of_run(RUN, {}).entries[1]
    [ref] = entry.record.blobs
    assert ref.place is not None
    assert projected.projection.inline(ref.place, ref.size) == b"[1]" * 20
    gone = ref.place._replace(seq=99)
    assert projected.projection.inline(gone, ref.size) is None


def test_full_batches_follow_each_other(projected: Projected) -> None:
    """A long backlog is taken over in several bursts, by its rows or its bytes."""
    ingest = projected.projection.ingest
    projected.append(10)
    projected.ingest()
    projected.append(10)
    few = Limit(rows=4, bytes=1 << 20)
    assert [ingest(few) for _ in range(4)] == [MORE, MORE, DONE, DONE]
    projected.append(3)
    small = Limit(rows=100, bytes=1)
    assert [ingest(small) for _ in range(4)] == [MORE, MORE, MORE, DONE]
    assert projected.held() == projected.expected()


@pytest.mark.slow
def test_two_processes_ingest_at_the_same_time(projected: Projected) -> None:
    """Whoever comes first takes a record over; nobody takes it over twice."""
    others = [Ingester(projected.root) for _ in range(2)]
    for _ in range(20):
        projected.append(7)
        for other in others:
            other.begin()
        projected.projection.ingest()
        for other in others:
            other.finish()
    projected.ingest()
    for other in others:
        other.close()
    assert projected.held() == projected.expected()
    assert len(projected.held()) == 140


def test_damage_is_stepped_over_and_served_from_the_row(projected: Projected) -> None:
    """A record that was taken over before its segment was damaged is still found."""
    projected.append(4)
    projected.ingest()
    projected.append(4)
    [segment] = projected.journal.iterdir()
    rows = projected.expected()
    with segment.open("r+b") as file:
        for row in (rows[1], rows[5]):
            file.seek(row.byte + 100)
            file.write(b"\xff\xff\xff")
    projected.ingest()
    assert [row.seq for row in projected.held()] == [1, 2, 3, 4, 5, 7, 8]
    found = projected.projection.of_run(RUN, {}).entries
    assert len(found) == 7
    other = Projected(projected.root)
    assert len(other.store.read(RUN, START)[0]) == 7
    other.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_reads_with_an_instance_of_its_own(projected: Projected) -> None:
    """The child of a fork neither hangs in the parent's DuckDB nor disturbs it."""
    projected.append(3)
    projected.ingest()
    child = os.fork()
    if not child:
        projected.projection.forked()
        found = projected.projection.of_run(RUN, {}).entries
        os._exit(len(found))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 3
    projected.append(1)
    projected.ingest()
    assert len(projected.projection.of_run(RUN, {}).entries) == 4
