"""A notebook's file that is unusual stops no cell: it says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.notebooks import Notebook

NESTED = '{"cells": [], "metadata": ' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize("name", ["x" * 300 + ".ipynb", "nul\0.ipynb"])
def test_a_name_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    """The cell runs, and a second kernel goes on in its run."""
    nb = Notebook(path=str(tmp_path / name))
    nb.run("x = 1", "s", "c1")
    nb.restart()
    assert "nothing ran" in nb.run("x = 1", "s", "c1")


def test_a_file_that_is_nested_too_deep(tmp_path: Path) -> None:
    """Nobody reads it, so it says of no cell where it came from."""
    path = tmp_path / "deep.ipynb"
    path.write_text(NESTED)
    nb = Notebook(path=str(path))
    assert "ran" in nb.run("x = 1", "s", "c1")
