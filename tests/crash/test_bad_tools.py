"""Tools that end the process, fork it, or live under a clock that jumps: nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ANSWER = "['did 0', 'did 1', 'did 2']"


def life(folder: Path, what: str) -> subprocess.CompletedProcess[str]:
    """One process that makes the three calls."""
    command = [sys.executable, "-m", "tests.crash.bad_tools", str(folder), what]
    return subprocess.run(  # our own module
        command, capture_output=True, text=True, check=False, timeout=120
    )


def account(folder: Path) -> list[int]:
    """What happened, in order."""
    return [int(i) for i in (folder / "account.txt").read_text().split()]


def settled(folder: Path, *answer: str) -> None:
    """Say what became of the second call."""
    command = [sys.executable, "-m", "nbdurable", "resolve", "s.2", *answer]
    subprocess.run(command, cwd=folder, check=True, timeout=120)  # our own


@pytest.mark.parametrize(("what", "code"), [("exit", 7), ("crash", -signal.SIGSEGV)])
def test_a_tool_that_ends_the_process_is_in_doubt(
    tmp_path: Path, what: str, code: int
) -> None:
    """What was before it is served; it asks, and goes on with what it is told."""
    assert life(tmp_path, what).returncode == code
    asked = life(tmp_path, "none")
    assert "act(1) may or may not have happened" in asked.stderr
    assert account(tmp_path) == [0, 1]
    settled(tmp_path, "--happened", "did 1")
    assert life(tmp_path, "none").stdout.strip() == ANSWER
    assert account(tmp_path) == [0, 1, 2]


def test_a_fork_in_the_middle_of_a_call_records_nothing(tmp_path: Path) -> None:
    """The child owns nothing: the parent goes on, and everything is recorded once."""
    forked = life(tmp_path, "fork")
    assert forked.stdout.strip() == ANSWER, forked
    assert life(tmp_path, "none").stdout.strip() == ANSWER
    assert account(tmp_path) == [0, 1, 2]


def test_a_clock_that_jumps_backwards_changes_no_order(tmp_path: Path) -> None:
    """Order is that of the journal: the cell replays, whatever the clock said."""
    assert life(tmp_path, "clock").stdout.strip() == ANSWER
    assert life(tmp_path, "clock").stdout.strip() == ANSWER
    assert life(tmp_path, "none").stdout.strip() == ANSWER
    assert account(tmp_path) == [0, 1, 2]
