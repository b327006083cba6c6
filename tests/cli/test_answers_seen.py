"""Answers at a shell are bound to what was seen, over a run that changes its question."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from tests.cli.projects import Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ASKS = """%%durable review
import nbdurable as nd
ok = nd.approve("Send this?", show="total: AMOUNT")
"""
CELL = {"cellId": "c1"}


def asks(kernel: Kernel, amount: int) -> None:
    """Let the cell ask about an amount, and free the kernel."""
    ran = kernel.send(ASKS.replace("AMOUNT", str(amount)), metadata=CELL)
    kernel.wait_for(ran, lambda: "review.1 waits" in ran.text)
    kernel.interrupt()
    kernel.wait(ran)


def commands(project: Project) -> str:
    """The command that `inbox` prints, without the program's name."""
    lines = project.nbdurable("inbox").text.splitlines()
    (told,) = (part for part in lines if "nbdurable approve" in part)
    return told.strip().removesuffix(" (or --no)").removeprefix("nbdurable ")


def test_between_inbox_and_approve_the_report_changed(tmp_path: Path) -> None:
    """The command that was copied is refused; the error has the one to paste instead."""
    project = Project(tmp_path, tmp_path / ".kernel")
    with Kernel(tmp_path) as kernel:
        asks(kernel, 12)
        old = commands(project)
        asks(kernel, 1_200)
        refused = project.nbdurable(*old.split())
        assert refused.code == 2
        assert "isn't the question that is asked there now" in refused.text
        assert "? Send this?\n    total: 1200\n" in refused.text
        new = commands(project)
        assert f"nbdurable {new}\n" in refused.text
        assert project.nbdurable(*new.split()).code == 0
        assert kernel.run(ASKS.replace("AMOUNT", "1200"), metadata=CELL).ok
        assert kernel.run("print(ok)").text == "True\n"


@pytest.mark.parametrize(
    ("said", "told", "left"),
    [("y", "review.1 is answered", 0), ("", "nothing was answered", 1)],
    ids=["yes", "return"],
)
def test_at_a_terminal_it_is_shown_and_asked(
    tmp_path: Path, said: str, told: str, left: int
) -> None:
    """Without a digest a person sees the question first; whatever isn't yes is no."""
    project = Project(tmp_path, tmp_path / ".kernel")
    with Kernel(tmp_path) as kernel:
        asks(kernel, 12)
    shown = typed(project, ["approve", "review.1", "--no"], said)
    assert "? Send this? · " in shown
    assert "total: 12" in shown
    assert "Answer «no»? [y/N]" in shown
    assert told in shown
    assert len(project.nbdurable("inbox", "--json").data) == left


def typed(project: Project, words: list[str], said: str) -> str:
    """What a terminal shows of a command that asks, and is told this."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "JUPYTER_DATA_DIR": str(project.home / "data")}
    command = [sys.executable, "-m", "nbdurable", *words]
    shown = b""
    with subprocess.Popen(
        command, cwd=project.folder, env=env, stdin=theirs, stdout=theirs
    ) as process:
        os.close(theirs)
        while b"[y/N]" not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, f"{said}\n".encode())
        assert process.wait(60) == 0
        shown += os.read(ours, 4096)
    os.close(ours)
    return shown.decode()
