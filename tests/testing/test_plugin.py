"""The pytest plugin: library code is served the recorded calls of a notebook."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.cli.projects import ROOT, Done, Project
from tests.docs.blocks import blocks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PLUGIN = "nbdurable.testing.plugin"
LOADED = () if entry_points(group="pytest11", name="nbdurable") else ("-p", PLUGIN)
"""Pytest loads it itself where the package is installed, not from a mere checkout."""

SHOP = """
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool(effect="read")
def price(item):
    return len(item)

@nd.tool(effect="write")
def order(item, to):
    return effect("order", item=item, to=to)

def buy(items, to="anna"):
    return [(order(i, to), price(i)) for i in items]
"""

CELLS = (
    "from shop import buy, price",
    "%%durable bought\nreceipts = buy(['ink', 'paper'])",
    "%%durable looked\nrose = price('a rose')",
)

BEGIN = """
import pytest
import shop
"""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded notebook that uses a module beside it; two orders were made."""
    root = tmp_path_factory.mktemp("recorded")
    (root / "work").mkdir()
    made = Project(root / "work", root / "home")
    (made.folder / "shop.py").write_text(SHOP)
    made.write(*CELLS)
    done = made.check("--update")
    assert (done.code, made.effects()) == (0, 2), done.text
    return root


@pytest.fixture
def project(once: Path, tmp_path: Path) -> Project:
    """The recorded notebook with its store, moved to another folder."""
    shutil.copytree(once, tmp_path / "moved")
    return Project(tmp_path / "moved" / "work", tmp_path / "moved" / "home")


def tried(project: Project, text: str, *words: str) -> Done:
    """Run pytest on a file of tests, as a user does."""
    (project.folder / "test_shop.py").write_text(BEGIN + text)
    return ran(project, "-q", "test_shop.py", *words)


def ran(project: Project, *words: str) -> Done:
    """Run pytest in the folder."""
    env = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("NBDURABLE_", "PYTEST"))
    }
    places = [str(ROOT / "kernel_ext"), str(ROOT / "store"), "."]
    env |= {
        "PYTHONPATH": os.pathsep.join(places),
        "JUPYTER_DATA_DIR": str(project.home / "data"),
        **project.env,
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *LOADED, "-p", "no:randomly", *words],
        cwd=project.folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, f"{done.stdout}{done.stderr}")


def test_library_code_is_served(project: Project) -> None:
    """Reads and writes of a step are served, its variables are there, nothing is made."""
    before = project.stored()
    done = tried(
        project,
        """
@pytest.mark.durable("n.ipynb", step="bought")
def test_by_the_fixture(durable):
    assert shop.buy(["ink", "paper"]) == durable["receipts"]
    assert durable.used == 4
    assert list(durable) == ["receipts"]

@pytest.mark.durable("n.ipynb")
def test_by_the_mark_alone():
    assert shop.price("a rose") == 6
""",
    )
    assert done.code == 0, done.text
    assert "2 passed" in done.text
    assert project.effects() == 2
    assert project.stored() == before


def test_a_new_call_fails_the_test(project: Project) -> None:
    """It names the nearest recorded call and what differs, at the line of the test."""
    done = tried(
        project,
        """
@pytest.mark.durable("n.ipynb", step="bought")
def test_it():
    shop.buy(["ink"], to="bob")
""",
    )
    assert done.code == 1
    assert "order('ink', 'bob') is not in the journal." in done.text
    assert "The nearest recorded call is bought.1:" in done.text
    assert "to was 'anna', is 'bob'" in done.text
    assert "pytest test_shop.py::test_it --durable-update" in done.text
    assert "calls/driving.py" not in done.text
    assert project.effects() == 2


def test_a_swallowed_refusal_fails_the_test(project: Project) -> None:
    """Code that catches everything can't hide it."""
    done = tried(
        project,
        """
@pytest.mark.durable("n.ipynb", step="bought")
def test_it():
    try:
        shop.order("ink", "bob")
    except BaseException:
        pass
""",
    )
    assert done.code == 1
    assert "order('ink', 'bob') is not in the journal." in done.text


def test_an_update_records_for_this_test(project: Project) -> None:
    """New calls are made once, in a run of the tests; the notebook's run stays."""
    text = """
@pytest.mark.durable("n.ipynb", step="bought")
def test_it():
    assert shop.order("ink", "anna").startswith("order")
    assert shop.order("ink", "bob").startswith("order")
"""
    shown = project.nbdurable("show", "n.ipynb:1").text
    assert tried(project, text).code == 1
    done = tried(project, text, "--durable-update")
    assert done.code == 0, done.text
    assert project.effects() == 3
    again = tried(project, text)
    assert again.code == 0, again.text
    assert tried(project, text, "--durable-update").code == 0
    assert project.effects() == 3
    assert project.nbdurable("show", "n.ipynb:1").text == shown
    assert "test_shop.py" in project.nbdurable("runs").text
    assert project.check().code == 0


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ('"n.ipynb", step="nope"', "ReferenceUnknown: this run has no "),
        ('"other.ipynb"', "other.ipynb has no completed run in"),
    ],
    ids=["step", "notebook"],
)
def test_what_is_not_recorded_is_an_error(
    project: Project, mark: str, told: str
) -> None:
    """A step or a notebook that there is not."""
    done = tried(project, f"@pytest.mark.durable({mark})\ndef test_it():\n    pass\n")
    assert done.code == 1
    assert told in done.text


def test_the_fixture_needs_its_mark(project: Project) -> None:
    """Without it, it says what to write."""
    done = tried(project, "def test_it(durable):\n    pass\n")
    assert done.code == 1
    assert '@pytest.mark.durable("notebook.ipynb")' in done.text


def test_loading_it_loads_nothing_else(tmp_path: Path) -> None:
    """A session without a marked test imports neither engine nor store."""
    (tmp_path / "test_none.py").write_text(
        """
import sys
def test_it():
    found = sorted(m for m in sys.modules if m.startswith("nbdurable"))
    assert found == ["nbdurable", "nbdurable.testing", "nbdurable.testing.plugin"]
"""
    )
    done = ran(Project(tmp_path, tmp_path / "home"), "-q", "test_none.py")
    assert done.code == 0, done.text


def test_the_example_of_the_docs(project: Project) -> None:
    """What docs/testing.md shows passes, with the files that it shows."""
    shown = blocks(ROOT / "docs" / "testing.md")
    files = {
        found[1]: block.text
        for block in shown
        if (found := re.match(r"# (\w+\.py)\n", block.text))
    }
    cells = [b.text for b in shown if b.text.startswith(("# cell", "%%durable"))]
    assert set(files) == {"library.py", "test_library.py"}
    assert cells
    for name, text in files.items():
        (project.folder / name).write_text(text)
    project.write(*cells)
    shutil.move(project.folder / "n.ipynb", project.folder / "report.ipynb")
    done = project.nbdurable("check", "report.ipynb", "--update")
    assert done.code == 0, done.text
    done = ran(project, "-q", "test_library.py")
    assert done.code == 0, done.text
