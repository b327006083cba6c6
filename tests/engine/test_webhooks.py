"""Where the address of a webhook leads: to the run that gave it out, wherever that is."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

import pytest

import nbdurable as nd
import nbdurable_store
from nbdurable.engine.asking.forking import fork
from nbdurable.engine.waits import hooks
from nbdurable_store.keys import data_dir
from tests.engine.notebooks import Notebook


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Jupyter's data folder."""
    folder = tmp_path / "data"
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder))
    monkeypatch.setenv("NBDURABLE_KEY_FILE", str(tmp_path / "key"))
    return folder


def given_out(nb: Notebook) -> str:
    """The address that a cell, run once more, gives out."""
    seen: list[str] = []
    nb.namespace |= {"seen": seen, "nd": nd}
    with pytest.raises(ZeroDivisionError):
        nb.run("seen.append(nd.webhook('paid')); 1 / 0", "s", "c1")
    return seen[0]


def leads_to(address: str) -> hooks.Hook:
    """What an address is for."""
    found = hooks.find(address.rpartition("/")[2])
    assert found is not None
    return found


def test_a_moved_folder_keeps_its_address(tmp_path: Path) -> None:
    """It leads to where the store is, and begins as it did; a copy doesn't take it."""
    old, new, copy = tmp_path / "old", tmp_path / "new", tmp_path / "copy"
    addresses = []
    for folder in (old, new, copy):
        if folder is new:
            old.rename(new)
        elif folder is copy:
            (copy / ".nbdurable").parent.mkdir()
            _copied(new, copy)
        with contextlib.closing(
            nbdurable_store.open(folder / ".nbdurable", named=True)
        ) as store:
            addresses.append(given_out(Notebook(store=store)))
        expected = old if folder is old else new
        assert leads_to(addresses[-1]).store == str(expected / ".nbdurable")
    assert len(set(addresses)) == 1


def _copied(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(mode=0o700)
        else:
            place.write_bytes(path.read_bytes())


def test_a_fork_has_an_address_of_its_own() -> None:
    """The one that was given out before leads to the run that waits there."""
    nb = Notebook()
    address, parent = given_out(nb), nb.session.run_id
    fork(nb.session)
    other = given_out(nb)
    assert leads_to(address).run == parent
    assert leads_to(other).run == nb.session.run_id
    assert given_out(nb) == other


def test_a_data_folder_that_cannot_be_made(data: Path) -> None:
    """No address is given out, and the error says why."""
    data.write_text("a file")
    nb = Notebook()
    nb.namespace["nd"] = nd
    with pytest.raises(hooks.AddressUnkept, match="not a directory"):
        nb.run("a = nd.webhook('paid')", "s", "c1")


def test_what_cannot_be_written_leaves_nothing() -> None:
    """A full disk leaves no file behind that nobody would remove."""
    given_out(Notebook())
    folder = data_dir() / "nbdurable" / "hooks"
    before, limits = set(folder.iterdir()), resource.getrlimit(resource.RLIMIT_FSIZE)
    nb = Notebook()
    nb.namespace["nd"] = nd
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    try:
        with pytest.raises(hooks.AddressUnkept):
            nb.run("a = nd.webhook('paid')", "s", "c1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert set(folder.iterdir()) == before
