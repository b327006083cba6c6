"""The example notebook with an approval: asked, killed, answered from a shell, resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nbdurable.testing.demo.stage import Stage, run_cells, stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NOTEBOOK = Path(__file__).parents[2] / "example_notebooks" / "04_approval.ipynb"
ASKED = "review.1 waits · Send 1460.00 dollars to Anna?"


def shell(world: Stage, name: str, *words: str) -> Any:
    """What the command line answers beside a kernel's store."""
    done = subprocess.run(
        [sys.executable, "-m", "nbdurable", *words, "--json"],
        cwd=world.folder / name,
        env={**os.environ, "NBDURABLE_KEY_FILE": str(world.key_file)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def reached(world: Stage) -> list[str]:
    """The servers that were asked since the mark, in order."""
    return [server for server, _ in world.since_mark()]


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_asked_killed_answered_and_sent_once(tmp_path: Path, answer: str) -> None:
    """The draft is asked for once, the invoice goes out once, or not at all."""
    with stage(tmp_path, NOTEBOOK) as world:
        world.mark()
        with world.kernel("killed") as kernel:
            *before, review, run = world.cells
            assert run_cells(kernel, before) is None
            ran = kernel.send(review.source, metadata={"cellId": review.id})
            kernel.wait_for(ran, lambda: ASKED in ran.text)
            kernel.kill()
            (asked,) = shell(world, "killed", "inbox")
            assert asked["reference"] == "review.1"
            assert "amount" in asked["shown"]
            refused = ["--no"] if answer == "no" else []
            shell(world, "killed", "approve", asked["asked"], *refused)
            kernel.restart()
            for _ in range(2):
                assert run_cells(kernel, [*before, review]) is None
            receipt = kernel.run("print(receipt)").text
            assert "review" in kernel.run(run.source).text
        sent = ["effects"] if answer == "yes" else []
        assert reached(world) == ["model", *sent]
        assert ("not sent" in receipt) == (answer == "no")
