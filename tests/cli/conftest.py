"""The command in this process, called in a folder by a user with a key of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nbdurable.cli import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key of its own, in which the command is called."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("NBDURABLE_STORE", raising=False)
    monkeypatch.delenv("NBDURABLE_KEY_FILE", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the command; what it printed, if it ended with the expected code."""

    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(words) == code
        printed = capsys.readouterr()
        return (printed.err or printed.out).rstrip("\n")

    return run
