"""A plain script: durable calls without Jupyter, to be watched from outside.

python -m tests.crash.one_call FOLDER EFFECT RESULT_BYTES CALLS
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from nbdurable.engine.calls.tool import tool
from nbdurable.engine.steps.cells import Cell
from nbdurable.engine.steps.running import Running
from nbdurable.engine.steps.session import Session
from nbdurable.engine.steps.step import begin
from nbdurable.engine.where.whereabouts import Facts

WORLD = "world.txt"
"""The file that the call writes: its effect, as the system calls show it."""


def main(folder: Path, effect: str, result_bytes: int, calls: int) -> None:
    """Make some calls in one step, and print their results' lengths."""
    world = os.open(folder / WORLD, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    @tool(effect=effect)
    def act(i: int) -> str:
        os.write(world, f"{i}\n".encode())
        return chr(97 + i % 26) * result_bytes

    session = Session(environ={})
    facts = Facts(start_dir=str(folder), interactive=True)
    source = f"act({calls}, {result_bytes}, {effect!r})"
    cell = Cell(name="s", raw=source, transformed=source, facts=facts)
    running = begin(session, cell, {})
    assert isinstance(running, Running)
    with running.active():
        for i in range(calls):
            print(len(act(i)))
    running.complete((), None)
    session.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
