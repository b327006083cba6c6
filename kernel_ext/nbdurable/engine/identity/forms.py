"""How a value presents itself to the hasher, and the refusal to do so.

A kind of value is one function from the value to a `Form`: a tag, some bytes, and
other values. Kinds never hash and never recurse; only the hasher does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, NamedTuple, TypeAlias

from nbdurable.engine.identity.keys import Buffer, Tag


class Undigestible(Exception):  # a verdict that the engine words
    """A value has no digest.

    Attributes:
        type: Qualified name of the type that has none.
        path: Where it was found below the value asked about, such as ``[3].lock``.
        reason: Why, if the type alone doesn't say it.
    """

    def __init__(self, type_: str, path: str = "", reason: str = "") -> None:
        super().__init__(type_, path, reason)
        self.type = type_
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        why = f", because {self.reason}" if self.reason else ""
        return f"{self.path or 'the value'}: {self.type} has no digest{why}"

    def below(self, path: str) -> Undigestible:
        """The same refusal, as seen from further above."""
        return Undigestible(self.type, path + self.path, self.reason)


def index_label(position: int) -> str:
    """The path of an element of a sequence."""
    return f"[{position}]"


def no_label(_: int) -> str:
    """The path of a child that is no place of its own for people."""
    return ""


CONTENT_BYTES_MIN = 1 << 20
"""From here a buffer is hashed on its own, in bytes; a part of the format."""


class Content:
    """A big buffer: hashed on its own, and not again where it provably is unchanged.

    Attributes:
        array: The numpy array whose elements these are, if they are one's.
        read: Gives the bytes; costs a copy where the elements don't lie in order.
    """

    __slots__ = ("array", "read")

    def __init__(self, read: Callable[[], Buffer], array: object = None) -> None:
        self.read = read
        self.array = array


class Form(NamedTuple):
    """A value, taken apart by one level.

    Attributes:
        tag: Its kind.
        fields: Bytes that identify it.
        children: Values that identify it.
        label: The path of a child by its position, for people.
        unordered: The order of the children doesn't count.
        flat: Try to hash all children at once as one plain tuple. False where the
            children are as many as the value is big.
        big: Buffers that count like fields, from `CONTENT_BYTES_MIN` on.
    """

    tag: Tag
    fields: Sequence[Buffer] = ()
    children: Sequence[object] = ()
    label: Callable[[int], str] = index_label
    unordered: bool = False
    flat: bool = True
    big: Sequence[Content] = ()


Kind: TypeAlias = Callable[..., Form]
"""A function from a value of one type to its form."""

Kinds: TypeAlias = Mapping[type | str, Kind]
"""Kinds by exact type, or by qualified name for a type and its subclasses."""


class Named:
    """Names with values, whose order doesn't count: attributes, fields, options."""

    __slots__ = ("items",)

    def __init__(self, items: Mapping[str, object]) -> None:
        self.items = items


class Mark:
    """Stands where there is no value to hash: a missing name, an object left out."""

    __slots__ = ("tag", "text")

    def __init__(self, tag: Tag, text: str = "") -> None:
        self.tag = tag
        self.text = text


class Imported:
    """A module that code imports, by its full name, whether it is loaded or not."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Stretch:
    """A stretch of a long list or dict, hashed on its own.

    A list of any length is then hashed in bounded memory, and one odd element sends
    only its own stretch down the slow path.
    """

    __slots__ = ("elements", "label")

    def __init__(self, elements: Sequence[object], label: Callable[[int], str]) -> None:
        self.elements = elements
        self.label = label


class Stretches(Sequence[object]):
    """The parts of something long, each cut when its turn comes."""

    def __init__(self, count: int, cut: Callable[[int], object]) -> None:
        self._count = count
        self._cut = cut

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        if not 0 <= place < self._count:
            raise IndexError(place)
        return self._cut(place)


def qualified(cls: type | FunctionType) -> str:
    """Module and qualified name of a type: its identity among values."""
    return f"{cls.__module__}.{cls.__qualname__}"


def attribute_label(name: str) -> str:
    """The path of an attribute."""
    return f".{name}"


def named_form(
    tag: Tag,
    fields: Sequence[Buffer],
    items: Mapping[str, object],
    label: Callable[[str], str] = attribute_label,
) -> Form:
    """A form whose children are named; the order of the names doesn't count."""
    names = sorted(items)
    return Form(
        tag,
        (*fields, *(name.encode("utf-8", "surrogatepass") for name in names)),
        [items[name] for name in names],
        lambda position: label(names[position]),
    )


def raw_form(
    tag: Tag,
    fields: Sequence[Buffer],
    data: memoryview,
    children: Sequence[object] = (),
) -> Form:
    """A form of some bytes, which lie in order."""
    flat = data.cast("B") if data.nbytes else b""
    if len(flat) < CONTENT_BYTES_MIN:
        return Form(tag, (*fields, flat), children, no_label)
    return Form(tag, fields, children, no_label, big=(Content(lambda: flat),))
