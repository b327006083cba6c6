"""One store, one kernel or four: how many calls a second all of them make.

python kernels.py PROCESSES CALLS
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from time import perf_counter_ns

from measuring import environment, folder


def worker(place: Path, name: str, count: int) -> dict[str, float]:
    """One kernel's share: waits for a line, then calls; when, and the worst wait.

    The clock is the machine's monotonic one, so moments of processes compare.
    """
    import durable

    with durable.step(place, name):
        durable.read(-1)
        print("ready", flush=True)
        sys.stdin.readline()
        moments = [perf_counter_ns()]
        for number in range(count):
            durable.read(number)
            moments.append(perf_counter_ns())
    worst = max(after - before for before, after in pairwise(moments))
    return {"from_ns": moments[0], "to_ns": moments[-1], "worst_ms": worst / 1e6}


def measure(processes: int, count: int) -> dict[str, float]:
    """Start the kernels, let them go together, wait for the last."""
    with folder() as place:
        workers = [
            subprocess.Popen(
                [sys.executable, __file__, "worker", str(place), f"k{n}", str(count)],
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(processes)
        ]
        for process in workers:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in workers:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        seen = [json.loads(process.communicate()[0]) for process in workers]
    ns = max(one["to_ns"] for one in seen) - min(one["from_ns"] for one in seen)
    return {
        "rate": processes * count / ns * 1e9,
        "worst_ms": max(one["worst_ms"] for one in seen),
    }


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        numbers = worker(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        numbers = measure(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(numbers))
