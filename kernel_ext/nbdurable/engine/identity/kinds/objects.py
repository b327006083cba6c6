"""Instances: by their fields, else by the structure that their reduce describes.

The code of a class is no part of a value; its qualified name is. (A step's key counts
the code of the classes it reads, a call's key doesn't.)
"""

from __future__ import annotations

import copyreg
import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    Named,
    Undigestible,
    named_form,
    qualified,
)
from nbdurable.engine.identity.keys import Tag

if TYPE_CHECKING:
    from pydantic import BaseModel

PROTOCOL = 5
"""The pickle protocol whose structure is hashed; a part of the format."""

_NEW: tuple[object, ...] = (
    getattr(copyreg, "__newobj__"),  # noqa: B009  # a class would mangle nothing, but mypy doesn't know the name
    getattr(copyreg, "__newobj_ex__"),  # noqa: B009  # as above
)


def reduced(value: Any) -> Form:
    """The form of any object that can say how it is rebuilt."""
    cls = type(value)
    if dataclasses.is_dataclass(cls):
        return _dataclass(value)
    reducer = copyreg.dispatch_table.get(cls)
    parts = reducer(value) if reducer else value.__reduce_ex__(PROTOCOL)
    if isinstance(parts, str):
        return Form(Tag.REDUCED, (qualified(cls).encode(), b"global", parts.encode()))
    make, args, state, listed, mapped = (*parts, None, None, None)[:5]
    if make in _NEW:
        made, args = args[0], args[1:]
        if not args and listed is None and mapped is None:
            return _instance(made, state)
    else:
        made = make
    children = [args, _state(cls, state)]
    children += [None if listed is None else list(listed)]
    children += [None if mapped is None else dict(mapped)]
    return Form(Tag.REDUCED, (_name(made),), children, _reduced_label)


def _reduced_label(position: int) -> str:
    return ("", "", "", "")[position]


def _name(made: Any) -> bytes:
    return f"{made.__module__}.{made.__qualname__}".encode()


def _instance(cls: type, state: object) -> Form:
    attributes = _attributes(cls, state)
    name = qualified(cls).encode()
    if attributes is None:
        return Form(Tag.INSTANCE, (name, b"state"), (state,))
    return named_form(Tag.INSTANCE, (name,), attributes)


def _state(cls: type, state: object) -> object:
    attributes = _attributes(cls, state)
    return state if attributes is None else Named(attributes)


def _attributes(cls: type, state: object) -> Mapping[str, object] | None:
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
    return {k: v for k, v in merged.items() if not _is_cache(cls, k)}


def _is_cache(cls: type, name: str) -> bool:
    return isinstance(getattr(cls, name, None), cached_property)


def _dataclass(value: Any) -> Form:
    cls = type(value)
    attributes = {k: v for k, v in _own_dict(value).items() if not _is_cache(cls, k)}
    for field in dataclasses.fields(cls):
        if hasattr(value, field.name):
            attributes[field.name] = getattr(value, field.name)
    return named_form(Tag.INSTANCE, (qualified(cls).encode(),), attributes)


def _own_dict(value: object) -> Mapping[str, object]:
    own = getattr(value, "__dict__", None)
    return own if type(own) is dict else {}


def _model(value: BaseModel) -> Form:
    """A pydantic model; which fields were set explicitly doesn't count."""
    cls = type(value)
    attributes = {k: v for k, v in _own_dict(value).items() if not _is_cache(cls, k)}
    extra = value.__pydantic_extra__ or {}
    private = {
        f"_private {k}": v for k, v in (value.__pydantic_private__ or {}).items()
    }
    fields = (qualified(cls).encode(),)
    return named_form(Tag.INSTANCE, fields, attributes | extra | private)


def _exception(value: BaseException) -> Form:
    """Type, arguments and attributes; the traceback and what led to it don't count."""
    children: list[object] = [value.args, Named(_own_dict(value))]
    if isinstance(value, OSError):
        children += [value.filename, value.filename2]
    return Form(Tag.EXCEPTION, (qualified(type(value)).encode(),), children)


def _bare(value: object) -> Form:
    raise Undigestible(qualified(type(value)))


KINDS: Kinds = {
    "pydantic.main.BaseModel": _model,
    "builtins.BaseException": _exception,
    object: _bare,
}
