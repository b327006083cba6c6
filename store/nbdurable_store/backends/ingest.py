"""What DuckDB has not taken over from the segments yet, as rows in batches.

A *watermark* says per owner how far its segment has been taken over. It is written in
the transaction that adds the rows, so however often ingest is killed or run twice, each
record becomes one row. Damage in a segment is stepped over, as every reader does; the
frames about the segment itself move the watermark and make no row.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import NamedTuple

from nbdurable_store.journal.frames import Frame, about_segment
from nbdurable_store.journal.sealed import sealed_segments
from nbdurable_store.journal.segments import (
    BEGINNING,
    SUFFIX,
    Mark,
    Scan,
    Source,
    alive,
    plain_segments,
)
from nbdurable_store.journal.sources import open_segment
from nbdurable_store.keys import Signer
from nbdurable_store.records import Plain

INT64_MAX = (1 << 63) - 1


class Watermark(NamedTuple):
    """How far an owner's segment has been taken over.

    Attributes:
        mark: The place in the segment.
        rows: How many rows it has made. Compared with the table's length, so that rows
            that a foreign tool removed are missed.
    """

    mark: Mark = BEGINNING
    rows: int = 0


NOTHING = Watermark()


class Row(NamedTuple):
    """One row of ``entries``, in the order of its columns; ``docs/format.md`` §6."""

    owner: str
    seq: int
    tick: int
    at_us: int
    kind: str
    run: str
    step: str
    subject: str
    key8: int | None
    key: bytes
    name: str | None
    effect: str | None
    attempt: int | None
    ms: float | None
    tokens_in: int | None
    tokens_out: int | None
    model: str | None
    byte: int
    prev_mac: bytes
    mac: bytes
    head: bytes
    body: bytes


class Batch(NamedTuple):
    """Rows, and the watermarks that go into the same transaction.

    Attributes:
        rows: In the order of their owners' segments.
        watermarks: Of the owners whose segments were read, after these rows.
        full: Whether it ends because it is full, so that more may follow.
    """

    rows: list[Row]
    watermarks: dict[str, Watermark]
    full: bool


class Limit(NamedTuple):
    """How much one batch holds at most; the row that reaches it is the last."""

    rows: int
    bytes: int


BURST = Limit(rows=4_000, bytes=1 << 24)
"""A burst that is full takes some 150 ms of CPU; readers may have to wait so long."""
BULK = Limit(rows=40_000, bytes=1 << 25)
"""For a rebuild, where nobody waits: 30 µs of CPU per row, some 300 MB of memory."""


class Backlog:
    """Finds what has not been taken over.

    Args:
        journal: The folder of segments.
        signer: Checks their frames.
    """

    def __init__(self, journal: Path, signer: Signer) -> None:
        self._journal = journal
        self._signer = signer
        self._searched: set[str] = set()
        self._finished: dict[str, int] = {}

    def owners(self) -> list[str]:
        """Ids of all who ever appended."""
        plain = plain_segments(self._journal)
        return sorted(plain.keys() | sealed_segments(self._journal).keys())

    def batches(self, taken: Mapping[str, Watermark], limit: Limit) -> Generator[Batch]:
        """Everything after these watermarks that is there now, owner by owner."""
        rows: list[Row] = []
        watermarks: dict[str, Watermark] = {}
        size = 0
        for owner in self.owners():
            at = taken.get(owner, NOTHING)
            for row, mark in self._news(owner, at.mark):
                if row is not None:
                    rows.append(row)
                    size += len(row.head) + len(row.body)
                watermarks[owner] = at = Watermark(mark, at.rows + (row is not None))
                if len(rows) >= limit.rows or size >= limit.bytes:
                    yield Batch(rows, watermarks, full=True)
                    rows, watermarks, size = [], {}, 0
        if watermarks:
            yield Batch(rows, watermarks, full=False)

    def rows(
        self, owner: str, mark: Mark = BEGINNING
    ) -> Generator[tuple[Row | None, Mark]]:
        """Every whole frame after a mark as a row, and the mark behind it.

        Frames about the segment itself come as ``None``. What lies behind a stretch of
        zeros is looked for at a process's first visit; later ones cost one small read
        where nothing is new.
        """
        source = open_segment(self._journal, owner, self._signer)
        if source is None:
            return
        try:
            scan = Scan(source, self._signer.chain(owner), mark)
            deep = mark == BEGINNING or owner not in self._searched
            if not deep and not scan.grown():
                return
            for found in scan.walk(deep=deep):
                if isinstance(found, Frame):
                    yield _row(owner, found, source), scan.mark
            self._searched.add(owner)
        finally:
            source.close()

    def _news(self, owner: str, mark: Mark) -> Generator[tuple[Row | None, Mark]]:
        """The same, without a look into segments that are known to end at the mark."""
        if self._finished.get(owner) == mark.next_seq:
            return
        ended = not alive(self._journal / f"{owner}{SUFFIX}")
        for row, after in self.rows(owner, mark):
            mark = after
            yield row, after
        if ended:
            self._finished[owner] = mark.next_seq


def sayable(text: str) -> str:
    """The text, with lone surrogates escaped: DuckDB holds UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace").decode()
    return text


def key8(key: bytes) -> int | None:
    """What a key is searched by: a column of integers is scanned at memory speed."""
    return int.from_bytes(key[:8], "big") if key else None


def _row(owner: str, frame: Frame, source: Source) -> Row | None:
    if about_segment(frame):
        return None
    said = json.loads(frame.head)
    fields = said["fields"]
    key = bytes.fromhex(said["key"])
    return Row(
        owner=owner,
        seq=frame.seq,
        tick=said["tick"],
        at_us=said["at"],
        kind=sayable(said["kind"]),
        run=sayable(said["run"]),
        step=sayable(said["step"]),
        subject=sayable(said["subject"]),
        key8=key8(key),
        key=key,
        name=_text(fields.get("name")),
        effect=_text(fields.get("effect")),
        attempt=_integer(fields.get("attempt")),
        ms=_number(fields.get("ms")),
        tokens_in=_integer(fields.get("tokens_in")),
        tokens_out=_integer(fields.get("tokens_out")),
        model=_text(fields.get("model")),
        byte=frame.offset,
        prev_mac=frame.prev_mac,
        mac=frame.mac,
        head=frame.head,
        body=source.read(frame.body_offset, frame.body_len) if frame.body_len else b"",
    )


def _text(value: Plain) -> str | None:
    return sayable(value) if isinstance(value, str) else None


def _integer(value: Plain) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -INT64_MAX <= value <= INT64_MAX else None


def _number(value: Plain) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
