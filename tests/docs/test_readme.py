"""README is executed: its Python blocks are the cells of one notebook, in order.

A ``text`` block behind a cell is what the cell shows; a second one is what it shows
after the kernel was killed. Durations, sizes and times of day may differ. Each line of a
``bash`` block is run, or is tied to the test that runs it.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.model_server import ModelServer
from tests.docs.blocks import ROOT, Block, blocks

README = blocks(ROOT / "README.md")
LANGUAGES = {"python", "bash", "text"}
TIED = {
    "make demo": "tests/test_demo.py",
    "make lab": "Makefile",
    "make test": ".ci/run",
    "pip install .": "tests/kernel/test_installed.py",
    "pip uninstall nbdurable": "tests/kernel/test_installed.py",
    "apt-get install": ".ci/run",
}
"""Commands that are run elsewhere, and where."""


VARIES = re.compile(
    r"\d[\d,.]*(?= (?:ms|s|min|h|tokens)\b)|\$\d[\d,.]*|(?:(?:yesterday|Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?\d\d:\d\d"
)
"""What differs between two runs of the same notebook."""


def _cells() -> Iterator[tuple[Block, list[str]]]:
    """Each cell, with what README shows behind it."""
    for place, block in enumerate(README):
        if block.language == "python":
            behind = []
            for after in README[place + 1 :]:
                if after.language != "text":
                    break
                behind.append(after.text)
            yield block, behind


def _comparable(text: str) -> str:
    return VARIES.sub("_", text).strip()


def _environment(server: ModelServer, folder: Path) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "sk-any-key-0123",
        "NBDURABLE_KEY_FILE": str(folder / "key"),
    }


def _run_all(kernel: Kernel, time: int) -> None:
    """Run the cells for the first or second time; they show what README says."""
    for block, shown in _cells():
        ran = kernel.run(block.text, metadata={"cellId": str(block)})
        assert ran.ok, f"{block}\n{ran.text}"
        if len(shown) > time:
            assert _comparable(ran.text) == _comparable(shown[time]), str(block)


def test_every_block_says_what_it_is() -> None:
    """Each block of README is a cell, a command or what a cell shows."""
    assert {block.language for block in README} == LANGUAGES


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_cells_run_and_replay(tmp_path: Path) -> None:
    """The cells run, and run again after a kill without a request to the model."""
    with ModelServer(tmp_path / "requests.jsonl") as server:
        environment = _environment(server, tmp_path)
        with Kernel(tmp_path, env=environment) as kernel:
            _run_all(kernel, 0)
            asked = (tmp_path / "requests.jsonl").read_text().count('"n"')
            kernel.kill()
            kernel.restart()
            _run_all(kernel, 1)
            for begins_another_run in ("%durable new", "%%durable anew\nx = 1"):
                assert kernel.run(begins_another_run).ok
        assert asked
        assert (tmp_path / "requests.jsonl").read_text().count('"n"') == asked
        _commands_work(tmp_path, environment)


def _commands() -> list[str]:
    return [
        line.partition("  #")[0].strip()
        for block in README
        if block.language == "bash"
        for line in block.text.splitlines()
    ]


def _commands_work(folder: Path, environment: dict[str, str]) -> None:
    for line in _commands():
        name, *arguments = shlex.split(line)
        if name == "nbdurable":
            command = [sys.executable, "-m", "nbdurable.cli", *arguments]
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                capture_output=True,
                check=False,
            )
            fine = {0, 1} if "doctor" in arguments else {0}
            assert done.returncode in fine, (line, done.stdout, done.stderr)


def test_other_commands_are_tied_to_a_test() -> None:
    """A command of README is ours and executed, or a test elsewhere runs it."""
    loose = []
    for line in _commands():
        if line.startswith("nbdurable "):
            continue
        places = [place for start, place in TIED.items() if line.startswith(start)]
        if not places or not (ROOT / places[0]).exists():
            loose.append(line)
    assert loose == []
