"""An undo in a real kernel that is killed in the middle: settled as it says, then done."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel, KernelDiedError
from tests.kernel.shells import shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETUP = """
import os, signal
from pathlib import Path
import nbdurable as nd

def log(told):
    with open("log.txt", "a") as file:
        file.write(told + "\\n")

def cancel(result, who):
    log(f"cancel {who}")
    if who == "b" and not Path("killed").exists():
        Path("killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)

@nd.tool(effect="write", undo=cancel)
def book(who):
    log(f"book {who}")
    return who
"""
TRIP = '%%durable trip\nbooked = [book(who) for who in "abc"]'
CELL = {"cellId": "c1"}


@pytest.mark.parametrize("at", ["magic", "shell"])
def test_killed_in_the_middle(kernel: Kernel, tmp_path: Path, at: str) -> None:
    """The command that the error prints settles it where it is typed; each once."""
    kernel.run(SETUP)
    assert kernel.run(TRIP, metadata=CELL).ok
    with pytest.raises(KernelDiedError):
        kernel.run("%durable undo trip")
    kernel.restart()
    kernel.run(SETUP)
    asked = kernel.run("%durable undo trip").text
    assert "may or may not have happened" in asked
    (command,) = re.findall(r"%durable (resolve .*) --happened VALUE", asked)
    if at == "magic":
        assert kernel.run(f"%durable {command} --happened None").ok
    else:
        shell(tmp_path, *shlex.split(command), "--happened", "None")
    told = kernel.run("%durable undo trip").text
    assert "undone: book('b'), book('a')" in told, told
    log = (tmp_path / "log.txt").read_text().split("\n")
    assert log[3:6] == ["cancel c", "cancel b", "cancel a"]
    assert kernel.run(TRIP, metadata=CELL).ok
    assert (tmp_path / "log.txt").read_text().count("book") == 6
