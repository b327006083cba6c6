"""Writing plain data that JSON can't say: the envelopes, from the outside in."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import math
import pathlib
import struct
import uuid
import zoneinfo
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from nbdurable.engine.codec.errors import Unstorable
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.compact import compact

DEPTH_MAX: Final = 100
"""Levels of a plain value. The parser needs up to three frames for each, and Python
allows a thousand in all; deeper values go to another layer."""

COUNT_MAX: Final = 200_000
"""Values in one that needs envelopes: each takes a microsecond, ten times what it takes
in another layer."""

SIZE_MAX: Final = 1 << 23
"""Characters of the texts in a value: text and value are in memory at once, and another
layer hands a larger value over piece by piece."""

BYTES_MAX: Final = 1 << 20
"""Longer bytes go to another layer: base64 makes a third more of them."""

_INT_BITS_MAX: Final = 2000
"""Larger integers are written in hex: Python may refuse decimals of 640 digits."""

PATHS: Final = {
    kind.__name__: kind
    for kind in (
        pathlib.PurePosixPath,
        pathlib.PureWindowsPath,
        pathlib.PosixPath,
        pathlib.WindowsPath,
    )
}
"""Kinds of paths by the name they are stored under."""

ATOMS: Final = frozenset({str, int, float, bool, type(None)})
"""What JSON says as it is, but for some floats, huge integers and lone surrogates."""

_NOTHING: Final = object()

Place = tuple[str, tuple[tuple[str, Any], ...]]
"""A name, and steps from its value: ``("at", 3)``, ``("key", "k")``, ``("attribute", "x")``."""


class Places(Protocol):
    """Knows objects that were there before; `grafts` says why."""

    def place(self, value: object) -> Place | None:
        """Where an object was, or ``None``."""
        ...


class NotPlain(Exception):
    """The value needs another layer."""


class Writer:
    """Turns one value into a tree of envelopes."""

    count_max: int = COUNT_MAX

    def __init__(self, secrets: Secrets, marks: Places | None = None) -> None:
        self.secrets = secrets
        self.marks = marks
        self.seen: set[int] = set()
        self.path: list[str] = []
        self.count = 0
        self.size = 0
        self._kept: list[object] = []
        self._placed: set[int] = set()
        self._twin: object = _NOTHING

    def encode(self, value: object) -> bytes:
        """The whole value as one JSON text."""
        text = compact(self.grafted(value))
        # Once more: what spells a secret only together with its neighbours.
        if name := self.secrets.found(text):
            raise Unstorable(why=f"it holds a secret ({name})")
        return text.encode()

    def grafted(self, value: object) -> Any:
        """The value, and beside it the content of objects that were there before."""
        tree = self.tree(value)
        twins = []
        for old in self._kept:  # which grows meanwhile
            place = self.tree(old)
            self._twin = old
            twins.append([place, self.tree(old)])
        return tag("graft", [tree, twins]) if twins else tree

    def tree(self, value: object) -> Any:
        """The value as what JSON can say."""
        kind = type(value)
        if value is self._twin:
            self._twin = _NOTHING
        elif (place := self.placed(value)) is not None:
            return self.place(value, place)
        write = _WRITERS.get(kind)
        self.count += 1
        if write is None or len(self.path) > DEPTH_MAX or self.count > self.count_max:
            raise NotPlain
        if kind in _CONTAINERS and (written := self.container(value)) is not None:
            return written
        if kind in _MUTABLE:
            if id(value) in self.seen:
                raise NotPlain
            self.seen.add(id(value))
        return write(self, value)

    def container(self, _: object) -> Any:
        """What stands for a container that is written elsewhere (`plain_deep`)."""
        return None

    def placed(self, value: object) -> Place | None:
        """Where an object was that can be filled again."""
        if self.marks is None or type(value) not in _MUTABLE:
            return None
        return self.marks.place(value)

    def place(self, value: object, place: Place) -> Any:
        """An object that was there before, as where it was."""
        if id(value) not in self._placed:
            self._placed.add(id(value))
            self._kept.append(value)
        name, steps = place
        way = [[how, self.tree(which)] for how, which in steps]
        return tag("kept", [type(value).__name__, name, way])

    def at(self, step: str, value: object) -> Any:
        """The same one step further inside, so that a refusal can name the place."""
        self.path.append(step)
        tree = self.tree(value)
        self.path.pop()
        return tree

    def items(self, values: Iterable[object]) -> list[Any]:
        """Each of them, in order."""
        return [self.at(f"[{i}]", value) for i, value in enumerate(values)]

    def text(self, value: str) -> Any:
        """A text: cut at its secrets, in base64 if it is no Unicode."""
        self.size += len(value)
        if self.size > SIZE_MAX:
            raise NotPlain
        if name := self.secrets.found(value):
            parts = self.secrets.parts(value)
            if parts is None:
                why = f"it holds a secret ({name})"
                raise Unstorable(path="".join(self.path), why=why)
            parts[::2] = [self.text(part) for part in parts[::2]]
            return tag("secret", parts)
        try:
            value.encode()
        except UnicodeEncodeError:
            raw = value.encode("utf-8", "surrogatepass")
            return tag("str", _base64(raw))
        return value

    def data(self, value: bytes | bytearray) -> Any:
        """Bytes in base64, cut at their secrets."""
        if len(value) > BYTES_MAX:
            raise NotPlain
        pieces = self.secrets.cut(bytes(value)) or [value]
        for piece in pieces[::2]:
            if name := self.secrets.find(piece):
                why = f"it holds a secret ({name})"
                raise Unstorable(path="".join(self.path), why=why)
        pieces[::2] = map(_base64, pieces[::2])
        return pieces if len(pieces) > 1 else pieces[0]

    def mapping(self, value: dict[Any, Any]) -> Any:
        """A dict as an object, or as pairs where an object can't say its keys."""
        if all(type(k) is str and k != "$" and self.text(k) is k for k in value):
            return {key: self.at(f"[{key!r}]", item) for key, item in value.items()}
        return tag("dict", [self.pair(*item) for item in value.items()])

    def pair(self, key: object, item: object) -> list[Any]:
        """One key and its value."""
        place = f"[{key!r}]" if type(key) in ATOMS else "[…]"
        return [self.at(".keys()", key), self.at(place, item)]

    def unordered(self, value: set[Any] | frozenset[Any]) -> list[Any]:
        """The elements of a set in the order of their texts."""
        # Equal sets are then equal bytes, stored once.
        return sorted((self.at("{…}", item) for item in value), key=compact)


def tag(name: str, body: Any) -> dict[str, list[Any]]:
    """An envelope."""
    return {"$": [name, body]}


def _base64(raw: bytes | bytearray) -> str:
    return base64.b64encode(raw).decode()


def _write_int(_: Writer, value: int) -> Any:
    return value if value.bit_length() <= _INT_BITS_MAX else tag("int", hex(value))


def _write_float(_: Writer, value: float) -> Any:
    # By bits: there are many NaNs, and they have different digests.
    if math.isfinite(value):
        return value
    return tag("float", struct.pack(">d", value).hex())


def _write_complex(w: Writer, value: complex) -> Any:
    return tag("complex", w.items((value.real, value.imag)))


def _write_datetime(w: Writer, value: dt.datetime) -> Any:
    wall = value.replace(tzinfo=None).isoformat()
    return tag("datetime", [wall, value.fold, w.at(".tzinfo", value.tzinfo)])


def _write_time(w: Writer, value: dt.time) -> Any:
    wall = value.replace(tzinfo=None).isoformat()
    return tag("time", [wall, value.fold, w.at(".tzinfo", value.tzinfo)])


def _write_timezone(w: Writer, value: dt.timezone) -> Any:
    # getinitargs: (offset,) or (offset, name); the name isn't public otherwise.
    arguments = value.__getinitargs__()  # type: ignore[attr-defined]  # not in typeshed
    return tag("timezone", w.items(arguments))


def _write_zone(w: Writer, value: zoneinfo.ZoneInfo) -> Any:
    # A zone read from a file has no key, though its type says otherwise.
    if not value.key or zoneinfo.ZoneInfo(value.key) is not value:
        raise NotPlain
    return tag("zone", w.text(value.key))


def _write_uuid(_: Writer, value: uuid.UUID) -> Any:
    return tag("uuid", [value.hex, value.is_safe.value])


def _write_path(w: Writer, value: pathlib.PurePath) -> Any:
    return tag("path", [type(value).__name__, w.text(str(value))])


def _write_slice(w: Writer, value: slice) -> Any:
    return tag("slice", w.items((value.start, value.stop, value.step)))


def _write_range(w: Writer, value: range) -> Any:
    return tag("range", w.items((value.start, value.stop, value.step)))


def _write_timedelta(_: Writer, value: dt.timedelta) -> Any:
    return tag("timedelta", [value.days, value.seconds, value.microseconds])


_MUTABLE: Final = frozenset({list, dict, set, bytearray})
_CONTAINERS: Final = frozenset({list, dict, set, tuple, frozenset})
_WRITERS: Final[dict[type, Callable[[Writer, Any], Any]]] = {
    type(None): lambda _, value: value,
    bool: lambda _, value: value,
    int: _write_int,
    float: _write_float,
    str: Writer.text,
    list: Writer.items,
    dict: Writer.mapping,
    tuple: lambda w, value: tag("tuple", w.items(value)),
    set: lambda w, value: tag("set", w.unordered(value)),
    frozenset: lambda w, value: tag("frozenset", w.unordered(value)),
    bytes: lambda w, value: tag("bytes", w.data(value)),
    bytearray: lambda w, value: tag("bytearray", w.data(value)),
    complex: _write_complex,
    dt.datetime: _write_datetime,
    dt.date: lambda _, value: tag("date", value.isoformat()),
    dt.time: _write_time,
    dt.timedelta: _write_timedelta,
    dt.timezone: _write_timezone,
    zoneinfo.ZoneInfo: _write_zone,
    decimal.Decimal: lambda _, value: tag("decimal", str(value)),
    uuid.UUID: _write_uuid,
    range: _write_range,
    slice: _write_slice,
    type(...): lambda _, __: tag("ellipsis", None),
    **dict.fromkeys(PATHS.values(), _write_path),
}
