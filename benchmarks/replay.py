"""Coming back: 2,000 recorded calls are served in a fresh process.

python replay.py record|serve FOLDER COUNT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter_ns

import durable


class Stopped(Exception):
    """Ends the recorded attempt, so that the next one continues it."""


def record(place: Path, count: int) -> dict[str, float]:
    """Record the calls in a step that fails at its end."""
    with durable.step(place, fails=Stopped()):
        for number in range(count):
            durable.read(number)
    return {}


def serve(place: Path, count: int) -> dict[str, float]:
    """Run the step again: first value after `import duckdb`, then each call."""
    import duckdb

    start = perf_counter_ns()
    with durable.step(place, fails=Stopped()):
        durable.read(0)
        first = perf_counter_ns()
        for number in range(1, count):
            durable.read(number)
        end = perf_counter_ns()
    assert duckdb
    return {
        "first_ms": (first - start) / 1e6,
        "us": (end - first) / 1000 / (count - 1),
    }


if __name__ == "__main__":
    act = {"record": record, "serve": serve}[sys.argv[1]]
    print(json.dumps(act(Path(sys.argv[2]), int(sys.argv[3]))))
