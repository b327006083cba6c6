"""Long work under SIGKILL: it goes on from its last checkpoint, with what it drew."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel, KernelDiedError
from tests.kernel.shells import shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EPOCHS = 20
KILLED_AT = 18

SETUP = f"""
import os, signal
from pathlib import Path
import nbdurable as nd

def epoch(n, seed):
    if n == {KILLED_AT} and not Path("killed").exists():
        Path("killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    with open("epochs.txt", "a") as file:
        file.write(f"{{n}} {{seed}}\\n")

def train():
    state = nd.last_checkpoint({{"epoch": 0, "weights": 0.0}})
    for n in range(state["epoch"], {EPOCHS}):
        epoch(n, seed)
        state = {{"epoch": n + 1, "weights": state["weights"] + 0.5}}
        nd.checkpoint(state)
    return state["weights"]

@nd.tool(effect="read")
def fit():
    return train()
"""

IN_CELL = """%%durable train
seed = nd.random()
weights = train()
"""
IN_TOOL = IN_CELL.replace("train()", "fit()")


@pytest.mark.parametrize("cell", [IN_CELL, IN_TOOL], ids=["cell", "tool"])
def test_a_training_killed_at_eighteen_of_twenty(tmp_path: Path, cell: str) -> None:
    """No epoch is trained twice, and the number that it drew at first is kept."""
    with Kernel(tmp_path) as kernel:
        kernel.run(SETUP)
        with pytest.raises(KernelDiedError):
            kernel.run(cell, metadata={"cellId": "c1"})
        kernel.restart()
        kernel.run(SETUP)
        ran = kernel.run(cell, metadata={"cellId": "c1"})
        assert ran.ok, ran.text
        told = kernel.run("print(weights, seed)").text.split()
    lines = [x.split() for x in (tmp_path / "epochs.txt").read_text().splitlines()]
    assert [int(n) for n, _ in lines] == list(range(EPOCHS))
    assert told == [str(EPOCHS * 0.5), *{seed for _, seed in lines}]


def test_a_sleep_goes_on_from_where_it_was(tmp_path: Path) -> None:
    """Killed while it slept: the next kernel sleeps for the rest, and not from anew."""
    cell = "%%durable nap\nnd.sleep(8)\nimport time\nwoke = time.time()"
    with Kernel(tmp_path) as kernel:
        kernel.run("import time\nimport nbdurable as nd")
        assert kernel.run("%%durable first\nx = 1").ok
        began = float(kernel.run("print(time.time())").text)
        ran = kernel.send(cell, metadata={"cellId": "c1"})
        kernel.wait_for(ran, lambda: "nd.sleep(8" in str(shell(tmp_path, "show")))
        kernel.kill()
        assert not ran.done
        kernel.restart()
        kernel.run("import nbdurable as nd")
        assert kernel.run(cell, metadata={"cellId": "c1"}).ok
        woke = float(kernel.run("print(woke)").text)
    assert 8 <= woke - began < 15
