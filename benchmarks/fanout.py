"""A map of items that take 10 ms each, with and without a journal; prints JSON.

python fanout.py EFFECT ITEMS LIMIT ROUNDS
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import durable
from measuring import folder

from nbdurable.engine.calls.tool import tool
from nbdurable.engine.fanout.mapping import map as durable_map

ITEM_S = 0.010


def wait(number: int) -> int:
    """What an item does: it waits for somebody else."""
    time.sleep(ITEM_S)
    return number


def measure(effect: str, items: int, limit: int, rounds: int) -> dict[str, float]:
    """The rate with a journal over the rate of a bare pool, in turn."""
    journaled = tool(effect=effect)(wait)
    ours, bare = [], []
    with folder() as place, durable.step(place):
        durable_map(journaled, range(-limit, 0), limit=limit)
        for turn in range(rounds):
            work = range(turn * items, (turn + 1) * items)
            began = time.perf_counter()
            durable_map(journaled, work, limit=limit)
            between = time.perf_counter()
            with ThreadPoolExecutor(limit) as pool:
                list(pool.map(wait, work))
            ours.append(between - began)
            bare.append(time.perf_counter() - between)
    return {
        "share": statistics.median(b / o for b, o in zip(bare, ours, strict=True)),
        "ours_s": statistics.median(ours),
        "bare_s": statistics.median(bare),
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], *map(int, sys.argv[2:5]))))
