"""Does a call cost more when the store is full? One step, 100 to 100,000 calls.

python growth.py COUNT
"""

from __future__ import annotations

import json
import sys

import durable
from floors import Sqlite
from measuring import Paired, folder, paired

WINDOW = 200
"""Calls that are timed, in turn with bare inserts, at either end."""


def measure(count: int) -> dict[str, float]:
    """Time a window at 100 calls and one at ``count``, each against bare inserts."""
    with folder() as place:
        bare = Sqlite(place)
        with durable.step(place):
            for number in range(100):
                durable.read(number)
            early = _window(bare, 1_000_000)
            for number in range(100, count):
                durable.read(number)
            late = _window(bare, 2_000_000)
    return {
        "growth": late.ratio() / early.ratio(),
        "ratio_early": early.ratio(),
        "ratio_late": late.ratio(),
    }


def _window(bare: Sqlite, first: int) -> Paired:
    return paired(lambda n: durable.read(first + n), bare.insert, WINDOW)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
