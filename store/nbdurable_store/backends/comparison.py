"""Whether ``store.duckdb`` holds what the segments hold. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from nbdurable_store.backends.duckdb import Away, Unusable
from nbdurable_store.backends.ingest import Backlog, Row
from nbdurable_store.backends.projection import Projection
from nbdurable_store.backends.projection_file import Missing
from nbdurable_store.keys import Signer, same
from nbdurable_store.protocol import Finding

STRETCH = 2_000
"""Sequence numbers compared in one burst, so that a check keeps nobody waiting."""
PLACE = "store.duckdb"


class Comparison:
    """Compares every row with its frame, as far as the file goes.

    Rows whose frame a segment has lost are held to their own MAC: they are what is left.

    Args:
        projection: The file.
        backlog: The segments; a fresh one, so that it reads all of them.
        signer: Checks rows without a frame.
        stretch: How many sequence numbers are compared in one burst.
    """

    def __init__(
        self,
        projection: Projection,
        backlog: Backlog,
        signer: Signer,
        stretch: int = STRETCH,
    ) -> None:
        self.missing = 0
        self.different = 0
        self.doubled = 0
        self._projection = projection
        self._backlog = backlog
        self._signer = signer
        self._stretch = stretch

    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the file: nothing, or one sentence.

        Nothing too where there is no file, or where another program holds it.
        """
        try:
            for owner, end in self._projection.ends().items():
                for first, rows in self._stretches(owner, end):
                    last = min(first + self._stretch, end)
                    held = self._projection.rows(owner, first, last)
                    self._compare(owner, rows, held)
        except (Missing, Away, OSError):
            return ()
        except Unusable as e:
            return _finding("duckdb-unusable", f"{PLACE} {e.why}.")
        if not (self.missing or self.different or self.doubled):
            return ()
        return _finding(
            "duckdb-differs",
            f"{PLACE} differs from the journal: {self.missing} records are missing, "
            f"{self.different} are others and {self.doubled} stand there twice.",
        )

    def _stretches(self, owner: str, end: int) -> Iterator[tuple[int, dict[int, Row]]]:
        """The rows that have to be there, from each multiple of the stretch on."""
        size = self._stretch
        rows = (row for row, _mark in self._backlog.rows(owner) if row is not None)
        stretches = groupby(rows, key=lambda row: row.seq // size)
        number, found = next(stretches, (-1, iter(())))
        for first in range(0, end, size):
            here: dict[int, Row] = {}
            if number * size == first:
                here = {row.seq: row for row in found if row.seq < end}
                number, found = next(stretches, (-1, iter(())))
            yield first, here

    def _compare(self, owner: str, rows: dict[int, Row], held: list[Row]) -> None:
        found = {row.seq: row for row in held}
        self.doubled += len(held) - len(found)
        self.missing += len(rows.keys() - found.keys())
        self.different += sum(
            found[seq] != rows[seq] for seq in rows.keys() & found.keys()
        )
        chain = self._signer.chain(owner)
        for seq in found.keys() - rows.keys():
            row = found[seq]
            self.different += not same(chain.mac(seq, row.prev_mac, row.head), row.mac)


def _finding(slug: str, says: str) -> tuple[Finding, ...]:
    remedy = "Delete it: it is made anew from the journal, and nothing is lost."
    return (Finding(slug=slug, place=PLACE, says=f"{says} {remedy}"),)
