"""A server with what the wheel brings, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ui.desk import Desk, start


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch_module: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """A server with what the wheel brings, whose key the tests sign with."""
    folder = tmp_path_factory.mktemp("desk")
    key = folder / "key" / "store.key"
    key.parent.mkdir(mode=0o700)
    monkeypatch_module.setenv("NBDURABLE_KEY_FILE", str(key))
    started = start(folder, {"NBDURABLE_KEY_FILE": str(key)})
    yield started
    started.close()


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    """A monkeypatch that lasts as long as the server."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
