"""How the elements of an array lie in memory.

A view is stored as a place in the memory of another array, so it is worth nothing where
that one lies otherwise. An array is *dense* if it is one stretch of memory without gaps,
with its axes in any order and direction, as `transpose` and ``[::-1]`` leave it.
"""

from __future__ import annotations

import importlib
from array import array as numbers
from typing import Any


def is_bytes(memory: object) -> bool:
    """Whether it is memory that arrays are made over, and that is kept as it is."""
    return type(memory) in (bytearray, numbers)


def base_of(array: Any) -> Any:
    """What an array was made of, also by `as_strided`, which puts something in between."""
    base = array.base
    while type(base).__name__ == "DummyArray":
        base = base.base
    return base


def root_of(array: Any) -> Any:
    """What owns the memory of an array: an array, or any other object with a buffer."""
    root = array
    while getattr(root, "base", None) is not None and hasattr(root, "strides"):
        root = base_of(root)
        if isinstance(root, memoryview):
            return root.obj
    return root


def laid(array: Any) -> tuple[int, ...]:
    """The strides of an array that say anything; 0 for the others."""
    steps = zip(array.shape, array.strides, strict=True)
    return tuple(step if size > 1 else 0 for size, step in steps)


def bounds(array: Any) -> tuple[int, int]:
    """Where its memory begins and ends, in bytes from its first element."""
    way = [(n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)]
    low, high = sum(min(0, far) for far in way), sum(max(0, far) for far in way)
    return low, high + array.itemsize


def is_dense(array: Any) -> bool:
    """Whether it is one stretch of memory, each byte of which is a part of it."""
    return bool(array.nbytes) and _straight(array).flags.c_contiguous


def stretch(array: Any) -> Any:
    """A dense array as one whose first element is the first one in memory.

    Raises:
        ValueError: It isn't dense.
    """
    if array.flags.c_contiguous:
        return array
    straight = _straight(array)
    if not straight.flags.c_contiguous:
        raise ValueError("the array that it is a part of lies in memory with gaps")
    return straight


def among(array: Any, offset: int, shape: tuple[int, ...], strides: Any) -> Any:
    """A part of an array of objects; what is no element of it is no object at all.

    Raises:
        ValueError: The part leads out of it.
    """
    numpy = importlib.import_module("numpy")
    flat = numpy.asarray(array).reshape(-1)
    way = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    first = offset + sum(min(0, far) for far in way)
    last = offset + sum(max(0, far) for far in way)
    if (
        first < 0
        or last >= flat.nbytes
        or any(s % flat.itemsize for s in (offset, *strides))
    ):
        raise ValueError("a part of an array lies outside of it")
    part = flat[offset // flat.itemsize :]
    return numpy.lib.stride_tricks.as_strided(part, shape, strides)


def _straight(array: Any) -> Any:
    """The same elements in the order in which they lie in memory, as a plain array."""
    numpy = importlib.import_module("numpy")
    steps = laid(array)
    ways = tuple(slice(None, None, -1 if step < 0 else 1) for step in steps)
    axes = sorted(range(array.ndim), key=lambda axis: -abs(steps[axis]))
    return numpy.asarray(array)[(*ways, ...)].transpose(axes)


def room(shape: tuple[int, ...], dtype: Any, strides: tuple[int, ...]) -> Any:
    """A new dense array that lies in memory like another one; its content follows."""
    numpy = importlib.import_module("numpy")
    axes = sorted(range(len(shape)), key=lambda axis: -abs(strides[axis]))
    made = numpy.empty([shape[axis] for axis in axes], dtype)
    ways = tuple(slice(None, None, -1 if step < 0 else 1) for step in strides)
    back = [axes.index(axis) for axis in range(len(shape))]
    return made.transpose(back)[(*ways, ...)]
