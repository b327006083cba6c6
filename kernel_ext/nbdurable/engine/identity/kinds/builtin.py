"""Built-in containers and singletons; exact types only, subclasses go by reduce."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import chain, islice
from types import EllipsisType, MappingProxyType, NotImplementedType
from typing import Any

from nbdurable.engine.identity import plain
from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    Mark,
    Named,
    Stretch,
    Stretches,
    index_label,
    named_form,
    no_label,
    qualified,
    raw_form,
)
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds.objects import (
    has_own_reduce,
    own_attributes,
    reduced,
)

STRETCH_ELEMENTS = 4096
"""Elements of a long list that are hashed at once: enough that a hash of its own costs
next to nothing per element, few enough that records of 60 nodes fit the fast path."""

KEY_CHARS_MAX = 200
"""A longer key is cut where it is a part of a path that people read; but no shorter one,
so that a secret in it is found."""

_SORTABLE = ({str}, {bytes}, {int})
"""Types of elements whose order is total, so that a set of them may be sorted."""


def _sequence(value: list[object] | tuple[object, ...]) -> Form:
    tag = Tag.LIST if type(value) is list else Tag.TUPLE
    if len(value) <= STRETCH_ELEMENTS:
        return Form(tag, (), value, index_label, flat=False)

    def cut(place: int) -> Stretch:
        start = place * STRETCH_ELEMENTS
        elements = value[start : start + STRETCH_ELEMENTS]
        return Stretch(elements, lambda position: index_label(start + position))

    return _stretched(tag, len(value), cut)


def _dict(value: dict[object, object]) -> Form:
    if len(value) <= STRETCH_ELEMENTS:
        flat = list(chain.from_iterable(value.items()))
        return Form(Tag.DICT, (), flat, _key_label(flat), flat=False)
    items = iter(value.items())

    def cut(_: int) -> Stretch:
        part = list(chain.from_iterable(islice(items, STRETCH_ELEMENTS)))
        return Stretch(part, _key_label(part))

    return _stretched(Tag.DICT, len(value), cut)


def _key_label(flat: list[object]) -> Callable[[int], str]:
    """Labels of keys and values that follow each other."""

    def label(position: int) -> str:
        key = flat[position - position % 2]
        if type(key) not in plain.ATOMS:
            return f"[{type(key).__name__}]"
        told = repr(key)
        return f"[{told}]" if len(told) <= KEY_CHARS_MAX else f"[{told[:40]}…]"

    return label


def _stretched(tag: Tag, length: int, cut: Callable[[int], Stretch]) -> Form:
    stretches = Stretches(-(-length // STRETCH_ELEMENTS), cut)
    return Form(tag, (b"stretches",), stretches, no_label, flat=False)


def _stretch(value: Stretch) -> Form:
    return Form(Tag.RUN, (), value.elements, value.label)


def _named(value: Named) -> Form:
    return named_form(Tag.ATTRIBUTES, (), value.items)


def _mark(value: Mark) -> Form:
    return Form(value.tag, (value.text.encode(),))


def _named_set(value: Any) -> Form:
    """An instance of a subclass: its reduce would give the elements in hash order."""
    if all(has_own_reduce(type(value), base) for base in (set, frozenset)):
        return reduced(value)
    name = qualified(type(value)).encode()
    return Form(Tag.SET, (name,), (frozenset(value), own_attributes(value)), no_label)


def _set(value: set[object] | frozenset[object]) -> Form:
    tag = Tag.SET if type(value) is set else Tag.FROZENSET
    if set(map(type, value)) in _SORTABLE:
        return Form(tag, (b"sorted",), (sorted(value),), no_label)  # type: ignore[type-var]  # of one sortable type
    return Form(tag, (), list(value), no_label, unordered=True, flat=False)


def _bytearray(value: bytearray) -> Form:
    # As a child, not as a field: a secret in it is found.
    return Form(Tag.BYTEARRAY, (), (bytes(value),))


def _memoryview(value: memoryview) -> Form:
    shape = repr((value.format, value.shape))
    return Form(Tag.BUFFER, (shape.encode(),), (value.tobytes(),))


def _numbers(value: array[Any]) -> Form:
    if type(value) is not array:
        return reduced(value)
    return raw_form(Tag.NUMBERS, (value.typecode.encode(),), memoryview(value))


def _range(value: range) -> Form:
    return Form(Tag.RANGE, (), (value.start, value.stop, value.step))


def _slice(value: slice) -> Form:
    return Form(Tag.SLICE, (), (value.start, value.stop, value.step))


def _singleton(value: object) -> Form:
    return Form(Tag.SINGLETON, (repr(value).encode(),))


def _proxy(value: MappingProxyType[object, object]) -> Form:
    return Form(Tag.PROXY, (), (dict(value),))


def _view(value: object) -> Form:
    name = type(value).__name__.encode()
    return Form(Tag.PROXY, (name,), (list(value),))  # type: ignore[call-overload]  # a dict view


KINDS: Kinds = {
    list: _sequence,
    tuple: _sequence,
    dict: _dict,
    Stretch: _stretch,
    Named: _named,
    Mark: _mark,
    set: _set,
    frozenset: _set,
    bytearray: _bytearray,
    memoryview: _memoryview,
    "builtins.set": _named_set,
    "builtins.frozenset": _named_set,
    "array.array": _numbers,
    range: _range,
    slice: _slice,
    EllipsisType: _singleton,
    NotImplementedType: _singleton,
    MappingProxyType: _proxy,
    type({}.keys()): _view,
    type({}.values()): _view,
    type({}.items()): _view,
}
