"""Plain data of records, read without trust: a field of another type counts as absent.

A newer version, or a damaged but signed record, may hold anything that JSON can say.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from nbdurable_store.records import NO_FIELDS, BlobRef, Plain, Record

Fields = Mapping[str, Plain]

MS_MAX: Final = 1e14
"""No duration is longer than three thousand years, nor infinite, nor no number."""


def text(fields: Fields, name: str) -> str:
    """A string, or ""."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def word(fields: Fields, name: str) -> str:
    """A string, or "", of those that say the same in very many records: kept once."""
    return sys.intern(text(fields, name))


def number(fields: Fields, name: str, default: int = 0) -> int:
    """An integer, or ``default``."""
    value = fields.get(name, default)
    return value if isinstance(value, int) else default


def ms(fields: Fields) -> float:
    """The duration, milliseconds, or 0."""
    value = fields.get("ms", 0)
    if isinstance(value, (int, float)) and 0 <= value <= MS_MAX:
        return float(value)
    return 0.0


def mapping(fields: Fields, name: str) -> Fields:
    """An object, or an empty one."""
    value = fields.get(name)
    return value if isinstance(value, Mapping) else NO_FIELDS


def beside(fields: Fields, *names: str) -> Fields:
    """The fields without those that are kept elsewhere; most calls have no others."""
    left = {name: value for name, value in fields.items() if name not in names}
    return left or NO_FIELDS


def texts(fields: Fields, name: str) -> tuple[str, ...]:
    """A list of strings; its elements are made strings, anything else is empty."""
    value = fields.get(name, ())
    if not isinstance(value, (list, tuple)):
        return ()
    return tuple(str(v) for v in value)


def names(fields: Fields, name: str) -> frozenset[str] | None:
    """A set of strings; None where there is none."""
    return frozenset(texts(fields, name)) if name in fields else None


def arguments(record: Record) -> BlobRef | str | None:
    """The kept arguments of a call that started: small ones stand in its fields."""
    if record.blobs:
        return record.blobs[0]
    return text(record.fields, "arguments") or None
