"""Tools in other processes: cloudpickle, dill and loky take them along."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, subprocess, sys
import cloudpickle, dill
from joblib.externals.loky import get_reusable_executor
import nbdurable as nd

FACTOR = 2

class NotThere(Exception): pass

@nd.tool(effect="read", not_done=(NotThere,), ignore="log")
def double(x, log=None): return FACTOR * x

@nd.tool
async def adouble(x): return FACTOR * x

@nd.step
def both(x): return [double(x), asyncio.run(adouble(x))]

both(1)  # what is looked up once is looked up

def there(data, *arguments):
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer)(3))"
    return subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True).stdout

dill.settings["recurse"] = True  # without it dill takes along no global of any function
for pickler in (cloudpickle, dill):
    for function in (double, both):
        print(there(pickler.dumps(function)).decode().strip())
with get_reusable_executor(max_workers=1) as executor:
    print(executor.submit(both, 3).result())
"""


@pytest.mark.slow
def test_tools_are_taken_to_other_processes() -> None:
    """There they are plain functions that give what they give here."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == ["6", "[6, 6]"] * 2 + ["[6, 6]"]
