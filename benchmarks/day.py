"""How much memory a kernel takes that makes a call in each second of a day.

    python benchmarks/day.py          86,400 calls in one cell, beside an open view
    python benchmarks/day.py 10000    so many; exits 1 with --check if it is too much

The calls follow each other at once, so what a kernel does in the pauses between them is
asked for: a view looks, and records move into `store.duckdb`.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import durable
from measuring import folder

from nbdurable.engine.steps.session import Session
from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline.protocol import VERSION
from nbdurable.timeline.requests import Open
from nbdurable.timeline.source import Source

DAY = 24 * 60 * 60
PARTS = 8
LOOK_EVERY = 20
MOVE_EVERY = 1_000
DAY_MB_MAX = 500
"""Twice what it is."""


def resident_mb() -> float:
    """What the process has in memory, MB."""
    status = Path("/proc/self/status").read_text()
    kilobytes = status.partition("VmRSS:")[2].split()[0]
    return int(kilobytes) / 1024


def measure(calls: int) -> float:
    """MB at the end, beyond those before the first call; a line for each part."""
    with folder() as place, durable.step(place) as session:
        before = resident_mb()
        view = _opened(session)
        for number in range(1, calls + 1):
            durable.read(number)
            if number % LOOK_EVERY == 0:
                view.poll()
            if number % MOVE_EVERY == 0:
                session.store.flush()
            if number % max(1, calls // PARTS) == 0:
                gc.collect()
                taken = resident_mb() - before
                print(f"{number:8,} calls{taken:8.0f} MB", flush=True)
    return taken


def _opened(session: Session) -> Source:
    view = Source(store=session.store, run=session.run_id, secrets=lambda: Secrets({}))
    view.hear({"type": Open.type, "version": VERSION, "run": ""})
    return view


if __name__ == "__main__":
    numbers = [int(given) for given in sys.argv[1:] if given.isdigit()]
    taken = measure(numbers[0] if numbers else DAY)
    print(f"at most {DAY_MB_MAX} MB")
    sys.exit("--check" in sys.argv and taken > DAY_MB_MAX)
