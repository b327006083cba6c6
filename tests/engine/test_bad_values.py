"""What misbehaves while it is stored or loaded costs itself, and nothing else."""

from __future__ import annotations

import itertools
import resource
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbdurable_store
from nbdurable.engine.asking.restore import restore
from nbdurable.engine.steps.snapshot import Group, Kept, put_back, take
from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import DurableError
from nbdurable_store import Record
from nbdurable_store.errors import BlobDamaged, BlobMissing
from tests.engine.notebooks import Notebook

SECRETS = Secrets({})
LARGE = np.random.default_rng(3).random(300_000)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a store of the test lies."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    return tmp_path / "s"


def _load(store: nbdurable_store.Store, kept: Kept) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    data = store.get(kept.ref, stream=True)
    group = Group(names=kept.names, codec=kept.ref.codec, data=data)
    put_back([group], namespace, secrets=SECRETS)
    return namespace


def _raise(*_: object) -> Any:
    raise ValueError("no")


class _Raises:
    def __init__(self) -> None:
        self.ballast = LARGE

    def __reduce__(self) -> Any:
        raise ValueError("no")


class _Exits(_Raises):
    def __reduce__(self) -> Any:
        raise SystemExit(3)


class _Recurses(_Raises):
    def __reduce__(self) -> Any:
        return self.__reduce__()


class _Nests(_Raises):
    def __reduce__(self) -> Any:
        return list, ([_Nests()],)


class _Nonsense(_Raises):
    def __reduce__(self) -> Any:
        return 5


class _HalfNonsense(_Raises):
    def __reduce__(self) -> Any:
        return (1, 2, 3)


class _Interrupted(_Raises):
    def __reduce__(self) -> Any:
        raise KeyboardInterrupt


class _Asks(_Raises):
    def __getattr__(self, name: str) -> Any:
        return getattr(self, name + "_")


class _Lies(_Raises):
    def __getattr__(self, name: str) -> Any:
        return 7


class _Unequal:
    def __eq__(self, other: object) -> bool:
        raise ValueError("never compare me")

    def __hash__(self) -> int:
        raise ValueError("never hash me")

    def __bool__(self) -> bool:
        raise ValueError("never ask me")

    def __repr__(self) -> str:
        raise ValueError("never show me")

    def __len__(self) -> int:
        raise ValueError("never count me")


class _Endless:
    """Takes itself apart for ever, until somebody interrupts."""

    def __reduce__(self) -> Any:
        def items() -> Iterator[int]:
            for number in itertools.count():
                if number == 100_000:
                    raise KeyboardInterrupt
                yield number

        return list, (), None, items()


class _RaisesLater:
    """Is stored, and raises when it is loaded."""

    def __init__(self) -> None:
        self.ballast = LARGE

    def __reduce__(self) -> Any:
        return _raise, (self.ballast,)


class _Loops:
    def __setstate__(self, state: Any) -> None:
        self.__setstate__(state)


REFUSED = [_Raises, _Exits, _Recurses, _Nests, _Nonsense, _HalfNonsense, _Interrupted]


@pytest.mark.parametrize("kind", [*REFUSED, _Endless], ids=lambda kind: kind.__name__)
def test_what_cannot_be_taken_apart_costs_itself(root: Path, kind: type) -> None:
    """A value that raises, recurses or never ends is named; the others are kept."""
    store = nbdurable_store.open(root)
    values = {"first": LARGE.copy(), "bad": [kind()], "last": {"n": [1]}}
    taken = take(values, store.put, secrets=SECRETS)
    assert list(taken.unstorable) == ["bad"]
    assert taken.unstorable["bad"]
    assert [kept.names for kept in taken.groups] == [("first",), ("last",)]
    assert not list((root / "tmp").iterdir())
    assert _load(store, taken.groups[1]) == {"last": {"n": [1]}}
    store.close()


@pytest.mark.parametrize("kind", [_Asks, _Lies, _Unequal], ids=lambda k: k.__name__)
def test_what_answers_strangely_is_kept_or_named(root: Path, kind: type) -> None:
    """An object that answers nonsense comes back, or is named, alone."""
    store = nbdurable_store.open(root)
    values = {"odd": kind(), "last": 1}
    taken = take(values, store.put, secrets=SECRETS)
    back = [name for kept in taken.groups for name in _load(store, kept)]
    assert sorted([*back, *taken.unstorable]) == ["last", "odd"]
    assert "last" in back
    store.close()


@pytest.mark.parametrize("kind", [_RaisesLater, _Loops], ids=lambda k: k.__name__)
def test_what_raises_on_load_is_named(root: Path, kind: type) -> None:
    """A pickle that raises is an error of ours that says what it raised."""
    store = nbdurable_store.open(root)
    value = kind()
    value.x = 1
    taken = take({"bad": value, "good": 2}, store.put, secrets=SECRETS)
    bad, good = taken.groups
    with pytest.raises(DurableError, match=r"ValueError: no|RecursionError"):
        _load(store, bad)
    assert _load(store, good) == {"good": 2}
    assert store.check().findings == ()
    store.close()


def test_a_module_that_is_gone_or_has_changed_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the module, or what the class says; nothing runs in its place."""
    module = types.ModuleType("shop")
    exec("class Order:\n    def __init__(self): self.rows = [1]", module.__dict__)
    monkeypatch.setitem(sys.modules, "shop", module)
    store = nbdurable_store.open(root)
    (kept,) = take({"o": module.Order()}, store.put, secrets=SECRETS).groups
    exec("class Order:\n    __slots__ = ('columns',)", module.__dict__)
    with pytest.raises(DurableError, match="Order"):
        _load(store, kept)
    del module.Order
    with pytest.raises(DurableError, match="Order"):
        _load(store, kept)
    monkeypatch.delitem(sys.modules, "shop")
    with pytest.raises(DurableError, match="shop"):
        _load(store, kept)
    store.close()


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "gone"])
def test_a_damaged_file_costs_what_stands_in_it(root: Path, harm: str) -> None:
    """One value can't be loaded and is named; the others are."""
    store = nbdurable_store.open(root)
    values = {"a": LARGE, "b": LARGE[::-1].copy(), "c": [{"x": LARGE[:99_000] + 1}]}
    taken = take(values, store.put, secrets=SECRETS)
    records = [
        Record(kind="k", run="r", subject=k.names[0], at_us=1, blobs=(k.ref,))
        for k in taken.groups
    ]
    store.append(records, sync=True)
    store.close()
    store = nbdurable_store.open(root)
    path = root / "blobs" / taken.groups[1].ref.id.hex()
    whole = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        bad = {
            "flip": bytes([whole[70_000] ^ 1]) + whole[70_001:],
            "cut": b"",
            "empty": b"",
        }
        path.write_bytes(b"" if harm == "empty" else whole[:70_000] + bad[harm])
    with pytest.raises((BlobDamaged, BlobMissing)):
        _load(store, taken.groups[1])
    assert (_load(store, taken.groups[0])["a"] == LARGE).all()
    assert (_load(store, taken.groups[2])["c"][0]["x"] == LARGE[:99_000] + 1).all()
    (finding,) = store.check().findings
    assert finding.loses == ("b",)
    again = take(values, store.put, secrets=SECRETS)
    assert (_load(store, again.groups[1])["b"] == LARGE[::-1]).all()
    store.close()


BAD = """
class Bad:
    def __reduce__(self):
        raise ValueError("no")
@tool(effect='read')
def read(x): return world(f'read {x}')
"""


def test_a_misbehaving_variable_never_costs_the_step() -> None:
    """The step is completed, its call is not paid again, and the rest is restored."""
    nb = Notebook()
    nb.plain(BAD)
    told = nb.run("bad = Bad()\ngood = [read(1)]", "s", "c1")
    assert "bad" in told
    restored = restore(nb.session, namespace := dict[str, object]())
    assert list(restored.not_back) == ["bad"]
    assert namespace["good"] == ["read 1#1"]
    nb.restart()
    nb.plain(BAD)
    nb.run("bad = Bad()\ngood = [read(1)]", "s", "c1")
    assert nb.world.effects == ["read 1"]


@pytest.fixture
def narrow() -> Iterator[None]:
    """A disk that takes files of 20 MB at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


BIG = """
import random
small = {"paid": read(1)}
big = bytearray(random.Random(1).randbytes(30_000_000))
last = [1]
"""


@pytest.mark.slow
def test_a_value_bigger_than_the_disk_costs_itself(root: Path, narrow: None) -> None:
    """Half a value is removed, its name is told, and everything else is kept."""
    store = nbdurable_store.open(root)
    nb = Notebook(store=store)
    nb.plain(BAD)
    told = nb.run(BIG, "s", "c1")
    assert "big" in told
    assert "full" in told
    assert list((root / "tmp").iterdir()) == []
    assert sum(p.stat().st_size for p in root.rglob("*") if p.is_file()) < 1_000_000
    restored = restore(nb.session, namespace := dict[str, object]())
    assert list(restored.not_back) == ["big"]
    assert (namespace["small"], namespace["last"]) == ({"paid": "read 1#1"}, [1])
    nb.run("more = list(range(30_000))", "t", "c2")
    assert store.check().findings == ()
    store.close()
