"""pyarrow: types, and values by type; how buffers and chunks hold them doesn't count.

An array is its type, which of its elements are missing, and the others in order: so
nothing counts that lies under a null, before an offset or after the end of a slice. A
dictionary is no more than a way to hold values, unless its order has a meaning.
Nothing of pyarrow is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    Stretches,
    no_label,
    qualified,
    raw_form,
)
from nbdurable.engine.identity.keys import Tag

ROWS_MAX = 1 << 18
"""Rows that are hashed at once: bounds what is copied of a long column, and enough that
a hash of its own costs nothing per row. A part of the format."""


def _array(value: Any) -> Form:
    fields = (b"array", str(value.type).encode(), str(len(value)).encode())
    if len(value) > ROWS_MAX:
        return Form(Tag.ARROW, fields, pieces(value), no_label, flat=False)
    missing = b""
    value = value.slice(0)  # an array counts its nulls when it is asked
    if str(value.type).endswith("_view"):
        value = value.cast(str(value.type).replace("_view", ""))
    if value.null_count:
        missing = _flags(value.is_null())
        value = value.drop_null()
    tag, own, data, children = _valid(value)
    return raw_form(tag, (*fields, missing, *own), data, children)


def pieces(value: Any) -> Stretches:
    """Something long with a method ``slice``, cut into parts of `ROWS_MAX`."""
    return Stretches(
        -(-len(value) // ROWS_MAX),
        lambda place: value.slice(place * ROWS_MAX, ROWS_MAX),
    )


def _chunked(value: Any) -> Form:
    if _pyarrow().types.is_dictionary(value.type):
        value = value.unify_dictionaries()
    fields = (b"chunked", str(value.type).encode(), str(len(value)).encode())
    parts = Stretches(
        -(-len(value) // ROWS_MAX),
        lambda place: _whole(value.slice(place * ROWS_MAX, ROWS_MAX)),
    )
    return Form(Tag.ARROW, fields, parts, no_label, flat=False)


def _whole(chunked: Any) -> Any:
    return chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()


def _pyarrow() -> Any:
    return sys.modules["pyarrow"]


def _compute() -> Any:
    return import_module("pyarrow.compute")


_Parts = tuple[Tag, tuple[bytes, ...], memoryview, tuple[object, ...]]
"""Of an array without nulls: tag, fields, bytes, children."""

_NOTHING = memoryview(b"")


def _valid(value: Any) -> _Parts:
    """An array without nulls, by what its type keeps."""
    types = _pyarrow().types
    for test, take in _BY_TYPE.items():
        if getattr(types, test, _never)(value.type):
            return take(value)
    if isinstance(value, _pyarrow().ExtensionArray):
        return _children(value.storage)
    return _children(value.to_pylist())


def _never(_: object) -> bool:
    return False


def _children(*children: object) -> _Parts:
    return Tag.ARROW, (), _NOTHING, children


def _null(_: object) -> _Parts:
    return _children()


def _boolean(value: Any) -> _Parts:
    return Tag.ARROW, (_flags(value),), _NOTHING, ()


def _flags(value: Any) -> bytes:
    """Booleans without nulls, a byte each."""
    return bytes(_fixed(value.cast("uint8"))[2])


def _fixed(value: Any) -> _Parts:
    """Elements of one width, in order."""
    width = value.type.bit_width // 8
    data = value.buffers()[1]
    if data is None:
        return _children()
    start = value.offset * width
    octets = memoryview(data).cast("B")[start : start + len(value) * width]
    return Tag.ARROW, (), octets, ()


def texts(value: Any) -> tuple[bytes, bytes]:
    """The lengths of texts or bytes without nulls, and all of them joined."""
    pa = _pyarrow()
    whole = value.cast(pa.large_binary())
    offsets = memoryview(whole.buffers()[1]).cast("B").cast("q")
    first, last = offsets[whole.offset], offsets[whole.offset + len(whole)]
    lengths = _compute().binary_length(whole)
    joined = whole.buffers()[2]
    data = b"" if joined is None else memoryview(joined)[first:last].tobytes()
    return bytes(_fixed(lengths)[2]), data


def _texts(value: Any) -> _Parts:
    if not len(value):
        return _children()
    lengths, joined = texts(value)
    # A child, not a field: a secret in it is found.
    return Tag.ARROW, (lengths,), _NOTHING, (joined,)


def _lists(value: Any) -> _Parts:
    lengths = _compute().list_value_length(value).cast("int64")
    return Tag.ARROW, (bytes(_fixed(lengths)[2]),), _NOTHING, (value.flatten(),)


def _fixed_lists(value: Any) -> _Parts:
    return _children(value.flatten())


def _maps(value: Any) -> _Parts:
    pa = _pyarrow()
    entry = pa.struct([value.type.key_field, value.type.item_field])
    return _lists(value.cast(pa.list_(pa.field("entries", entry, nullable=False))))


def _structs(value: Any) -> _Parts:
    return _children(*value.flatten())


def _dictionary(value: Any) -> _Parts:
    order = (value.dictionary,) if value.type.ordered else ()
    return _children(value.dictionary_decode(), *order)


def _runs(value: Any) -> _Parts:
    return _children(_compute().run_end_decode(value))


_BY_TYPE: Mapping[str, Callable[[Any], _Parts]] = {
    "is_null": _null,
    "is_boolean": _boolean,
    "is_string": _texts,
    "is_large_string": _texts,
    "is_binary": _texts,
    "is_large_binary": _texts,
    "is_primitive": _fixed,
    "is_decimal": _fixed,
    "is_fixed_size_binary": _fixed,
    "is_list": _lists,
    "is_large_list": _lists,
    "is_list_view": _lists,
    "is_large_list_view": _lists,
    "is_fixed_size_list": _fixed_lists,
    "is_map": _maps,
    "is_struct": _structs,
    "is_dictionary": _dictionary,
    "is_run_end_encoded": _runs,
}
"""How the elements of a type are taken, by the test for it in ``pyarrow.types``."""


def _table(value: Any) -> Form:
    names = [f"[{name!r}]" for name in value.schema.names]
    labels = [".schema", *names]
    children = (value.schema, *value.columns)
    fields = (qualified(type(value)).encode(), str(value.num_rows).encode())
    return Form(Tag.ARROW_TABLE, fields, children, labels.__getitem__, flat=False)


def _schema(value: Any) -> Form:
    children = (*value, _metadata(value))
    return Form(Tag.ARROW_TYPE, (b"schema",), children, no_label)


def _field(value: Any) -> Form:
    children = (value.name, value.type, value.nullable, _metadata(value))
    return Form(Tag.ARROW_TYPE, (b"field",), children, no_label)


def _metadata(value: Any) -> object:
    return sorted((value.metadata or {}).items())


def _type(value: Any) -> Form:
    return Form(Tag.ARROW_TYPE, (b"type", str(value).encode()))


def _scalar(value: Any) -> Form:
    one = _pyarrow().array([value], value.type)
    return Form(Tag.ARROW, (b"scalar",), (one,), no_label)


def _buffer(value: Any) -> Form:
    return raw_form(Tag.BUFFER, (b"arrow",), memoryview(value))


KINDS: Kinds = {
    "pyarrow.lib.Array": _array,
    "pyarrow.lib.ChunkedArray": _chunked,
    "pyarrow.lib.Table": _table,
    "pyarrow.lib.RecordBatch": _table,
    "pyarrow.lib.Schema": _schema,
    "pyarrow.lib.Field": _field,
    "pyarrow.lib.DataType": _type,
    "pyarrow.lib.Scalar": _scalar,
    "pyarrow.lib.Buffer": _buffer,
}
