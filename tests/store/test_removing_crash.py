"""A process that removes runs is killed at every moment of it, and others go on meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable_store.killpoints import STORE_POINTS
from tests.store.cleared import (
    Remover,
    aged,
    holds,
    opened,
    runs_of_rows,
    value,
    values,
    write,
)

pytestmark = pytest.mark.slow

POINTS = sorted(
    {p for p in STORE_POINTS if p.startswith(("remove.", "collect.", "rebuild."))}
    | {"seal.written", "seal.renamed", "record.written", "record.synced"}
)
"""Moments of a removal, in no order."""

COMMIT = {"record.synced", "remove.said"}
"""Before these the runs are there; `record.written` is on both sides of it."""


def _told(root: Path) -> dict[str, list[bytes]]:
    """Three runs that share part of a value, in three kernels that died long ago."""
    told = {
        run: [
            *(f"{run} {n}".encode() for n in range(9)),
            value(run),
            value("shared") + value(f"{run}, too"),
        ]
        for run in ("gone", "kept", "too")
    }
    for part in (slice(0, 4), slice(4, 10), slice(10, 11)):
        store = opened(root)
        for run, found in told.items():
            write(store, run, found[part])
        store.close()
    store = opened(root)
    store.flush()
    store.close()
    aged(root)
    return told


def _is_whole(root: Path, told: dict[str, list[bytes]]) -> set[str]:
    """Every run is there wholly or not at all; which are."""
    store = opened(root)
    assert store.check().findings == ()
    there = {run: values(store, run) for run in told}
    listed = {entry.record.run for entry in store.scan({"run.opened"})[0]}
    store.close()
    assert there["kept"] == told["kept"]
    assert all(found in (None, told[run]) for run, found in there.items())
    assert {run for run, found in there.items() if found is not None} <= listed
    return {run for run, found in there.items() if found is not None}


@pytest.mark.parametrize("point", POINTS)
def test_a_removal_is_killed(tmp_path: Path, point: str) -> None:
    """Wherever it dies, what is kept is whole, nothing is half, and the next one ends it."""
    root = tmp_path / ".nbdurable"
    told = _told(root)
    assert Remover(root, "gone", "too", kill=point).is_killed(), f"{point} not reached"
    left = _is_whole(root, told)
    assert left == {"kept"} or point in COMMIT | {"record.written"}
    assert left in ({"kept"}, {"kept", "gone", "too"})
    assert Remover(root, *(left - {"kept"})).ends() == 0
    assert _is_whole(root, told) == {"kept"}
    for run in ("gone", "too"):
        assert holds(root, f"{run} 3".encode()) == []
        assert holds(root, value(run)[5_000:5_100]) == []
        assert holds(root, value(f"{run}, too")[-100:]) == []
    assert holds(root, value("shared")[5_000:5_100]) != []
    assert runs_of_rows(root) == {"kept"}
    assert list((root / "tmp").iterdir()) == []


def test_two_kernels_work_on_meanwhile(tmp_path: Path) -> None:
    """Whatever two kernels store while runs are removed beside them, they keep."""
    root = tmp_path / ".nbdurable"
    told = _told(root)
    kernels = [opened(root), opened(root)]
    done, shared = threading.Event(), [value("gone"), value("shared"), value("too")]
    made: list[list[bytes]] = [[], []]

    def work(nth: int) -> None:
        while not done.is_set() or len(made[nth]) < 6:
            count = len(made[nth])
            data = [shared[count % 3], value(f"{nth} {count}", 90_000)]
            write(kernels[nth], f"run-{nth}", data)
            made[nth] += data

    threads = [threading.Thread(target=work, args=(nth,)) for nth in (0, 1)]
    for thread in threads:
        thread.start()
    for run in ("gone", "too"):
        nbdurable_store.remove(opened(root), [run])
    done.set()
    for thread in threads:
        thread.join()
    after = opened(root)
    assert after.check().findings == ()
    for nth, kernel in enumerate(kernels):
        assert values(after, f"run-{nth}") == values(kernel, f"run-{nth}") == made[nth]
    assert values(after, "kept") == told["kept"]


def test_a_value_that_no_record_names_yet_is_kept(tmp_path: Path) -> None:
    """What a living process has put, of new chunks or of old ones, it may yet name."""
    root = tmp_path / ".nbdurable"
    _told(root)
    kernel = opened(root)
    ref = kernel.put("raw", value("gone"))
    new = kernel.put("raw", value("new"))
    remover = opened(root)
    done = nbdurable_store.remove(remover, ["gone"])
    remover.close()
    assert done.left > len(value("new"))
    assert kernel.get(ref) == value("gone")
    assert opened(root).get(new) == value("new")
    kernel.close()
    assert nbdurable_store.remove(opened(root)).left == 0
    assert list(root.glob("blobs/*")) != []
    assert holds(root, value("new")[5_000:5_100]) == []
    assert holds(root, value("gone")[5_000:5_100]) == []
