"""What code keeps for itself: in closures, defaults, on functions and on classes.

A step may change that, as it changes a list it was given: ``count()`` of a counter in a
closure, ``Registry.items.append(1)``. No value in a snapshot can put it back, so such a
step is known and isn't replayed. What installed code keeps (statistics, caches) is its
own business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import FunctionType

from nbdurable.engine.identity import registry
from nbdurable.engine.identity.canonical import Hasher
from nbdurable.engine.identity.codes import Codes, Item
from nbdurable.engine.identity.forms import (
    Form,
    Mark,
    Undigestible,
    named_form,
    qualified,
)
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.sources import Sources

_DATA = frozenset({"builtins", "collections", "numpy", "pandas", "polars"})
"""Modules whose values are data."""


class States(Codes):
    """Code as what it keeps, whatever it does and reaches."""

    def __init__(
        self, sources: Sources, namespace: Mapping[str, object], named: Iterable[object]
    ) -> None:
        super().__init__(sources, namespace)
        self._named_too = {id(value) for value in named}

    def form(self, value: object) -> Form:
        """The form of a function, class or module by what it keeps.

        What a name holds too is no secret of theirs: it is changed in place by itself.
        """
        items: list[Item] = []
        if isinstance(value, FunctionType):
            if self._sources.function(value.__code__) is not None:
                items += self._bound_to(value, self.counted)
                items += self._given(value)
            items.append(("wrapped", getattr(value, "__wrapped__", None)))
        elif isinstance(value, type) and self.is_local(value):
            items += self._attributes(value, written=True)
        own = {k: v for k, v in items if id(v) not in self._named_too}
        return named_form(Tag.STATE, (), own)

    def counted(self, value: object) -> object:
        """Data, and what is made of the notebook's classes.

        A session of a library changes whenever it is used, and nobody means that.
        """
        code = registry.kind_of(type(value)) is registry.CODE
        top = str(type(value).__module__).partition(".")[0]
        known = code or isinstance(value, Mark) or top in _DATA
        return value if known or self.is_local(type(value)) else Mark(Tag.OPAQUE)

    def _attribute(self, value: object) -> object:
        return self.counted(value)


def states(codes: States, values: Mapping[str, object]) -> Mapping[str, bytes]:
    """Per name of code, a digest of what it keeps; none where it has no digest."""
    hasher, found = Hasher(codes=codes), dict[str, bytes]()
    for name, value in values.items():
        if registry.kind_of(type(value)) is registry.CODE:
            try:
                found[name] = hasher.digest(value)
            except Undigestible:
                continue
    return found


def class_name(cls: type | FunctionType) -> str:
    """How a class is told whose instances were read, and a function."""
    return qualified(cls).removeprefix("__main__.")
