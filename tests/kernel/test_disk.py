"""Runs are removed at a shell while kernels live: what these store and show stays true."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow

TOOLS = """
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool(effect="read")
def look(x):
    return effect("look", x=x) + str(x) * 200_000
"""
LARGE = 1_100_000_000


def cell(name: str, *xs: int) -> str:
    """A durable cell with a large variable, made by one call for each number."""
    return f"%%durable {name}\n{name} = [look(x) for x in {list(xs)}]"


def notebook(name: str) -> dict[str, str]:
    """The environment of a kernel of this notebook."""
    return {"NBDURABLE_NOTEBOOK": f"/notebooks/{name}.ipynb"}


def effects(folder: Path) -> int:
    """How many effects the tools had."""
    account = folder / "effects.jsonl"
    lines = account.read_text().splitlines() if account.exists() else []
    return sum('"tool"' in line for line in lines)


def shell(kernel: Kernel, *words: str) -> list[str]:
    """The command and the environment in which `nbdurable` sees the kernel's store."""
    told = kernel.run(
        "import json, os\nprint(json.dumps(dict(os.environ)))\nprint(os.getcwd())"
    ).text
    environ, folder = told.strip().rsplit("\n", 1)
    done = subprocess.run(
        [sys.executable, "-m", "nbdurable.cli", *words],
        cwd=folder,
        env=json.loads(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    return [str(done.returncode), done.stdout, done.stderr]


def test_kernels_go_on_while_runs_are_removed(tmp_path: Path) -> None:
    """Two kernels store and replay as if nothing happened; a third's run is gone."""
    with Kernel(tmp_path, env=notebook("old")) as old:
        assert old.run(TOOLS).ok
        assert old.run(cell("old", 1, 2, 3)).ok
        old.kill()
    with (
        Kernel(tmp_path, env=notebook("a")) as one,
        Kernel(tmp_path, env=notebook("b")) as two,
    ):
        for kernel in (one, two):
            assert kernel.run(TOOLS).ok
            assert kernel.run(cell("first", 1, 4)).ok
        code, said, _ = shell(one, "gc", "--size", "1kB", "--yes", "--json")
        assert code == "0"
        done = json.loads(said)
        assert [run["notebook"] for run in done["runs"]] == ["/notebooks/old.ipynb"]
        assert {run["why"][:7] for run in done["kept"]} == {"process"}
        for kernel in (one, two):
            assert kernel.run(cell("second", 1, 2, 5)).ok
            kernel.kill()
    counted = effects(tmp_path)
    for name in ("a", "b"):
        with Kernel(tmp_path, env=notebook(name)) as again:
            assert again.run(TOOLS).ok
            for durable in (cell("first", 1, 4), cell("second", 1, 2, 5)):
                assert "nothing ran" in again.run(durable).text
            told = shell(again, "fsck")[1]
            assert told.strip().endswith("all whole")
    assert effects(tmp_path) == counted


def test_a_kernel_that_only_looked_begins_a_new_run(tmp_path: Path) -> None:
    """A kernel that had shown a run which is removed then serves nothing of it."""
    with Kernel(tmp_path, env=notebook("a")) as first:
        assert first.run(TOOLS).ok
        assert first.run(cell("found", 1)).ok
        first.kill()
    with Kernel(tmp_path, env=notebook("a")) as kernel:
        assert kernel.run(TOOLS).ok
        assert "found" in kernel.run("%durable").text
        assert shell(kernel, "rm", "1", "--yes")[0] == "0"
        assert "found" not in kernel.run("%durable status").text
        assert kernel.run(cell("found", 1)).ok
    assert effects(tmp_path) == 2


def test_a_large_store_is_named_once(tmp_path: Path) -> None:
    """Above 1 GB the line of a step says the size and the command, once per kernel."""
    with Kernel(tmp_path) as kernel:
        assert "gc" not in kernel.run("%%durable s\nx = 1").text
        place = kernel.run("%durable status").text.split("store ")[1].split("\n")[0]
        assert "gc" not in place
        with (Path(place) / "ballast").open("wb") as file:
            file.truncate(LARGE)
        assert (
            "1.1 GB, see what can go: !nbdurable gc"
            in kernel.run("%durable status").text
        )
        kernel.restart()
        assert "takes 1.1 GB, see what can go" in kernel.run("%%durable s\nx = 2").text
        assert "GB" not in kernel.run("%%durable t\nx = 3").text


@pytest.mark.parametrize(("answer", "gone"), [("y", True), ("", False)])
def test_rm_asks_at_a_terminal(tmp_path: Path, answer: str, gone: bool) -> None:
    """At a terminal `rm` shows what goes and asks; whatever isn't yes is no."""
    with Kernel(tmp_path, env=notebook("a")) as kernel:
        assert kernel.run("%%durable s\nx = 1").ok
        place = kernel.run("%durable status").text.split("store ")[1].split("\n")[0]
        told = kernel.run("import json, os\nprint(json.dumps(dict(os.environ)))").text
        kernel.kill()
    command = [sys.executable, "-m", "nbdurable.cli", "--store", place, "rm", "1"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, env=json.loads(told)
    ) as process:
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, f"{answer}\n".encode())
        assert process.wait(60) == 0
    os.close(ours)
    assert b"would remove run 1 of /notebooks/a.ipynb" in shown
    with Kernel(tmp_path, env=notebook("a")) as kernel:
        assert ("s" in kernel.run("%durable").text.split()) is not gone
