"""After a killed kernel: how soon a notebook of thirty cells can be used again.

Each number is of a kernel of its own, seen from outside, as a front end sees it. The
other ways stand beside it: a kernel that starts with nothing, and the same cells run
again in a kernel without nbdurable.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from time import perf_counter

import psutil
from measuring import folder

from nbdurable.testing.kernel import Kernel

TURNS = 3
CELL_S = 300.0
ENVIRONMENT = {"MPLBACKEND": "agg", "OPENAI_API_KEY": "unused"}

PLAIN = (
    "import json\nimport math\nimport numpy as np\nimport pandas as pd",
    """
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler""",
    "import matplotlib.pyplot as plt\nfrom openai import OpenAI",
    "SEED = 7\nROWS = 500_000\nTOPICS = ['batteries', 'turbines', 'grids']",
    "def share(part, whole):\n    return part / whole if whole else 0.0",
    """
class Note:
    def __init__(self, topic, text):
        self.topic, self.text = topic, text""",
)
"""Imports, constants, functions and classes: cells that aren't durable."""

DURABLE = (
    "chance = np.random.default_rng(SEED)",
    "readings = pd.DataFrame(chance.random((ROWS, 8)), columns=list('abcdefgh'))",
    """
stations = pd.DataFrame({"name": [f"station {n % 997}" for n in range(200_000)]})
stations["height"] = chance.integers(0, 3000, 200_000)""",
    "grid = chance.random((1500, 2000))",
    "image = chance.integers(0, 255, (2000, 3000, 3), dtype=np.uint8)",
    "readings['sum'] = readings[['a', 'b', 'c']].sum(axis=1)",
    "means = readings.mean()",
    "by_height = stations.groupby(stations.height // 500).size()",
    "sample = readings.sample(20_000, random_state=SEED)",
    "X, y = sample[['a', 'b', 'c', 'd']], sample['sum']",
    "line = LinearRegression().fit(X, y)",
    "forest = RandomForestRegressor(30, max_depth=8, random_state=SEED).fit(X, y)",
    "pipe = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)",
    "scores = {name: m.score(X, y) for name, m in (('line', line), ('forest', forest))}",
    "client = OpenAI(max_retries=5)",
    """
texts = [f"turn {n}: " + "words " * 200 for n in range(60)]
messages = [{"role": "user", "content": text} for text in texts]""",
    "notes = [Note(topic, f'about {topic}') for topic in TOPICS]",
    "config = {'topics': TOPICS, 'seed': SEED, 'share': share(3, 8)}",
    "fig, ax = plt.subplots()\nax.plot(means.to_numpy())\nplt.close(fig)",
    "table = stations.head(1000).to_dict('records')",
    "texts = [f'{n}: {TOPICS[n % 3]}' for n in range(100_000)]",
    "counts = {topic: sum(topic in t for t in texts) for topic in TOPICS}",
    "best = max(scores, key=scores.get)",
    "summary = f'{best}: {scores[best]:.3f}, {len(notes)} notes, {counts}'",
)
"""Frames, models, clients, a figure, chats: 104 MB of values."""


def notebook(kernel: Kernel, mark: str) -> float:
    """Seconds that the cells take."""
    began = perf_counter()
    cells = [*PLAIN, *(mark.format(nth=n) + cell for n, cell in enumerate(DURABLE))]
    for cell in cells:
        _timed(kernel, cell)
    return perf_counter() - began


def _timed(kernel: Kernel, code: str) -> float:
    began = perf_counter()
    ran = kernel.run(code, timeout_s=CELL_S)
    if not ran.ok:
        raise SystemExit(f"{code}\n{ran.text}")
    return perf_counter() - began


def again(place: Path) -> dict[str, float]:
    """The other way: a kernel without nbdurable, and all cells."""
    began = perf_counter()
    with Kernel(place, extension=False, env=ENVIRONMENT) as kernel:
        _timed(kernel, "1")
        start_s = perf_counter() - began
        return {"start_s": start_s, "again_s": notebook(kernel, "")}


def restored(kernel: Kernel) -> dict[str, float]:
    """The first statements of a new kernel after the other one was killed."""
    kernel.kill()
    began = perf_counter()
    kernel.restart()
    _timed(kernel, "1")
    start_s = perf_counter() - began
    process = psutil.Process(kernel.pid)
    cpu_s = sum(process.cpu_times()[:2])
    restore_s = _timed(kernel, "%durable restore")
    small_s = _timed(
        kernel, "assert summary and config['seed'] == SEED and messages[3]"
    )
    return {
        "ours_start_s": start_s,
        "usable_s": restore_s + small_s,
        "usable_cpu_s": sum(process.cpu_times()[:2]) - cpu_s,
        "frame_s": _timed(kernel, "assert len(readings) == ROWS"),
        "model_s": _timed(kernel, "assert forest.predict(X[:1]).shape == (1,)"),
        "rest_s": _timed(
            kernel, "assert ax and client and pipe and grid[0, 0] and len(texts)"
        ),
    }


def main() -> None:
    """Take turns; print medians."""
    seen: dict[str, list[float]] = {}
    with (
        folder() as place,
        folder() as bare,
        Kernel(place, env=ENVIRONMENT) as kernel,
    ):
        notebook(kernel, "%%durable c{nth}\n")
        for _ in range(TURNS):
            for name, seconds in {**again(bare), **restored(kernel)}.items():
                seen.setdefault(name, []).append(seconds)
    print(json.dumps({name: statistics.median(times) for name, times in seen.items()}))


if __name__ == "__main__":
    main()
