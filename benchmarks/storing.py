"""Saving and loading 100 MB beside writing, syncing, reading and hashing the same bytes.

    python benchmarks/storing.py array|ints|frame|texts

Each turn stores and loads a value that is new, then does the bare thing with its bytes.
CPU is told too: on a machine that does other things, wall time is mostly theirs.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pandas as pd
from blake3 import blake3
from measuring import folder

import nbdurable_store
from nbdurable.engine.steps.snapshot import Group, put_back, take
from nbdurable.engine.values.redact import Secrets
from nbdurable_store import BlobRef, Store

TURNS = 7
NUMBERS = 12_500_000
SECRETS = Secrets(os.environ)
Made = tuple[Any, memoryview]
"""A value, and the bytes it has in memory."""


def array(chance: np.random.Generator) -> Made:
    """Random floats: nothing shrinks them."""
    value = chance.random(NUMBERS)
    return value, memoryview(value).cast("B")


def ints(chance: np.random.Generator) -> Made:
    """Small integers, which shrink to a fifth."""
    value = chance.integers(0, 1000, NUMBERS)
    return value, memoryview(value).cast("B")


def frame(chance: np.random.Generator) -> Made:
    """Ten columns of random floats."""
    value = chance.random((10, NUMBERS // 10))
    return pd.DataFrame(value.T, columns=list("abcdefghij")), memoryview(value).cast(
        "B"
    )


def texts(chance: np.random.Generator) -> Made:
    """A column of texts that differ in a random number."""
    rows = [f"{n:.17f} is a text" for n in chance.random(3_000_000)]
    value = pd.DataFrame({"text": rows})
    return value, memoryview("".join(rows).encode())


KINDS: dict[str, Callable[[np.random.Generator], Made]] = {
    made.__name__: made for made in (array, ints, frame, texts)
}


def save(store: Store, value: object) -> BlobRef:
    """Store a value as a step does."""
    (kept,) = take({"x": value}, store.put, secrets=SECRETS).groups
    return kept.ref


def load(store: Store, ref: BlobRef) -> None:
    """Load it as a restore does."""
    data = store.get(ref, stream=True)
    group = Group(names=("x",), codec=ref.codec, data=data)
    put_back([group], {}, secrets=SECRETS)


def write(path: Path, data: memoryview) -> None:
    """The floor of saving."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    done = 0
    while done < len(data):
        done += os.write(fd, data[done:])
    os.fsync(fd)
    os.close(fd)


def read(path: Path) -> None:
    """The floor of loading."""
    blake3(path.read_bytes()).digest()


def warm(path: Path, data: memoryview) -> None:
    """Give back as much memory as a file of the data takes, to whoever writes next.

    Memory that a virtual machine uses for the first time, or lent to its host meanwhile,
    costs ten times as much as memory that was in use just before. Who is timed may not
    depend on which of both it gets.
    """
    write(path, data)
    path.unlink()


def forget(path: Path) -> None:
    """Let the system take back the memory that holds a file, as if it were removed."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def main() -> None:
    """Take turns; print medians of the ratios."""
    make = KINDS[sys.argv[1]]
    seen: dict[str, list[float]] = {}

    def timed(name: str, act: Callable[[], Any]) -> Any:
        cpu, wall = process_time(), perf_counter()
        result = act()
        seen.setdefault(name, []).append(perf_counter() - wall)
        seen.setdefault(f"{name}_cpu", []).append(process_time() - cpu)
        return result

    with folder() as place:
        os.environ["JUPYTER_DATA_DIR"] = str(place / "jupyter")
        store = nbdurable_store.open(place / "s")
        bare = place / "bare"
        for turn in range(TURNS + 1):
            value, data = make(np.random.default_rng(turn))
            warm(place / "warm", data)
            timed("write", lambda: write(bare, data))  # noqa: B023  # called at once
            warm(place / "warm", data)
            ref = timed("save", lambda: save(store, value))  # noqa: B023  # called at once
            timed("read", lambda: read(bare))
            timed("load", lambda: load(store, ref))  # noqa: B023  # called at once
            for path in (bare, *(place / "s" / "blobs").iterdir()):
                forget(path)
            bare.unlink()
        store.close()
    numbers = {f"{n}_ms": 1000 * statistics.median(t[1:]) for n, t in seen.items()}
    for name, ours, floor in (("save", "save", "write"), ("load", "load", "read")):
        pairs = zip(seen[floor][1:], seen[ours][1:], strict=True)
        numbers[name] = statistics.median(f / o for f, o in pairs)
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
