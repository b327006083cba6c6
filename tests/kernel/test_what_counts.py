"""What counts as changed, seen in a real kernel: files, magics, shell lines, any name."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from tests.kernel.notebook import lines_of

pytestmark = pytest.mark.slow

PLAIN = """
import duckdb
import pandas as pd
factor, key, text = {factor}, "factor", "factor + 1"
sales = pd.DataFrame({{"n": [{factor}]}})
"""

CELLS = {
    "shell": "out = !echo {factor}",
    "dollar": "out = !echo $factor",
    "time": "%%time\ny = factor * 2",
    "capture": "%%capture shown\nprint(factor)",
    "line magic": "%time y = factor * 3",
    "sql": "rows = duckdb.sql('SELECT n FROM sales').fetchall()",
    "query": "rows = pd.DataFrame({'n': [1, 2]}).query('n < @factor')",
    "evaluated": "value = eval(text)",
    "namespace": "value = globals()[key]",
    "csv": "table = pd.read_csv('data.csv')",
    "parquet": "table = duckdb.sql(\"FROM 'data.csv'\").fetchall()",
    "module": "import helper\nvalue = helper.value()",
    "script": "%run script.py",
    "shell file": "!cat data.csv",
}
"""Cells that depend on `factor` or on a file."""

SAME = "value = 1 + 1"
"""A cell that depends on neither."""


def folder_of(path: Path, number: int) -> None:
    """The files beside the notebook."""
    (path / "data.csv").write_text(f"n\n{number}\n")
    (path / "helper.py").write_text(f"def value(): return {number}\n")
    (path / "script.py").write_text(f"made = {number}\n")


def life(kernel: Kernel, number: int) -> dict[str, str]:
    """The line under each cell, in a notebook with this number."""
    folder_of(kernel.folder, number)
    assert kernel.run(PLAIN.format(factor=number)).ok
    told = {}
    for name, cell in {**CELLS, "same": SAME}.items():
        ran = kernel.run(f"%%durable\n{cell}", metadata={"cellId": name})
        assert ran.ok, ran.text
        told[name] = " / ".join(lines_of(ran))
    return told


def test_a_cell_runs_again_when_what_it_depends_on_changed(kernel: Kernel) -> None:
    """In the next kernel everything replays; with another number only one cell does."""
    first = life(kernel, 5)
    assert "all variables count as read (eval)" in first["evaluated"]
    assert "all variables count as read (globals)" in first["namespace"]
    kernel.restart()
    second = life(kernel, 5)
    assert {n for n, line in second.items() if "replayed from" not in line} == set()
    kernel.restart()
    third = life(kernel, 6)
    assert {n for n, line in third.items() if "replayed from" in line} == {"same"}
    assert "ran again because data.csv changed" in third["csv"]
    assert "ran again because factor changed" in third["shell"]


def test_files_can_be_left_out(kernel: Kernel) -> None:
    """`--no-files` replays on a changed file; a step names a file it wrote and misses."""
    folder_of(kernel.folder, 1)
    cell = "text = open('data.csv').read(); _ = open('out.txt', 'w').write(text)"
    kernel.run(f"%%durable load\n{cell}")
    folder_of(kernel.folder, 2)
    (kernel.folder / "out.txt").unlink()
    assert "replayed from" in kernel.run(f"%%durable load --no-files\n{cell}").text
    folder_of(kernel.folder, 1)
    told = kernel.run(f"%%durable load\n{cell}").text
    assert "nothing ran · out.txt, which it wrote, is gone" in told
    folder_of(kernel.folder, 2)
    told = kernel.run(f"%%durable load\n{cell}").text
    assert "load · ran again because data.csv changed" in told
    assert "because data.csv changed" in kernel.run("%durable why load").text


def test_old_code_of_an_edited_module_is_told(tmp_path: Path) -> None:
    """While the kernel has what was imported before the edit, the step says so."""
    helper, told = tmp_path / "helper.py", "helper edited since the import"
    cell = "%%durable load\nv = helper.value(), value()"
    helper.write_text("def value(): return 1\n")
    with Kernel(tmp_path) as kernel:
        kernel.run("import helper, importlib\nfrom helper import value")
        assert told not in kernel.run(cell).text
        helper.write_text("def value(): return 20\n")
        assert f"{told}: the old code ran, restart or reload" in kernel.run(cell).text
        assert kernel.run("print(v)").text.strip() == "(1, 1)"
        kernel.run("importlib.reload(helper)\nfrom helper import value")
        assert told not in kernel.run(cell).text
        assert kernel.run("print(v)").text.strip() == "(20, 20)"
