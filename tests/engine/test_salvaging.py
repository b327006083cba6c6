"""Names that share an object, one of which can't be loaded: the others are back."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import nbdurable_store
from nbdurable.engine.asking.restore import Restored, restore
from nbdurable.engine.codec import pickles, unpickles
from nbdurable.engine.codec.salvage import salvage
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.steps.salvaging import salvaged
from nbdurable.engine.steps.snapshot import take
from nbdurable.engine.values.redact import Secrets
from nbdurable_store import Record
from nbdurable_store.backends.memory import MemoryStore
from tests.engine.notebooks import Notebook
from tests.engine.test_codec_any import CLASSES, graphs

SECRETS = Secrets({})

SHOP = """
class Order:
    def __init__(self, rows): self.rows = rows
class Basket(list):
    pass
def receipt(rows): return [len(rows)]
"""
COUNTS = """
class Counts:
    def __init__(self, held): self.held, self.n = held, len(held)
    def __getstate__(self): return {'held': self.held}
    def __setstate__(self, state): self.n = len(state['held'])
"""
RAISES = """
class Raises:
    def __init__(self, rows): self.rows = rows
    def __setstate__(self, state): raise OSError('no')
"""


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A module of the user's; what is given makes it go away."""
    module = types.ModuleType("shop")
    exec(SHOP, module.__dict__)
    for name in ("Order", "Basket"):
        getattr(module, name).__module__ = "shop"
    monkeypatch.setitem(sys.modules, "shop", module)
    return lambda: monkeypatch.delitem(sys.modules, "shop")


STORIES = {
    "an object of a module that is gone": (
        "order = shop.Order(rows)",
        {"order": "No module named 'shop'"},
    ),
    "what holds it": (
        "order = shop.Order(rows); box = {'o': [order]}; pair = (1, order)",
        {"order": "'shop'", "box": "'shop'", "pair": "'shop'"},
    ),
    "what is filled with it": (
        COUNTS + "c = Counts([rows, shop.Order(rows)])",
        {"c": "'shop'"},
    ),
    "a list of such a class": (
        "basket = shop.Basket([rows])",
        {"basket": "'shop'"},
    ),
    "an object that raises": (
        RAISES + "bad = Raises(rows); box = [bad]",
        {"bad": "OSError: no", "box": "OSError: no"},
    ),
    "a function that holds it": (
        "inner = (lambda o: lambda: o)([rows, shop.Order(rows)])",
        {"inner": "'shop'"},
    ),
    "a key of a dict": (
        "seen = {shop.Order(rows): rows}",
        {"seen": "'shop'"},
    ),
    "an array of objects": (
        "import numpy\nfew = numpy.array([rows, shop.Order(rows)], object); del numpy",
        {"few": "'shop'"},
    ),
}


@pytest.mark.parametrize(("cell", "lost"), STORIES.values(), ids=STORIES)
def test_the_others_are_back(
    shop: Callable[[], None], cell: str, lost: dict[str, str]
) -> None:
    """Whatever reaches what is spoilt is named with the reason; nothing else is."""
    nb = Notebook()
    nb.plain("import shop")
    nb.run(f"rows = [1]; kept = {{'rows': rows}}\n{cell}", "s", "c1")
    nb.restart()
    shop()
    done = _restored(nb)
    assert done.reasons.keys() - {"shop", "numpy"} == lost.keys()
    assert all(why in done.reasons[name] for name, why in lost.items())
    assert {n: c for n, c in done.not_back.items() if n in lost} == dict.fromkeys(
        lost, "run the cell s"
    )
    assert eval("kept['rows'] is rows and rows == [1]", nb.namespace)
    assert not lost.keys() & nb.namespace.keys()


def _restored(nb: Notebook) -> Restored:
    nb.session.attend(nb.facts, "%durable restore")
    return restore(nb.session, nb.namespace)


def test_a_changed_input_is_back(shop: Callable[[], None]) -> None:
    """What a step changed in place is written otherwise; that is salvaged, too."""
    nb = Notebook()
    nb.plain("import shop")
    nb.run("rows = [1]; order = shop.Order([])", "s", "c1")
    nb.run("rows.append(2); order.rows.append(rows); kept = [rows]", "t", "c2")
    nb.restart()
    shop()
    done = _restored(nb)
    assert "'shop'" in done.reasons["order"]
    assert eval("kept[0] is rows and rows == [1, 2]", nb.namespace)


def test_a_damaged_array_costs_what_is_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of arrays that hang together by a list, the damaged one alone is lost."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    root = tmp_path / "s"
    drawn = np.random.default_rng(3)
    arrays = [drawn.random(300_000) for _ in range(3)]
    shared = [1]
    values: dict[str, Any] = {f"a{n}": [shared, a] for n, a in enumerate(arrays)}
    store = nbdurable_store.open(root)
    (kept,) = take(values, store.put, secrets=SECRETS).groups
    record = Record(kind="k", run="r", subject="s", at_us=1, blobs=(kept.ref,))
    store.append([record], sync=True)
    store.close()
    (path,) = [p for p in (root / "blobs").iterdir() if p.stat().st_size > 1_000_000]
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    store = nbdurable_store.open(root)
    made, lost = salvaged(kept.names, store.get(kept.ref, stream=True), SECRETS)
    assert list(lost) == ["a1"]
    assert "damaged" in lost["a1"]
    assert made["a0"][0] is made["a2"][0]  # type: ignore[index]
    assert (made["a0"][1] == arrays[0]).all()  # type: ignore[index]
    assert (made["a2"][1] == arrays[2]).all()  # type: ignore[index]
    store.close()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(graphs())
def test_what_is_whole_is_salvaged_whole(nodes: list[Any]) -> None:
    """Where nothing is spoilt, it is what the C unpickler makes."""
    main = vars(sys.modules["__main__"])
    main.update(CLASSES)
    try:
        data = pickles.encode(nodes, SECRETS)
        value, spoilt = salvage(data, SECRETS)
        assert spoilt == {}
        assert digest(value) == digest(unpickles.decode(data, SECRETS))
    finally:
        for name in CLASSES:
            del main[name]


def test_a_class_that_is_spoilt_spoils_all() -> None:
    """Nobody looks for a class in values, so none that shares with them is said whole."""
    nb = Notebook(store=MemoryStore())
    odd = RAISES + "class Odd:\n    held = Raises([1])\n"
    nb.run(odd + "box = [1]; it = [box, Odd]; other = 2", "s", "c1")
    nb.restart()
    done = _restored(nb)
    assert done.reasons.keys() >= {"Odd", "box", "it"}
    assert eval("other", nb.namespace) == 2
