"""Kinds of values people keep in notebooks, and what the codec makes of each.

Categories: `equal` (same type, equal value), `rebuilt` (same type and configuration,
made anew), `refused` (named, never stored). The layer is part of the expectation.
"""

from __future__ import annotations

import array
import asyncio
import collections
import contextvars
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import io
import itertools
import logging
import math
import operator
import pathlib
import queue
import re
import socket
import sqlite3
import sys
import tempfile
import threading
import types
import uuid
import weakref
import zoneinfo
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import numpy as np
import openai
import pandas as pd

KEY = "sk-proj-abcdEFGH0123456789abcdEFGH0123456789"
ENVIRONMENT = {"OPENAI_API_KEY": KEY}


class Kind(NamedTuple):
    """One kind of value: how it is made, which layer keeps it, what comes back."""

    make: Callable[[], Any]
    codec: str
    category: str = "equal"


@dataclasses.dataclass
class Point:
    """A dataclass of an importable module."""

    x: int
    y: list[int] = dataclasses.field(default_factory=list)


class Colour(enum.Enum):
    """An enum of an importable module."""

    RED = 1


class Row(NamedTuple):
    """A named tuple of an importable module."""

    name: str


class Slotted:
    """An object without a dict."""

    __slots__ = ("a",)

    def __init__(self) -> None:
        self.a = 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slotted) and other.a == self.a

    __hash__ = None


class Delegate:
    """Looks every missing attribute up in another object, which pickle may lack."""

    def __init__(self) -> None:
        self.inner = [1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Delegate) and other.inner == self.inner

    __hash__ = None


def _plus(n: int) -> Callable[[int], int]:
    return lambda x: x + n


def _generator() -> Any:
    yield 1


def _begun() -> Any:
    generator = _generator()
    next(generator)
    return generator


def _held(make: Callable[[], Any]) -> Callable[[], Any]:
    def made() -> Any:
        lock = make()
        lock.acquire()
        return lock

    return made


def _set_variable() -> Any:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("v")
    variable.set(1)
    return variable


def _in_transaction() -> Any:
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE t(a)")
    made.execute("INSERT INTO t VALUES (1)")
    return made


async def _coroutine() -> None:
    """Await nothing."""


def _closed(coroutine: Any) -> Any:
    coroutine.close()
    return coroutine


def _cycle() -> list[Any]:
    cycle: list[Any] = [1]
    cycle.append(cycle)
    return cycle


def _aliases() -> list[Any]:
    inner = [1]
    return [inner, inner]


def _frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n": [1, 2, 3],
            "f": [0.5, math.nan, 1.0],
            "s": ["x", None, "z"],
            "t": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
            "c": pd.Categorical(["a", "b", "a"]),
        },
        index=pd.Index([3, 1, 2], name="id"),
    )


NAIVE = dt.datetime(2026, 1, 2, 3, 4, 5, 6, fold=1)  # noqa: DTZ001  # meant
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")

KINDS: dict[str, Kind] = {
    # plain data
    "None": Kind(lambda: None, "json"),
    "bool": Kind(lambda: True, "json"),
    "int": Kind(lambda: -17, "json"),
    "big int": Kind(lambda: -(7**9000), "json"),
    "float": Kind(lambda: 0.1, "json"),
    "nan": Kind(lambda: math.nan, "json"),
    "infinity": Kind(lambda: [-math.inf], "json"),
    "minus zero": Kind(lambda: -0.0, "json"),
    "complex": Kind(lambda: complex(-0.0, math.inf), "json"),
    "str": Kind(lambda: 'a "quoted" ‹text› \x00 😀\u2028', "json"),
    "lone surrogate": Kind(lambda: "a\ud83d\ude00b", "json"),
    "bytes": Kind(lambda: bytes(range(256)), "json"),
    "bytearray": Kind(lambda: bytearray(b"ab"), "json"),
    "list": Kind(lambda: [1, [2.0, "x"], []], "json"),
    "tuple": Kind(lambda: (1, (), [(2,)]), "json"),
    "dict": Kind(lambda: {"b": 1, "a": {"": None}}, "json"),
    "dict of any keys": Kind(lambda: {1: 2, "1": 3, None: 4, (1, 2): {5}}, "json"),
    "dict with our key": Kind(lambda: {"$": ["tuple", []], "x": {"$": 1}}, "json"),
    "set": Kind(lambda: {1, "a", (2, 3)}, "json"),
    "frozenset": Kind(lambda: frozenset({frozenset(), b"x"}), "json"),
    "datetime": Kind(lambda: NAIVE, "json"),
    "datetime in UTC": Kind(lambda: dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "json"),
    "datetime in a zone": Kind(lambda: dt.datetime(2026, 7, 2, tzinfo=BERLIN), "json"),
    "date": Kind(lambda: dt.date(1, 1, 1), "json"),
    "time": Kind(lambda: dt.time(23, 59, 59, 999999, tzinfo=dt.UTC), "json"),
    "timedelta": Kind(lambda: dt.timedelta(-1, 5, 7), "json"),
    "timezone": Kind(lambda: dt.timezone(dt.timedelta(hours=-3), "BRT"), "json"),
    "Decimal": Kind(lambda: decimal.Decimal("1.10"), "json"),
    "Decimal NaN": Kind(lambda: decimal.Decimal("-sNaN7"), "json"),
    "UUID": Kind(lambda: uuid.UUID(int=7), "json"),
    "Path": Kind(lambda: pathlib.Path("/data/ö.csv"), "json"),
    "PureWindowsPath": Kind(lambda: pathlib.PureWindowsPath("C:\\x"), "json"),
    "range": Kind(lambda: range(10, 0, -3), "json"),
    "slice": Kind(lambda: slice(None, 3, "x"), "json"),
    "Ellipsis": Kind(lambda: ..., "json"),
    # what plain data can't say
    "aliases": Kind(_aliases, "pickle5"),
    "a cycle": Kind(_cycle, "pickle5"),
    "str subclass": Kind(lambda: type(Colour.RED.name)("x"), "json"),
    "OrderedDict": Kind(lambda: collections.OrderedDict(b=1, a=2), "pickle5"),
    "defaultdict": Kind(lambda: collections.defaultdict(list, a=[1]), "pickle5"),
    "Counter": Kind(lambda: collections.Counter("abca"), "pickle5"),
    "deque": Kind(lambda: collections.deque([1, 2], maxlen=3), "pickle5"),
    "ChainMap": Kind(lambda: collections.ChainMap({"a": 1}, {"b": 2}), "pickle5"),
    "array": Kind(lambda: array.array("d", [1.0, 2.0]), "pickle5"),
    "Fraction": Kind(lambda: fractions.Fraction(1, 3), "pickle5"),
    "named tuple": Kind(lambda: Row("x"), "pickle5"),
    "enum member": Kind(lambda: [Colour.RED], "pickle5"),
    "dataclass": Kind(lambda: Point(1, [2]), "pickle5"),
    "slotted object": Kind(Slotted, "pickle5"),
    "delegating object": Kind(Delegate, "pickle5"),
    "SimpleNamespace": Kind(lambda: types.SimpleNamespace(a=[1]), "pickle5"),
    "compiled regex": Kind(lambda: re.compile("a+", re.IGNORECASE), "pickle5"),
    "dict view": Kind({"a": 1}.keys, "pickle5"),
    "memoryview": Kind(lambda: memoryview(b"abc"), "pickle5"),
    "mappingproxy": Kind(lambda: types.MappingProxyType({"a": 1}), "pickle5"),
    "tz of a pandas kind": Kind(
        lambda: pd.Timestamp("2026-01-01", tz="UTC"), "pickle5"
    ),
    # arrays and frames
    "float array": Kind(lambda: np.linspace(0, 1, 500), "npy"),
    "Fortran array": Kind(lambda: np.ones((3, 4)).T, "npy"),
    "0-d array": Kind(lambda: np.array(3), "npy"),
    "empty array": Kind(lambda: np.empty((0, 3)), "npy"),
    "big-endian array": Kind(lambda: np.arange(3, dtype=">i4"), "npy"),
    "array of texts": Kind(lambda: np.array(["a", "bcd"]), "npy"),
    "array of times": Kind(lambda: np.array(["2026-01-01"], "M8[ns]"), "npy"),
    "strided array": Kind(lambda: np.arange(9)[::2], "pickle5"),
    "read-only array": Kind(lambda: np.frombuffer(b"ab", "u1"), "pickle5"),
    "structured array": Kind(lambda: np.zeros(2, "i4,f8"), "pickle5"),
    "object array": Kind(lambda: np.array([1, "a", None], object), "pickle5"),
    "masked array": Kind(lambda: np.ma.array([1, 2], mask=[0, 1]), "pickle5"),
    "numpy scalar": Kind(lambda: np.float32(0.5), "pickle5"),
    "DataFrame": Kind(_frame, "pickle5"),
    "Series": Kind(lambda: _frame()["s"], "pickle5"),
    "Timestamp index": Kind(lambda: pd.date_range("2026", periods=3), "pickle5"),
    # code
    "builtin function": Kind(lambda: len, "pickle5"),
    "module": Kind(lambda: math, "pickle5"),
    "importable function": Kind(lambda: re.compile, "pickle5"),
    "importable class": Kind(lambda: Point, "pickle5"),
    "lambda": Kind(lambda: lambda x: (x, 1), "pickle5", "rebuilt"),
    "closure": Kind(lambda: _plus(3), "pickle5", "rebuilt"),
    "partial": Kind(lambda: functools.partial(int, base=2), "pickle5", "rebuilt"),
    "itemgetter": Kind(lambda: operator.itemgetter(1), "pickle5", "rebuilt"),
    "bound method": Kind(lambda: Point(1).__repr__, "pickle5", "rebuilt"),
    # descriptions
    "logger": Kind(lambda: logging.getLogger("nbdurable.test"), "pickle5"),
    "exception": Kind(lambda: KeyError("x", 1), "pickle5", "rebuilt"),
    "StringIO": Kind(lambda: io.StringIO("abc"), "pickle5", "rebuilt"),
    "iterator": Kind(lambda: iter([1, 2]), "pickle5", "rebuilt"),
    "OpenAI client": Kind(lambda: openai.OpenAI(api_key=KEY), "pickle5", "rebuilt"),
    "httpx client": Kind(lambda: httpx.Client(timeout=3), "pickle5", "rebuilt"),
    "lock": Kind(threading.Lock, "pickle5", "rebuilt"),
    "RLock": Kind(threading.RLock, "pickle5", "rebuilt"),
    "Event": Kind(threading.Event, "pickle5", "rebuilt"),
    "Queue": Kind(queue.Queue, "pickle5", "rebuilt"),
    "database": Kind(lambda: sqlite3.connect(":memory:"), "pickle5", "rebuilt"),
    "weak reference": Kind(lambda: weakref.ref(Point), "pickle5", "rebuilt"),
    "context variable": Kind(lambda: contextvars.ContextVar("v"), "pickle5", "rebuilt"),
    "generator": Kind(_generator, "pickle5", "rebuilt"),
    # tied to the process
    "held lock": Kind(_held(threading.Lock), "", "refused"),
    "held RLock": Kind(_held(threading.RLock), "", "refused"),
    "begun generator": Kind(_begun, "", "refused"),
    "tee of a generator": Kind(lambda: itertools.tee(_begun())[0], "", "refused"),
    "set variable": Kind(_set_variable, "", "refused"),
    "database in a transaction": Kind(_in_transaction, "", "refused"),
    "coroutine": Kind(lambda: _closed(_coroutine()), "", "refused"),
    "thread": Kind(threading.Thread, "", "refused"),
    "thread-local": Kind(threading.local, "", "refused"),
    "socket": Kind(socket.socket, "", "refused"),
    "open file": Kind(tempfile.TemporaryFile, "", "refused"),
    "event loop": Kind(asyncio.new_event_loop, "", "refused"),
    "frame object": Kind(sys._getframe, "", "refused"),
    "client with another key": Kind(lambda: openai.OpenAI(api_key="x"), "", "refused"),
}
