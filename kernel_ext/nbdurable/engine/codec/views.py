"""Arrays that are views: of the memory of another array, or of a file.

A view is stored as its place in the array that owns the memory, whatever class either
of them has: what is written through one is seen through the other after a load too. A
memory map is stored as the place of its file with a digest of what the map holds. It
is a map of that file again, or it is refused: its content in an array without a file
would take writes that reach nobody.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Collection
from typing import Any, Final, Protocol

from nbdurable.engine.codec import arrays, layout, rebuild, remainders, reopen

FACTOR_MAX: Final = 4
"""How much larger than its parts an array may be that is stored only for their sake."""


class Graph(Protocol):
    """What is being written."""

    def keeps(self, owner: object) -> bool:
        """Whether an array is written whole anyway, or has to be."""
        ...

    def owning(self, owner: Any, value: Any) -> Any:
        """The array that a view is a part of on load, of those over its memory."""
        ...

    def places(self, owner: Any) -> bool:
        """Whether a view of it can be made where it stands, or is made to stand."""
        ...

    def within(self, owner: Any) -> Collection[int]:
        """Ids of what an array holds, if it is one of objects."""
        ...


def array(graph: Graph, value: Any) -> Any:
    """An array: a view stays a view of the array that it is a part of."""
    if _is_over_map(value):
        return _OVER_MAP
    if type(value) is not sys.modules["numpy"].ndarray:
        return _of_a_class(graph, value)
    if remainders.is_turned(value.dtype):
        # A copy: a view would be stored as a part of this one, for ever.
        integers = value.view(f"{value.dtype.str[0]}i8").copy(order="K")
        return rebuild.seen_as, (integers, value.dtype)
    return _part(graph, value) or NotImplemented


def memory_map(graph: Graph, value: Any) -> Any:
    """A map of a file, a part of one, or what was computed from one."""
    if type(value.base) is not mmap.mmap:
        return _part(graph, value) or NotImplemented  # its attributes are the open file
    if type(value) is not sys.modules["numpy"].memmap:
        return (
            f"a memory map of the class {type(value).__name__} is tied to this process"
        )
    if value.filename is None:
        return "a memory map of a file without a name is tied to this process"
    path, offset = value.filename, value.offset  # numpy has made it absolute
    there = reopen.digest_of(path, offset, value.nbytes)
    order = "C" if value.flags.c_contiguous else "F"
    content = reopen.digest(memoryview(value.ravel(order="K").view("u1")))
    if there != content:
        return reopen.differs(path, there)
    laid = (value.dtype, value.shape, order)
    return reopen.memory_map, (path, value.mode, offset, laid, content)


_OVER_MAP: Final = (
    "an array over a memory map is tied to this process (np.memmap isn't)"
)


def _is_over_map(value: Any) -> bool:
    """Whether writes to it reach a file or other processes, and nobody knows which.

    What can only be read is kept by its content.
    """
    if not (value.flags.writeable and arrays.is_mapped(value)):
        return False
    owner = owner_of(value)
    return owner is None or not isinstance(owner, sys.modules["numpy"].memmap)


def masked(graph: Graph, value: Any) -> Any:
    """A masked array: the memory of its elements may be that of another array."""
    reduced = remainders.masked(graph, value)
    part = None if isinstance(reduced, str) else _part(graph, value)
    if part is None or type(value).__name__ == "mvoid":
        return reduced
    return remainders.beside(part, dict(vars(value)))


def _of_a_class(graph: Graph, value: Any) -> Any:
    reduced = remainders.subclassed(graph, value)
    attributes = getattr(value, "__dict__", None)
    if not isinstance(reduced, tuple):
        return reduced
    part = _part(graph, value) or _in_its_byte_order(value)
    if part is None:
        return reduced
    return remainders.beside(part, dict(attributes)) if attributes else part


def _in_its_byte_order(value: Any) -> tuple[Any, ...] | None:
    """As a view of a plain array, if its bytes have the order of another machine.

    The reduce of numpy would turn them around, and views of it be seen as they were.
    """
    if value.dtype.isnative or not value.nbytes:
        return None
    order = "F" if value.flags.f_contiguous else "C"
    plain = sys.modules["numpy"].array(value, order=order)
    where = (plain, 0, value.dtype, value.shape, plain.strides)
    return rebuild.view_of_class, (type(value), value.flags.writeable, *where)


def _part(graph: Graph, value: Any) -> tuple[Any, ...] | None:
    """Where a view is in the memory of its owner; ``None`` to store it alone."""
    owner = seen_in(graph, value)
    if owner is None or not (can_be_seen(owner) or graph.places(owner)):
        return None
    if not (_is_cheap(owner, value) or graph.keeps(owner)):
        return None
    if not can_hold(owner, value) or id(value) in graph.within(owner):
        return None
    begin, *how = place_in(owner, value)
    where = (owner, begin, value.dtype, value.shape, *how)
    if type(value) is not sys.modules["numpy"].ndarray:
        return rebuild.view_of_class, (type(value), value.flags.writeable, *where)
    return (rebuild.view if value.flags.writeable else rebuild.read_only_view), where


def seen_in(graph: Graph, value: Any) -> Any:
    """What a view is a part of in a graph; ``None`` if it is nobody's."""
    first = owner_of(value)
    memory = bytes_of(value if first is None else first)
    if memory is not None and graph.keeps(memory):
        return memory
    owner = None if first is None else graph.owning(first, value)
    return None if owner is value else owner


def _is_cheap(owner: Any, value: Any) -> bool:
    """Whether it may be written for the sake of this view alone."""
    if layout.is_bytes(owner):
        return False  # the view itself is all that is known of it
    if owner.dtype.hasobject:
        return is_all_of(value, owner)
    mapped = isinstance(owner, sys.modules["numpy"].memmap)
    return mapped or is_close(value.nbytes, owner.nbytes)


def can_be_seen(owner: Any) -> bool:
    """Whether it is one stretch of memory again, in the same order, to be written to."""
    if layout.is_bytes(owner):
        return bool(owner)
    if not owner.nbytes or _is_turned_around(owner):
        return False
    writable = owner.flags.writeable or isinstance(owner, sys.modules["numpy"].memmap)
    return writable and (owner.flags.c_contiguous or owner.flags.f_contiguous)


def can_be_placed(owner: Any) -> bool:
    """Whether views can be made of one that a load finds, or makes as it lay there."""
    if layout.is_bytes(owner):
        return bool(owner)
    return layout.is_dense(owner)


def can_hold(owner: Any, part: Any) -> bool:
    """Whether a place in the memory of an owner says what a view is.

    Strides that somebody made up may lead out of it. Objects are no bytes: they are
    found by their number.
    """
    if layout.is_bytes(owner):
        return True
    if not owner.dtype.hasobject:
        return holds(owner, part)
    begin, strides, _ = place_in(owner, part)
    same = owner.dtype.kind in "OV" and owner.dtype == part.dtype
    whole = not any(step % owner.itemsize for step in (begin, *strides))
    return same and whole and holds(owner, part)


def _is_turned_around(owner: Any) -> bool:
    """Whether its class has a reduce of its own, which turns its bytes around."""
    plain = type(owner) is sys.modules["numpy"].ndarray
    own = not plain and not remainders.leaves_out(type(owner))
    return own and not owner.dtype.isnative


def is_all_of(part: Any, owner: Any) -> bool:
    """Whether a view shows all of an array: what else is in one may not be storable."""
    return bool(part.nbytes == owner.nbytes and layout.is_dense(part))


def is_close(part: int, whole: int) -> bool:
    """Whether a part, in bytes, is so large that the whole may be stored for it."""
    return whole <= FACTOR_MAX * part


def owner_of(value: Any) -> Any:
    """The array that was first over this memory; ``None`` if it is that itself."""
    numpy = sys.modules["numpy"]
    owner = value
    while isinstance(base := layout.base_of(owner), numpy.ndarray):
        owner = base
        if isinstance(owner, numpy.memmap) and type(owner.base) is mmap.mmap:
            return owner
    return None if owner is value or isinstance(owner, numpy.memmap) else owner


def bytes_of(first: Any) -> Any:
    """The ``bytearray`` or `array.array` that an array was made over, or ``None``.

    It may be one that nobody can name: what has been loaded is over such.
    """
    base = first.base
    memory = base.obj if isinstance(base, memoryview) else base
    return memory if layout.is_bytes(memory) else None


def holds(array: Any, part: Any) -> bool:
    """Whether all of the memory of a part lies in that of an array, both over one."""
    (low, high), (begin, end) = layout.bounds(array), layout.bounds(part)
    far = _address(part) - _address(array)
    return low <= far + begin and far + end <= high


def stretch_of(array: Any) -> tuple[int, int]:
    """The addresses at which the memory of an array begins and ends."""
    (low, high), at = layout.bounds(array), _address(array)
    return at + low, at + high


def place_in(owner: Any, part: Any) -> tuple[Any, ...]:
    """Where a view lies in the memory of its owner: offset, strides, and how that lies.

    The offset is in bytes, from first element to first element.
    """
    where = _address(part) - _address(owner), part.strides
    return where if layout.is_bytes(owner) else (*where, layout.laid(owner))


def is_array(value: object) -> bool:
    """Whether it is an array of numpy, of any class."""
    return is_kind_of_array(type(value))


def is_kind_of_array(kind: type) -> bool:
    """Whether objects of a type are arrays of numpy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(kind, numpy.ndarray)


def _address(memory: Any) -> int:
    if layout.is_bytes(memory):
        memory = sys.modules["numpy"].frombuffer(memory, "u1")
    address: int = memory.__array_interface__["data"][0]
    return address
