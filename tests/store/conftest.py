"""Stores of a test: their keys and their folders lie under its temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable_store.backends import local
from tests.store.harness import LocalHarness
from tests.store.projected import Projected


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, so that no key of the developer is used."""
    folder = tmp_path / "jupyter-data"
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder))
    monkeypatch.delenv("NBDURABLE_KEY_FILE", raising=False)
    return folder


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No store of a test, and no thread of it, outlives the test."""
    yield
    for store in list(local._open):
        store.close()


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[LocalHarness]:
    """A store in a folder of the test's own."""
    made = LocalHarness(tmp_path / ".nbdurable")
    yield made
    made.close()


@pytest.fixture
def projected(tmp_path: Path) -> Iterator[Projected]:
    """A store in a folder of the test's own, and what DuckDB holds of it."""
    made = Projected(tmp_path / ".nbdurable")
    yield made
    made.close()
