"""Arrays over one memory, and over a file, are so again after a restore."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbdurable_store
from nbdurable.engine import codec
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.steps.snapshot import Group, put_back, take
from nbdurable.engine.values.redact import Secrets

SECRETS = Secrets({})
FIELDS = np.dtype([("n", "i4"), ("x", "f8")])


def _round(value: object) -> Any:
    encoded = codec.encode(value, secrets=SECRETS)
    return codec.decode(encoded.codec, encoded.data, secrets=SECRETS)


class Grid(np.ndarray):
    """An array with attributes."""


def _named(array: Any) -> Any:
    grid = array.view(Grid)
    grid.units = "m"
    return grid


VIEWS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "records": lambda: (base := np.zeros(5, FIELDS), base.view(np.recarray)),
    "some records": lambda: (
        base := np.zeros(5, FIELDS),
        base.view(np.recarray)[1:4],
    ),
    "a class of one's own": lambda: (base := np.arange(5.0), _named(base)),
    "a part of one of its own": lambda: (grid := _named(np.arange(5.0)), grid[1:]),
    "plain over another class": lambda: (
        grid := _named(np.arange(5.0)),
        np.asarray(grid),
    ),
    "in another byte order": lambda: (
        grid := np.arange(6, dtype=">f8").reshape(2, 3).view(Grid).copy("F"),
        grid[:, 1:],
    ),
    "masked": lambda: (
        base := np.ma.array(np.arange(5.0), mask=[0, 1, 0, 0, 1]),
        base[1:],
    ),
    "masked over plain": lambda: (
        base := np.arange(5.0),
        np.ma.array(base, mask=base > 3, copy=False),
    ),
    "plain of a masked one": lambda: (
        base := np.ma.array(np.arange(5.0), mask=[0, 1, 0, 0, 1]),
        base.data,
    ),
    "columns first": lambda: (
        base := np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        base[:, 1:],
    ),
}


@pytest.mark.parametrize("case", VIEWS)
def test_a_view_of_any_class_shares_the_memory_again(case: str) -> None:
    """What is written through one is seen through the other, whichever class it has."""
    base, view = VIEWS[case]()
    back, seen = _round([base, view])
    assert (type(seen), seen.dtype, seen.strides) == (
        type(view),
        view.dtype,
        view.strides,
    )
    assert (seen == view).all()
    assert back.dtype == base.dtype
    assert (back == base).all()
    assert np.shares_memory(back, seen)
    assert digest(seen) == digest(view)
    assert list(getattr(seen, "__dict__", ())) == list(getattr(view, "__dict__", ()))


def _mapped(path: Path, mode: Any = "r+", **options: Any) -> Any:
    np.arange(24, dtype="i4").tofile(path)
    return np.memmap(path, "i4", mode, **options)


@pytest.mark.parametrize("mode", ["r", "r+", "c", "w+"])
def test_a_memory_map_is_a_map_of_its_file_again(tmp_path: Path, mode: str) -> None:
    """Place, shape, order and mode are back, and what is written is in the file."""
    path = tmp_path / "data"
    value = _mapped(path, mode, offset=8, shape=(3, 4), order="F")
    back = _round(value)
    assert type(back) is np.memmap
    assert (back.filename, back.offset) == (value.filename, 8)
    assert back.mode == mode.replace("w", "r")
    assert back.flags.f_contiguous
    assert (back == value).all()
    if "+" in mode:
        back[0, 0] = 77
        back.flush()
        assert np.fromfile(path, "i4")[2] == 77


@pytest.mark.parametrize(
    "view",
    [lambda m: m[2:9], np.asarray, lambda m: m[::-3]],
    ids=["part", "plain", "backwards"],
)
def test_a_part_of_a_memory_map_writes_to_the_file(
    tmp_path: Path, view: Callable[[Any], Any]
) -> None:
    """Also where only the part is kept, and where it is a plain array."""
    value = view(_mapped(tmp_path / "data"))
    back = _round(value)
    assert type(back) is type(value)
    assert (back == value).all()
    back[1] = 77
    assert 77 in np.fromfile(tmp_path / "data", "i4")


def test_a_memory_map_is_not_kept_by_its_content(tmp_path: Path) -> None:
    """A map of a large file takes no room in the store."""
    (tmp_path / "data").write_bytes(bytes(1 << 20))
    value = np.memmap(tmp_path / "data", "u1", "r")
    assert len(codec.encode(value, secrets=SECRETS).data) < 1_000


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_bytes(bytes(96)), "holds something else now"),
        (lambda path: path.write_bytes(bytes(9)), "holds something else now"),
        (lambda path: path.unlink(), "can't be read"),
    ],
    ids=["changed", "shorter", "gone"],
)
def test_a_map_of_a_changed_file_does_not_come_back(
    tmp_path: Path, spoil: Callable[[Path], None], why: str
) -> None:
    """Its name isn't bound to other contents; the reason names the file."""
    path = tmp_path / "data"
    encoded = codec.encode(_mapped(path), secrets=SECRETS)
    path.rename(tmp_path / "other")  # or the map would change with it
    path.write_bytes(b"")
    spoil(path)
    with pytest.raises(codec.Unreadable, match=rf"the mapped file \S+data {why}"):
        codec.decode(encoded.codec, encoded.data, secrets=SECRETS)


def test_a_map_whose_file_is_gone_is_refused_by_name(tmp_path: Path) -> None:
    """Nothing could find its contents again, and a plain array is none."""
    value = _mapped(tmp_path / "data")
    (tmp_path / "data").unlink()
    with pytest.raises(
        codec.Unstorable, match=r"the mapped file \S+data can't be read"
    ):
        codec.encode({"a": value}, secrets=SECRETS)


def test_a_map_with_changes_in_no_file_is_refused_by_name(tmp_path: Path) -> None:
    """A copy on write that was written to differs from its file."""
    value = _mapped(tmp_path / "data", "c")
    value[0] = 5
    with pytest.raises(codec.Unstorable, match="holds something else"):
        codec.encode(value, secrets=SECRETS)


def test_what_is_computed_from_a_map_is_kept_by_its_content(tmp_path: Path) -> None:
    """It has the class of a map and no file."""
    value = _mapped(tmp_path / "data").copy()
    (tmp_path / "data").unlink()
    assert _round(value).tolist() == [*range(24)]


def test_an_array_over_a_map_without_a_name_is_refused_by_name(tmp_path: Path) -> None:
    """What is written to it reaches a file that nobody knows; what is read only is kept."""
    np.arange(5.0).tofile(tmp_path / "data")
    with (tmp_path / "data").open("r+b") as file:
        written = np.frombuffer(mmap.mmap(file.fileno(), 0))
        read = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    for value in (written, written[1:], [written], written.view(Grid)):
        with pytest.raises(codec.Unstorable, match="over a memory map is tied"):
            _round(value)
    assert (_round(read) == read).all()


@pytest.mark.parametrize(
    "wrap",
    [lambda a: a, lambda a: [a], lambda a: a.view(Grid)],
    ids=["plain", "in a list", "of a class"],
)
def test_what_a_store_has_loaded_is_kept_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrap: Callable[[Any], Any]
) -> None:
    """The memory that a store asks for is nobody's map."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    store = nbdurable_store.open(tmp_path / "s")
    values: dict[str, Any] = {"a": wrap(np.random.default_rng(1).random(400_000))}
    for _ in range(2):
        taken = take(values, store.put, secrets=SECRETS)
        assert not taken.unstorable
        (kept,) = taken.groups
        data = store.get(kept.ref, stream=True)
        group = Group(names=kept.names, codec=kept.ref.codec, data=data)
        put_back([group], values, secrets=SECRETS)
    store.close()


def test_an_array_of_ctypes_is_refused_by_name() -> None:
    """Its class is made when it is asked for: it was written and could not be read."""
    with pytest.raises(codec.Unstorable, match="a ctypes array is of a class"):
        _round([(ctypes.c_double * 3)(1, 2, 3)])
