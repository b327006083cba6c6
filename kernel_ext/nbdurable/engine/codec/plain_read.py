"""Reading what `plain_write` wrote, safely for bytes of any origin."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import pathlib
import struct
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol

from nbdurable.engine.codec.plain_write import PATHS, Place
from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import DurableError


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not written like this")


scan = json.JSONDecoder(parse_constant=_no_constant).raw_decode


class Existing(Protocol):
    """Finds the objects that were there before; `grafts` says why."""

    def existing(self, kind: type, place: Place, stamp: Any) -> object:
        """The object at a place, or a new one."""
        ...

    def twin(self, old: object, new: object) -> None:
        """Fill one object with the content of another one, in the end."""
        ...


class Reader:
    """Opens envelopes from the inside out, as the parser meets them."""

    def __init__(self, secrets: Secrets, grafting: Existing | None) -> None:
        self.secrets = secrets
        self.grafting = grafting
        self.pieces: list[object] = []
        self.scan = json.JSONDecoder(
            object_hook=self._open, parse_constant=_no_constant
        ).raw_decode

    def _open(self, tree: dict[str, Any]) -> object:
        if "$" not in tree:
            return tree
        try:
            ((tag, body),) = tree.values()
            return _READERS[tag](self, body)
        except DurableError:
            raise
        except Exception as error:
            raise ValueError(f"not an envelope ({type(error).__name__})") from error

    def kept(self, body: list[Any]) -> object:
        """The object that a place stands for."""
        kind, name, way = body
        assert self.grafting is not None, "a place where none can be"
        steps = tuple((str(how), which) for how, which in _items(way))
        return self.grafting.existing(_KEPT[kind], (str(name), steps), None)

    def graft(self, body: list[Any]) -> object:
        """A value, and the content of objects that were there before."""
        value, twins = body
        assert self.grafting is not None, "twins where none can be"
        for old, new in _items(twins):
            self.grafting.twin(old, new)
        return value

    def piece(self, body: object) -> None:
        """A piece of a value that is nested deeply."""
        self.pieces.append(body)

    def at(self, body: int) -> object:
        """The piece that a number stands for; it came before."""
        return self.pieces[body]

    def data(self, body: str | list[str]) -> bytes:
        """Bytes in base64, whole or cut at their secrets."""
        if isinstance(body, str):
            return base64.b64decode(body, validate=True)
        pieces = list(_items(body))
        pieces[::2] = map(self.data, pieces[::2])
        return self.secrets.fill(pieces)


def _read_tuple(_: Reader, body: list[Any]) -> tuple[Any, ...]:
    return tuple(_items(body))


def _items(body: object) -> list[Any]:
    # An envelope's list, never a string or dict that happens to be iterable.
    if type(body) is not list:
        raise TypeError(type(body).__name__)
    return body


def _read_datetime(_: Reader, body: list[Any]) -> dt.datetime:
    wall, fold, zone = body
    return dt.datetime.fromisoformat(wall).replace(fold=fold, tzinfo=zone)


def _read_time(_: Reader, body: list[Any]) -> dt.time:
    wall, fold, zone = body
    return dt.time.fromisoformat(wall).replace(fold=fold, tzinfo=zone)


def _read_timezone(_: Reader, body: list[Any]) -> dt.timezone:
    zone = dt.timezone(*_items(body))
    return dt.UTC if body == [dt.timedelta(0)] else zone


def _read_uuid(_: Reader, body: list[Any]) -> uuid.UUID:
    text, safe = body
    return uuid.UUID(hex=text, is_safe=uuid.SafeUUID(safe))


def _read_path(_: Reader, body: list[Any]) -> pathlib.PurePath:
    kind, text = body
    return PATHS[kind](text)


_KEPT: Final = {kind.__name__: kind for kind in (list, dict, set, bytearray)}
_READERS: Final[dict[str, Callable[[Reader, Any], object]]] = {
    "tuple": _read_tuple,
    "dict": lambda _, body: {key: value for key, value in _items(body)},  # noqa: C416
    "set": lambda _, body: set(_items(body)),
    "frozenset": lambda _, body: frozenset(_items(body)),
    "bytes": Reader.data,
    "bytearray": lambda r, body: bytearray(r.data(body)),
    "str": lambda r, body: r.data(body).decode("utf-8", "surrogatepass"),
    "secret": lambda r, body: r.secrets.join(_items(body)),
    "int": lambda _, body: int(body, 16),
    "float": lambda _, body: struct.unpack(">d", bytes.fromhex(body))[0],
    "complex": lambda _, body: complex(*_items(body)),
    "datetime": _read_datetime,
    "date": lambda _, body: dt.date.fromisoformat(body),
    "time": _read_time,
    "timedelta": lambda _, body: dt.timedelta(*_items(body)),
    "timezone": _read_timezone,
    "zone": lambda _, body: zoneinfo.ZoneInfo(body),
    "decimal": lambda _, body: decimal.Decimal(body),
    "uuid": _read_uuid,
    "path": _read_path,
    "range": lambda _, body: range(*_items(body)),
    "slice": lambda _, body: slice(*_items(body)),
    "ellipsis": lambda _, __: ...,
    "kept": Reader.kept,
    "graft": Reader.graft,
    "piece": Reader.piece,
    "at": Reader.at,
    "deep": lambda _, body: _items(body)[-1],
}
