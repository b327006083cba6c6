"""Kinds of the standard library: times, paths, patterns, enums, files in memory.

They are known by name where the module is none of an engine's that must not look at
clocks and files.
"""

from __future__ import annotations

from io import BytesIO, StringIO
from re import Pattern
from typing import TYPE_CHECKING, Any

from nbdurable.engine.identity.forms import Form, Kinds, no_label, qualified
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds.objects import reduced

if TYPE_CHECKING:
    from enum import Enum
    from pickle import PickleBuffer
    from zoneinfo import ZoneInfo


def _time(value: Any) -> Form:
    """A date, time or time span of exactly the standard library's own type."""
    if type(value).__module__ != "datetime":
        return reduced(value)
    return _TIMES[type(value).__name__](value)


def _moment(value: Any) -> Form:
    """Wall time, fold and zone: two zones may agree on the instant and yet differ."""
    naive = value.replace(tzinfo=None, fold=0).isoformat()
    name = type(value).__name__.encode()
    return Form(Tag.TIME, (name, naive.encode()), (value.fold, value.tzinfo))


def _date(value: Any) -> Form:
    return Form(Tag.TIME, (b"date", value.isoformat().encode()))


def _timedelta(value: Any) -> Form:
    return Form(Tag.TIME, (b"delta",), (value.days, value.seconds, value.microseconds))


def _timezone(value: Any) -> Form:
    return Form(Tag.ZONE, (b"fixed",), (value.utcoffset(None), value.tzname(None)))


def _zone(value: ZoneInfo) -> Form:
    # A zone read from a file has no key; its rules are not to be had.
    return Form(Tag.ZONE, (b"key",), (value.key,))


def _path(value: Any) -> Form:
    # Not the qualified name: Python 3.13 moved the classes to another module.
    return Form(Tag.PATH, (type(value).__name__.encode(),), (str(value),))


def _pattern(value: Pattern[str]) -> Form:
    return Form(Tag.REGEX, (), (value.pattern, value.flags))


def _member(value: Enum) -> Form:
    # A combination of flags has no name of its own, or one that Pythons disagree on.
    name = value._name_ if value._name_ in type(value).__members__ else ""
    fields = (qualified(type(value)).encode(), str(name).encode())
    return Form(Tag.MEMBER, fields, (value._value_,))  # .value may be overridden


def _memory_file(value: BytesIO | StringIO) -> Form:
    name = type(value).__name__.encode()
    return Form(Tag.MEMORY_FILE, (name,), (value.getvalue(), value.tell()))


def _cached_function(value: Any) -> Form:
    """The function and the size of its cache; what is in the cache doesn't count."""
    children = (value.__wrapped__, value.cache_parameters())
    return Form(Tag.REDUCED, (b"functools.lru_cache",), children, no_label)


def _pickle_buffer(value: PickleBuffer) -> Form:
    return Form(Tag.BUFFER, (b"raw", value.raw()))


_TIMES = {
    "datetime": _moment,
    "time": _moment,
    "date": _date,
    "timedelta": _timedelta,
    "timezone": _timezone,
}

KINDS: Kinds = {
    **{f"datetime.{name}": _time for name in _TIMES},
    "zoneinfo.ZoneInfo": _zone,
    "pathlib.PurePath": _path,
    "pathlib._local.PurePath": _path,
    Pattern: _pattern,
    "enum.Enum": _member,
    "functools._lru_cache_wrapper": _cached_function,
    BytesIO: _memory_file,
    StringIO: _memory_file,
    "_pickle.PickleBuffer": _pickle_buffer,
    "pickle.PickleBuffer": _pickle_buffer,
}
