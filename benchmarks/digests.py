"""The digest of one value beside what four other libraries make of it, turn by turn.

    digests.py NAME        prints nanoseconds per element of ours, and their ratios to it

joblib and dask have hashes of their own; cloudpickle and dill have none, so that their
streams are hashed with BLAKE3. A stream is no identity (equal values have several), but
it is what people take.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from time import perf_counter_ns, process_time_ns
from typing import Any

import numpy as np
import pandas as pd
import pydantic
from blake3 import blake3

from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.values.contents import digest_of

COUNT = 100_000
"""Elements of a list: few enough for the slowest of them."""

FLOATS = 10_000_000
ROUNDS = 7
SECONDS_MAX = 20
"""Nobody is timed again who took so long already."""


class Plain:
    """An instance with three attributes."""

    def __init__(self, n: int) -> None:
        self.n, self.name, self.tags = n, f"name {n}", ["a", "b"]


@dataclasses.dataclass
class Row:
    """A dataclass with three fields."""

    n: int
    name: str
    tags: list[str]


class Message(pydantic.BaseModel):
    """A model with three fields."""

    n: int
    name: str
    tags: list[str]


def _turn(n: int) -> dict[str, object]:
    """One message of a chat, as an API returns it: 15 keys, values and elements."""
    call = {"name": "search", "arguments": {"query": f"question {n}", "limit": n}}
    return {"role": "user", "content": f"What about {n}?", "tool_calls": [call]}


def _rows(make: Callable[..., object]) -> list[object]:
    return [make(n=n, name=f"name {n}", tags=["a", "b"]) for n in range(COUNT // 20)]


def _columns() -> dict[str, np.ndarray[Any, Any]]:
    return {f"c{n}": np.arange(FLOATS / 10) + n for n in range(10)}


def _texts() -> list[str]:
    return [f"text {n}" for n in range(COUNT * 5)]


def _table() -> object:
    import pyarrow as pa

    return pa.table(_columns())


def _polars() -> object:
    import polars as pl

    return pl.DataFrame({"text": _texts(), "number": list(range(COUNT * 5))})


VALUES: dict[str, tuple[Callable[[], Any], int]] = {
    "ints": (lambda: list(range(COUNT)), COUNT),
    "floats": (lambda: [n / 3 for n in range(COUNT)], COUNT),
    "texts": (lambda: _texts()[:COUNT], COUNT),
    "dict": (lambda: {f"key {n}": n for n in range(COUNT)}, 2 * COUNT),
    "set": (lambda: set(_texts()[:COUNT]), COUNT),
    "chat": (lambda: [_turn(n) for n in range(COUNT // 10)], COUNT // 10 * 15),
    "instances": (lambda: [Plain(n) for n in range(COUNT // 20)], COUNT // 20),
    "dataclasses": (lambda: _rows(Row), COUNT // 20),
    "models": (lambda: _rows(Message), COUNT // 20),
    "array": (lambda: np.arange(float(FLOATS)), FLOATS * 8),
    "frame": (lambda: pd.DataFrame(_columns()), FLOATS * 8),
    "text-column": (lambda: pd.DataFrame({"text": _texts()}), COUNT * 5),
    "arrow": (_table, FLOATS * 8),
    "polars": (_polars, COUNT * 10),
}
"""What is hashed, and how many elements (bytes for buffers) it has."""


def contenders() -> Iterator[tuple[str, Callable[[Any], object]]]:
    """Ours, and those of the others that are installed."""
    yield "ours", digest
    try:
        import joblib
        from dask.tokenize import tokenize
    except ImportError:
        pass
    else:
        yield "joblib", joblib.hash
        yield "dask", tokenize
    yield "BLAKE3 alone", _bare
    import cloudpickle
    import dill

    yield "cloudpickle", lambda value: blake3(cloudpickle.dumps(value)).digest()
    yield "dill", lambda value: blake3(dill.dumps(value)).digest()


def _bare(value: object) -> object:
    """The hash of an array's bytes, which is the least that a digest can cost."""
    if not isinstance(value, np.ndarray):
        return None
    return blake3(value.view(np.uint8), max_threads=blake3.AUTO).digest()


def timed(value: Any) -> dict[str, list[tuple[int, int]]]:
    """Nanoseconds of wall and CPU time per contender, taken in turn."""
    entered = dict(contenders())
    times: dict[str, list[tuple[int, int]]] = {name: [] for name in entered}
    for _ in range(ROUNDS):
        for name, contender in entered.items():
            if sum(wall for wall, _ in times[name]) > SECONDS_MAX * 1e9:
                continue
            wall, cpu = perf_counter_ns(), process_time_ns()
            contender(value)
            times[name].append((perf_counter_ns() - wall, process_time_ns() - cpu))
    return times


def measure(name: str) -> dict[str, float]:
    """Our time per element, and how often it goes into that of the others."""
    make, elements = VALUES[name]
    times = timed(make())
    middle = {n: statistics.median(w for w, _ in taken) for n, taken in times.items()}
    found = {n: taken / middle["ours"] for n, taken in middle.items() if n != "ours"}
    if name != "array":
        del found["BLAKE3 alone"]
    found["ns"] = min(cpu for _, cpu in times["ours"]) / elements
    found["wall_ns"] = min(wall for wall, _ in times["ours"]) / elements
    return found


def unchanged() -> dict[str, float]:
    """The digest of a frame that wasn't written since the last one, in milliseconds."""
    frame = pd.DataFrame(np.arange(2.0 * FLOATS).reshape(-1, 2), columns=["a", "b"])
    digest(frame, contents=digest_of)
    taken = []
    for _ in range(ROUNDS):
        start = perf_counter_ns()
        digest(frame, contents=digest_of)
        taken.append((perf_counter_ns() - start) / 1e6)
    start = perf_counter_ns()
    digest(frame)
    return {"ms": min(taken), "read_ms": (perf_counter_ns() - start) / 1e6}


if __name__ == "__main__":
    asked = sys.argv[1]
    print(json.dumps(unchanged() if asked == "unchanged" else measure(asked)))
