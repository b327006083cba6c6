"""One account for all crash tests of a worker: it outlives every kernel."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nbdurable.testing.processes import Running, start
from tests.crash.kills import Story

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A process that counts effects."""
    log = tmp_path_factory.mktemp("account") / "effects.jsonl"
    with start("nbdurable.testing.effects", log) as running:
        yield running


@pytest.fixture
def story(account: Running, tmp_path: Path) -> Callable[[str, str], Story]:
    """Make a story of this test."""

    def make(effect: str, cell: str) -> Story:
        return Story(
            folder=tmp_path,
            url=account.url,
            log=account.log,
            effect=effect,
            cell=cell,
            size=next(_numbers),
        )

    return make
