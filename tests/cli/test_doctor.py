"""`nbdurable doctor`: each thing that durable cells need is one line."""

from __future__ import annotations

import json
import signal
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable.cli import doctor, main
from nbdurable.cli.doctor import CONFIG, PACKAGES, PYTHON

ROOT = Path(__file__).parents[2]


@pytest.fixture
def well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which all is well: an environment that loads the extension, a key."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    for name in ("NBDURABLE_STORE", "NBDURABLE_KEY_FILE", "NBDURABLE_AUTOLOAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    config = tmp_path / "prefix" / CONFIG
    config.parent.mkdir(parents=True)
    loads = {"IPKernelApp": {"extra_extensions": ["nbdurable.kernel.autoload"]}}
    config.write_text(json.dumps(loads))
    monkeypatch.chdir(tmp_path)
    nbdurable_store.open(tmp_path / ".nbdurable").close()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield tmp_path
    signal.signal(signal.SIGINT, before)


def told(capsys: pytest.CaptureFixture[str], code: int) -> list[str]:
    """What the doctor says, line by line."""
    capsys.readouterr()
    assert main(["doctor"]) == code
    return capsys.readouterr().out.splitlines()


def test_all_is_well(well: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line says ok, and so does the exit code."""
    lines = told(capsys, 0)
    assert len(lines) == 8
    assert all(line.startswith("ok      ") for line in lines)


def not_ok(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that isn't ok."""
    (bad,) = [x for x in told(capsys, 1) if x.startswith("not ok  ")]
    return bad


def test_a_key_that_others_can_read(
    well: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An open key file is named, with the command that closes it."""
    (key,) = (well / "data" / "nbdurable" / "keys").iterdir()
    key.chmod(0o644)
    capsys.readouterr()
    lines = told(capsys, 1)
    bad = [line for line in lines if line.startswith("not ok  key")]
    assert bad == [
        (
            f"not ok  key: {key} is open to other accounts, so it is not used"
            f'  → chmod go-rwx "{key}"'
        )
    ]


def test_a_key_file_whose_folder_is_gone(
    well: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key file that can't be used is named, with what to do."""
    monkeypatch.setenv("NBDURABLE_KEY_FILE", str(well / "unmounted" / "key"))
    capsys.readouterr()
    bad = [line for line in told(capsys, 1) if line.startswith("not ok  key")]
    assert bad == [
        (
            f"not ok  key: the key file {well}/unmounted/key can't be used: there is"
            f' no folder {well}/unmounted.  → mkdir -p -m 700 "{well}/unmounted"'
        )
    ]


def test_an_environment_that_does_not_load_it(
    well: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the configuration file the extension isn't on by itself."""
    (well / "prefix" / CONFIG).unlink()
    assert "%load_ext nbdurable" in not_ok(capsys)


def test_autoload_turned_off_is_no_fault(
    well: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who turned it off is told so."""
    monkeypatch.setenv("NBDURABLE_AUTOLOAD", "0")
    (well / "prefix" / CONFIG).unlink()
    assert any("NBDURABLE_AUTOLOAD=0" in line for line in told(capsys, 0))


def test_ignored_interrupts(well: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where SIGINT is ignored (nohup), kernels can't be interrupted."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert "signals: SIGINT is ignored here" in not_ok(capsys)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_package_that_is_missing(
    well: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that isn't there or too old is named with the version to install."""
    monkeypatch.setattr(doctor, "PACKAGES", {"no-such-package": (1, 0), "dill": (99,)})
    bad = not_ok(capsys)
    assert "no-such-package missing" in bad
    assert bad.endswith('→ pip install "no-such-package>=1.0" "dill>=99"')


def test_a_folder_that_is_no_store(
    well: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged FORMAT file is told as the store tells it."""
    (well / ".nbdurable" / "FORMAT").write_text("{")
    assert "its FORMAT file is damaged" in not_ok(capsys)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_something_else_in_the_stores_place(
    well: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """A file, or a folder with other things, is no place where a store will be."""
    place = well / ".nbdurable"
    place.rename(well / "moved")
    if what == "folder":
        place.mkdir()
        place /= "precious"
    place.write_text("mine")
    assert "is not a store" in not_ok(capsys)


def test_a_foreign_store(
    well: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that another key signed is named, with the way to trust it."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(well / "other"))
    assert "nbdurable trust" in not_ok(capsys)
    assert not (well / "other").exists()


def test_versions_are_those_of_the_project() -> None:
    """What the doctor asks for is what pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {name: ".".join(map(str, version)) for name, version in PACKAGES.items()}
    lines = project["dependencies"]
    for name, version in asked.items():
        (line,) = [x for x in lines if x.startswith(f"{name}>=")]
        assert line.split(">=")[1].split(",")[0].strip() == version
    tested = [
        tuple(map(int, c.rpartition(" ")[2].split(".")))
        for c in project["classifiers"]
        if "Python :: 3." in c
    ]
    assert (min(tested), max(tested)) == PYTHON
