"""A copy of a store: whole, apart, and nothing is written to where it was made of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable_store import Kind, Record
from nbdurable_store.errors import NotAStore, StoreForeign

LARGE = os.urandom(200_000)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user with a key of their own."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("NBDURABLE_KEY_FILE", raising=False)


def record(run: str, **more: object) -> Record:
    """A record of a run."""
    return Record(kind=Kind.RUN_OPENED, run=run, subject=run, at_us=1, **more)  # type: ignore[arg-type]  # a test's shorthand


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = (p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): p.read_bytes() for p in files}


def test_a_copy_has_all_and_is_apart(tmp_path: Path) -> None:
    """Records and values are there; what is added to it is not in the first store."""
    store = nbdurable_store.open(tmp_path / "one")
    ref = store.put("json", LARGE)
    store.append([record("r", blobs=(ref,))], sync=True)
    store.close()
    before = tree(tmp_path / "one")
    copied = nbdurable_store.copy(tmp_path / "one", tmp_path / "two")
    other = nbdurable_store.open(copied)
    (entry,), _ = other.read("r")
    assert other.get(entry.record.blobs[0]) == LARGE
    other.append([record("s")], sync=True)
    assert len(other.read("s")[0]) == 1
    other.close()
    assert tree(tmp_path / "one") == before


def test_a_copy_of_a_store_that_is_in_use(tmp_path: Path) -> None:
    """What is written is copied; its owner isn't alive in the copy, and goes on here."""
    store = nbdurable_store.open(tmp_path / "one")
    store.append([record("r")], sync=True)
    lease = store.claim("r")
    copied = nbdurable_store.copy(tmp_path / "one", tmp_path / "two")
    other = nbdurable_store.open(copied)
    assert len(other.read("r")[0]) == 1
    other.claim("r").release()
    other.close()
    store.append([record("r2")], sync=True)
    lease.release()
    store.close()


def test_what_is_no_store_or_not_ones_own_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made then; the error names the store and not its copy."""
    with pytest.raises(NotAStore):
        nbdurable_store.copy(tmp_path / "none", tmp_path / "two")
    nbdurable_store.open(tmp_path / "one").close()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another"))
    with pytest.raises(StoreForeign) as caught:
        nbdurable_store.copy(tmp_path / "one", tmp_path / "two")
    assert caught.value.place == str(tmp_path / "one")
    assert not (tmp_path / "two").exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    """What somebody laid among the blobs leads nowhere in the copy."""
    nbdurable_store.open(tmp_path / "one").close()
    blobs = tmp_path / "one" / "blobs"
    blobs.mkdir(exist_ok=True)
    (tmp_path / "secret").write_text("s")
    (blobs / ("a" * 64)).symlink_to(tmp_path / "secret")
    copied = nbdurable_store.copy(tmp_path / "one", tmp_path / "two")
    assert not list((copied / "blobs").iterdir())
