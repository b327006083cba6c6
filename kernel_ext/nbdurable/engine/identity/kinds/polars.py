"""polars: names, types and values; chunks, flags and what lies under nulls don't count.

Elements come from polars itself, so that a digest is the same with pyarrow and numpy
and without. Categories count by their texts (how they are numbered depends on what
the process saw before). Nothing of polars is imported here.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping
from typing import Any

from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    no_label,
    qualified,
    raw_form,
)
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds.arrow import ROWS_MAX, pieces

_CODES = {
    "Int8": "b", "Int16": "h", "Int32": "i", "Int64": "q",
    "UInt8": "B", "UInt16": "H", "UInt32": "I", "UInt64": "Q",
    "Float32": "f", "Float64": "d",
}  # fmt: skip
"""Letters of `array.array` for the types that memory holds as they are."""


def _frame(value: Any) -> Form:
    labels = [f"[{name!r}]" for name in value.columns]
    fields = (qualified(type(value)).encode(), str(value.height).encode())
    columns = value.get_columns()
    return Form(Tag.POLARS_FRAME, fields, columns, labels.__getitem__, flat=False)


def _series(value: Any) -> Form:
    name = value.name.encode("utf-8", "surrogatepass")
    fields = (qualified(type(value)).encode(), name, str(len(value)).encode())
    if len(value) > ROWS_MAX:
        children = (value.dtype, *pieces(value))
        return Form(Tag.POLARS_SERIES, fields, children, no_label, flat=False)
    missing = b""
    if value.null_count():
        missing = _numbers(value.is_null().cast(_polars().UInt8)).tobytes()
        value = value.drop_nulls()
    own, data, children = _valid(value)
    return raw_form(
        Tag.POLARS_SERIES, (*fields, missing, *own), data, (value.dtype, *children)
    )


def _polars() -> Any:
    return sys.modules["polars"]


_Parts = tuple[tuple[bytes, ...], memoryview, tuple[object, ...]]
"""Of a series without nulls: fields, bytes, children."""

_NOTHING = memoryview(b"")


def _valid(value: Any) -> _Parts:
    return _BY_TYPE.get(_kind(value.dtype), _physical)(value)


def _kind(dtype: Any) -> str:
    return str(dtype.base_type().__name__)


def _physical(value: Any) -> _Parts:
    """Numbers, and times and decimals as the numbers that hold them."""
    numbers = value.to_physical()
    if _kind(numbers.dtype) in _CODES:
        return (), _numbers(numbers), ()
    return (), _NOTHING, (value.to_list(),)


def _numbers(value: Any) -> memoryview:
    """The bytes of a series of numbers without nulls."""
    if sys.modules.get("numpy"):
        return (
            memoryview(value.rechunk().to_numpy()).cast("B") if len(value) else _NOTHING
        )
    return memoryview(array(_CODES[_kind(value.dtype)], value.to_list())).cast("B")


def _boolean(value: Any) -> _Parts:
    return (), _numbers(value.cast(_polars().UInt8)), ()


def _texts(value: Any) -> _Parts:
    lengths = _numbers(value.str.len_bytes()).tobytes()
    # A child, not a field: a secret in it is found.
    return (lengths,), _NOTHING, (value.str.join("").item() if len(value) else "",)


def _categories(value: Any) -> _Parts:
    return _texts(value.cast(_polars().String))


def _elements(value: Any) -> _Parts:
    return (), _NOTHING, (value.to_list(),)


def _lists(value: Any) -> _Parts:
    lengths = value.list.len()
    return (
        (_numbers(lengths).tobytes(),),
        _NOTHING,
        (value.filter(lengths > 0).explode(),),
    )


def _arrays(value: Any) -> _Parts:
    return (), _NOTHING, (value.explode() if value.dtype.size and len(value) else None,)


def _structs(value: Any) -> _Parts:
    return (), _NOTHING, tuple(value.struct.unnest().get_columns())


def _null(_: object) -> _Parts:
    return (), _NOTHING, ()


_BY_TYPE: Mapping[str, Callable[[Any], _Parts]] = {
    "Boolean": _boolean,
    "String": _texts,
    "Categorical": _categories,
    "Enum": _categories,
    "Binary": _elements,
    "Object": _elements,
    "List": _lists,
    "Array": _arrays,
    "Struct": _structs,
    "Null": _null,
}


def _dtype(value: Any) -> Form:
    name = _kind(value)
    if name == "Enum":
        return Form(Tag.POLARS_TYPE, (b"Enum",), (value.categories.to_list(),))
    if name == "Struct":
        inner = [(field.name, field.dtype) for field in value.fields]
        return Form(Tag.POLARS_TYPE, (b"Struct",), inner)
    if name in {"List", "Array"}:
        size = str(getattr(value, "shape", "")).encode()
        return Form(Tag.POLARS_TYPE, (name.encode(), size), (value.inner,))
    return Form(Tag.POLARS_TYPE, (str(value).encode(),))


KINDS: Kinds = {
    "polars.dataframe.frame.DataFrame": _frame,
    "polars.series.series.Series": _series,
    "polars.datatypes.classes.DataType": _dtype,
    "polars.datatypes.classes.DataTypeClass": _dtype,
}
