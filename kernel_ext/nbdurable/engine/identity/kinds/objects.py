"""Instances: by their fields, else by the structure that their reduce describes.

The code of a class is no part of a value; its qualified name is. (A step's key counts
the code of the classes it reads; of a call it is recorded beside the key.)

What a class says about its own state counts most (`__reduce__`, `__getstate__`), then
its fields, then its attributes. What an object remembers of its own computations
(`functools.cached_property`, cached hashes) never counts.
"""

from __future__ import annotations

import copyreg
import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from nbdurable.engine.identity.forms import (
    Form,
    Kind,
    Kinds,
    Named,
    Undigestible,
    named_form,
    qualified,
)
from nbdurable.engine.identity.keys import Tag

PROTOCOL = 5
"""The pickle protocol whose structure is hashed; a part of the format."""

_NEW: tuple[object, ...] = (
    getattr(copyreg, "__newobj__"),  # noqa: B009  # a class would mangle nothing, but mypy doesn't know the name
    getattr(copyreg, "__newobj_ex__"),  # noqa: B009  # as above
)
_HEAP_TYPE = 1 << 9
"""The flag of types that Python code may define."""

_OWN_STATE = ("__reduce_ex__", "__reduce__", "__getstate__")
_OWN_ARGUMENTS = ("__getnewargs__", "__getnewargs_ex__")
_GENERATED = frozenset({"_dataclass_getstate", "slots_getstate"})
"""What dataclasses and attrs add to classes with slots: it says nothing of its own."""


def kind_of_instances(cls: type) -> Kind:
    """How instances of a class are taken apart that no library's kind is for."""
    name, caches = qualified(cls).encode(), caches_of(cls)
    if _is_namedtuple(cls):
        return partial(_named_tuple, name)
    if not _is_plain(cls):
        return reduced
    if dataclasses.is_dataclass(cls):
        fields = tuple(f.name for f in dataclasses.fields(cls))
        return partial(_fields, name, fields, caches)
    described = getattr(cls, "__attrs_attrs__", None)
    if described is not None:
        fields = tuple(f.name for f in described)
        return partial(_fields, name, fields, caches | {"_attrs_cached_hash"})
    return partial(_instance, name, caches)


def _is_namedtuple(cls: type) -> bool:
    """Whether instances are tuples and nothing else."""
    made = issubclass(cls, tuple) and hasattr(cls, "_fields")
    return made and not cls.__dictoffset__ and not has_own_reduce(cls, object)


def _named_tuple(name: bytes, value: tuple[object, ...]) -> Form:
    return Form(Tag.INSTANCE, (name, b"tuple"), (tuple(value),), _reduced_label)


def _is_plain(cls: type) -> bool:
    """Whether a class adds nothing but attributes to ``object``, and says no more."""
    if cls in copyreg.dispatch_table:
        return False
    if any(not base.__flags__ & _HEAP_TYPE for base in cls.__mro__[:-1]):
        return False  # of a builtin type, with contents of its own
    if cls.__itemsize__ or cls.__basicsize__ > _size_of_attributes(cls):
        return False  # of a type made in C: the same
    if any(hasattr(cls, name) for name in _OWN_ARGUMENTS):
        return False
    return all(_is_default(cls, name) for name in _OWN_STATE)


def has_own_reduce(cls: Any, base: Any) -> bool:
    """Whether a class says otherwise than its base how it is rebuilt."""
    return cls.__reduce__ is not base.__reduce__


def _size_of_attributes(cls: type) -> int:
    """The size in bytes of instances that hold attributes and nothing else."""
    pointers = len(getattr(copyreg, "_slotnames")(cls))  # noqa: B009  # what pickle asks, too
    pointers += cls.__dictoffset__ > 0
    pointers += cls.__weakrefoffset__ > 0
    return object.__basicsize__ + pointers * tuple.__itemsize__


def _is_default(cls: type, name: str) -> bool:
    own = getattr(cls, name)
    if own is getattr(object, name):
        return True
    made_by = getattr(getattr(own, "__code__", None), "co_name", "")
    return made_by in _GENERATED


def caches_of(cls: type) -> frozenset[str]:
    """The attributes in which instances keep what they computed."""
    found = _caches.get(cls)
    if found is None:
        found = _caches[cls] = _find_caches(cls)
    return found


_caches: WeakKeyDictionary[type, frozenset[str]] = WeakKeyDictionary()


def _find_caches(cls: type) -> frozenset[str]:
    return frozenset(
        name
        for base in cls.__mro__
        for name, value in vars(base).items()
        if type(value).__name__ == "cached_property"
    )


def _fields(
    name: bytes, fields: tuple[str, ...], caches: frozenset[str], value: Any
) -> Form:
    """A dataclass or attrs class: its fields, and what else was set on it."""
    attributes = _attributes(caches, object.__getstate__(value)) or {}
    for field in fields:
        if hasattr(value, field):
            attributes[field] = getattr(value, field)
    return named_form(Tag.INSTANCE, (name,), attributes)


def own_dict(value: object) -> Mapping[str, object]:
    """The attributes that an instance keeps in a dict."""
    own = getattr(value, "__dict__", None)
    return own if type(own) is dict else {}


def _instance(name: bytes, caches: frozenset[str], value: Any) -> Form:
    attributes = _attributes(caches, value.__getstate__())
    assert attributes is not None, "the default state is one of attributes"
    return named_form(Tag.INSTANCE, (name,), attributes)


def _attributes(caches: frozenset[str], state: object) -> dict[str, object] | None:
    """The state as attributes, or ``None`` if it is something of the class's own.

    The default state is a dict, or a pair of it and the values of slots.
    """
    parts = state if type(state) is tuple and len(state) == 2 else (state,)
    merged: dict[str, object] = {}
    for part in parts:
        if part is None:
            continue
        if type(part) is not dict or not set(map(type, part)) <= {str}:
            return None
        merged.update(part)
    if not caches.isdisjoint(merged):
        merged = {k: v for k, v in merged.items() if k not in caches}
    return merged


def own_attributes(value: Any) -> Named:
    """The attributes, in a dict or in slots, of an instance with contents besides."""
    caches = caches_of(type(value))
    return Named(_attributes(caches, object.__getstate__(value)) or {})


# --- whatever describes how it is rebuilt


def reduced(value: Any) -> Form:
    """The form of any object that can say how it is rebuilt."""
    cls = type(value)
    reducer = copyreg.dispatch_table.get(cls)
    parts = reducer(value) if reducer else value.__reduce_ex__(PROTOCOL)
    if isinstance(parts, str):
        module = str(getattr(value, "__module__", None) or "")
        where = (qualified(cls).encode(), b"global", module.encode(), parts.encode())
        return Form(Tag.REDUCED, where)
    make, args, state, listed, mapped = (*parts, None, None, None)[:5]
    attributes = _attributes(caches_of(cls), state)
    if make in _NEW:
        made, args = args[0], args[1:]
        if not args and listed is None and mapped is None:
            return _state_form(made, attributes, state)
    else:
        made = make
    children = [args, state if attributes is None else Named(attributes)]
    children += [None if listed is None else list(listed)]
    children += [None if mapped is None else dict(mapped)]
    return Form(Tag.REDUCED, (_name(made),), children, _reduced_label)


def _reduced_label(_: int) -> str:
    return ""


def _name(made: Any) -> bytes:
    return f"{made.__module__}.{made.__qualname__}".encode()


def _state_form(
    cls: type, attributes: Mapping[str, object] | None, state: object
) -> Form:
    name = qualified(cls).encode()
    if attributes is None:
        return Form(Tag.INSTANCE, (name, b"state"), (state,), _reduced_label)
    return named_form(Tag.INSTANCE, (name,), attributes)


# --- exceptions, and what is no value


def _exception(value: BaseException) -> Form:
    """Type, arguments and attributes; the traceback and what led to it don't count."""
    children: list[object] = [value.args, own_attributes(value)]
    children += [getattr(value, name) for name in _besides(value)]
    return Form(
        Tag.EXCEPTION, (qualified(type(value)).encode(),), children, _reduced_label
    )


def _besides(value: BaseException) -> tuple[str, ...]:
    """What some builtin exceptions keep beside their arguments."""
    if isinstance(value, OSError):
        return ("filename", "filename2")
    return ("name", "path") if isinstance(value, ImportError) else ()


def _bare(value: object) -> Form:
    raise Undigestible(
        qualified(type(value)), reason="nothing but its identity tells it from others"
    )


KINDS: Kinds = {
    "builtins.BaseException": _exception,
    object: _bare,
}
