"""Whatever hangs together in a notebook comes back with its digest, types and aliases.

Values are drawn as graphs: classes of the notebook, containers, arrays and frames that
hold one another, any of them more than once.
"""

from __future__ import annotations

import collections
import datetime as dt
import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from nbdurable.engine import codec
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.steps.snapshot import Group, put_back, take
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.backends.memory import MemoryStore
from tests.engine.test_codec import ATOMS, TREES

SECRETS = Secrets({})

# NumPy's own fill value of a masked array of halves doesn't fit into them.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast")

CELL = """
import dataclasses, enum, typing

@dataclasses.dataclass
class Hit:
    score: object
    rest: object = None

@dataclasses.dataclass(frozen=True, slots=True)
class Fixed:
    score: object
    rest: object = None

class Agent:
    def __init__(self, *parts):
        self.parts, self.last = list(parts), parts[-1]

class Slotted:
    __slots__ = ("a", "b")
    def __init__(self, *parts):
        self.a, self.b = parts[0], parts[-1]

class Stack(list):
    def __init__(self, *parts):
        super().__init__(parts)
        self.top = parts[-1]

class Row(typing.NamedTuple):
    a: object
    b: object = 3

class Colour(enum.Enum):
    RED = 1
    BLUE = "b"
"""
NOTEBOOK: dict[str, Any] = {"__name__": "__main__"}
exec(CELL, NOTEBOOK)
CLASSES = {
    name: NOTEBOOK[name]
    for name in ("Hit", "Fixed", "Agent", "Slotted", "Stack", "Row", "Colour")
}


@pytest.fixture(autouse=True, scope="module")
def _in_the_notebook() -> Iterator[None]:
    """The classes are the notebook's own while these tests run."""
    main = vars(sys.modules["__main__"])
    main.update(CLASSES)
    yield
    for name in CLASSES:
        del main[name]


# --- what is drawn -------------------------------------------------------------------


def _masked(array: Any) -> Any:
    """Every second element masked; numpy's fill value of 1e20 is infinite as a half."""
    with np.errstate(over="ignore"):
        return np.ma.array(
            array.astype(array.dtype.newbyteorder("=")),
            mask=np.arange(array.size).reshape(array.shape) % 2,
        )


LAYOUTS: tuple[Callable[[Any], Any], ...] = (
    lambda array: array,
    lambda array: array.T,
    lambda array: array[..., ::-1] if array.ndim else array,
    np.asfortranarray,
    _masked,
    lambda array: np.array([array, None], dtype=object)[:1],
)
ARRAYS = st.builds(
    lambda array, layout: layout(array),
    of_numpy.arrays(
        of_numpy.scalar_dtypes() | of_numpy.array_dtypes(max_size=3),
        of_numpy.array_shapes(min_dims=0, min_side=0, max_side=3, max_dims=3),
    ),
    st.sampled_from(LAYOUTS),
)

COLUMNS: tuple[tuple[st.SearchStrategy[Any], str | None], ...] = (
    (st.integers(-(2**40), 2**40), None),
    (st.floats(), None),
    (st.booleans(), None),
    (st.text(max_size=3), None),
    (st.text(max_size=3) | st.none(), "object"),
    (ATOMS, "object"),
    (st.sampled_from("abc"), "category"),
    (st.integers(0, 9) | st.none(), "Int64"),
    (st.text(max_size=3) | st.none(), "string"),
    (st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), "datetime64[ns]"),
)
INDEXES: tuple[Callable[[int], Any], ...] = (
    pd.RangeIndex,
    lambda rows: pd.Index([f"r{n}" for n in range(rows)], name="row"),
    lambda rows: pd.date_range("2026-01-01", periods=rows, freq="D"),
    lambda rows: pd.Index(range(rows, 0, -1)),
    lambda rows: pd.MultiIndex.from_product([range(rows), ["x"]], names=["n", None]),
)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """A frame of any columns, with any labels."""
    rows = draw(st.integers(0, 4))
    index = draw(st.sampled_from(INDEXES))(rows)
    made = {}
    for nth, (items, dtype) in enumerate(draw(st.lists(st.sampled_from(COLUMNS)))):
        column = draw(st.lists(items, min_size=rows, max_size=rows))
        made[nth] = pd.Series(column, index=index, dtype=dtype)
    frame = pd.DataFrame(made, index=index)
    frame.columns = draw(
        st.permutations([f"c{n}" for n in range(len(made))]) | st.just(frame.columns)
    )
    if draw(st.booleans()):
        frame.source = "survey"  # type: ignore[attr-defined]
    return frame


def _objects(*parts: Any) -> Any:
    made = np.empty(len(parts), object)
    for place, part in enumerate(parts):
        made[place] = part
    return made


MAKERS: tuple[Callable[..., Any], ...] = (
    lambda *parts: list(parts),
    lambda *parts: parts,
    lambda *parts: dict(enumerate(parts)),
    lambda *parts: collections.OrderedDict((str(n), p) for n, p in enumerate(parts)),
    lambda *parts: collections.deque(parts, maxlen=9),
    lambda *parts: types.SimpleNamespace(first=parts[0], rest=parts[1:]),
    lambda *parts: functools.partial(print, *parts),
    _objects,
    lambda *parts: CLASSES["Hit"](*parts[:2]),
    lambda *parts: CLASSES["Fixed"](*parts[:2]),
    lambda *parts: CLASSES["Row"](*parts[:2]),
    *(CLASSES[name] for name in ("Agent", "Slotted", "Stack")),
)
LEAVES = ATOMS | TREES | ARRAYS | frames() | st.sampled_from(list(CLASSES["Colour"]))


@st.composite
def graphs(draw: st.DrawFn) -> list[Any]:
    """Values each of which is made of earlier ones."""
    nodes = draw(st.lists(LEAVES, min_size=1, max_size=4))
    for make in draw(st.lists(st.sampled_from(MAKERS), min_size=1, max_size=8)):
        places = st.integers(0, len(nodes) - 1)
        parts = draw(st.lists(places, min_size=1, max_size=3))
        nodes.append(make(*(nodes[place] for place in parts)))
    return nodes


# --- how it is compared --------------------------------------------------------------


def _attributes(value: Any) -> list[Any]:
    return list(vars(value).values())


def _slots(value: Any) -> list[Any]:
    return [getattr(value, name) for name in value.__slots__]


def _elements(value: Any) -> list[Any]:
    return value.tolist() if value.dtype == object and value.ndim == 1 else []


INSIDE: dict[Any, Callable[[Any], list[Any]]] = {
    **dict.fromkeys((CLASSES["Fixed"], CLASSES["Slotted"]), _slots),
    **dict.fromkeys((CLASSES["Hit"], CLASSES["Agent"]), _attributes),
    CLASSES["Stack"]: lambda value: [*value, *_attributes(value)],
    types.SimpleNamespace: _attributes,
    functools.partial: lambda value: list(value.args),
    np.ndarray: _elements,
    dict: lambda value: list(value.values()),
    (list, tuple, collections.deque): list,
}


def _children(value: Any) -> list[Any]:
    inside = (look for kinds, look in INSIDE.items() if isinstance(value, kinds))
    return next(inside, lambda _: [])(value)


CHANGEABLE = (
    *(list, dict, set, bytearray, collections.deque, types.SimpleNamespace),
    *(np.ndarray, pd.DataFrame),
    *(CLASSES[name] for name in ("Hit", "Agent", "Slotted")),
)
"""Of these it matters whether two are one object."""


def hang_together_alike(one: Any, other: Any) -> bool:
    """Whether what is one object on one side is one object on the other side."""
    pairs, seen = [(one, other)], set()
    there: dict[int, int] = {}
    here: dict[int, int] = {}
    while pairs:
        a, b = pairs.pop()
        if (id(a), id(b)) in seen:
            continue
        seen.add((id(a), id(b)))
        inner, others = _children(a), _children(b)
        if type(a) is not type(b) or len(inner) != len(others):
            return False
        if isinstance(a, CHANGEABLE):
            same = there.setdefault(id(a), id(b)) == id(b)
            if not same or here.setdefault(id(b), id(a)) != id(a):
                return False
        pairs += zip(inner, others, strict=True)
    return True


def _round(value: object) -> Any:
    encoded = codec.encode(value, secrets=SECRETS)
    return codec.decode(encoded.codec, encoded.data, secrets=SECRETS)


@pytest.mark.slow
@given(graphs())
@settings(max_examples=200, deadline=None)
def test_any_graph_round_trips(nodes: list[Any]) -> None:
    """One value keeps its digest, its types, and what in it is one object."""
    back = _round(nodes)
    assert digest(back) == digest(nodes)
    assert hang_together_alike(nodes, back)


@pytest.mark.slow
@given(graphs())
@settings(max_examples=100, deadline=None)
def test_variables_that_hang_together_round_trip(nodes: list[Any]) -> None:
    """The same for the variables of a step, each with a name of its own."""
    names = {f"v{nth}": node for nth, node in enumerate(nodes)}
    store = MemoryStore()
    taken = take(names, store.put, secrets=SECRETS)
    assert not taken.unstorable
    groups = [
        Group(names=g.names, codec=g.ref.codec, data=store.get(g.ref, stream=True))
        for g in taken.groups
    ]
    back: dict[str, Any] = {}
    put_back(groups, back, secrets=SECRETS)
    assert digest([back[name] for name in names]) == digest(nodes)
    assert hang_together_alike(nodes, [back[name] for name in names])


@pytest.mark.slow
@given(graphs(), st.data())
@settings(max_examples=100, deadline=None)
def test_any_ring_round_trips_or_is_refused_by_name(
    nodes: list[Any], data: st.DataObject
) -> None:
    """What holds itself comes back as it was, or is refused: it is never another."""
    growing = [node for node in nodes if isinstance(node, list | collections.deque)]
    nodes.append([])
    for node in (*growing, nodes[-1]):
        node.append(nodes[data.draw(st.integers(0, len(nodes) - 1))])
    try:
        back = _round(nodes)
    except codec.Unstorable:
        with pytest.raises(codec.Unstorable, match="nested too deeply"):
            _round(nodes)
        return
    assert digest(back) == digest(nodes)
    assert hang_together_alike(nodes, back)
