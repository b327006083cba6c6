"""`nbdurable check`: a notebook is executed against what is recorded, and nothing new."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from nbdurable.cli import main
from nbdurable.cli.recorded import NothingRecorded, Wanted, completed, of_notebook
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable.testing.kernel import Kernel
from tests.cli.projects import FINDINGS, REVIEW, TOOLS, Project

SET = "FIRST = 'one'"
CELLS = (TOOLS, SET, FINDINGS, REVIEW)


pytestmark = pytest.mark.timeout(300)  # each check starts a kernel


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A folder with the notebook, not recorded yet."""
    return begun(tmp_path)


def begun(root: Path) -> Project:
    """A folder with the notebook."""
    folder = root / "work"
    folder.mkdir()
    made = Project(folder, root / "home")
    made.write(*CELLS)
    return made


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a notebook that was recorded: two reads and a write happened."""
    root = tmp_path_factory.mktemp("recorded")
    made = begun(root)
    done = made.check("--update")
    assert (done.code, made.effects()) == (0, 3), done.text
    return root


@pytest.fixture
def recorded(once: Path, tmp_path: Path) -> Project:
    """The recorded notebook with its store, moved to another folder."""
    shutil.copytree(once, tmp_path / "moved")
    return Project(tmp_path / "moved" / "work", tmp_path / "moved" / "home")


# ---- the story ---------------------------------------------------------------------------


@pytest.mark.slow
def test_a_notebook_is_recorded_checked_edited_and_recorded_again(
    project: Project,
) -> None:
    """Each step with its exit code; a check makes no call and changes no byte."""
    review = "%%durable review\nreceipt = send('anna')"
    project.write(TOOLS, SET, FINDINGS, review)
    assert project.check().code == 2
    assert "recorded · 4 cells · 3 calls made" in project.check("--update").text
    before = project.stored()
    done = project.check()
    assert (done.code, "fine · 4 cells · 3 calls served, none made" in done.text) == (
        0,
        True,
    )
    project.write(TOOLS, SET, FINDINGS.replace("'two'", "'three'"), review)
    done = project.check()
    assert done.code == 1
    assert "CallNotRecorded: ask('three') is not in the journal." in done.text
    assert (
        "nearest recorded call is findings.2:\n    prompt was 'two', is 'three'"
        in done.text
    )
    assert 'nbdurable check "n.ipynb" --update' in done.text
    assert "1 cell behind it not executed" in done.text
    assert project.stored() == before
    assert project.effects() == 3
    assert project.check("--update").code == 0
    assert project.effects() == 4
    assert project.check().code == 0
    assert "run 2" not in project.nbdurable("runs").text


@pytest.mark.slow
def test_the_answer_as_json(recorded: Project) -> None:
    """Steps, refusals with their places, and the cell that stopped."""
    assert recorded.check("--json").data["fine"] is True
    recorded.write(TOOLS, "FIRST = 'uno'", FINDINGS, REVIEW)
    done = recorded.check("--json")
    assert (done.code, done.data["fine"]) == (1, False)
    (refused,) = done.data["refused"]
    assert refused["nearest"] == "findings.1"
    assert refused["differs"] == ["prompt was 'one', is 'uno'"]
    (step,) = done.data["steps"]
    assert (step["how"], step["edited"]) == ("stopped", False)
    assert step["because"] == ["FIRST was 'one', is 'uno'"]
    assert done.data["failed"]["cell"] == 3


# ---- what is compared --------------------------------------------------------------------


@pytest.mark.slow
def test_an_edited_step_runs_against_the_journal(recorded: Project) -> None:
    """Its calls are served; other values of other code are told and no difference."""
    recorded.write(TOOLS, SET, FINDINGS, REVIEW.replace("len(notes)", "len(notes) + 1"))
    done = recorded.check()
    assert done.code == 0, done.text
    assert "ran · 1 call served · its code changed" in done.text
    assert "other values with its code:" in done.text
    assert "length was 2, is 3" in done.text


@pytest.mark.slow
def test_other_values_of_the_same_code_are_a_difference(project: Project) -> None:
    """A plain cell gives the step something else, and the step makes something else."""
    cell = "%%durable s\ntotal = BASE + len(ask('one'))\nrest = 1"
    project.write(TOOLS, "BASE = 1", cell)
    project.check("--update")
    project.write(TOOLS, "BASE = 5", cell)
    done = project.check()
    assert done.code == 1
    assert "BASE was 1, is 5" in done.text
    assert "other values with the same code:" in done.text
    assert "total was " in done.text
    assert "rest was" not in done.text
    assert "CallNotRecorded" not in done.text


@pytest.mark.slow
def test_a_cell_that_raises_is_a_difference(recorded: Project) -> None:
    """Durable or not; its traceback is shown, and where it stands."""
    recorded.write(TOOLS, SET, "1 / 0", FINDINGS)
    done = recorded.check()
    assert done.code == 1
    assert "cell 3 raised:" in done.text
    assert "ZeroDivisionError" in done.text


@pytest.mark.slow
def test_a_call_in_a_plain_cell_is_refused(recorded: Project) -> None:
    """What is recorded nowhere can't be served, so it is not made either."""
    recorded.write(TOOLS, SET, FINDINGS, "send('bob')")
    done = recorded.check()
    assert done.code == 1
    assert "It stands outside of durable cells" in done.text
    assert recorded.effects() == 3


@pytest.mark.slow
def test_a_refusal_that_the_code_swallows_counts(recorded: Project) -> None:
    """Also where no cell raised."""
    cell = "%%durable review\ntry:\n    send('bob')\nexcept BaseException:\n    pass"
    recorded.write(TOOLS, SET, FINDINGS, cell)
    done = recorded.check()
    assert done.code == 1
    assert "send('bob') is not in the journal" in done.text
    assert recorded.effects() == 3


@pytest.mark.slow
def test_what_else_was_seen_is_told(recorded: Project) -> None:
    """A file that an edited step writes is written, and named."""
    more = "\nopen('out.txt', 'w').close()"
    recorded.write(TOOLS, SET, FINDINGS, REVIEW + more)
    done = recorded.check()
    assert done.code == 0, done.text
    assert "seen and not prevented: " in done.text
    assert "out.txt" in done.text


@pytest.mark.slow
def test_a_kernel_that_dies_is_a_difference(recorded: Project) -> None:
    """The cell is named; nothing hangs."""
    recorded.write(TOOLS, SET, FINDINGS, "import os; os._exit(3)")
    done = recorded.check()
    assert done.code == 1
    assert "cell 4 raised:\nthe kernel's process ended" in done.text


@pytest.mark.slow
def test_a_notebook_recorded_without_a_front_end(project: Project) -> None:
    """No cell ids, no names, and a kernel that doesn't know its notebook."""
    plain = [c.replace(" findings", "").replace(" review", "") for c in CELLS]
    env = {"JUPYTER_DATA_DIR": str(project.home / "data")}
    with Kernel(project.folder, env=env) as kernel:
        assert all(kernel.run(cell).ok for cell in plain)
        kernel.shutdown()
    project.write(*plain)
    done = project.check()
    assert done.code == 0, done.text
    assert project.effects() == 3


@pytest.mark.slow
def test_an_update_that_stops_says_so(recorded: Project) -> None:
    """What it did until then is recorded, and is not done again by the next one."""
    recorded.write(TOOLS, SET, FINDINGS.replace("'two'", "'three'"), "1 / 0")
    done = recorded.check("--update")
    assert done.code == 1
    assert (
        "stopped · 1 call served and 1 call made · what was done is recorded"
        in done.text
    )
    recorded.write(TOOLS, SET, FINDINGS.replace("'two'", "'three'"))
    assert recorded.check("--update").code == 0
    assert recorded.effects() == 4


# ---- somebody else's machine -------------------------------------------------------------


@pytest.mark.slow
def test_a_store_from_another_machine(recorded: Project, tmp_path: Path) -> None:
    """Another folder and another key: refused, until it is trusted or the key is given."""
    there = tmp_path / "clone"
    for name in (
        ".nbdurable/FORMAT",
        ".nbdurable/journal",
        ".nbdurable/blobs",
        "n.ipynb",
    ):
        source, target = recorded.folder / name, there / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    for path in there.rglob("*"):  # as git makes them
        path.chmod(0o755 if path.is_dir() else 0o644)
    clone = Project(there, tmp_path / "other")
    done = clone.check()
    assert (done.code, done.text.startswith("StoreForeign")) == (5, True)
    assert f'nbdurable trust "{there / ".nbdurable"}"' in done.text
    (key,) = (recorded.home / "data" / "nbdurable" / "keys").iterdir()
    secret = tmp_path / "secret"
    secret.write_bytes(key.read_bytes())
    secret.chmod(0o600)
    with_key = Project(there, tmp_path / "other", {"NBDURABLE_KEY_FILE": str(secret)})
    assert with_key.check().code == 0, with_key.check().text
    assert clone.nbdurable("trust", ".nbdurable").code == 0
    assert clone.check().code == 0


# ---- what can't be checked ---------------------------------------------------------------


def test_without_nbclient_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no dependency of nbdurable; the error has the command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "nbclient", None)
    assert main(["check", "n.ipynb"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("PackageAbsent: nbdurable check needs nbclient")
    assert 'pip install "nbclient"' in told


@pytest.mark.parametrize("text", [None, "{}", "no json"])
def test_a_file_that_is_no_notebook(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
) -> None:
    """It can't be checked, and nothing is executed or made."""
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("n.ipynb").write_text(text)
    assert main(["check", "n.ipynb", "--update"]) == 2
    assert capsys.readouterr().err.startswith("NotebookUnusable: n.ipynb can't be")
    assert not Path(".nbdurable").exists()


@pytest.mark.slow
def test_a_kernel_that_there_is_not(project: Project) -> None:
    """The notebook names a kernel that isn't installed."""
    path = project.folder / "n.ipynb"
    notebook = json.loads(path.read_text())
    notebook["metadata"]["kernelspec"] = {"name": "nope", "display_name": "x"}
    path.write_text(json.dumps(notebook))
    done = project.check("--update")
    assert (done.code, "its kernel does not start" in done.text) == (2, True)


# ---- which run ---------------------------------------------------------------------------


def row(number: int, notebook: str, **more: object) -> RunRow:
    """A run with a step."""
    times = {"opened_us": number, "active_us": number}
    known = {"headless": False, "names": frozenset({"s"}), **times, **more}
    return RunRow(id=f"r{number}", number=number, notebook=notebook, **known)  # type: ignore[arg-type]  # a test's shorthand


HERE = Wanted(
    typed="n.ipynb",
    path=Path("/ci/repo/sub/n.ipynb"),
    place=Path("/ci/repo/.nbdurable"),
)


def test_the_newest_completed_run_counts() -> None:
    """Not one that failed later, and not one without any step."""
    mine = str(HERE.path)
    rows = [
        row(1, mine),
        row(2, mine),
        row(3, mine, unfinished=True),
        row(4, mine, names=frozenset()),
        row(5, "/ci/repo/other.ipynb"),
    ]
    assert completed(rows, HERE).number == 2
    assert (
        completed(
            rows, Wanted(typed="n", path=HERE.path, place=HERE.place, run="r5")
        ).number
        == 5
    )


def test_a_notebook_is_found_where_it_was_recorded_elsewhere() -> None:
    """Equal paths first, then those that end alike, then kernels nobody told."""
    anna, other = row(1, "/home/anna/repo/sub/n.ipynb"), row(2, "/home/anna/n.ipynb")
    untold, exact = row(3, "default"), row(4, str(HERE.path))
    assert of_notebook([anna, other, untold, exact], HERE) == [exact]
    assert of_notebook([anna, other, untold], HERE) == [anna]
    assert of_notebook([other, untold], HERE) == [untold]
    assert of_notebook([other], HERE) == []


def test_without_a_completed_run_the_others_are_named() -> None:
    """The error says which runs there are, and how to record one."""
    with pytest.raises(NothingRecorded) as caught:
        completed([row(3, str(HERE.path), unfinished=True)], HERE)
    told = caught.value.told()
    assert "Not finished: run 3." in told
    assert 'nbdurable check "n.ipynb" --update' in told
