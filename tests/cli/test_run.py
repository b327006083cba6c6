"""`nbdurable run`: a notebook without a person, stopped by a question and resumed."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from nbdurable.cli.main import main
from tests.cli.projects import FINDINGS, TOOLS, Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ASKS = """%%durable review
if nd.approve("Send this?", show=f"{len(notes)} notes"):
    receipt = send("anna")
"""
CELLS = (TOOLS, "FIRST = 'one'", FINDINGS, ASKS, "print(receipt)")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A folder with a notebook that asks before it sends."""
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder, tmp_path / "home")
    made.write(*CELLS)
    return made


def test_it_stops_at_a_question_and_goes_on(project: Project) -> None:
    """Exit code 6 and the commands; again before the answer; then done, sent once."""
    before = (project.folder / "n.ipynb").read_bytes()
    first = project.nbdurable("run", "n.ipynb")
    assert first.code == 6, first.text
    assert "waits for an answer · 1 cell behind it not executed" in first.text
    shown = r"2 notes\n    nbdurable approve (review\.1@\w{6}) \(or --no\)"
    (question,) = re.findall(shown, first.text)
    assert 'then: nbdurable run "n.ipynb" --resume' in first.text
    again = project.nbdurable("run", "n.ipynb", "--resume", "--json")
    assert (again.code, [w["text"] for w in again.data["waits"]]) == (6, ["Send this?"])
    assert project.nbdurable("approve", question).code == 0
    last = project.nbdurable("run", "n.ipynb", "--resume", "--output", "out.ipynb")
    assert (last.code, "done · 5 cells" in last.text) == (0, True), last.text
    assert project.effects() == 3
    assert (project.folder / "n.ipynb").read_bytes() == before
    written = json.loads((project.folder / "out.ipynb").read_text())
    assert "send" in str(written["cells"][-1]["outputs"])


def test_a_cell_that_raises_is_told(project: Project) -> None:
    """Exit code 1 and the traceback; nothing waits."""
    project.write(*CELLS[:3], "1 / 0")
    done = project.nbdurable("run", "n.ipynb")
    assert done.code == 1
    assert "cell 4 raised:" in done.text
    assert "ZeroDivisionError" in done.text


def test_without_nbclient_it_says_what_to_install(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is executed, and the command to type is there."""
    monkeypatch.setitem(sys.modules, "nbclient", None)
    assert main(["run", str(project.folder / "n.ipynb")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("PackageAbsent: nbdurable run needs nbclient")
    assert 'pip install "nbclient"' in told
