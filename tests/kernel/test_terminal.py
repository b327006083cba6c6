"""Plain IPython, without a kernel: the same cells, the same promises."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROBE = """
import json, sys
from IPython.terminal.interactiveshell import TerminalInteractiveShell

shell = TerminalInteractiveShell.instance(simple_prompt=True, colors="NoColor")
shell.run_line_magic("load_ext", "nbdurable")
for cell in json.loads(sys.argv[1]):
    print(f"<<{shell.execution_count}>>", flush=True)
    shell.run_cell(cell, store_history=True)
print("<<end>>")
"""

CELL = """%%durable first
import asyncio, sys
from IPython.display import HTML, display
def ran():
    with open("ran.txt", "a") as file:
        print("ran", file=file)
ran()
print("out")
display(HTML("<b>x</b>"))
await asyncio.sleep(0)
handle = display("one", display_id=True)
handle.update("two")
value = 6 * 7
value"""


KILLED = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


def shown(folder: Path, *cells: str) -> list[str]:
    """What a fresh IPython in the folder shows for each cell."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("NBDURABLE_")}
    env["IPYTHONDIR"] = str(folder / ".ipython")
    env["JUPYTER_DATA_DIR"] = str(folder / ".jupyter")
    env["PYTHONPATH"] = f"{ROOT / 'kernel_ext'}{os.pathsep}{ROOT / 'store'}"
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(cells)],
        cwd=folder,
        env=env,
        check=KILLED not in cells,
        text=True,
        timeout=120,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    parts = ran.stdout.split("<<")[1:]
    return [part.partition(">>\n")[2] for part in parts]


def test_a_cell_replays_in_another_ipython(tmp_path: Path):
    """Streams, displays and the result come back; the body doesn't run again."""
    first, *_ = shown(tmp_path, CELL, KILLED)
    again, value, results, _ = shown(tmp_path, CELL, "value", "(_1, Out[1])")
    assert "Out[1]: 42" in first
    assert "Out[1]: 42" in again
    for text in ("out\n", "<IPython.core.display.HTML object>", "two"):
        assert text in first
        assert text in again
    assert again.count("out\n") == first.count("out\n") == 1
    assert "replayed" in again
    assert "replayed" not in first
    assert "42" in value
    assert "(42, 42)" in results
    assert (tmp_path / "ran.txt").read_text() == "ran\n"


def test_an_error_is_shown_once_with_the_users_line(tmp_path: Path):
    """The traceback is IPython's own, and the cell runs again in the next process."""
    cell = "%%durable broken\nx = 1\n\n1 / 0"
    for _ in range(2):
        said, _ = shown(tmp_path, cell)
        assert said.count("ZeroDivisionError: division by zero") == 1
        assert "----> 4 1 / 0" in said


def test_commands_show_their_answers(tmp_path: Path):
    """`%durable` prints the run as text; an unknown word is answered."""
    _, run, unknown, _ = shown(tmp_path, CELL, "%durable", "%durable stauts")
    assert "first" in run
    assert "%durable status" in unknown


def test_at_a_terminal_a_run_stays_open(tmp_path: Path) -> None:
    """A person who leaves IPython and comes back goes on with the run."""
    said = [typed(tmp_path, "%%durable s\nprint('body')\n\n") for _ in range(2)]
    assert "run 1 · new" in said[0]
    assert "run 1, since" in said[1]


def test_at_a_terminal_a_question_is_a_prompt(tmp_path: Path) -> None:
    """What doesn't fit is asked again, and the answer goes into the cell."""
    cell = '%%durable ask\nplan = nd.ask("Which?", ["A", "B"])\nprint("took", plan)'
    said = typed(tmp_path, f"{cell}\n", keys=b"C\nB\n")
    assert "Which? (A, B) " in said
    assert "it is none of A, B" in said
    assert "took B" in said
    assert "Which? · B, " in said


def typed(folder: Path, text: str, keys: bytes = b"") -> str:
    """What IPython shows when it runs on a pseudo-terminal; leaves in order."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("NBDURABLE_")}
    env["IPYTHONDIR"] = str(folder / ".ipython")
    env["JUPYTER_DATA_DIR"] = str(folder / ".jupyter")
    env["PYTHONPATH"] = f"{ROOT / 'kernel_ext'}{os.pathsep}{ROOT / 'store'}"
    here, there = pty.openpty()
    os.write(here, keys)
    try:
        ran = subprocess.run(
            [sys.executable, "-c", PROBE, json.dumps(["import nbdurable as nd", text])],
            cwd=folder,
            env=env,
            stdin=there,
            capture_output=True,
            check=True,
            text=True,
            timeout=120,
        )
    finally:
        os.close(here)
        os.close(there)
    return ran.stdout
