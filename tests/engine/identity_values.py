"""Values that are equal in meaning, or differ in it: shared by tests and processes."""

# ruff: noqa: DTZ001  # naive times are among the values

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import io
import itertools
import pathlib
import re
import types
import uuid
import zoneinfo
from collections.abc import Callable

import numpy as np
import pandas as pd


class Colour(enum.Enum):
    """An enum."""

    RED = 1
    BLUE = 2


class Access(enum.Flag):
    """A flag."""

    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: object = None


@dataclasses.dataclass(frozen=True, slots=True)
class Fixed:
    """A frozen dataclass with slots."""

    x: int
    y: str = "y"


Pair = collections.namedtuple("Pair", "left right")  # noqa: PYI024  # the untyped one is what is tested


class Plain:
    """An instance with a dict."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


class Slotted:
    """An instance with slots."""

    __slots__ = ("a", "b")

    def __init__(self, a: object, b: object) -> None:
        self.a, self.b = a, b


class Lazy:
    """An instance that remembers what it computed."""

    def __init__(self, n: int) -> None:
        self.n = n

    @functools.cached_property
    def square(self) -> int:
        """Computed on first touch."""
        return self.n**2


class Words(list):  # type: ignore[type-arg]  # a subclass of the bare type
    """A list with a name."""


def touched(lazy: Lazy) -> Lazy:
    """The same object after its cache was filled."""
    assert lazy.square == lazy.n**2
    return lazy


def looped(name: str) -> list[object]:
    """A list that holds itself."""
    loop: list[object] = [name]
    loop.append(loop)
    return loop


def linked(length: int) -> Plain:
    """A doubly linked list of objects."""
    nodes = [Plain(n=n) for n in range(length)]
    for before, after in itertools.pairwise(nodes):
        before.after, after.before = after, before
    return nodes[0]


def nested(depth: int, value: object = 0) -> object:
    """A list in a list in a list."""
    for _ in range(depth):
        value = [value]
    return value


def padded(garbage: int) -> np.ndarray:
    """A structured array whose padding holds garbage."""
    dtype = np.dtype({"names": ["a", "b"], "formats": ["i1", "i8"], "offsets": [0, 8]})
    raw = np.full(32, garbage, np.uint8).view(dtype)
    raw["a"], raw["b"] = 1, 2
    return raw


def hidden(garbage: int) -> np.ma.MaskedArray:
    """A masked array with something under the mask."""
    return np.ma.MaskedArray([1, garbage, 3], mask=[False, True, False])


def frame() -> pd.DataFrame:
    """A frame with a bit of everything."""
    return pd.DataFrame(
        {
            "i": [1, 2, 3],
            "f": [1.5, np.nan, -0.0],
            "s": ["a", None, "c"],
            "o": pd.Series([(1, 2), None, "x"], dtype=object),
            "c": pd.Categorical(["a", "b", "a"]),
            "t": pd.to_datetime(["2026-01-01", None, "2026-01-03"], utc=True),
            "n": pd.array([1, None, 3], dtype="Int64"),
            "d": pd.to_timedelta([1, 2, 3], unit="s"),
            "b": [True, False, True],
        }
    )


def nullable(garbage: int) -> pd.Series:
    """Nullable integers with something under the mask."""
    data = np.array([1, garbage, 3])
    mask = np.array([False, True, False])
    return pd.Series(pd.arrays.IntegerArray(data, mask))


def fragmented() -> pd.DataFrame:
    """The frame, built column by column."""
    source = frame()
    built = pd.DataFrame(index=source.index)
    for name in source.columns:
        built[name] = source[name]
    return built


Make = Callable[[], object]

EQUAL: dict[str, tuple[Make, ...]] = {
    "int": (lambda: 10**20, lambda: int("1" + "0" * 20)),
    "str": (lambda: "hello world", lambda: "".join(reversed("dlrow olleh"))),
    "interned": (lambda: ["ab", "ab"], lambda: ["ab", "".join("ab")]),
    "shared": (lambda: [[1]] * 2, lambda: [[1], [1]]),
    "nan": (lambda: float("nan"), lambda: float("nan")),
    "set": (lambda: set("abcdef"), lambda: set("fedcba")),
    "mixed set": (lambda: {1, "a", (2, b"c")}, lambda: {(2, b"c"), "a", 1}),
    "frozenset": (lambda: frozenset("xyz"), lambda: frozenset("zyx")),
    "set of sets": (
        lambda: {frozenset("ab"), frozenset("cd")},
        lambda: {frozenset("dc"), frozenset("ba")},
    ),
    "instance": (lambda: Plain(a=1, b=[2]), lambda: Plain(b=[2], a=1)),
    "slots": (lambda: Slotted(1, 2), lambda: copy.copy(Slotted(1, 2))),
    "dataclass": (lambda: Point(1, [2]), lambda: copy.deepcopy(Point(1, [2]))),
    "frozen": (lambda: Fixed(1), lambda: Fixed(1, "y")),
    "cached property": (lambda: Lazy(3), lambda: touched(Lazy(3))),
    "namedtuple": (lambda: Pair(1, 2), lambda: Pair(left=1, right=2)),
    "enum": (lambda: Colour.RED, lambda: Colour(1)),
    "flag": (lambda: Access.READ | Access.WRITE, lambda: Access(3)),
    "datetime": (lambda: dt.datetime(2026, 1, 2), lambda: dt.datetime(2026, 1, 2, 0)),
    "decimal": (lambda: decimal.Decimal("1.50"), lambda: decimal.Decimal("1.50")),
    "fraction": (lambda: fractions.Fraction(2, 4), lambda: fractions.Fraction(1, 2)),
    "path": (lambda: pathlib.Path("a/b"), lambda: pathlib.Path("a") / "b"),
    "regex": (lambda: re.compile("a+"), lambda: re.compile("a+")),
    "uuid": (lambda: uuid.UUID(int=5), lambda: uuid.UUID(int=5)),
    "defaultdict": (
        lambda: collections.defaultdict(list, {"a": [1]}),
        lambda: collections.defaultdict(list, a=[1]),
    ),
    "deque": (
        lambda: collections.deque([1, 2], 5),
        lambda: collections.deque((1, 2), 5),
    ),
    "partial": (
        lambda: functools.partial(int, base=2),
        lambda: functools.partial(int, base=2),
    ),
    "exception": (lambda: ValueError("x", 1), lambda: ValueError("x", 1)),
    "cycle": (lambda: looped("a"), lambda: copy.deepcopy(looped("a"))),
    "cycle twice": (
        lambda: [looped("a"), looped("a")],
        lambda: [looped("a")] * 2,
    ),
    "linked": (lambda: linked(50), lambda: copy.deepcopy(linked(50))),
    "deep": (lambda: nested(10_000), lambda: nested(10_000)),
    "just over the fast path": (lambda: nested(20, "x"), lambda: nested(20, "x")),
    "bytes file": (lambda: io.BytesIO(b"ab"), lambda: io.BytesIO(b"ab")),
    "strides": (
        lambda: np.arange(12).reshape(3, 4),
        lambda: np.asfortranarray(np.arange(12).reshape(3, 4)),
        lambda: np.arange(24)[::2].reshape(3, 4) // 2,
    ),
    "0-d": (lambda: np.array(5), lambda: np.array([4, 5])[1:].reshape(())),
    "empty array": (lambda: np.zeros((0, 3)), lambda: np.zeros((5, 3))[:0]),
    "padding": (lambda: padded(0), lambda: padded(255)),
    "masked": (lambda: hidden(0), lambda: hidden(77)),
    "object array": (
        lambda: np.array([1, "a", None], dtype=object),
        lambda: np.array([1, "a", None, 2], dtype=object)[:3],
    ),
    "text array": (lambda: np.array(["ab", "c"]), lambda: np.array(["ab", "c"])[::1]),
    "datetime64": (
        lambda: np.array(["2026-01-01"], "M8[s]"),
        lambda: np.array(["2026-01-01T00:00:00"], "M8[s]"),
    ),
    "generator state": (
        lambda: np.random.default_rng(5),
        lambda: np.random.default_rng(5),
    ),
    "frame": (frame, fragmented, lambda: frame().copy(), lambda: frame()[:3]),
    "sliced frame": (lambda: frame()[1:], lambda: frame().iloc[[1, 2]]),
    "nulls": (lambda: nullable(0), lambda: nullable(99)),
    "text storage": (
        lambda: pd.Series(["a", None], dtype="string[python]"),
        lambda: pd.Series(["a", None], dtype="string[pyarrow]"),
    ),
    "multi index": (
        lambda: pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]),
        lambda: pd.MultiIndex.from_product([["a", "b", "z"], [1, 2]])[[0, 3]],
    ),
    "category codes": (
        lambda: pd.Categorical(["a"], ["a", "b"]),
        lambda: pd.Categorical(["a", "b"])[:1],
    ),
    "imported code": (lambda: functools.reduce, lambda: functools.reduce),
    "module": (lambda: re, lambda: re),
}

DIFFERENT: dict[str, tuple[Make, ...]] = {
    "one": (
        lambda: 1,
        lambda: 1.0,
        lambda: True,
        lambda: 1 + 0j,
        lambda: "1",
        lambda: b"1",
        lambda: [1],
        lambda: (1,),
        lambda: {1},
        lambda: frozenset({1}),
        lambda: {1: None},
        lambda: np.int64(1),
        lambda: np.array(1),
        lambda: np.array([1]),
        lambda: decimal.Decimal(1),
        lambda: decimal.Decimal("1.0"),
        lambda: fractions.Fraction(1),
        lambda: pd.Series([1]),
        lambda: pd.Index([1]),
        lambda: pd.RangeIndex(1, 2),
        lambda: Colour.RED,
        lambda: np.float64(1),
    ),
    "empty": (
        lambda: None,
        lambda: "",
        lambda: b"",
        bytearray,
        list,
        lambda: (),
        dict,
        set,
        frozenset,
        lambda: range(0),
        collections.OrderedDict,
        lambda: np.array([]),
        lambda: np.array([], int),
        pd.DataFrame,
        lambda: pd.Series([], dtype=float),
        Words,
        Plain,
        lambda: ...,
        lambda: pd.NA,
        lambda: pd.NaT,
        lambda: float("nan"),
        types.SimpleNamespace,
    ),
    "one, two": (
        lambda: [1, 2],
        lambda: (1, 2),
        lambda: {1, 2},
        lambda: {1: 2},
        lambda: Pair(1, 2),
        lambda: Slotted(1, 2),
        lambda: Point(1, 2),
        lambda: Words([1, 2]),
        lambda: collections.deque([1, 2]),
        lambda: range(1, 3),
        lambda: [1, [2]],
        lambda: [[1, 2]],
        lambda: b"\1\2",
        lambda: bytearray(b"\1\2"),
        lambda: memoryview(b"\1\2"),
        lambda: np.array([1, 2]),
        lambda: np.array([1, 2], dtype=object),
        lambda: np.array([1, 2], ">i8"),
        lambda: np.array([1, 2], "i4"),
        lambda: np.array([[1, 2]]),
        lambda: np.array([[1], [2]]),
        lambda: np.ma.array([1, 2]),
    ),
    "joined texts": (
        lambda: ["ab", "c"],
        lambda: ["a", "bc"],
        lambda: ["abc"],
        lambda: {"ab": "c"},
        lambda: {"a": "bc"},
    ),
    "zeros": (lambda: 0.0, lambda: -0.0, lambda: 0, lambda: False, lambda: -0.0 + 0j),
    "dict order": (lambda: {"a": 1, "b": 2}, lambda: {"b": 2, "a": 1}),
    "times": (
        lambda: dt.datetime(2026, 10, 25, 2, 30),
        lambda: dt.datetime(2026, 10, 25, 2, 30, fold=1),
        lambda: dt.datetime(2026, 10, 25, 2, 30, tzinfo=dt.UTC),
        lambda: dt.datetime(2026, 10, 25, 2, 30, tzinfo=zoneinfo.ZoneInfo("UTC")),
        lambda: dt.datetime(
            2026, 10, 25, 4, 30, tzinfo=zoneinfo.ZoneInfo("Asia/Dubai")
        ),
        lambda: dt.date(2026, 10, 25),
        lambda: pd.Timestamp("2026-10-25 02:30"),
        lambda: pd.Timestamp("2026-10-25 02:30", tz="UTC"),
        lambda: dt.timedelta(seconds=1),
        lambda: pd.Timedelta(seconds=1),
    ),
    "same attributes": (
        lambda: Plain(n=1),
        lambda: Lazy(1),
        lambda: types.SimpleNamespace(n=1),
    ),
    "paths": (
        lambda: pathlib.PurePosixPath("a"),
        lambda: pathlib.PureWindowsPath("a"),
        lambda: "a",
    ),
    "regexes": (lambda: re.compile("a"), lambda: re.compile("a", re.IGNORECASE)),
    "exceptions": (
        lambda: ValueError("x"),
        lambda: TypeError("x"),
        lambda: OSError(2, "x"),
        lambda: OSError(2, "x", "file"),
    ),
    "cycles": (
        lambda: looped("a"),
        lambda: looped("b"),
        lambda: [looped("a")],
        lambda: linked(2),
        lambda: linked(3),
    ),
    "depth": (lambda: nested(16), lambda: nested(17), lambda: nested(10_000)),
    "frames": (
        frame,
        lambda: frame()[::-1],
        lambda: frame()[list(reversed(frame().columns))],
        lambda: frame().rename(columns={"i": "j"}),
        lambda: frame().astype({"i": "int32"}),
        lambda: frame().astype({"i": "Int64"}),
        lambda: frame().set_index("i", drop=False),
        lambda: frame().rename_axis("rows"),
        lambda: frame().assign(b=1),
        lambda: frame().fillna({"f": 0.0}),
        lambda: frame().assign(c=pd.Categorical(["a", "b", "a"], ["b", "a"])),
        lambda: frame().assign(c=pd.Categorical(["a", "b", "a"], ordered=True)),
        lambda: frame().assign(t=frame()["t"].dt.tz_convert("Asia/Dubai")),
        lambda: frame().assign(n=frame()["n"].fillna(2)),
    ),
    "missing in an object column": (
        lambda: pd.Series([None], dtype=object),
        lambda: pd.Series([np.nan], dtype=object),
        lambda: pd.Series([pd.NA], dtype=object),
        lambda: pd.Series([pd.NaT], dtype=object),
    ),
    "indexes": (
        lambda: pd.RangeIndex(3),
        lambda: pd.Index([0, 1, 2]),
        lambda: pd.Index([0, 1, 2], name="n"),
        lambda: pd.date_range("2026", periods=3),
        lambda: pd.DatetimeIndex(pd.date_range("2026", periods=3).array, freq=None),
    ),
    "imported code": (
        lambda: functools.reduce,
        lambda: functools.partial(functools.reduce),
        lambda: functools,
        lambda: functools.partial,
    ),
}
