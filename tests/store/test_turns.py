"""Limits that hold for every process on one store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nbdurable_store.clock import SystemClock
from nbdurable_store.sharing.rates import Rate
from nbdurable_store.sharing.turns import Turn, Turns

HOLD = """
import sys
from pathlib import Path
from nbdurable_store.clock import SYSTEM_CLOCK
from nbdurable_store.sharing.turns import Turns
taken = Turns(Path(sys.argv[1]), SYSTEM_CLOCK).take("search", 2, None)
print("held", flush=True)
sys.stdin.read()
"""


class Hand(SystemClock):
    """A clock that a test moves."""

    us = 1_700_000_000_000_000

    def now_us(self) -> int:
        """Wall clock."""
        return self.us


@pytest.fixture(params=["folder", "memory"])
def turns(request: pytest.FixtureRequest, tmp_path: Path) -> Turns:
    """The limits of a store, in a folder and in memory."""
    return Turns(tmp_path if request.param == "folder" else None, Hand())


def test_so_many_at_a_time(turns: Turns) -> None:
    """A place that is given back is free for the next one; names don't share."""
    first, second = (turns.take("search", 2, None) for _ in range(2))
    assert isinstance(first, Turn)
    assert isinstance(second, Turn)
    assert isinstance(turns.take("search", 2, None), float)
    assert isinstance(turns.take("other", 2, None), Turn)
    first.release()
    assert isinstance(turns.take("search", 2, None), Turn)


def test_so_many_in_so_long(turns: Turns) -> None:
    """The third start waits until the first one has left the window."""
    rate = Rate(2, 60.0)
    assert isinstance(turns.take("a", None, rate), Turn)
    turns.clock.us += 10_000_000
    assert isinstance(turns.take("a", None, rate), Turn)
    assert turns.take("a", None, rate) == pytest.approx(50.0)
    turns.clock.us += 50_000_000
    assert isinstance(turns.take("a", None, rate), Turn)
    assert isinstance(turns.take("a", None, rate), float)


def test_a_rate_that_waits_holds_no_place(turns: Turns) -> None:
    """Who is told to wait doesn't stand in the way of others."""
    rate = Rate(1, 60.0)
    taken = turns.take("a", 2, rate)
    assert isinstance(taken, Turn)
    assert isinstance(turns.take("a", 2, rate), float)
    assert isinstance(turns.take("a", 2, None), Turn)


def test_a_clock_that_is_set_back_blocks_nobody(turns: Turns) -> None:
    """Moments of the future are no starts."""
    rate = Rate(1, 60.0)
    turns.take("a", None, rate)
    turns.clock.us -= 3_600_000_000
    assert isinstance(turns.take("a", None, rate), Turn)


def test_a_dead_holder_gives_its_place_back(tmp_path: Path) -> None:
    """Another process holds a place as long as it lives, and no longer."""
    turns = Turns(tmp_path, Hand())
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        mine = turns.take("search", 2, None)
        assert isinstance(mine, Turn)
        assert isinstance(turns.take("search", 2, None), float)
        holder.kill()
        holder.wait(30)
    assert isinstance(turns.take("search", 2, None), Turn)


def test_a_damaged_rate_counts_as_none(tmp_path: Path) -> None:
    """What a dying process left half written blocks nobody."""
    turns = Turns(tmp_path, Hand())
    turns.take("a", None, Rate(1, 60.0))
    (file,) = (tmp_path / "turns").glob("*.rate")
    file.write_text("[17")
    assert isinstance(turns.take("a", None, Rate(1, 60.0)), Turn)
