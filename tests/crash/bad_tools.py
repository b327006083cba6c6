"""A process whose tool ends it, forks it, or turns the clock back.

python -m tests.crash.bad_tools FOLDER WHAT
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import sys
from collections.abc import Callable
from pathlib import Path

import nbdurable_store
from nbdurable_store.clock import SYSTEM_CLOCK
from tests.engine.notebooks import Notebook


class TurnedBack:
    """The system's clock, but an hour earlier with each look."""

    def __init__(self) -> None:
        self.back_us = 0

    def now_us(self) -> int:
        """The time, ever earlier."""
        self.back_us += 3_600_000_000
        return SYSTEM_CLOCK.now_us() - self.back_us

    def __getattr__(self, name: str) -> object:
        return getattr(SYSTEM_CLOCK, name)


def ends() -> None:
    """Without a word, as a library does that has lost its mind."""
    os._exit(7)


def crashes() -> None:
    """A segmentation fault."""
    faulthandler.disable()
    ctypes.string_at(0)


def forks() -> None:
    """A child that leaves in the middle of the call, by the way of an exception."""
    if os.fork() == 0:
        raise SystemExit(0)
    os.wait()


def nothing() -> None:
    """Nothing special."""


WHAT: dict[str, Callable[[], None]] = {
    "exit": ends,
    "crash": crashes,
    "fork": forks,
    "none": nothing,
    "clock": nothing,
}


def main(folder: Path, what: str) -> None:
    """Make three calls, the second of which does it; say what they gave."""
    store = nbdurable_store.open(folder / ".nbdurable", named=True)
    nb = Notebook(store=store, root=folder)
    if what == "clock":
        nb.session.clock = TurnedBack()  # type: ignore[assignment]  # it has all of it

    def happened(i: int) -> None:
        with (folder / "account.txt").open("a") as account:
            account.write(f"{i}\n")
        if i == 1:
            WHAT[what]()

    nb.world.happened = happened  # type: ignore[attr-defined]
    nb.plain("@tool\ndef act(i):\n    world.happened(i)\n    return f'did {i}'")
    nb.run("r = [act(i) for i in range(3)]", "s", "c1")
    print(nb.namespace["r"])
    nb.session.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
