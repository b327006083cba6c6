"""Values of Python itself: equal ones, different ones, and what is no value.

Needs nothing but the standard library, so that any Python can make these digests.
"""

# ruff: noqa: C408, DTZ001, PLW0108  # odd spellings are what is tested

from __future__ import annotations

import array
import asyncio
import collections
import contextvars
import csv
import dataclasses
import datetime as dt
import decimal
import fractions
import functools
import hashlib
import io
import ipaddress
import itertools
import logging
import operator
import os
import pathlib
import queue
import random
import re
import ssl
import threading
import types
import typing
import uuid
import weakref
import zoneinfo
from collections.abc import Callable

Make = Callable[[], object]


class Tags(set):  # type: ignore[type-arg]  # a subclass of the bare type
    """A set with a name."""


class Names(frozenset):  # type: ignore[type-arg]  # as above
    """A frozenset with an attribute."""

    def __init__(self, *_: object) -> None:
        self.origin = "test"


class Celsius(float):
    """A float with a name."""


class Day(dt.date):
    """A date with a name."""


@dataclasses.dataclass(slots=True)
class Base:
    """A dataclass with slots."""

    x: int = 0


class Extended(Base):
    """A slot more than its base has fields."""

    __slots__ = ("z",)

    def __init__(self, z: int) -> None:
        super().__init__()
        self.z = z


@dataclasses.dataclass
class Basket(list):  # type: ignore[type-arg]  # as above
    """A dataclass that is a list as well."""

    owner: str = "ann"


@dataclasses.dataclass
class Guarded:
    """A dataclass that says itself what its state is."""

    name: str
    lock: object = dataclasses.field(default_factory=threading.Lock)

    def __getstate__(self) -> dict[str, object]:
        """Everything but the lock."""
        return {"name": self.name}


class Countdown:
    """An iterator in Python: its state can be read."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Countdown:
        return self

    def __next__(self) -> int:
        self.n -= 1
        return self.n


class Account:
    """A class with methods, and a property."""

    def __init__(self, balance: int) -> None:
        self.balance = balance

    def pay(self, amount: int) -> int:
        """A method."""
        return self.balance - amount

    @classmethod
    def empty(cls) -> Account:
        """A method of the class."""
        return cls(0)


def basket(*items: int, owner: str = "ann") -> Basket:
    """A basket with items."""
    made = Basket(owner)
    made.extend(items)
    return made


def noted(error: Exception, note: str) -> Exception:
    """An exception with a note."""
    error.add_note(note)
    return error


def raised(error: Exception) -> Exception:
    """The same exception after it has been somewhere."""
    try:
        try:
            raise KeyError("context")
        except KeyError:
            raise error  # noqa: B904  # the context is what is tested
    except type(error) as caught:
        return caught


EQUAL: dict[str, tuple[Make, ...]] = {
    "bytearray": (lambda: bytearray(b"ab"), lambda: bytearray(b"xab")[1:]),
    "memoryview": (lambda: memoryview(b"ac"), lambda: memoryview(b"abcd")[::2]),
    "array": (
        lambda: array.array("d", [1, 2]),
        lambda: array.array("d", range(3))[1:],
    ),
    "mapping proxy": (
        lambda: types.MappingProxyType({"a": 1}),
        lambda: types.MappingProxyType(dict(a=1)),
    ),
    "ordered dict": (
        lambda: collections.OrderedDict(a=1, b=2),
        lambda: collections.OrderedDict([("a", 1), ("b", 2)]),
    ),
    "counter": (
        lambda: collections.Counter("aab"),
        lambda: collections.Counter(a=2, b=1),
    ),
    "chain map": (
        lambda: collections.ChainMap({"a": 1}, {"b": 2}),
        lambda: collections.ChainMap({"b": 2}).new_child({"a": 1}),
    ),
    "user dict": (
        lambda: collections.UserDict(a=1),
        lambda: collections.UserDict({"a": 1}),
    ),
    "namespace": (
        lambda: types.SimpleNamespace(a=1, b=2),
        lambda: types.SimpleNamespace(b=2, a=1),
    ),
    "named set": (lambda: Tags("abcdef"), lambda: Tags("fedcba")),
    "named frozenset": (lambda: Names("abcdef"), lambda: Names("fedcba")),
    "set of objects": (
        lambda: {fractions.Fraction(n) for n in range(9)},
        lambda: {fractions.Fraction(8 - n) for n in range(9)},
    ),
    "views": (lambda: {"a": 1}.keys(), lambda: dict(a=2).keys()),
    "slice": (lambda: slice(1, None), lambda: slice(1, None, None)),
    "time": (lambda: dt.time(1, 2), lambda: dt.time(1, 2, 0)),
    "span": (lambda: dt.timedelta(days=1), lambda: dt.timedelta(hours=24)),
    "zone": (
        lambda: zoneinfo.ZoneInfo("Europe/Berlin"),
        lambda: zoneinfo.ZoneInfo.no_cache("Europe/Berlin"),
    ),
    "fixed zone": (
        lambda: dt.timezone(dt.timedelta(hours=1)),
        lambda: dt.timezone(dt.timedelta(minutes=60)),
    ),
    "uuid": (lambda: uuid.UUID(int=7), lambda: uuid.UUID(str(uuid.UUID(int=7)))),
    "address": (
        lambda: ipaddress.ip_address("::1"),
        lambda: ipaddress.ip_address("0:0:0:0:0:0:0:1"),
    ),
    "network": (
        lambda: ipaddress.ip_network("10.0.0.0/8"),
        lambda: ipaddress.ip_network("10.0.0.0/255.0.0.0"),
    ),
    "path": (lambda: pathlib.Path("a", "b"), lambda: pathlib.Path("a/./b")),
    "pattern": (lambda: re.compile(b"a"), lambda: re.compile(b"a")),
    "match": (lambda: re.search("b", "abc"), lambda: re.search("b", "abc")),
    "partial": (
        lambda: functools.partial(int, base=2),
        lambda: functools.partial(functools.partial(int), base=2),
    ),
    "keywords": (
        lambda: functools.partial(dict, a=1, b=2),
        lambda: functools.partial(dict, b=2, a=1),
    ),
    "bound method": (lambda: Account(5).pay, lambda: Account(5).pay),
    "method of a list": (lambda: [1].append, lambda: [1].append),
    "method of the class": (lambda: Account.empty, lambda: Account.empty),
    "draw": (
        lambda: random.choice,
        lambda: random.seed(5) or random.choice,
    ),
    "generator of random numbers": (
        lambda: random.Random(5),
        lambda: random.Random(5),
    ),
    "getter": (
        lambda: operator.itemgetter(1, "a"),
        lambda: operator.itemgetter(1, "a"),
    ),
    "generic": (lambda: dict[str, list[int]], lambda: dict[str, list[int]]),
    "union": (lambda: int | str, lambda: int | str),
    "annotation": (lambda: typing.Optional[int], lambda: typing.Optional[int]),  # noqa: UP045  # the old spelling is a type of its own
    "builtin type": (lambda: type(None), lambda: types.NoneType),
    "builtin function": (lambda: len, lambda: len),
    "exception": (lambda: ValueError("a"), lambda: raised(ValueError("a"))),
    "group": (
        lambda: ExceptionGroup("a", [ValueError(1)]),
        lambda: raised(ExceptionGroup("a", [ValueError(1)])),
    ),
    "logger": (lambda: logging.getLogger("a.b"), lambda: logging.getLogger("a.b")),
    "text file": (lambda: io.StringIO("ab"), lambda: io.StringIO("ab")),
    "own state": (lambda: Guarded("a"), lambda: Guarded("a")),
    "readable iterator": (lambda: Countdown(3), lambda: Countdown(3)),
    "environment": (lambda: os.environ, lambda: os.environ),
    "long dict": (
        lambda: {n: [n] for n in range(20_000)},
        lambda: {n: [n] for n in itertools.chain(range(10_000), range(10_000, 20_000))},
    ),
}

DIFFERENT: dict[str, tuple[Make, ...]] = {
    "empties": (
        lambda: None, str, bytes, bytearray, list, tuple, dict, set, frozenset,
        lambda: range(0), lambda: memoryview(b""), lambda: array.array("b"),
        lambda: array.array("d"), collections.OrderedDict, collections.Counter,
        collections.deque, collections.ChainMap, collections.UserDict, Tags, Names,
        lambda: types.MappingProxyType({}), types.SimpleNamespace, io.BytesIO,
        io.StringIO, lambda: {}.keys(), lambda: {}.values(), lambda: {}.items(),
        lambda: collections.defaultdict(list), lambda: collections.defaultdict(set),
        lambda: collections.deque(maxlen=3), lambda: ..., lambda: NotImplemented,
    ),
    "ones": (
        lambda: 1, lambda: 1.0, lambda: True, lambda: 1 + 0j, lambda: Celsius(1),
        lambda: decimal.Decimal(1), lambda: decimal.Decimal("1.0"),
        lambda: fractions.Fraction(1), lambda: uuid.UUID(int=1),
        lambda: ipaddress.ip_address(1), lambda: dt.timedelta(1),
        lambda: Base(1), lambda: slice(1), lambda: range(1),
    ),
    "bytes": (
        lambda: b"ab", lambda: bytearray(b"ab"), lambda: memoryview(b"ab"),
        lambda: array.array("b", b"ab"), lambda: array.array("B", b"ab"),
        lambda: memoryview(b"ab").cast("c"), lambda: memoryview(b"ab").cast("H"),
        lambda: io.BytesIO(b"ab"), lambda: "ab",
    ),
    "dates": (
        lambda: dt.date(2026, 1, 2), lambda: Day(2026, 1, 2),
        lambda: dt.datetime(2026, 1, 2), lambda: dt.date(2026, 2, 1),
        lambda: "2026-01-02",
    ),
    "zones": (
        lambda: dt.UTC, lambda: zoneinfo.ZoneInfo("UTC"),
        lambda: zoneinfo.ZoneInfo("Etc/UTC"), lambda: dt.timezone(dt.timedelta(0), "Z"),
    ),
    "decimals": (
        lambda: decimal.Decimal(0), lambda: decimal.Decimal("-0"),
        lambda: decimal.Decimal("0.0"), lambda: decimal.Decimal("NaN"),
        lambda: decimal.Decimal("sNaN"), lambda: decimal.Decimal("Infinity"),
    ),
    "addresses": (
        lambda: ipaddress.ip_address("1.2.3.4"), lambda: ipaddress.ip_network("1.2.3.4"),
        lambda: ipaddress.ip_interface("1.2.3.4"),
        lambda: ipaddress.ip_interface("1.2.3.4/8"), lambda: "1.2.3.4",
    ),
    "deques": (
        lambda: collections.deque([1, 2]), lambda: collections.deque([1, 2], 2),
        lambda: collections.deque([2, 1]),
    ),
    "named sets": (lambda: set("a"), lambda: Tags("a"), lambda: frozenset("a")),
    "slots": (lambda: Extended(1), lambda: Extended(2), Base),
    "contents of a dataclass": (
        lambda: basket(1), lambda: basket(2), basket, lambda: basket(1, owner="bob"),
    ),
    "methods": (
        lambda: Account(1).pay, lambda: Account(2).pay, lambda: Account.empty,
        lambda: Account(1), lambda: [1].append, lambda: [1].extend, lambda: [2].append,
    ),
    "draws": (
        lambda: random.choice, lambda: random.random,
        lambda: random.Random(1).choice, lambda: random.Random(2).choice,
    ),
    "partials": (
        lambda: functools.partial(int), lambda: functools.partial(int, "1"),
        lambda: functools.partial(int, base=1), lambda: functools.partial(float),
    ),
    "matches": (
        lambda: re.search("b", "abc"), lambda: re.search("b", "xbc"),
        lambda: re.search("[b]", "abc"), lambda: re.search("(b)", "abc"),
    ),
    "errors": (
        lambda: ImportError("a"), lambda: ImportError("a", name="b"),
        lambda: ImportError("a", name="b", path="c"), lambda: ValueError("a"),
        lambda: noted(ValueError("a"), "b"), lambda: ExceptionGroup("a", [ValueError()]),
        lambda: ExceptionGroup("a", [TypeError()]), lambda: "a",
    ),
    "types": (
        lambda: int, lambda: int | None, lambda: list[int], lambda: list[str], lambda: list,
        lambda: type(None), lambda: typing.TypeVar("T"), lambda: typing.Any,
    ),
    "views": (lambda: {"a": 1}.keys(), lambda: {"a": 1}.items(), lambda: ["a"]),
    "own state": (lambda: Guarded("a"), lambda: Guarded("b")),
    "iterators in Python": (lambda: Countdown(3), lambda: Countdown(2)),
    "long dicts": (
        lambda: dict.fromkeys(range(9000), 0), lambda: {n: n // 8999 for n in range(9000)},
        lambda: dict.fromkeys(reversed(range(9000)), 0),
    ),
    "text": (lambda: "\ud800", lambda: "\udfff", lambda: "?"),
}  # fmt: skip

REFUSED: dict[str, tuple[Make, str, str]] = {
    "list iterator": (lambda: iter([1]), "builtins.list_iterator", ""),
    "dict iterator": (lambda: iter({}), "builtins.dict_keyiterator", ""),
    "reversed": (lambda: reversed([1]), "builtins.list_reverseiterator", ""),
    "call iterator": (lambda: iter(int, 1), "builtins.callable_iterator", ""),
    "csv": (lambda: csv.reader([]), "_csv.reader", ""),
    "chain": (lambda: [itertools.chain()], "itertools.chain", "[0]"),
    "lock": (
        lambda: types.SimpleNamespace(items=[0, 1, 2, Guarding()]),
        "_thread.lock",
        ".items[3].lock",
    ),
    "queue": (queue.Queue, "_thread.lock", ".all_tasks_done._lock"),
    "async queue": (lambda: {"q": asyncio.Queue()}, "asyncio.queues.Queue", "['q']"),
    "event": (threading.Event, "_thread.lock", "._cond._lock"),
    "hash object": (lambda: [hashlib.sha256()], "_hashlib.HASH", "[0]"),
    "tls": (lambda: [ssl.create_default_context()], "ssl.SSLContext", "[0]"),
    "context": (lambda: contextvars.ContextVar("a"), "_contextvars.ContextVar", ""),
    "weak reference": (lambda: weakref.ref(Tags()), "weakref.ReferenceType", ""),
    "bare object": (lambda: [object()], "builtins.object", "[0]"),
    "lambda": (lambda: {"f": lambda: 1}, "builtins.function", "['f']"),
    "zone of a file": (
        lambda: [zoneinfo.ZoneInfo.from_file(io.BytesIO(zone_file()))],
        "zoneinfo.ZoneInfo",
        "[0]",
    ),
    "long dict": (
        lambda: {n: iter(()) if n == 9000 else n for n in range(10_000)},
        "builtins.tuple_iterator",
        "[9000]",
    ),
}


class Guarding:
    """Holds a lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


def zone_file() -> bytes:
    """The rules of a zone, as a file has them: UTC."""
    header = b"TZif2" + bytes(15)
    counts = b"".join(n.to_bytes(4, "big") for n in (0, 0, 0, 0, 1, 4))
    block = header + counts + bytes(6) + b"UTC\0"
    return block + block + b"\nUTC0\n"
