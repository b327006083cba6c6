"""numpy: dtype, shape and contents in C order; nothing of numpy is imported here.

What must not count: strides and order in memory, the padding of structured dtypes,
and whatever lies under a mask.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nbdurable.engine.identity.forms import Form, Kinds, Named, no_label, qualified
from nbdurable.engine.identity.keys import Tag

if TYPE_CHECKING:
    import numpy as np

_AS_LIST = frozenset("OUST")
"""Kinds of dtypes hashed as one list of elements: objects, texts, bytes, StringDType.
A list has no padding, finds secrets, and is quicker than a child per element."""


def _array(value: np.ndarray[Any, Any]) -> Form:
    dtype, data = value.dtype, _numpy().asarray(value)
    fields = [_name(value), _dtype_bytes(dtype), repr(value.shape).encode()]
    own = _extras(value)
    if dtype.names is not None:
        names = dtype.names
        parts = [*own, *(data[name] for name in names)]
        return Form(Tag.STRUCTURED, fields, parts, _labels(len(own), names))
    if dtype.kind in _AS_LIST:
        return Form(Tag.ARRAY, fields, (*own, data.reshape(-1).tolist()), no_label)
    return Form(Tag.ARRAY, [*fields, _raw(data)], own, no_label)


def _name(value: object) -> bytes:
    return qualified(type(value)).encode()


def _extras(value: object) -> list[object]:
    """What a subclass adds: its attributes, unless it is one of numpy's own."""
    own = getattr(value, "__dict__", None)
    if not own or type(value).__module__.partition(".")[0] == "numpy":
        return []
    return [Named(own)]


def _labels(extras: int, names: Sequence[str]) -> Callable[[int], str]:
    return lambda i: "" if i < extras else f"[{names[i - extras]!r}]"


def _raw(data: np.ndarray[Any, Any]) -> memoryview:
    """The bytes in C order; a copy only if the array isn't laid out like that."""
    flat = data.reshape(-1) if data.flags.c_contiguous else data.flatten()
    return memoryview(flat.view(_numpy().uint8))


def _numpy() -> Any:
    return sys.modules["numpy"]


def _dtype_bytes(dtype: np.dtype[Any]) -> bytes:
    """Everything in which two dtypes of one meaning agree, in every process."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return _dtype_bytes(base) + repr(shape).encode()
    if dtype.names is None:
        return f"{dtype.str} {dtype!s}".encode()
    names = dtype.names
    parts = [repr((n, dtype.fields[n][1])).encode() for n in names]  # type: ignore[index]  # a structured dtype has fields
    inner = [_dtype_bytes(dtype.fields[n][0]) for n in names]  # type: ignore[index]  # as above
    pairs = [a + b" " + b for a, b in zip(parts, inner, strict=True)]
    return b"{" + b"; ".join(pairs) + f"}} {dtype.itemsize}".encode()


def _dtype(value: np.dtype[Any]) -> Form:
    return Form(Tag.DTYPE, (_dtype_bytes(value),))


def _scalar(value: np.generic) -> Form:
    array = _numpy().asarray(value)
    return Form(Tag.SCALAR, (qualified(type(value)).encode(),), (array,), no_label)


def _masked(value: Any) -> Form:
    np_ = _numpy()
    names = value.dtype.names
    if names is not None:
        parts = [value[name] for name in names]
        return Form(Tag.MASKED, (_name(value),), parts, _labels(0, names))
    mask = np_.ma.getmaskarray(value)
    data = np_.array(value.data, subok=False)
    data[mask] = np_.zeros((), data.dtype)
    return Form(Tag.MASKED, (_name(value),), (data, mask, value.fill_value))


KINDS: Kinds = {
    "numpy.ndarray": _array,
    "numpy.dtype": _dtype,
    "numpy.generic": _scalar,
    "numpy.ma.MaskedArray": _masked,
    "numpy.ma.core.MaskedArray": _masked,
}
