"""How much memory storing and loading takes beside the value itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXTRA_MB = 64

SCRIPT = """
import gc, json, os, sys
import numpy as np
import pandas as pd
import pyarrow
import nbdurable_store
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.steps.snapshot import Group, put_back, take
from nbdurable_store import Record

secrets = Secrets({"API_KEY": "a-secret-that-nothing-holds"})

def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000

def now():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1000

def reset():
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return now()

def array(mb): return np.random.default_rng(1).random(mb * 125_000)
def small(mb): return np.arange(mb * 125_000) % 1000
def image(mb): return np.random.default_rng(1).integers(0, 255, mb * 1_000_000, "u1")
def frame(mb): return pd.DataFrame({f"c{n}": array(mb // 10) for n in range(10)})
def texts(mb): return pd.DataFrame({"t": [f"a text of a row, {n}" for n in range(mb * 30_000)]})
def strings(mb): return ["%d, a text" % n * 10 for n in range(mb * 6_000)]
def data(mb): return bytes(bytearray(range(250)) * (mb * 4_000))
def nested(mb): return {"a": [array(mb // 2)], "b": (array(mb // 2), {"x": 1})}

folder, how, kind, mb = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
store = nbdurable_store.open(folder)
warm = take({"w": [np.arange(99_000), {1}]}, store.put, secrets=secrets).groups[0].ref
put_back([Group(names=("w",), codec=warm.codec, data=store.get(warm, stream=True))], {}, secrets=secrets)
if how == "save":
    value = globals()[kind](mb)
    before = reset()
    taken = take({"x": value}, store.put, secrets=secrets)
    extra = peak() - before
    assert not taken.unstorable, taken.unstorable
    store.append([Record(kind="k", run="r", at_us=1, blobs=(taken.groups[0].ref,))], sync=True)
else:
    (entry,) = store.read("r")[0]
    ref = entry.record.blobs[0]
    before = reset()
    namespace = {}
    put_back([Group(names=("x",), codec=ref.codec, data=store.get(ref, stream=True))], namespace, secrets=secrets)
    top = peak()
    extra = top - now()
    assert now() - before > 0.5 * mb
print(json.dumps({"extra": extra}))
store.close()
"""


@pytest.mark.parametrize(
    "kind",
    ["array", "small", "image", "frame", "texts", "strings", "data", "nested"],
)
def test_a_value_needs_little_more_than_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Storing a value of 300 MB takes 64 MB more at most, and so does loading it."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    for how in ("save", "load"):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / "s"), how, kind, "300"]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        assert seen["extra"] <= EXTRA_MB, how
