"""Whether two classes of the notebook are the same: one stored, one living now.

The shape of a class covers its bases, the code of its methods and its plain attributes,
not where it stood. It is compared within one Python version only and decides identity
of classes on load, nothing else; the digest of code is `nbdurable.engine.identity`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Final

import blake3

_BOOKKEEPING: Final = frozenset(
    {
        "__dict__",
        "__weakref__",
        "__doc__",
        "__module__",
        "__firstlineno__",
        "__static_attributes__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "_abc_impl",
        "__dataclass_params__",
        "__match_args__",
        "__slotnames__",
    }
)
_PLAIN: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_DEPTH_MAX: Final = 8
"""Levels of containers and nested code that are told apart."""


def lookup(namespace: Mapping[str, Any], path: str) -> type | None:
    """The class that the notebook has under this qualified name now, if it has one."""
    first, *rest = path.split(".")
    found: object = namespace.get(first)
    for name in rest:
        found = getattr(found, "__dict__", {}).get(name)
    return found if isinstance(found, type) else None


def shape(cls: type) -> bytes:
    """A digest of what makes the class: 32 bytes."""
    bases = [f"{base.__module__}.{base.__qualname__}" for base in cls.__bases__]
    attributes = sorted(
        (name, _tell(value, _DEPTH_MAX))
        for name, value in vars(cls).items()
        if name not in _BOOKKEEPING
    )
    meta = type(cls).__qualname__
    return blake3.blake3(
        repr((cls.__qualname__, meta, bases, attributes)).encode(
            "utf-8", "surrogatepass"
        )
    ).digest()


def _tell(value: object, room: int) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return repr(value)
    if room and kind in (list, tuple):
        return [_tell(item, room - 1) for item in value]  # type: ignore[attr-defined]
    if room and kind in (set, frozenset, dict):
        return sorted(repr(_tell(item, room - 1)) for item in _items(value))
    if isinstance(value, types.FunctionType):
        defaults = [value.__defaults__, value.__kwdefaults__]
        return _code(value.__code__, room), [_tell(d, room) for d in defaults]
    if isinstance(value, staticmethod | classmethod):
        return kind.__name__, _tell(value.__func__, room)
    if isinstance(value, property):
        return [_tell(f, room) for f in (value.fget, value.fset, value.fdel)]
    return f"{kind.__module__}.{kind.__qualname__}"


def _items(value: Any) -> Any:
    return value.items() if isinstance(value, dict) else value


def _code(code: types.CodeType, room: int) -> Any:
    constants = [
        _code(c, room - 1) if isinstance(c, types.CodeType) and room else _tell(c, room)
        for c in code.co_consts
    ]
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return code.co_code.hex(), names, code.co_flags, constants
