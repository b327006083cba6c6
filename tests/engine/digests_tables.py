"""Tables and columns of polars and pyarrow."""

from __future__ import annotations

import datetime as dt
import decimal
import pickle
from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa

Make = Callable[[], object]

ELEMENTS: dict[str, list[object]] = {
    "int": [1, None, 3],
    "float": [1.5, None, -0.0],
    "text": ["a", None, "é"],
    "bytes": [b"x", None, b""],
    "bool": [True, None, False],
    "date": [dt.date(2026, 1, 1), None, dt.date(2026, 1, 3)],
    "time": [dt.time(1), None, dt.time(2)],
    "moment": [dt.datetime(2026, 1, 1), None, dt.datetime(2026, 1, 2)],  # noqa: DTZ001  # naive is meant
    "span": [dt.timedelta(1), None, dt.timedelta(2)],
    "decimal": [decimal.Decimal("1.5"), None, decimal.Decimal("2.5")],
    "list": [[1, None], None, []],
    "struct": [{"a": 1, "b": None}, None, {"a": None, "b": "x"}],
    "nested": [[{"a": [1]}], None, [{"a": None}, None]],
    "null": [None, None, None],
}

VIEWS = {
    "text": pa.string_view(),
    "bytes": pa.binary_view(),
    "list": pa.list_view(pa.int64()),
}

ROWS = 300_000
"""More than are hashed at once."""


def part(elements: list[object], kind: pa.DataType) -> pa.Array:
    """Elements as a slice of a longer array."""
    return pa.array([elements[2], *elements, elements[0]], kind)[1:4]


def dirty(elements: list[int | None]) -> pa.Array:
    """An array with garbage under its nulls, and bits after its end."""
    data = np.array([99 if e is None else e for e in elements], np.int64)
    mask = np.array([e is None for e in elements])
    bits = np.packbits(~mask, bitorder="little") | 0xF8
    buffers = [pa.py_buffer(bits.tobytes()), pa.py_buffer(data.tobytes())]
    return pa.Array.from_buffers(pa.int64(), len(elements), buffers)


def dirty_texts() -> pa.Array:
    """Texts with one under a null."""
    offsets = np.array([0, 1, 5, 7], np.int32)
    buffers = [
        pa.py_buffer(b"\5"),
        pa.py_buffer(offsets.tobytes()),
        pa.py_buffer(b"aJUNK\xc3\xa9"),
    ]
    return pa.Array.from_buffers(pa.string(), 3, buffers)


def pieces(array: pa.Array) -> pa.ChunkedArray:
    """An array in chunks, one of them empty."""
    return pa.chunked_array([array[:1], array[:0], array[1:]])


def split(values: pl.Series) -> pl.Series:
    """A series in chunks."""
    return pl.concat([values[:1], values[1:]], rechunk=False)


def stored(value: object) -> object:
    """A value after a round trip through storage."""
    return pickle.loads(pickle.dumps(value))  # our own bytes


def categorical(*texts: str) -> pl.Series:
    """Categories that were seen in this order, and the last of them used."""
    return pl.Series(texts, dtype=pl.Categorical)


EQUAL: dict[str, tuple[Make, ...]] = {}
for _name, _elements in ELEMENTS.items():
    _kind = pa.infer_type(_elements)
    EQUAL |= {
        f"arrow {_name}": (
            lambda e=_elements: pa.array(e),
            lambda e=_elements, k=_kind: part(e, k),
            lambda e=_elements: stored(pa.array(e)),
        ),
        f"arrow {_name} in chunks": (
            lambda e=_elements: pa.chunked_array([pa.array(e)]),
            lambda e=_elements: pieces(pa.array(e)),
            lambda e=_elements, k=_kind: pieces(part(e, k)),
        ),
        f"arrow {_name} scalar": (
            lambda e=_elements: pa.array(e)[0],
            lambda e=_elements, k=_kind: part(e, k)[0],
        ),
        f"polars {_name}": (
            lambda e=_elements: pl.Series("x", e),
            lambda e=_elements: split(pl.Series("x", e)),
            lambda e=_elements: pl.Series("x", [e[2], *e, e[0]], strict=False)[1:4],
            lambda e=_elements: stored(pl.Series("x", e)),
        ),
    }
for _name, _kind in VIEWS.items():
    EQUAL[f"arrow {_name} view"] = (
        lambda e=ELEMENTS[_name], k=_kind: pa.array(e, k),
        lambda e=ELEMENTS[_name], k=_kind: part(e, k),
    )

EQUAL |= {
    "garbage": (lambda: dirty([1, None, 3]), lambda: pa.array([1, None, 3])),
    "garbage text": (dirty_texts, lambda: pa.array(["a", None, "é"])),
    "garbage in a list": (
        lambda: pa.ListArray.from_arrays([0, 2, 3], dirty([1, None, 3])),
        lambda: pa.array([[1, None], [3]]),
    ),
    "dictionary": (
        lambda: pa.array(["a", "b", None]).dictionary_encode(),
        lambda: pa.DictionaryArray.from_arrays(
            pa.array([2, 0, None], pa.int32()), ["b", "z", "a"]
        ),
        lambda: pa.array(["z", "a", "b", None]).dictionary_encode()[1:],
    ),
    "dictionaries": (
        lambda: pa.chunked_array([pa.array(["a", "b", "c"]).dictionary_encode()]),
        lambda: pa.chunked_array(
            [pa.array(t).dictionary_encode() for t in (["a", "b"], ["c"])]
        ),
    ),
    "runs": (
        lambda: pa.RunEndEncodedArray.from_arrays([2, 3], [1, 2]),
        lambda: pa.RunEndEncodedArray.from_arrays([1, 2, 3], [1, 1, 2]),
    ),
    "map": (
        lambda: pa.array([{"a": 1}, None], pa.map_(pa.string(), pa.int64())),
        lambda: pa.array([{"b": 1}, {"a": 1}, None], pa.map_(pa.string(), pa.int64()))[1:],
    ),
    "fixed lists": (
        lambda: pa.array([[1, 2], None], pa.list_(pa.int64(), 2)),
        lambda: pa.array([[5, 6], [1, 2], None], pa.list_(pa.int64(), 2))[1:],
    ),
    "long": (
        lambda: pa.chunked_array([pa.array(range(ROWS))]),
        lambda: pieces(pa.array(range(ROWS))),
    ),
    "table": (
        lambda: pa.table({"a": [1, 2], "b": ["x", None]}),
        lambda: pa.table({"a": pieces(pa.array([1, 2])), "b": ["x", None]}),
        lambda: stored(pa.table({"a": [0, 1, 2], "b": ["y", "x", None]})[1:]),
    ),
    "batch": (
        lambda: pa.record_batch({"a": [1, 2]}),
        lambda: pa.record_batch({"a": [0, 1, 2]})[1:],
    ),
    "schema": (
        lambda: pa.schema([("a", pa.int64())]),
        lambda: pa.table({"a": [1]}).schema,
    ),
    "buffer": (lambda: pa.py_buffer(b"ab"), lambda: pa.py_buffer(b"xab")[1:]),
    "categories": (
        lambda: categorical("a", "b"),
        lambda: categorical("b", "a", "b")[1:],
    ),
    "long series": (
        lambda: pl.Series("x", map(str, range(ROWS)), dtype=pl.String),
        lambda: split(pl.Series("x", map(str, range(ROWS)), dtype=pl.String)),
    ),
    "frame": (
        lambda: pl.DataFrame({"a": [1, None], "b": ["x", "y"]}),
        lambda: pl.DataFrame({"a": [1, None], "b": ["x", "y"]}).lazy().collect(),
        lambda: pl.DataFrame({"b": ["z", "x", "y"], "a": [0, 1, None]})[1:][["a", "b"]],
        lambda: stored(pl.DataFrame({"a": [1, None], "b": ["x", "y"]})),
    ),
    "sorted": (lambda: pl.Series([1, 2]), lambda: pl.Series([1, 2]).set_sorted()),
    "schema of a frame": (
        lambda: pl.DataFrame({"a": [1]}).schema,
        lambda: pl.Schema({"a": pl.Int64}),
    ),
}  # fmt: skip

NUMBERS = ("Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32",
           "UInt64", "Float32", "Float64", "Boolean", "String", "Categorical",
           "Datetime", "Duration", "Object")  # fmt: skip

ONE = {"String": "1", "Categorical": "1", "Boolean": True}

DIFFERENT: dict[str, tuple[Make, ...]] = {
    "arrow": tuple(lambda e=e: pa.array(e) for e in ELEMENTS.values()),
    "polars": tuple(lambda e=e: pl.Series("x", e) for e in ELEMENTS.values()),
    "arrow types": tuple(
        lambda t=t: pa.array([1], t)
        for t in (pa.int8(), pa.int16(), pa.int64(), pa.uint8(), pa.float32(), pa.float64(),
                  pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("us"),
                  pa.timestamp("us", "UTC"), pa.duration("s"), pa.time32("s"))
    ),
    "polars types": tuple(
        lambda n=n: pl.Series("x", [ONE.get(n, 1)], dtype=getattr(pl, n))
        for n in NUMBERS
    ),
    "holders": (
        lambda: pa.array([1]), lambda: pa.chunked_array([[1]]), lambda: pa.array([1])[0],
        lambda: pa.table({"x": [1]}), lambda: pa.record_batch({"x": [1]}),
        lambda: pa.array([1]).dictionary_encode(), lambda: pl.Series("x", [1]),
        lambda: pl.DataFrame({"x": [1]}), lambda: np.array([1]), lambda: [1],
        lambda: pl.Series("y", [1]), lambda: pa.array([[1]]), lambda: pa.array([{"x": 1}]),
    ),
    "nulls": (
        lambda: pa.array([1, None]), lambda: pa.array([None, 1]), lambda: pa.array([1, 0]),
        lambda: pa.array([1]), lambda: pa.array([1, None, None]),
    ),
    "joined": (
        lambda: pa.array(["ab", "c"]), lambda: pa.array(["a", "bc"]), lambda: pa.array(["abc"]),
        lambda: pa.array(["", "abc"]), lambda: pa.array([None, "abc"]),
    ),
    "joined in polars": (
        lambda: pl.Series(["ab", "c"]), lambda: pl.Series(["a", "bc"]), lambda: pl.Series(["abc"]),
        lambda: pl.Series(["", "abc"]), lambda: pl.Series([None, "abc"]),
    ),
    "lists": (
        lambda: pa.array([[1], [2]]), lambda: pa.array([[1, 2]]), lambda: pa.array([[], [1, 2]]),
        lambda: pa.array([None, [1, 2]]), lambda: pl.Series([[1], [2]]), lambda: pl.Series([[1, 2]]),
        lambda: pl.Series([[], [1, 2]]), lambda: pl.Series([None, [1, 2]]),
        lambda: pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)),
        lambda: pl.Series([[1, None]]), lambda: pl.Series([[None, 1]]),
    ),
    "structs": (
        lambda: pl.Series([{"a": 1}]), lambda: pl.Series([{"b": 1}]), lambda: pl.Series([{"a": None}]),
        lambda: pl.Series([None], dtype=pl.Struct({"a": pl.Int64})), lambda: pa.array([{"a": 1}]),
        lambda: pa.array([{"b": 1}]), lambda: pa.array([None], pa.struct([("a", pa.int64())])),
        lambda: pa.array([{"a": None}], pa.struct([("a", pa.int64())])),
    ),
    "tables": (
        lambda: pa.table({"a": [1], "b": [2]}), lambda: pa.table({"b": [2], "a": [1]}),
        lambda: pa.table({"a": [1], "b": [2]}).replace_schema_metadata({"k": "v"}),
        lambda: pl.DataFrame({"a": [1], "b": [2]}), lambda: pl.DataFrame({"b": [2], "a": [1]}),
        lambda: pa.table({"a": [2], "b": [1]}), lambda: pa.table({}), pl.DataFrame,
    ),
    "enums": (
        lambda: pl.Series(["a"], dtype=pl.Enum(["a", "b"])),
        lambda: pl.Series(["a"], dtype=pl.Enum(["b", "a"])),
        lambda: categorical("a"), lambda: pl.Series(["a"]),
        lambda: pa.DictionaryArray.from_arrays(pa.array([0]), ["a", "b"], ordered=True),
        lambda: pa.DictionaryArray.from_arrays(pa.array([1]), ["b", "a"], ordered=True),
        lambda: pa.DictionaryArray.from_arrays(pa.array([0]), ["a", "b"]),
    ),
    "types": (
        pa.int64, pa.int32, lambda: pa.list_(pa.int64()), lambda: pa.timestamp("s"),
        lambda: pa.field("a", pa.int64()), lambda: pa.field("a", pa.int64(), nullable=False),
        lambda: pa.schema([("a", pa.int64())]), lambda: pl.Int64, lambda: pl.Datetime("us"),
        lambda: pl.Datetime("ms"), lambda: pl.List(pl.Int64), lambda: pl.List(pl.Int32),
        lambda: pl.Enum(["a"]), lambda: pl.Enum(["b"]), lambda: pl.Struct({"a": pl.Int8}),
    ),
}  # fmt: skip

REFUSED: dict[str, tuple[Make, str, str]] = {
    "lazy frame": (
        lambda: {"lf": pl.LazyFrame({"a": [1]})},
        "polars.lazyframe.frame.LazyFrame",
        "['lf']",
    ),
    "expression": (lambda: [pl.col("a")], "polars.expr.expr.Expr", "[0]"),
    "reader": (
        lambda: pa.RecordBatchReader.from_batches(pa.schema([]), []),
        "pyarrow.lib.RecordBatchReader",
        "",
    ),
    "object in a frame": (
        lambda: pl.DataFrame({"a": pl.Series([iter(())], dtype=pl.Object)}),
        "builtins.tuple_iterator",
        "['a'][0]",
    ),
}
