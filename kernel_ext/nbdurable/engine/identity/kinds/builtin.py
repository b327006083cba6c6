"""Built-in containers and singletons; exact types only, subclasses go by reduce."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from types import EllipsisType, MappingProxyType, NotImplementedType

from nbdurable.engine.identity import plain
from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    Mark,
    Named,
    Stretch,
    index_label,
    named_form,
    no_label,
)
from nbdurable.engine.identity.keys import Tag

STRETCH_ELEMENTS = 4096
"""Elements of a long list that are hashed at once: enough that a hash of its own costs
next to nothing per element, few enough that records of 60 nodes fit the fast path."""

_SORTABLE = ({str}, {bytes}, {int})
"""Types of elements whose order is total, so that a set of them may be sorted."""


def _sequence(value: list[object] | tuple[object, ...]) -> Form:
    tag = Tag.LIST if type(value) is list else Tag.TUPLE
    return _elements(tag, value, index_label, STRETCH_ELEMENTS)


def _dict(value: dict[object, object]) -> Form:
    flat = list(chain.from_iterable(value.items()))

    def label(position: int) -> str:
        key = flat[position - position % 2]
        return f"[{key!r}]" if type(key) in plain.ATOMS else f"[{type(key).__name__}]"

    return _elements(Tag.DICT, flat, label, 2 * STRETCH_ELEMENTS)


def _elements(
    tag: Tag,
    elements: list[object] | tuple[object, ...],
    label: Callable[[int], str],
    most: int,
) -> Form:
    if len(elements) <= most:
        return Form(tag, (), elements, label, flat=False)
    starts = range(0, len(elements), most)
    stretches = [Stretch(elements[i : i + most], i, label) for i in starts]
    return Form(tag, (b"stretches",), stretches, no_label, flat=False)


def _stretch(value: Stretch) -> Form:
    return Form(Tag.RUN, (), value.elements, value.label_within)


def _named(value: Named) -> Form:
    return named_form(Tag.ATTRIBUTES, (), value.items)


def _mark(value: Mark) -> Form:
    return Form(value.tag, (value.text.encode(),))


def _set(value: set[object] | frozenset[object]) -> Form:
    tag = Tag.SET if type(value) is set else Tag.FROZENSET
    if set(map(type, value)) in _SORTABLE:
        return Form(tag, (b"sorted",), (sorted(value),), no_label)  # type: ignore[type-var]  # of one sortable type
    return Form(tag, (), list(value), no_label, unordered=True, flat=False)


def _bytearray(value: bytearray) -> Form:
    return Form(Tag.BYTEARRAY, (), (bytes(value),))


def _memoryview(value: memoryview) -> Form:
    shape = repr((value.format, value.shape))
    return Form(Tag.BUFFER, (shape.encode(), value.tobytes()))


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
    range: _range,
    slice: _slice,
    EllipsisType: _singleton,
    NotImplementedType: _singleton,
    MappingProxyType: _proxy,
    type({}.keys()): _view,
    type({}.values()): _view,
    type({}.items()): _view,
}
