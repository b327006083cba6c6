"""What durability costs: one command, one table, the machine's floors beside it.

    make bench                     about six minutes
    make bench ARGS="calls import" only these
    make bench ARGS=--check        exit 1 if a limit is missed

Every measurement runs in fresh processes. Where a limit is a ratio, both sides were
timed turn by turn in one process (`measuring.py`), so a busy machine hurts both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from floors import Append, Sqlite
from measuring import cpu_ms_of_process, cpu_us, folder, paired, script, syncs

CALLS = 1_000
REPLAYED = 2_000
GROWN = 100_000
STARTS = 9
"""Fresh interpreters per import; the median counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured.
        value: The number.
        unit: Its unit, or ``×`` for a ratio.
        most: It must not be above this.
        least: It must not be below this.
        beside: The floor, in words.
    """

    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None
    beside: str = ""

    @property
    def met(self) -> bool:
        """Whether the limit holds."""
        above = self.most is not None and self.value > self.most
        below = self.least is not None and self.value < self.least
        return not (above or below)

    @property
    def limit(self) -> str:
        """The limit as people read it."""
        if self.most is not None:
            return f"≤ {self.most:g}"
        return f"≥ {self.least:g}" if self.least is not None else ""


def floors() -> Iterator[Row]:
    """What the machine does without us."""
    with folder() as place:
        bare = Sqlite(place)
        for preallocated in (False, True):
            append = Append(place, preallocated=preallocated).append
            pairs = paired(append, bare.insert, CALLS // 2)
            name = "into a preallocated file" if preallocated else "to a file"
            beside = f"insert {statistics.median(pairs.bare_us):.0f} µs"
            yield Row(
                what=f"floor: 1 kB appended {name}, synced / SQLite WAL FULL insert",
                value=pairs.ratio(),
                unit="×",
                beside=beside,
            )


READ_CPU_MOST = 150 / 106
WRITE_CPU_MOST = 230 / 106
"""CPU of a call over that of one SQLite insert (WAL, FULL). The limits were set as 150
and 230 µs where such an insert took 106. An absolute number says more of the machine,
and of what else it does, than of the call: the same insert has taken 62 to 290 µs on
one machine, by its load."""


def calls() -> Iterator[Row]:
    """One journaled call with a result of 1 kB, by effect.

    Its CPU is judged by that of an insert that is measured in the same run, batch by
    batch in turn: see `READ_CPU_MOST`. Other programs that use the processor make the
    ratio worse, since they empty the caches that so much Python needs.
    """
    for effect, inserts, cpu_most, waits in (
        ("read", "one insert", READ_CPU_MOST, 1),
        ("pure", "one insert", READ_CPU_MOST, 1),
        ("write", "two inserts", WRITE_CPU_MOST, 2),
    ):
        seen = script("calls.py", "paired", effect, CALLS)
        yield Row(
            what=f"{effect}: one call / {inserts} (SQLite, WAL FULL)",
            value=seen["ratio"],
            unit="×",
            most=1.3,
            beside=f"{seen['us']:.0f} µs beside {seen['bare_us']:.0f} µs, p10 {seen['ratio_p10']:.2f} ×",
        )
        seen = script("calls.py", "cpu", effect, CALLS)
        yield Row(
            what=f"{effect}: CPU of one call / of one insert",
            value=seen["cpu_us"] / seen["sqlite_us"],
            unit="×",
            most=round(cpu_most, 2),
            beside=f"{seen['cpu_us']:.0f} µs beside {seen['sqlite_us']:.0f} µs,"
            f" bare writes and syncs {seen['floor_us']:.0f} µs",
        )
        yield from _syncs(effect, waits)


def _syncs(effect: str, waits: int) -> Iterator[Row]:
    """Syncs of 120 calls minus those of 20, divided by the 100 between."""
    many, few = (syncs("calls.py", "run", effect, n) for n in (120, 20))
    journal = (many.get(".seg", 0) - few.get(".seg", 0)) / 100
    others = (sum(many.values()) - sum(few.values())) / 100 - journal
    yield Row(
        what=f"{effect}: syncs of one call",
        value=journal,
        unit="",
        most=waits,
        beside=f"in the background {others:+.2f}",
    )


def fanout() -> Iterator[Row]:
    """A map of 1,000 items of 10 ms, 50 at a time."""
    for effect, least in (("read", 0.9), ("write", 0.8)):
        seen = script("fanout.py", effect, 1000, 50, 5)
        yield Row(
            what=f"nd.map, {effect}: 1,000 items of 10 ms, 50 at a time / a bare pool",
            value=seen["share"],
            unit="×",
            least=least,
            beside=f"{seen['ours_s']:.2f} s beside {seen['bare_s']:.2f} s",
        )


def replay() -> Iterator[Row]:
    """Recorded calls served in a fresh process."""
    with folder() as place:
        script("replay.py", "record", place, REPLAYED)
        runs = [script("replay.py", "serve", place, REPLAYED) for _ in range(3)]
        bare = Sqlite(place)
        for number in range(REPLAYED):
            bare.insert(number)
        select_us = cpu_us(bare.select, REPLAYED - 100, warm=100)
    us, first = (statistics.median(run[k] for run in runs) for k in ("us", "first_ms"))
    yield Row(
        what=f"replay: one of {REPLAYED:,} calls, verified",
        value=us,
        unit="µs",
        most=30,
        beside=f"SQLite selects one in {select_us:.1f} µs, unverified",
    )
    yield Row(
        what="replay: first value after import duckdb", value=first, unit="ms", most=150
    )


def growth() -> Iterator[Row]:
    """One call in a full store."""
    seen = script("growth.py", GROWN)
    yield Row(
        what=f"growth: one call with {GROWN:,} calls in the store / with 100",
        value=seen["growth"],
        unit="×",
        most=1.2,
        beside=f"{seen['ratio_early']:.2f} × then {seen['ratio_late']:.2f} × SQLite",
    )


def kernels() -> Iterator[Row]:
    """Four kernels on one store."""
    runs = [
        (script("kernels.py", 1, CALLS), script("kernels.py", 4, CALLS))
        for _ in range(3)
    ]
    rate = statistics.median(four["rate"] / one["rate"] for one, four in runs)
    worst = max(four["worst_ms"] for _, four in runs)
    per_s = statistics.median(four["rate"] for _, four in runs)
    yield Row(
        what="kernels: calls a second of four / of one",
        value=rate,
        unit="×",
        least=1.5,
        beside=f"{per_s:,.0f} calls/s, worst wait {worst:.0f} ms",
    )


def cells() -> Iterator[Row]:
    """A cell that isn't durable."""
    seen = script("cells.py", CALLS)
    yield Row(
        what="cells: x = 1 with the extension − without, in the process",
        value=seen["more_us"],
        unit="µs",
        most=50,
        beside=f"{seen['us']:.0f} − {seen['bare_us']:.0f} µs",
    )


DIGESTS = (
    ("ints", "list of ints, an element", 100),
    ("floats", "list of floats, an element", 100),
    ("texts", "list of texts, an element", 100),
    ("dict", "dict of texts and ints, an element", 100),
    ("chat", "messages of a chat, an element", 100),
    ("set", "set of texts, an element", None),
    ("instances", "instance of three attributes", 15_000),
    ("dataclasses", "dataclass of three fields", 15_000),
    ("models", "pydantic model of three fields", 15_000),
    ("text-column", "pandas column of texts, an element", 100),
    ("polars", "polars frame of texts and ints, an element", 100),
)
BUFFERS = (("array", "numpy"), ("frame", "pandas"), ("arrow", "pyarrow"))


def digests() -> Iterator[Row]:
    """The canonical digest, beside four libraries on the same values."""
    for name, what, most in DIGESTS:
        seen = script("digests.py", name)
        yield Row(
            what=f"digests: {what}, CPU",
            value=seen["ns"],
            unit="ns",
            most=most,
            beside=_others(seen),
        )
    for name, library in BUFFERS:
        seen = script("digests.py", name)
        yield Row(
            what=f"digests: 80 MB of floats in {library}",
            value=1 / seen["wall_ns"],
            unit="GB/s",
            least=4,
            beside=_others(seen),
        )
        if "BLAKE3 alone" in seen:
            yield Row(
                what=f"digests: 80 MB of floats in {library} / BLAKE3 alone",
                value=1 / seen["BLAKE3 alone"],
                unit="×",
                most=1.15,
            )
    seen = script("digests.py", "unchanged")
    yield Row(
        what="digests: a frame of 160 MB that wasn't written / read again",
        value=seen["ms"] / seen["read_ms"],
        unit="×",
        beside=f"{seen['ms']:.2f} beside {seen['read_ms']:.0f} ms",
    )


def _others(seen: dict[str, float]) -> str:
    """How many times our time the others take, on the same value in turn."""
    names = ("joblib", "dask", "cloudpickle", "dill")
    return ", ".join(f"{name} {seen[name]:.1f} ×" for name in names if name in seen)


def storing() -> Iterator[Row]:
    """Values of 100 MB, saved and loaded."""
    for kind, least in (
        ("array", 0.7),
        ("frame", 0.7),
        ("ints", None),
        ("texts", None),
    ):
        seen = script("storing.py", kind)
        for ours, floor, bare in (
            ("save", "write", "write + fsync"),
            ("load", "read", "cached read + hash"),
        ):
            yield Row(
                what=f"storing: {bare} of 100 MB / {ours} of it as {kind}",
                value=seen[ours],
                unit="×",
                least=least,
                beside=f"{seen[f'{ours}_ms']:.0f} beside {seen[f'{floor}_ms']:.0f} ms, CPU "
                f"{seen[f'{ours}_cpu_ms']:.0f} beside {seen[f'{floor}_cpu_ms']:.0f}",
            )


def space() -> Iterator[Row]:
    """What a value that is saved again adds to the store."""
    seen = script("space.py")
    yield Row(
        what="space: 200 saves of a growing chat, 8 kB a turn / its bytes",
        value=seen["chat"],
        unit="×",
        most=1.2,
    )
    for name, what, most in (
        ("array", "an array of 100 MB, 1 % changed in one place", 3),
        ("frame", "a frame of 100 MB, 1 % of its rows changed", 5),
        ("inserted", "100 MB of bytes, 77 inserted", 3),
    ):
        value = seen[f"{name}_mb"]
        yield Row(what=f"space: {what}, adds", value=value, unit="MB", most=most)


def restore() -> Iterator[Row]:
    """A notebook of thirty cells and 100 MB in a new kernel."""
    seen = script("restore.py")
    yield Row(
        what="restore: 30 cells, 100 MB, until small values are used",
        value=seen["usable_s"],
        unit="s",
        most=2,
        beside=f"CPU {seen['usable_cpu_s']:.2f} s; a plain kernel starts in"
        f" {seen['start_s']:.1f} s, with the extension in {seen['ours_start_s']:.1f} s",
    )
    yield Row(
        what="restore: until then, with the kernel's start / a plain start",
        value=(seen["ours_start_s"] + seen["usable_s"]) / seen["start_s"],
        unit="×",
    )
    whole = sum(seen[f"{part}_s"] for part in ("usable", "frame", "model", "rest"))
    yield Row(
        what="restore: running the cells again / all values loaded",
        value=seen["again_s"] / whole,
        unit="×",
        beside=f"{seen['again_s']:.1f} beside {whole:.1f} s",
    )
    for part, what in (("frame", "frame of 36 MB"), ("model", "fitted model")):
        yield Row(
            what=f"restore: first use of a {what}",
            value=1000 * seen[f"{part}_s"],
            unit="ms",
            beside="with the import of its library",
        )


def imports() -> Iterator[Row]:
    """What `import nbdurable` adds to an interpreter."""
    codes = ("pass", "import nbdurable", "import duckdb")
    times = [[cpu_ms_of_process(code) for code in codes] for _ in range(STARTS + 1)][1:]
    start, ours, duckdb = (
        statistics.median(column) for column in zip(*times, strict=True)
    )
    yield Row(
        what="import: nbdurable / duckdb, CPU",
        value=(ours - start) / (duckdb - start),
        unit="×",
        most=0.7,
        beside=f"{ours - start:.0f} beside {duckdb - start:.0f} ms",
    )


MEASUREMENTS: dict[str, Callable[[], Iterator[Row]]] = {
    "floors": floors,
    "calls": calls,
    "replay": replay,
    "growth": growth,
    "kernels": kernels,
    "cells": cells,
    "storing": storing,
    "space": space,
    "fanout": fanout,
    "restore": restore,
    "digests": digests,
    "import": imports,
}


def main() -> int:
    """Measure what was asked for; print each line as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS])
    parser.add_argument("--check", action="store_true", help="exit 1 on a missed limit")
    asked = parser.parse_args()
    missed = 0
    for name in asked.names or MEASUREMENTS:
        for row in MEASUREMENTS[name]():
            missed += not row.met
            mark = " " if not row.limit else "ok" if row.met else "MISSED"
            number = f"{row.value:,.2f} {row.unit}".rstrip()
            print(
                f"{row.what:<66} {number:>12}  {row.limit:>6} {mark:<6}  {row.beside}",
                flush=True,
            )
    return 1 if asked.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
