"""Which objects two names can be parted by: where one is a copy, they differ in the end."""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Iterable
from typing import Any, Final

from nbdurable.engine.codec.connected import (
    PASSED,
    Referents,
    beside_base,
    no_atoms,
    referents_of,
)
from nbdurable.engine.codec.filling import fills
from nbdurable.engine.codec.reducers import qualified
from nbdurable.engine.identity.held import held_by

_HEAP_TYPE: Final = 1 << 9
"""Flag of types made by a ``class`` statement."""

_CACHED: Final = type(functools.lru_cache(len))

_CODE: Final = frozenset(
    {
        *(types.FunctionType, types.MethodType, types.CellType, functools.partial),
        *(property, staticmethod, classmethod, _CACHED),
        *(operator.itemgetter, operator.attrgetter, operator.methodcaller),
    }
)
"""Kinds that don't change; what they hold is looked at by itself."""

_OPENED: Final = frozenset(
    {"__main__", "builtins", "collections", "functools", "types", "weakref", "torch"}
)
"""Packages whose objects hold what people have put into them."""

_MOVING: Final = frozenset(
    {
        *("_io.StringIO", "_io.BytesIO", "types.SimpleNamespace", "array.array"),
        "torch.nn.parameter.Parameter",
    }
)
"""Kinds that do, although they are written in C or have a hash of their own."""


def parts(value: object) -> bool:
    """Whether a change of an object is not seen in a copy of it, where people change it.

    What is hashed by its content doesn't change, such as a number or a moment; and of a
    library's object a copy does: cells would run again for many of them, for hours.

    Example:
        >>> import io, fractions
        >>> parts(io.StringIO()), parts([]), parts(fractions.Fraction(1))
        (True, True, False)
    """
    kind = type(value)
    if qualified(kind) in _MOVING:
        return True
    if "numpy.ndarray" in {qualified(cls) for cls in kind.__mro__}:
        return bool(value.flags.writeable)  # type: ignore[attr-defined]  # an array
    if _package(kind) != "__main__":
        return _package(kind) in ("builtins", "collections") and fills(value)
    return kind not in _CODE and not _hashed_by_content(kind)


def referents(kind: type) -> Referents | None:
    """How to ask an object of this kind what could be parted from it.

    Not what a library's numbers and terms are made of: its own tables, for the most part.
    An array doesn't refer to the one whose memory it sees: that may be a frame's.
    """
    if "numpy.ndarray" in {qualified(cls) for cls in kind.__mro__}:
        return beside_base
    if kind is _CACHED:
        return _wrapped
    by_content = _hashed_by_content(kind) and not (
        issubclass(kind, tuple(PASSED)) or _package(kind) == "__main__"
    )
    # Such as a function of numpy: it has attributes, and is found by its name.
    by_name = kind.__dictoffset__ and not kind.__flags__ & _HEAP_TYPE
    asked = referents_of(kind)
    if qualified(kind) not in _MOVING and asked is held_by:
        return None if by_content or by_name else asked
    return asked


def of_the_notebook(kind: type) -> Referents | None:
    """The same, but a library's objects aren't looked into."""
    asked = referents(kind)
    library = kind.__flags__ & _HEAP_TYPE and _package(kind) not in _OPENED
    return None if library and asked is held_by else asked


def looked_into(opaque: Iterable[object]) -> dict[str, object]:
    """Those that may hold something, by a name for each."""
    found: dict[str, object] = {}
    for value in opaque:
        ask = referents(type(value))
        if ask is not None and (no_atoms([*ask(value)]) or parts(value)):
            found[str(id(value))] = value
    return found


def _wrapped(cached: Any) -> Iterable[object]:
    return (cached.__wrapped__,)


def _hashed_by_content(kind: type) -> bool:
    own: object = kind.__hash__
    return own is not None and own is not object.__hash__


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]
