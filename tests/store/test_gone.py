"""A store that somebody removes while a process has it open."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable_store import Kind, Record
from nbdurable_store.clock import SystemClock
from nbdurable_store.errors import StoreUnwritable


class Seldom(SystemClock):
    """A clock of somebody who appends once a second."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def monotonic_s(self) -> float:  # type: ignore[override]  # a function of Python's
        """One second later each time."""
        return float(next(self._ticks))


Gone = Callable[[Path], object]
ONE = [Record(kind=Kind.RUN_OPENED, run="run", at_us=1, subject="run")]


def removed(place: Path) -> None:
    """It is deleted."""
    shutil.rmtree(place)


def moved(place: Path) -> None:
    """It is put aside."""
    place.rename(place.with_name("aside"))


def replaced(place: Path) -> None:
    """Another kernel begins one at its place."""
    shutil.rmtree(place)
    with closing(nbdurable_store.open(place)) as other:
        other.append(ONE, sync=True)


@pytest.mark.parametrize("gone", [removed, moved, replaced])
@pytest.mark.parametrize("before", [0, 1])
def test_nothing_is_recorded_where_nobody_looks(
    tmp_path: Path, gone: Gone, before: int
) -> None:
    """An append is refused, whether the process had a segment or not, and says what to do."""
    place = tmp_path / ".nbdurable"
    with closing(nbdurable_store.open(place, clock=Seldom())) as store:
        for _ in range(before):
            store.append(ONE, sync=True)
        gone(place)
        for _ in range(2):
            with pytest.raises(StoreUnwritable) as told:
                store.append(ONE, sync=True)
            assert "it was removed since this process opened it" in str(told.value)
            assert "restart the kernel" in str(told.value)
    if gone is replaced:
        with closing(nbdurable_store.open(place)) as other:
            assert len(other.read("run")[0]) == 1
            assert other.check().findings == ()


def test_a_store_that_is_back_goes_on(tmp_path: Path) -> None:
    """Who puts it back where it was has lost nothing."""
    place = tmp_path / ".nbdurable"
    with closing(nbdurable_store.open(place, clock=Seldom())) as store:
        store.append(ONE, sync=True)
        moved(place)
        with pytest.raises(StoreUnwritable):
            store.append(ONE, sync=True)
        place.with_name("aside").rename(place)
        store.append(ONE, sync=True)
        assert len(store.read("run")[0]) == 2
