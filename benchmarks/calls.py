"""One durable step of calls with 1 kB results; prints what it measured as JSON.

python calls.py paired|cpu|run EFFECT COUNT
"""

from __future__ import annotations

import json
import sys

import durable
from floors import Append, Sqlite
from measuring import cpu_us_each, folder, paired, percentile


def measure(how: str, effect: str, count: int) -> dict[str, float]:
    """Run the calls one after the other, and time them in the way asked for."""
    tool = durable.TOOLS[effect]
    with folder() as place:
        sqlite = Sqlite(place)
        beside = sqlite.insert_twice if effect == "write" else sqlite.insert
        with durable.step(place):
            if how == "paired":
                pairs = paired(tool, beside, count)
                return {
                    "ratio": pairs.ratio(),
                    "ratio_p10": pairs.ratio(10),
                    "us": percentile(pairs.ours_us, 50),
                    "bare_us": percentile(pairs.bare_us, 50),
                }
            if how == "cpu":
                sync = Append(place, preallocated=True).append
                bare = [sync] * (2 if effect == "write" else 1)
                return cpu_us_each(
                    {
                        "cpu_us": tool,
                        "sqlite_us": sqlite.insert,
                        "floor_us": lambda n: [append(n) for append in bare],
                    },
                    count,
                )
            for number in range(count):
                tool(number)
    return {}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
