"""Every backend keeps every promise of the interface, and a wrong one is found out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nbdurable_store import conformance
from nbdurable_store.backends.memory import MemoryStore
from nbdurable_store.protocol import START, Cursor
from nbdurable_store.records import BlobRef, Entry
from tests.store.harness import LocalHarness, MemoryHarness

checks = pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.name)


@checks
def test_memory_keeps_it(check: conformance.Check) -> None:
    """The store in memory keeps the promise."""
    check(MemoryHarness())


@checks
def test_a_folder_keeps_it(check: conformance.Check, harness: LocalHarness) -> None:
    """The store in a folder keeps the promise."""
    check(harness)


class LosesTheLast(MemoryStore):
    """Forgets what was appended last when its process dies."""

    def kill(self) -> None:
        """Die, and take one record along."""
        mine = [e for e in self._world.entries if e.owner == self.owner]
        self._world.entries.remove(mine[-1])
        super().kill()


class ServesStale(MemoryStore):
    """Remembers the first answer for a run and never looks again."""

    def read(
        self, run: str, after: Cursor = START, *, calls_with: str = ""
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """The first answer, for ever."""
        known = self.__dict__.setdefault("known", {})
        return known.setdefault(
            (run, after), super().read(run, after, calls_with=calls_with)
        )


class Reorders(MemoryStore):
    """Sorts by wall clock."""

    def read(
        self, run: str, after: Cursor = START, *, calls_with: str = ""
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """The entries in another order."""
        entries, cursor = super().read(run, after, calls_with=calls_with)
        return tuple(sorted(entries, key=lambda e: e.record.at_us)), cursor


class TrustsBytes(MemoryStore):
    """Hands out what a ref names without checking it."""

    def get(self, ref: BlobRef) -> bytes:
        """The bytes, whatever they are."""
        if ref.inline is not None:
            return ref.inline
        if ref.id in self._world.chunks:
            return super().get(ref)
        return self._world.inline[ref.id]


class SharesRuns(MemoryStore):
    """Gives a run to whoever asks."""

    def claim(self, run: str):
        """The run, whoever has it."""
        self._world.holders.pop(run, None)
        return super().claim(run)


@pytest.mark.parametrize(
    "wrong",
    [LosesTheLast, ServesStale, Reorders, TrustsBytes, SharesRuns],
    ids=lambda cls: cls.__name__,
)
def test_a_wrong_backend_is_found_out(wrong: type[MemoryStore]) -> None:
    """A backend that breaks one promise fails at least one check."""
    broken = [c.__name__ for c in conformance.CHECKS if not _keeps(c, wrong)]
    assert broken


def _keeps(check: Callable[..., None], cls: type[MemoryStore]) -> bool:
    try:
        check(MemoryHarness(cls))
    except Exception:
        return False
    return True


def test_checks_say_what_they_promise() -> None:
    """Each check says in one sentence which promise it holds a backend to."""
    assert all(check.__doc__ for check in conformance.CHECKS)
    names = [conformance.name(check) for check in conformance.CHECKS]
    assert len(set(names)) == len(names) >= 25


def test_a_store_lies_where_it_was_opened(tmp_path: Path) -> None:
    """The harness of a third party needs a path and two methods."""
    harness = LocalHarness(tmp_path / "deep" / ".nbdurable")
    assert harness.open().place == str(tmp_path / "deep" / ".nbdurable")
    harness.close()
