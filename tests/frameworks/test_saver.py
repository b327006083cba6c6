"""`DurableSaver`: LangGraph's own suite, and what that doesn't ask for."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import environments

HERE = Path(__file__).parent
TURNS = 50
SHARE_MAX = 1.2
"""How much room a chat may take, as a share of what was said."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("frameworks-saver"),
]


@pytest.fixture(scope="module")
def forks() -> Iterator[subprocess.Popen[str]]:
    """The process that forks those of `saving`."""
    python = environments.python(HERE / "saver.txt")
    with subprocess.Popen(
        [str(python), "-m", "tests.frameworks.saving"],
        env=environments.variables({"NBDURABLE_STORE": ""}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.communicate()


class Process:
    """A process that does some work of `saving`."""

    def __init__(
        self, forks: subprocess.Popen[str], folder: Path, *work: object
    ) -> None:
        self._forks = forks
        out = folder / f"out-{secrets.token_hex(4)}"
        os.mkfifo(out)
        variables = {"NBDURABLE_KEY_FILE": str(folder / "key")}
        asked = {"folder": str(folder), "out": str(out), "variables": variables}
        self.pid = self._asked({**asked, "work": work})
        self.said = out.open()

    def _asked(self, asked: dict[str, object]) -> int:
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write(json.dumps(asked) + "\n")
        self._forks.stdin.flush()
        return int(self._forks.stdout.readline())

    def status(self) -> int:
        """Wait for its end; its exit status."""
        self.said.close()
        return self._asked({"pid": self.pid})

    def ended(self) -> dict[str, Any]:
        """Wait for its end; what it said there."""
        lines = self.said.read().splitlines()
        assert self.status() == 0
        found: dict[str, Any] = json.loads(lines[-1])
        return found


Start = Callable[..., Process]
Done = Callable[..., dict[str, Any]]


@pytest.fixture
def start(forks: subprocess.Popen[str], tmp_path: Path) -> Start:
    """Begins some work in a process, all in one folder."""
    return partial(Process, forks, tmp_path)


@pytest.fixture
def done(start: Start) -> Done:
    """Does some work in a process; what it said."""
    return lambda *work: start(*work).ended()


def test_it_is_what_langgraph_asks_for(done: Done) -> None:
    """All eight capabilities are there, and all 81 tests of the suite pass."""
    found = done("conformance")
    assert found == {"detected": 8, "passed": 81, "failures": []}


def test_values_come_back_as_they_were(done: Done) -> None:
    """Messages, dataclasses, arrays and more, of the same types, in another process."""
    done("keep_values")
    assert done("read_values") == {"checkpoint": [], "writes": []}


def test_a_chat_costs_what_is_said(done: Done) -> None:
    """Every checkpoint has all messages; the store has each of them once."""
    found = done("chat", TURNS)
    assert found["messages"] == 2 * TURNS
    left = done("tidy")
    assert left["findings"] == []
    assert left["total"] <= SHARE_MAX * found["bytes"]


@pytest.mark.parametrize("kills", [3])
def test_what_was_there_is_there_after_a_kill(
    kills: int, start: Start, done: Done
) -> None:
    """Killed while it puts, again and again: turns that ended are whole, nothing is torn."""
    messages = 0
    for kill in range(1, kills + 1):
        process = start("chat_on")
        for _ in range(kill):
            messages = json.loads(process.said.readline())["messages"]
        os.kill(process.pid, signal.SIGKILL)
        assert process.status() == -signal.SIGKILL
        found = done("history")
        assert found["most"] >= messages
        assert found["whole"]
        assert found["orphans"] == []
        assert done("tidy")["findings"] == []
    assert messages >= 2 * sum(range(1, kills + 1))


def test_processes_share_a_thread(start: Start, done: Done) -> None:
    """What two of them put at the same time is all there."""
    both = [start("put_many", name, 100) for name in "ab"]
    assert [one.ended()["done"] for one in both] == ["a", "b"]
    expected = [[name, number] for name in "ab" for number in range(100)]
    assert done("shared") == {"by": expected}
