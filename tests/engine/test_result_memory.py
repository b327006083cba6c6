"""How much memory keeping and serving the result of a call takes beside the result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXTRA_MB = 64
RESULT_MB = 300

SCRIPT = """
import gc, json, sys
from pathlib import Path
import numpy as np
import nbdurable_store
from tests.engine.notebooks import Notebook

def read(what):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1000

def extra(nb, cell):
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = read("VmRSS")
    nb.run(cell, "s", "c")
    return read("VmHWM") - before - int(sys.argv[3])

kind, mb = sys.argv[2], int(sys.argv[3])
MADE = {
    "array": "np.random.default_rng(1).random(mb * 125_000)",
    "bytes": "bytes(range(250)) * (mb * 4_000)",
    "nested": "{'a': [np.arange(mb * 62_500.0)], 'b': (np.arange(mb * 62_500.0), {1})}",
}
nb = Notebook(nbdurable_store.open(sys.argv[1]))
nb.plain(f"import numpy as np\\n@tool(effect='read')\\ndef made(mb):\\n    return {MADE[kind]}")
nb.run("n = len(made(1))", "warm", "w")
kept = extra(nb, f"n = len(made({mb}))")
served = extra(nb, f"n = 1 + len(made({mb}))")
assert len(nb.session.history.calls) == 2
print(json.dumps({"kept": kept, "served": served}))
nb.store.close()
"""

GIVEN = """
import gc, json, sys
from pathlib import Path
import nbdurable_store
from tests.engine.notebooks import Notebook

def read(what):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1000

nb = Notebook(nbdurable_store.open(sys.argv[1]))
nb.plain(
    "import numpy as np\\n@tool(effect='read')\\ndef size(of, n):\\n    return len(of['a'])\\n"
    f"of = {{'a': np.arange({sys.argv[2]} * 125_000.0)}}"
)
nb.run("n = size({'a': np.arange(9.0)}, 0)", "warm", "w")
nb.store.flush()  # DuckDB is loaded by then, which would be counted else
gc.collect()
Path("/proc/self/clear_refs").write_text("5")
before = read("VmRSS")
nb.run("n = size(of, 1)", "s", "c")
assert len(nb.session.history.calls) == 2
print(json.dumps({"given": read("VmHWM") - before}))
nb.store.close()
"""


def test_an_argument_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is given 300 MB takes 64 MB more at most: no copy is made of them."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    command = [sys.executable, "-c", GIVEN, str(tmp_path / "s"), str(RESULT_MB)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["given"] <= EXTRA_MB


@pytest.mark.parametrize("kind", ["array", "bytes", "nested"])
def test_a_result_needs_little_more_than_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A call that returns 300 MB takes 64 MB more at most, made or served."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "s"), kind, str(RESULT_MB)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert max(seen.values()) <= EXTRA_MB, seen
