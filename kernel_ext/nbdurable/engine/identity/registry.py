"""Which kind a type is: by exact type, then by name along its bases, else by reduce.

Names, not types, key the kinds of optional libraries, so nothing is imported to know
them; a type that exists has been imported by its owner.
"""

from __future__ import annotations

from collections.abc import Callable
from types import WrapperDescriptorType
from typing import Any
from weakref import WeakKeyDictionary

from nbdurable.engine.identity.forms import Form, Kind, Kinds, no_label, qualified
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds import (
    arrays,
    arrow,
    builtin,
    clients,
    code,
    frames,
    images,
    models,
    objects,
    polars,
    refused,
    science,
    standard,
    tensors,
)

CODE: Kind = code.importable
"""The kind of functions, classes and modules; the hasher hands those to its `Codes`."""

_KINDS: Kinds = {
    **builtin.KINDS,
    **standard.KINDS,
    **objects.KINDS,
    **models.KINDS,
    **arrays.KINDS,
    **frames.KINDS,
    **arrow.KINDS,
    **polars.KINDS,
    **science.KINDS,
    **images.KINDS,
    **tensors.KINDS,
    **clients.KINDS,
    **code.KINDS,
    **refused.KINDS,
}

_registered: dict[type | str, Kind] = {}
_resolved: WeakKeyDictionary[type, Kind] = WeakKeyDictionary()


def register(
    type_: type | str, stand_in: Callable[[Any], object], version: str
) -> None:
    """Give a type and its subclasses a digest; see `nd.register_digest`."""
    name = qualified(type_) if isinstance(type_, type) else type_

    def kind(value: object) -> Form:
        fields = (qualified(type(value)).encode(), version.encode())
        return Form(Tag.STAND_IN, fields, (stand_in(value),), no_label)

    if isinstance(type_, type):
        _registered[type_] = kind
    _registered[name] = kind
    _resolved.clear()


def kind_of(cls: type) -> Kind:
    """The kind of a type."""
    kind = _resolved.get(cls)
    if kind is None:
        kind = _resolved[cls] = _resolve(cls)
    return kind


def _resolve(cls: type) -> Kind:
    for kinds in (_registered, _KINDS):
        if cls in kinds:
            return kinds[cls]
        for base in cls.__mro__:
            kind = kinds.get(qualified(base))
            if kind is not None:
                return kind
    if _is_iterator(cls):
        return refused.refuse
    return objects.kind_of_instances(cls)


def _is_iterator(cls: type) -> bool:
    """Whether a type iterates in C: what it has consumed is nowhere to be read."""
    return type(getattr(cls, "__next__", None)) is WrapperDescriptorType
