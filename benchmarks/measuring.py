"""How a number is taken on a machine that does other things as well.

Wall time on shared cores says little, so each of our operations is timed beside a bare
one, turn by turn in one process, and the ratio counts. CPU time and the number of
syncs hold on a busy machine; they are measured on runs of their own.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns, process_time_ns

HERE = Path(__file__).parent
ROOT = HERE.parent
SYNCS = "fsync,fdatasync,sync_file_range,msync,sync,syncfs"
"""System calls that wait for a disk."""

Turn = Callable[[int], object]
"""One operation; the argument is its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Two operations timed in turn.

    Attributes:
        ours_us: Microseconds of each of our operations.
        bare_us: Microseconds of each bare operation, taken right after ours.
    """

    ours_us: list[float]
    bare_us: list[float]

    def ratio(self, percent: int = 50) -> float:
        """Our percentile over the bare one's."""
        return percentile(self.ours_us, percent) / percentile(self.bare_us, percent)


def percentile(values: list[float], percent: int) -> float:
    """The value below which ``percent`` of the values lie."""
    if percent == 50:
        return statistics.median(values)
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def paired(ours: Turn, bare: Turn, count: int, warm: int = 20) -> Paired:
    """Time ``ours`` and ``bare`` in turn, after a few turns that don't count."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(count + warm):
        for operation, kept in ((ours, times[0]), (bare, times[1])):
            start = perf_counter_ns()
            operation(number)
            kept.append((perf_counter_ns() - start) / 1000)
    return Paired(ours_us=times[0][warm:], bare_us=times[1][warm:])


BATCH = 50
"""Operations between two looks at the clock of the processor, which costs 1 µs."""


def cpu_us_each(operations: dict[str, Turn], count: int) -> dict[str, float]:
    """CPU microseconds of one of each, in turn by batches; the median batch counts.

    Other work on the machine empties the caches of all of them alike.
    """
    batches: dict[str, list[float]] = {name: [] for name in operations}
    for number in range(count // BATCH + 1):
        for name, operation in operations.items():
            start = process_time_ns()
            for nth in range(BATCH):
                operation(number * BATCH + nth)
            batches[name].append((process_time_ns() - start) / 1000 / BATCH)
    return {name: statistics.median(taken[1:]) for name, taken in batches.items()}


def cpu_us(operation: Turn, count: int, warm: int = 20) -> float:
    """CPU microseconds of one operation, all threads of this process counted."""
    for number in range(warm):
        operation(number)
    start = process_time_ns()
    for number in range(warm, warm + count):
        operation(number)
    return (process_time_ns() - start) / 1000 / count


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on a real disk, gone afterwards (TMPDIR places it)."""
    with tempfile.TemporaryDirectory(prefix="nbdurable-bench-") as name:
        yield Path(name)


def environment() -> dict[str, str]:
    """The environment of a measured process: it finds the packages of this tree."""
    paths = [str(ROOT / "kernel_ext"), str(ROOT / "store"), str(HERE)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def script(
    name: str, *arguments: object, under: tuple[str, ...] = ()
) -> dict[str, float]:
    """Run one of the scripts beside this file in a fresh process, read its numbers."""
    command = [*under, sys.executable, str(HERE / name), *map(str, arguments)]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    numbers: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return numbers


def syncs(name: str, *arguments: object) -> dict[str, int]:
    """How often a script waited for a disk, by the kind of file it waited for."""
    with folder() as place:
        log = place / "strace.log"
        script(
            name,
            *arguments,
            under=("strace", "-f", "-y", "-e", f"trace={SYNCS}", "-o", str(log)),
        )
        counts: dict[str, int] = {}
        for path in re.findall(r"sync\w*\(\d+<([^>]*)>", log.read_text()):
            kind = Path(path).suffix or "folder"
            counts[kind] = counts.get(kind, 0) + 1
    return counts


def cpu_ms_of_process(code: str) -> float:
    """CPU milliseconds of a fresh interpreter that runs ``code``."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code], environment())
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"python -c {code!r} ended with {status}")
    return (usage.ru_utime + usage.ru_stime) * 1000
