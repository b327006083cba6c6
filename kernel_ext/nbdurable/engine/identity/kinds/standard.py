"""Kinds of the standard library: times, numbers, paths, patterns, files in memory.

They are known by name where the module is none of an engine's that must not look at
clocks and files. What a library writes about itself for pickle changes between
versions of Python, so that common types say here what they are.
"""

from __future__ import annotations

from io import BytesIO, StringIO
from re import Match, Pattern
from typing import TYPE_CHECKING, Any

from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    Undigestible,
    no_label,
    qualified,
)
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds.objects import own_attributes, reduced

if TYPE_CHECKING:
    from decimal import Decimal
    from enum import Enum
    from fractions import Fraction
    from pickle import PickleBuffer
    from uuid import UUID
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
    if value.key is None:
        raise Undigestible(
            qualified(type(value)), reason="a zone read from a file hides its rules"
        )
    return Form(Tag.ZONE, (b"key",), (value.key,))


def _decimal(value: Decimal) -> Form:
    return _number(value, "decimal", str(value))


def _fraction(value: Fraction) -> Form:
    return _number(value, "fractions", f"{value.numerator}/{value.denominator}")


def _uuid(value: UUID) -> Form:
    return _number(value, "uuid", str(value))


def _number(value: Any, module: str, text: str) -> Form:
    if type(value).__module__ != module:
        return reduced(value)
    return Form(Tag.NUMBER, (type(value).__name__.encode(), text.encode()))


def _address(value: Any) -> Form:
    """An address or network of `ipaddress`, or an interface: it has both."""
    if type(value).__module__ != "ipaddress":
        return reduced(value)
    return Form(Tag.ADDRESS, (type(value).__name__.encode(), str(value).encode()))


def _path(value: Any) -> Form:
    # Not the qualified name: Python 3.13 moved the classes to another module.
    cls = type(value)
    if str(cls.__module__).partition(".")[0] == "pathlib":
        return Form(Tag.PATH, (cls.__name__.encode(),), (str(value),))
    own = getattr(value, "__dict__", {})
    fields = (b"subclass", qualified(cls).encode())
    return Form(Tag.PATH, fields, (str(value), sorted(own.items())), no_label)


def _pattern(value: Pattern[str]) -> Form:
    return Form(Tag.REGEX, (), (value.pattern, value.flags))


def _match(value: Match[str]) -> Form:
    span = (value.pos, value.endpos, value.regs)
    return Form(Tag.MATCH, (), (value.re, value.string, span), no_label)


def _member(value: Enum) -> Form:
    # A combination of flags has no name of its own, or one that Pythons disagree on.
    name = value._name_ if value._name_ in type(value).__members__ else ""
    fields = (qualified(type(value)).encode(), str(name).encode())
    return Form(Tag.MEMBER, fields, (value._value_,))  # .value may be overridden


def _memory_file(value: BytesIO | StringIO) -> Form:
    name = qualified(type(value)).encode()
    children = (value.getvalue(), value.tell(), own_attributes(value))
    return Form(Tag.MEMORY_FILE, (name,), children, no_label)


def _cached_function(value: Any) -> Form:
    """The function and the size of its cache; what is in the cache doesn't count."""
    children = (value.__wrapped__, value.cache_parameters())
    return Form(Tag.REDUCED, (b"functools.lru_cache",), children, no_label)


def _pickle_buffer(value: PickleBuffer) -> Form:
    return Form(Tag.BUFFER, (b"raw", value.raw()))


def _environment(_: object) -> Form:
    """`os.environ` is no value of the notebook, wherever it was imported to."""
    return Form(Tag.NAMED, (b"os.environ",))


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
    "decimal.Decimal": _decimal,
    "fractions.Fraction": _fraction,
    "uuid.UUID": _uuid,
    "ipaddress._IPAddressBase": _address,
    "pathlib.PurePath": _path,
    "pathlib._local.PurePath": _path,
    Pattern: _pattern,
    Match: _match,
    "enum.Enum": _member,
    "functools._lru_cache_wrapper": _cached_function,
    BytesIO: _memory_file,
    StringIO: _memory_file,
    "_io.BytesIO": _memory_file,
    "_io.StringIO": _memory_file,
    "_pickle.PickleBuffer": _pickle_buffer,
    "pickle.PickleBuffer": _pickle_buffer,
    "os._Environ": _environment,
}
