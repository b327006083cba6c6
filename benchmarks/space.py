"""What saving a value again adds to the store's folder, in bytes."""

from __future__ import annotations

import json
import os
import random
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import folder

import nbdurable_store
from nbdurable.engine.steps.snapshot import take
from nbdurable.engine.values.redact import Secrets
from nbdurable_store import Record, Store

SECRETS = Secrets({})
NUMBERS = 12_500_000
TURNS, TURN_CHARACTERS = 200, 8_192


@contextmanager
def opened() -> Iterator[tuple[Store, Path]]:
    """A store in a folder of its own."""
    with folder() as place:
        os.environ["JUPYTER_DATA_DIR"] = str(place / "jupyter")
        store = nbdurable_store.open(place / "s")
        yield store, place / "s"
        store.close()


def save(store: Store, value: object) -> None:
    """Store one variable as a step does, with a record that names it."""
    (group,) = take({"x": value}, store.put, secrets=SECRETS).groups
    record = Record(kind="x", run="r", at_us=1, blobs=(group.ref,))
    store.append([record], sync=False)
    store.flush()


def taken(place: Path) -> int:
    """Bytes of all files."""
    return sum(p.stat().st_size for p in place.rglob("*") if p.is_file())


def added(value: Any, change: Callable[[Any], Any]) -> float:
    """Megabytes that a changed value of 100 MB adds to its first state."""
    with opened() as (store, place):
        save(store, value)
        before = taken(place)
        save(store, change(value))
        return (taken(place) - before) / 1e6


def one_place(array: Any) -> Any:
    """A hundredth of the elements, in one place."""
    array[4_000_000:4_125_000] = np.random.default_rng(8).random(125_000)
    return array


def rows(frame: pd.DataFrame) -> pd.DataFrame:
    """A hundredth of the rows of a frame."""
    frame.iloc[40_000:52_500] = np.random.default_rng(8).random((12_500, 10))
    return frame


def chat() -> float:
    """Bytes in the store for each byte of a chat that is saved after every turn."""
    chance, said = random.Random(7), []
    with opened() as (store, place):
        for _ in range(TURNS):
            text = "".join(chance.choices(string.ascii_letters, k=TURN_CHARACTERS))
            said.append({"role": "user", "content": text})
            save(store, said)
        return taken(place) / (TURNS * TURN_CHARACTERS)


def main() -> None:
    """Each on a store of its own."""
    chance = np.random.default_rng(7)

    def numbers() -> Any:
        return chance.random(NUMBERS)

    columns = pd.DataFrame(numbers().reshape(-1, 10), columns=list("abcdefghij"))
    print(
        json.dumps(
            {
                "chat": chat(),
                "array_mb": added(numbers(), one_place),
                "frame_mb": added(columns, rows),
                "inserted_mb": added(
                    numbers().view("u1"), lambda a: np.insert(a, 77_777_777, [1] * 77)
                ),
            }
        )
    )


if __name__ == "__main__":
    main()
