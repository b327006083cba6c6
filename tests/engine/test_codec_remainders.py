"""What an object's own reduce leaves out is kept all the same."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import fractions
import pathlib
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest

from nbdurable.engine import codec
from nbdurable.engine.codec.connected import connected
from nbdurable.engine.codec.parts import Gathered
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.steps.snapshot import Group, put_back, take
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.backends.memory import MemoryStore
from tests.conftest import TORCH_IS_HERE

SECRETS = Secrets({})


def _round(value: object) -> Any:
    encoded = codec.encode(value, secrets=SECRETS)
    return codec.decode(encoded.codec, encoded.data, secrets=SECRETS)


class Grid(np.ndarray):
    """An array with attributes."""


class Day(dt.date):
    """A date with attributes."""


class Moment(dt.datetime):
    """A moment with attributes."""


class Price(decimal.Decimal):
    """A decimal with attributes."""


class Share(fractions.Fraction):
    """A fraction with attributes."""


class Place(pathlib.PurePosixPath):
    """A path with attributes."""


class Dice(random.Random):
    """A random generator with attributes."""


class Queue(collections.deque[int]):
    """A deque with attributes, which says them itself."""


MADE: dict[str, Any] = {
    "array": lambda: Grid.__new__(Grid, (0,)),
    "date": lambda: Day(2026, 1, 2),
    "moment": lambda: Moment(2026, 1, 2, 3, tzinfo=dt.UTC),
    "decimal": lambda: Price("1.20"),
    "fraction": lambda: Share(1, 3),
    "path": lambda: Place("/a/b"),
    "deque": lambda: Queue([1], maxlen=2),
    "masked": lambda: np.ma.array([1, 2], mask=[0, 1]),
}


@pytest.mark.parametrize("name", MADE)
def test_attributes_of_a_subclass_are_kept(name: str) -> None:
    """Attributes are back beside the value, aliases and the object itself among them."""
    value = MADE[name]()
    value.tag, value.me = [1], value
    back, tag = _round([value, value.tag])
    assert type(back) is type(value)
    assert repr(back) == repr(value)
    assert back.tag is tag
    assert back.me is back


class Tags(set[str]):
    """Elements, made of something else."""

    def __init__(self, owner: str) -> None:
        super().__init__()
        self.owner = owner


class Sheets(collections.defaultdict[str, list[int]]):
    """A dict that chooses its own factory."""

    def __init__(self, book: str) -> None:
        super().__init__(list)
        self.book = book


class Window(collections.deque[int]):
    """The last few, made of a number."""

    def __init__(self, size: int) -> None:
        super().__init__(maxlen=size)


class Birthday(dt.date):
    """A date that is made of a text."""

    def __new__(cls, text: str) -> Self:
        """Read ``day.month.year``."""
        day, month, year = map(int, text.split("."))
        return super().__new__(cls, year, month, day)


@pytest.mark.parametrize(
    ("make", "content"),
    [
        (lambda: Tags("ann"), {"a"}),
        (lambda: Sheets("ann"), {"b": [1]}),
        (lambda: Window(2), [3]),
        (lambda: Birthday("3.2.2001"), ()),
    ],
    ids=["set", "defaultdict", "deque", "date"],
)
def test_a_subclass_that_is_made_of_something_else_is_kept(
    make: Callable[[], Any], content: Any
) -> None:
    """Its own ``__init__`` isn't handed the content that its base says."""
    value = make()
    if content:
        getattr(value, "extend", getattr(value, "update", None))(content)
    back = _round(value)
    assert (type(back), back) == (type(value), value)
    assert vars(back) == vars(value)
    for name in ("default_factory", "maxlen"):
        assert getattr(back, name, None) == getattr(value, name, None)


def test_a_view_of_a_subclass_stays_one_of_it() -> None:
    """A part of an array comes back with the class it had."""
    grid = Grid.__new__(Grid, (3,))
    grid[:] = 1
    assert [type(part) for part in _round([grid, grid[1:]])] == [Grid, Grid]


def test_a_name_that_meets_an_attribute_of_an_array_is_kept_with_it() -> None:
    """What an array's attribute and a variable hold is one object again."""
    grid = Grid.__new__(Grid, (1,))
    grid.units = {"x": "m"}  # type: ignore[attr-defined]
    groups = connected({"grid": grid, "units": grid.units})  # type: ignore[attr-defined]
    assert [group.names for group in groups] == [("grid", "units")]


@pytest.mark.parametrize("text", ["b", 2])
def test_a_note_on_a_frame_is_kept(text: object) -> None:
    """``df.source = …`` is back, also where Arrow would keep the frame."""
    frame = pd.DataFrame({"a": [1], "b": [text]})
    frame.source = "survey"  # type: ignore[attr-defined]
    back = _round(frame)
    assert back.source == "survey"
    assert back.equals(frame)


def test_a_note_on_a_large_frame_is_kept() -> None:
    """The same where a frame goes to the store piece by piece."""
    frame = pd.DataFrame({"b": [f"text {n}" for n in range(10_000)]})
    frame.source = "survey"  # type: ignore[attr-defined]
    kept: list[tuple[str, bytes]] = []

    def put(name: str, data: Any) -> None:
        sink = Gathered()
        data(sink)
        kept.append((name, sink.joined()))

    codec.keep(frame, put, secrets=SECRETS)
    back: Any = codec.decode(*kept[0], secrets=SECRETS)
    assert back.source == "survey"


def test_the_row_of_a_masked_table_keeps_its_mask() -> None:
    """A row comes back with its masked fields, its values and a hard mask."""
    table = np.ma.array(
        [(1, 2.0), (3, 4.0)],
        dtype=[("a", int), ("b", float)],
        mask=[(0, 1), (1, 0)],
        hard_mask=True,
    )
    back = _round(table[0])
    assert type(back) is type(table[0])
    assert (back.mask.tolist(), back["a"]) == ((False, True), 1)
    assert back.hardmask
    assert digest(back) == digest(table[0])


@pytest.mark.parametrize("dtype", [">M8[s]", ">m8[D]"])
def test_moments_in_the_other_byte_order_keep_it(dtype: str) -> None:
    """Beside other values, too; where numpy can't say it they are refused."""
    moments = np.array([1, 2, 3], dtype)
    back, part = _round([moments, moments[::-2]])
    assert (back.dtype.str, part.dtype.str) == (dtype, dtype)
    assert digest([back, part]) == digest([moments, moments[::-2]])
    tagged = moments.view(Grid)
    tagged.tag = 1  # type: ignore[attr-defined]
    for refused in (np.ma.array(moments), tagged):
        with pytest.raises(codec.Unstorable, match="byte order"):
            _round(refused)


def test_a_hard_mask_stays_hard() -> None:
    """A masked element can't be written to after a load, if it couldn't before."""
    for hard in (True, False):
        back = _round(np.ma.array([1, 2], mask=[0, 1], hard_mask=hard))
        back[1] = 7
        assert back.mask.tolist() == [False, hard]


def test_functions_of_random_are_the_functions_of_random() -> None:
    """What `random` and `numpy.random` hand out is stored by name, not as a copy."""
    draws = [random.choice, random.random, np.random.rand, np.random.mtrand._rand]
    assert all(map(lambda a, b: a is b, _round(draws), draws))
    assert _round(random._inst.choice).__self__ is random._inst  # type: ignore[attr-defined]


def test_what_is_found_by_name_stays_so() -> None:
    """A function of numpy has attributes, and says only its name."""
    assert _round([np.ones_like])[0] is np.ones_like


def test_attributes_of_a_random_generator_are_kept() -> None:
    """Beside its state, which it goes on from."""
    dice = Dice(7)
    dice.sides = 6  # type: ignore[attr-defined]
    back = _round(dice)
    assert (type(back), back.sides, back.random()) == (Dice, 6, dice.random())


def test_a_generator_of_ones_own_is_a_copy() -> None:
    """A method of it draws what the copy in the same value draws."""
    own = random.Random(5)
    back, choice = _round([own, own.choice])
    assert choice.__self__ is back
    assert back.random() == random.Random(5).random()


if TORCH_IS_HERE:

    def test_a_tensor_keeps_its_gradient() -> None:
        """Also as a parameter of a module, and one that two names hold."""
        import torch

        layer = torch.nn.Linear(2, 1)
        layer(torch.ones(2)).sum().backward()
        back, gradient = _round([layer, layer.weight.grad])
        assert back.weight.grad is gradient
        assert digest(back) == digest(layer)

    def test_tensors_over_one_memory_are_so_again() -> None:
        """Also as variables of a step, and a parameter that a list holds by its data."""
        import torch

        whole, layer = torch.zeros(4), torch.nn.Linear(2, 1)
        values = {"a": whole, "b": whole[1:], "c": layer, "d": [layer.weight.data]}
        store, back = MemoryStore(), dict[str, Any]()
        for kept in take(values, store.put, secrets=SECRETS).groups:
            data = store.get(kept.ref, stream=True)
            group = Group(names=kept.names, codec=kept.ref.codec, data=data)
            put_back([group], back, secrets=SECRETS)
        back["b"][0], back["d"][0][0, 0] = 5, 7
        assert back["a"][1] == 5
        assert back["c"].weight.data[0, 0] == 7


class Delta(pd.Timedelta):
    """A span of a class of its own."""


def test_moments_of_pandas() -> None:
    """Attributes of a moment are kept; a class that pandas would forget is refused."""
    moment = pd.Timestamp("2026-01-01", tz="UTC")
    moment.source = "log"
    back = _round(moment)
    assert (back, back.source) == (moment, "log")
    with pytest.raises(codec.Unstorable, match="Delta comes back as"):
        _round(Delta("1s"))


TYPE_VARIABLES = """
import pickle, sys, typing
from nbdurable.engine import codec
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.values.redact import Secrets
secrets = Secrets({})
if sys.argv[1] == "encode":
    made = [typing.TypeVar("A"), typing.TypeVar("B", bound=int)]
    made += [typing.ParamSpec("P"), typing.TypeVarTuple("T")]
    encoded = [codec.encode(v, secrets=secrets) for v in made]
    told = [(*e, digest(v)) for e, v in zip(encoded, made)]
    sys.stdout.buffer.write(pickle.dumps(told))
else:
    for layer, data, before in pickle.load(sys.stdin.buffer):
        value = codec.decode(layer, data, secrets=secrets)
        assert digest(value) == before, value
"""


def test_type_variables_of_the_notebook() -> None:
    """They are the same in another process: their digest doesn't change."""
    command = [sys.executable, "-c", TYPE_VARIABLES]
    made = subprocess.run([*command, "encode"], check=True, capture_output=True)
    subprocess.run([*command, "decode"], check=True, input=made.stdout)
