"""numpy: dtype, shape and contents in C order; nothing of numpy is imported here.

What must not count: strides and order in memory, the padding of structured dtypes and
of long doubles, and whatever lies under a mask.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nbdurable.engine.identity.forms import (
    CONTENT_BYTES_MIN,
    Content,
    Form,
    Kinds,
    Named,
    Undigestible,
    no_label,
    qualified,
)
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds.objects import reduced

if TYPE_CHECKING:
    import numpy as np

_AS_LIST = frozenset("OUST")
"""Kinds of dtypes hashed as one list of elements: objects, texts, bytes, StringDType.
A list has no padding, finds secrets, and is quicker than a child per element."""

_LONG_DOUBLES = frozenset("gG")
_LONG_DOUBLE_BYTES = 10
"""What counts of a long double of x86: 80 bits, stored in 12 or 16 bytes."""


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
    if data.nbytes < CONTENT_BYTES_MIN:
        return Form(Tag.ARRAY, [*fields, _raw(data)], own, no_label)
    big = (Content(lambda: _raw(data), data),)
    return Form(Tag.ARRAY, fields, own, no_label, big=big)


def _name(value: object) -> bytes:
    return qualified(type(value)).encode()


def _extras(value: object) -> list[object]:
    """What a subclass adds: its attributes, unless it is one of numpy's own."""
    own = getattr(value, "__dict__", None)
    if not own or str(type(value).__module__).partition(".")[0] == "numpy":
        return []
    return [Named(own)]


def _labels(extras: int, names: Sequence[str]) -> Callable[[int], str]:
    return lambda i: "" if i < extras else f"[{names[i - extras]!r}]"


def _raw(data: np.ndarray[Any, Any]) -> memoryview:
    """The bytes in C order; a copy only if the array isn't laid out like that."""
    flat = data.reshape(-1) if data.flags.c_contiguous else data.flatten()
    octets = flat.view(_numpy().uint8)
    if data.dtype.char in _LONG_DOUBLES and _has_padding(data.dtype):
        size = data.dtype.alignment
        octets = octets.reshape(-1, size)[:, :_LONG_DOUBLE_BYTES].reshape(-1)
    return memoryview(octets)


def _has_padding(dtype: np.dtype[Any]) -> bool:
    """Whether a long double is one of 80 bits; other machines have other ones."""
    return bool(_numpy().finfo(dtype).nmant == 63)


def _numpy() -> Any:
    return sys.modules["numpy"]


def _dtype_bytes(dtype: np.dtype[Any]) -> bytes:
    """Everything in which two dtypes of one meaning agree, in every process."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return _dtype_bytes(base) + repr(shape).encode()
    if dtype.kind == "T":
        return _texts_dtype(dtype)
    if dtype.names is None:
        return f"{dtype.str} {dtype!s}".encode()
    names = dtype.names
    parts = [repr((n, dtype.fields[n][1])).encode() for n in names]  # type: ignore[index]  # a structured dtype has fields
    inner = [_dtype_bytes(dtype.fields[n][0]) for n in names]  # type: ignore[index]  # as above
    pairs = [a + b" " + b for a, b in zip(parts, inner, strict=True)]
    return b"{" + b"; ".join(pairs) + f"}} {dtype.itemsize}".encode()


def _texts_dtype(dtype: Any) -> bytes:
    """A StringDType: its object for missing texts may be one without a name."""
    missing = "none"
    if hasattr(dtype, "na_object"):
        na = dtype.na_object
        plain = na is None or type(na) in {str, float}
        missing = repr(na) if plain else qualified(type(na))
    return f"T coerce={dtype.coerce} missing={missing}".encode()


def _dtype(value: np.dtype[Any]) -> Form:
    return Form(Tag.DTYPE, (_dtype_bytes(value),))


def _scalar(value: np.generic) -> Form:
    """A scalar by its dtype: C's types of one size have several names."""
    dtype, module = value.dtype, type(value).__module__
    own = module.partition(".")[0] == "numpy" and dtype.kind != "V"
    name = b"numpy" if own else _name(value)
    if dtype.kind in "biufcmM" and dtype.char not in _LONG_DOUBLES:
        fields = (name, _dtype_bytes(dtype), value.tobytes())
        return Form(Tag.SCALAR, fields)
    return Form(Tag.SCALAR, (name,), (_numpy().asarray(value),), no_label)


def _masked(value: Any) -> Form:
    np_ = _numpy()
    names = value.dtype.names
    if names is not None:
        parts = [value[name] for name in names]
        return Form(Tag.MASKED, (_name(value),), parts, _labels(0, names))
    mask = np_.ma.getmaskarray(value)
    data = np_.array(value.data, subok=False)
    data[mask] = np_.zeros((), data.dtype)
    fill = value._fill_value  # noqa: SLF001  # asking for the public one sets it
    if fill is None:
        fill = np_.ma.default_fill_value(value.dtype)
    # Cast, as numpy does: its default doesn't fit into small integers and floats.
    with np_.errstate(over="ignore", invalid="ignore"):
        fill = np_.asarray(fill).astype(value.dtype)
    return Form(Tag.MASKED, (_name(value),), (data, mask, fill), no_label)


def _ufunc(value: Any) -> Form:
    """A ufunc of numpy or scipy, by its name; those made of functions have none."""
    name = value.__name__
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), name, None) is value:
            return Form(Tag.NAMED, (module.encode(), name.encode()))
    raise Undigestible(qualified(type(value)), reason="no module has it by name")


def _old_generator(value: Any) -> Form:
    """A `RandomState`; numpy's own is a part of the module, whose state doesn't count."""
    own = getattr(sys.modules.get("numpy.random.mtrand"), "_rand", None)
    if value is own:
        return Form(Tag.NAMED, (b"numpy.random",))
    return reduced(value)


KINDS: Kinds = {
    "numpy.random.mtrand.RandomState": _old_generator,
    "numpy.ufunc": _ufunc,
    "numpy.ndarray": _array,
    "numpy.dtype": _dtype,
    "numpy.generic": _scalar,
    "numpy.ma.MaskedArray": _masked,
    "numpy.ma.core.MaskedArray": _masked,
}
