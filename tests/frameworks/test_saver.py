"""`DurableSaver`: LangGraph's own suite, and what that doesn't ask for."""

from __future__ import annotations

import json
import subprocess
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


def start(folder: Path, *work: object) -> subprocess.Popen[str]:
    """Begin some work of `saving` in a process."""
    python = environments.python(HERE / "saver.txt")
    more = {"NBDURABLE_KEY_FILE": str(folder / "key"), "NBDURABLE_STORE": ""}
    return subprocess.Popen(
        [str(python), "-m", "tests.frameworks.saving", json.dumps(work)],
        cwd=folder,
        env=environments.variables(more),
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What it said at its end."""
    out, _ = process.communicate()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def done(folder: Path, *work: object) -> dict[str, Any]:
    """Do some work of `saving` in a process; what it said."""
    return ended(start(folder, *work))


def test_it_is_what_langgraph_asks_for(tmp_path: Path) -> None:
    """All eight capabilities are there, and all 81 tests of the suite pass."""
    found = done(tmp_path, "conformance")
    assert found == {"detected": 8, "passed": 81, "failures": []}


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    """Messages, dataclasses, arrays and more, of the same types, in another process."""
    done(tmp_path, "keep_values")
    assert done(tmp_path, "read_values") == {"checkpoint": [], "writes": []}


def test_a_chat_costs_what_is_said(tmp_path: Path) -> None:
    """Every checkpoint has all messages; the store has each of them once."""
    found = done(tmp_path, "chat", TURNS)
    assert found["messages"] == 2 * TURNS
    left = done(tmp_path, "tidy")
    assert left["findings"] == []
    assert left["total"] <= SHARE_MAX * found["bytes"]


@pytest.mark.parametrize("kills", [3])
def test_what_was_there_is_there_after_a_kill(kills: int, tmp_path: Path) -> None:
    """Killed while it puts, again and again: turns that ended are whole, nothing is torn."""
    messages = 0
    for kill in range(1, kills + 1):
        process = start(tmp_path, "chat_on")
        assert process.stdout is not None
        for _ in range(kill):
            messages = json.loads(process.stdout.readline())["messages"]
        process.kill()
        process.communicate()
        found = done(tmp_path, "history")
        assert found["most"] >= messages
        assert found["whole"]
        assert found["orphans"] == []
        assert done(tmp_path, "tidy")["findings"] == []
    assert messages >= 2 * sum(range(1, kills + 1))


def test_processes_share_a_thread(tmp_path: Path) -> None:
    """What two of them put at the same time is all there."""
    both = [start(tmp_path, "put_many", name, 20) for name in "ab"]
    assert [ended(one)["done"] for one in both] == ["a", "b"]
    expected = [[name, number] for name in "ab" for number in range(20)]
    assert done(tmp_path, "shared") == {"by": expected}
