"""After `kill -9` and a restore, a cell that uses a name has it, and nothing ran."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PLAIN = """import pandas as pd
raw = pd.DataFrame({"a": range(5)})
def helper(x):
    return x + 1
"""
DURABLE = """%%durable a
import numpy as np
df, big, small = raw.copy(), np.zeros(10**6), {"k": helper(1)}
def shape():
    return big.shape
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel after one that a plain and a durable cell ran in was killed."""
    with Kernel(tmp_path) as started:
        assert started.run(PLAIN).ok
        assert started.run(DURABLE).ok
        started.kill()
        started.restart()
        yield started


def test_names_are_loaded_when_a_cell_uses_them(kernel: Kernel):
    """Small data is there at once, the rest with the cell that mentions it."""
    said = kernel.run("%durable restore").text
    assert "8 names as of today" in said
    assert "loaded when used: " in said
    loaded = "import sys; print('pandas' in sys.modules, small)"
    assert kernel.run(loaded).text.strip() == "False {'k': 2}"
    assert kernel.run("print(shape(), helper(2))").text.strip() == "(1000000,) 3"
    assert kernel.run("print(df.equals(raw))").text.strip() == "True"
    assert kernel.run("print('pd' in globals())").text.strip() == "True"


def test_a_class_is_as_it_was_changed_last(tmp_path: Path):
    """However old an object of it is, and whichever of them a cell uses first."""
    with Kernel(tmp_path) as kernel:
        kernel.run("%%durable made\nclass Agent:\n    count = 0\nheld = [Agent()]")
        kernel.run("%%durable counted\nAgent.count += 2")
        for code in ("print(held[0].count)", "Agent; print(held[0].count)"):
            kernel.kill()
            kernel.restart()
            assert "loaded when used" in kernel.run("%durable restore").text
            assert kernel.run(code).text.strip() == "2"


def test_what_was_reset_stays_away(kernel: Kernel):
    """`%reset` forgets names that wait, too."""
    kernel.run("%durable restore")
    kernel.run("%reset -f")
    assert "NameError" in kernel.run("print(df)").text


def test_the_cell_that_restores_may_use_the_names(kernel: Kernel):
    """`nd.restore()` and the names in one cell."""
    ran = kernel.run("import nbdurable as nd\nnd.restore()\nprint(df.shape, big.sum())")
    assert ran.text.strip() == "(5, 1) 0.0"


def test_a_durable_cell_has_the_names_it_reads(kernel: Kernel):
    """A step after a restore replays: its inputs are loaded before they are read."""
    kernel.run("%durable restore")
    assert kernel.run("%%durable b\ntotal = int(df.a.sum())").ok
    kernel.kill()
    kernel.restart()
    kernel.run("%durable restore")
    again = kernel.run("%%durable b\ntotal = int(df.a.sum())")
    assert "nothing ran" in again.text
    assert kernel.run("print(total)").text.strip() == "10"


def test_as_of_a_step(kernel: Kernel):
    """`--at` is the namespace of that moment; an unknown step is named."""
    kernel.run("%durable restore")
    assert "run 2" not in kernel.run("%%durable later\nsmall = 'changed'").text
    kernel.kill()
    kernel.restart()
    kernel.run("%durable restore --at a")
    assert kernel.run("print(small)").text.strip() == "{'k': 2}"
    assert "nothing" in kernel.run("%durable restore --at nothing").text
    assert "restore [NAME" in kernel.run("%durable restore --at").text


CODE = """import dataclasses, enum, functools, typing
import nbdurable as nd
@nd.tool(effect="read")
def search(query): return [query]
def logged(fn):
    @functools.wraps(fn)
    def wrapper(*args): return fn(*args)
    return wrapper
@logged
def decorated(x): return x
@functools.cache
def cached(x): return x
class Method:
    def double(self): return 2
class Bare:
    limit = 1
class Color(enum.Enum):
    RED = 1
@dataclasses.dataclass
class Config:
    depth: int = 1
class Row(typing.NamedTuple):
    a: int
"""


@pytest.mark.parametrize(
    "name",
    ["search", "decorated", "cached", "Method", "Bare", "Color", "Config", "Row"],
)
def test_code_that_was_put_back_is_the_code_it_was(tmp_path: Path, name: str):
    """A cell that uses it replays, though its decorators wait and its cell is gone."""
    cell = f"%%durable use\nkind = repr(type({name}))"
    with Kernel(tmp_path) as kernel:
        assert kernel.run(CODE).ok
        assert kernel.run(cell).ok
        kernel.kill()
        kernel.restart()
        assert kernel.run(f"%durable restore\n{name}").ok
        assert "stale" not in kernel.run("%durable status").text
        assert "nothing ran" in kernel.run(cell).text


def test_code_that_was_put_back_is_not_that_of_another_cell(tmp_path: Path):
    """A class that a plain cell defines anew after a restore makes the cell run again."""
    cell = "%%durable use\nlimit = Bare.limit"
    with Kernel(tmp_path) as kernel:
        assert kernel.run(CODE).ok
        assert kernel.run(cell).ok
        kernel.kill()
        kernel.restart()
        assert kernel.run("%durable restore\nBare").ok
        assert kernel.run("class Bare:\n    limit = 2").ok
        assert "ran again because Bare changed" in kernel.run(cell).text
        assert kernel.run("print(limit)").text.strip() == "2"
