"""Which kind a type is: by exact type, then by name along its bases, else by reduce.

Names, not types, key the kinds of optional libraries, so nothing is imported to know
them; a type that exists has been imported by its owner.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from nbdurable.engine.identity.forms import Form, Kind, Kinds, qualified
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds import (
    arrays,
    builtin,
    clients,
    code,
    frames,
    objects,
    refused,
    standard,
)

CODE: Kind = code.importable
"""The kind of functions, classes and modules; the hasher hands those to its `Codes`."""

_KINDS: Kinds = {
    **builtin.KINDS,
    **standard.KINDS,
    **objects.KINDS,
    **arrays.KINDS,
    **frames.KINDS,
    **clients.KINDS,
    **code.KINDS,
    **refused.KINDS,
}

_registered: dict[type | str, Kind] = {}
_resolved: WeakKeyDictionary[type, Kind] = WeakKeyDictionary()


def register(type_: type | str, stand_in: Callable[..., object]) -> None:
    """Give a type a digest, for `nd.register_digest`.

    Args:
        type_: The type, or its qualified name; subclasses included.
        stand_in: From an instance to a value that is hashed in its place.

    Example:
        >>> class Session:
        ...     def __init__(self, host): self.host = host
        >>> register(Session, lambda session: session.host)
    """
    name = qualified(type_) if isinstance(type_, type) else type_

    def kind(value: object) -> Form:
        return Form(Tag.STAND_IN, (qualified(type(value)).encode(),), [stand_in(value)])

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
    return objects.reduced
