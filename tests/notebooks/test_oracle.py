"""A notebook means the same with us as without us, and the same again after a kill."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.model_server import ModelServer
from nbdurable.testing.model_server.__main__ import environment
from nbdurable.testing.ran import Ran
from tests.kernel.notebook import comparable, in_notebook
from tests.notebooks.describe import SOURCE

NOTEBOOKS = sorted((Path(__file__).parent / "written").glob("*.py"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SHOW = "import json\nprint('SPACE', json.dumps([_describe_all(globals()), _aliases(globals())]))"
CELL_S = 120.0

COMMAND = re.compile(r"not back: .*? → (%durable rebuild .*?) \(repeats: ")
"""What makes a variable that can't be kept, of a cell that wrote files."""


def cells_of(path: Path) -> list[str]:
    """The cells of a notebook in the percent form that VS Code and Jupytext know."""
    return [cell.strip() for cell in path.read_text().split("# %%\n") if cell.strip()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """Answers the agents, and counts what they ask."""
    folder = tmp_path_factory.mktemp("models")
    with ModelServer(folder / "requests.jsonl") as running:
        yield running


def run_all(kernel: Kernel, cells: list[str]) -> tuple[list[Any], Any]:
    """What each cell shows, and what the namespace holds at the end.

    Where a line says which command makes a variable again, the command is run.
    """
    shown = []
    for cell in cells:
        ran = kernel.run(cell, timeout_s=CELL_S)
        assert ran.ok, f"{cell}\n{ran.text}"
        shown.append(seen(ran))
        for command in COMMAND.findall(ran.text):
            made = kernel.run(command, timeout_s=CELL_S)
            assert "made again" in made.text, f"{cell}\n{made.text}"
    assert kernel.run(SOURCE).ok
    told = kernel.run(SHOW, timeout_s=CELL_S).text
    found = re.search(r"^SPACE (.*)$", told, re.MULTILINE)
    assert found is not None, told
    return shown, json.loads(found.group(1))


def seen(ran: Ran) -> list[dict]:
    """The outputs, without addresses in default representations."""
    plain = json.dumps(comparable(in_notebook(ran)))
    return json.loads(re.sub(r"0x[0-9a-f]{6,}", "0x", plain))


def same(found: tuple[list[Any], Any], expected: tuple[list[Any], Any], when: str):
    """Both agree, cell by cell and name by name."""
    for nth, (one, other) in enumerate(zip(found[0], expected[0], strict=True)):
        assert one == other, f"{when}, cell {nth}: {one} for {other}"
    (names, aliases), (wanted, together) = found[1], expected[1]
    odd = {n: (names.get(n), wanted[n]) for n in wanted if names.get(n) != wanted[n]}
    assert odd == {}, when
    assert (set(names), aliases) == (set(wanted), together), when


def effects(folder: Path) -> int:
    """How much was done to the world."""
    account = folder / "effects.jsonl"
    return len(account.read_text().splitlines()) if account.exists() else 0


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_means_the_same(path: Path, tmp_path: Path, server: ModelServer) -> None:
    """Outputs and variables are those of a plain kernel, on the first run and replayed."""
    cells = cells_of(path)
    durable = [f"%%durable\n{cell}" for cell in cells]
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.mkdir()
    ours.mkdir()
    env = environment(server.url)
    with Kernel(plain, extension=False, env=env) as kernel:
        expected = run_all(kernel, cells)
    with Kernel(ours, env=env) as kernel:
        same(run_all(kernel, durable), expected, "first run")
        done, asked = effects(ours), server.account.last
        kernel.kill()
        kernel.restart()
        same(run_all(kernel, durable), expected, "replayed")
    assert done == effects(plain)
    assert (effects(ours), server.account.last) == (done, asked)
