"""Installed means on: a wheel in a fresh environment, and nothing left after it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = Path("etc/ipython/ipython_kernel_config.json")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("installed"),
]

PROBE = """
import sys
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel()
code, outputs = sys.argv[1], []
reply = client.execute_interactive(code, output_hook=outputs.append, timeout=60)
texts = [m["content"].get("text") or m["content"].get("data", {}).get("text/plain")
         or "\\n".join(m["content"].get("traceback", [])) for m in outputs]
print("\\n".join(t for t in texts if t))
client.stop_channels()
manager.shutdown_kernel(now=True)
"""

Python = Callable[..., str]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the built wheel; its dependencies are the tests' own."""
    folder = tmp_path_factory.mktemp("installed")
    run = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(run, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    place = folder / "env"
    venv.create(place, with_pip=True, symlinks=True)
    site = next((place / "lib").glob("python*/site-packages"))
    borrowed = sysconfig.get_paths()["purelib"]  # a .pth line is no .pth folder:
    (site / "borrowed.pth").write_text(borrowed)  # an editable nbdurable stays behind
    _pip(place, "install", "--no-deps", "--no-index", str(wheel))
    return place


@pytest.fixture
def python(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Python:
    """Run one cell in a default kernel of the environment, as any front end would."""
    for name in ("PYTHONPATH", "NBDURABLE_AUTOLOAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))

    def cell(code: str) -> str:
        probe = [str(environment / "bin" / "python"), "-c", PROBE, code]
        ran = subprocess.run(
            probe, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120
        )
        return ran.stdout

    return cell


def _pip(environment: Path, *arguments: str) -> None:
    command = [str(environment / "bin" / "python"), "-m", "pip", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def test_a_default_kernel_has_durable_cells(python: Python, tmp_path: Path):
    """No `%load_ext`: the first cell of a notebook may be durable."""
    said = python("%%durable first\nanswer = 6 * 7\nanswer")
    assert "42" in said
    assert "first" in said
    assert (tmp_path / ".nbdurable" / "FORMAT").exists()


def test_it_comes_from_the_wheel(python: Python, environment: Path):
    """The test doesn't fool itself with the checkout."""
    assert str(environment) in python("import nbdurable\nprint(nbdurable.__file__)")


def test_nothing_is_created_before_the_first_durable_cell(
    python: Python, tmp_path: Path
):
    """A kernel with plain cells leaves no store and no key."""
    assert "2" in python("import nbdurable as nd\n1 + 1")
    assert not (tmp_path / ".nbdurable").exists()
    assert not list((tmp_path / "data").rglob("*.key"))


def test_a_variable_turns_it_off(python: Python, monkeypatch: pytest.MonkeyPatch):
    """With NBDURABLE_AUTOLOAD=0 only `%load_ext nbdurable` turns it on."""
    monkeypatch.setenv("NBDURABLE_AUTOLOAD", "0")
    assert "not found" in python("import nbdurable\nget_ipython().run_cell('%durable')")
    loaded = python("%load_ext nbdurable\nget_ipython().run_cell('%durable status')")
    assert "store" in loaded


def test_uninstalling_leaves_nothing(environment: Path, python: Python):
    """The config file goes with the package; kernels start as before."""
    assert (environment / CONFIG).exists()
    (wheel,) = environment.parent.glob("*.whl")
    _pip(environment, "uninstall", "--yes", "nbdurable")
    try:
        assert not (environment / CONFIG).exists()
        assert "2" in python("1 + 1")
    finally:
        _pip(environment, "install", "--no-deps", "--no-index", str(wheel))
