"""Frames, series, indexes and scalars of pandas."""

# ruff: noqa: PLW0108  # every value of a table is made by a lambda

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pandas as pd

Make = Callable[[], object]

ROWS = 300_000
"""More than are hashed at once."""


def stored(value: object) -> object:
    """A value after a round trip through storage."""
    return pickle.loads(pickle.dumps(value))  # our own bytes


def wide() -> pd.DataFrame:
    """A frame in one block."""
    return pd.DataFrame(np.arange(12.0).reshape(3, 4), columns=list("abcd"))


def narrow() -> pd.DataFrame:
    """The same, a block per column."""
    made = pd.DataFrame(index=pd.RangeIndex(3))
    for name in "abcd":
        made[name] = wide()[name].copy()
    return made


def texts(storage: str, *, missing: object = np.nan) -> pd.Series:
    """Texts, held by Python or by Arrow."""
    dtype = pd.StringDtype(storage, na_value=missing)
    return pd.Series(["a", None, "é", ""], dtype=dtype)


def many_texts(storage: str) -> pd.Series:
    """More texts than are hashed at once."""
    dtype = pd.StringDtype(storage, na_value=np.nan)
    data = [None if n % 1000 == 0 else str(n) for n in range(ROWS)]
    return pd.Series(data, dtype=dtype)


def floats(garbage: float) -> pd.Series:
    """Nullable floats with something under the mask."""
    data, mask = np.array([1.0, garbage]), np.array([False, True])
    return pd.Series(pd.arrays.FloatingArray(data, mask))


def flags(garbage: bool) -> pd.Series:  # it is what lies there
    """Nullable booleans with something under the mask."""
    data, mask = np.array([True, garbage]), np.array([False, True])
    return pd.Series(pd.arrays.BooleanArray(data, mask))


def described(**attrs: object) -> pd.DataFrame:
    """A frame with attributes."""
    made = wide()
    made.attrs = attrs
    return made


def touched(index: pd.MultiIndex) -> pd.MultiIndex:
    """The same index after it has computed what it keeps."""
    assert index.is_unique
    assert index.get_loc(("a", 1)) == 0
    return index


def levels() -> pd.MultiIndex:
    """An index of two levels."""
    return pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"])


EQUAL: dict[str, tuple[Make, ...]] = {
    "blocks": (wide, narrow, lambda: wide().copy(), lambda: stored(narrow())),
    "parents": (
        lambda: wide()[["b", "d"]],
        lambda: wide().drop(columns=["a", "c"]),
        lambda: wide().loc[:, ["b", "d"]][:3],
        lambda: pd.concat([wide()[["b"]], wide()[["d"]]], axis=1),
    ),
    "rows": (
        lambda: wide()[:2],
        lambda: wide().iloc[[0, 1]].set_axis(pd.RangeIndex(2)),
        lambda: wide().head(2),
    ),
    "texts": (lambda: texts("python"), lambda: texts("pyarrow")),
    "NA texts": (
        lambda: texts("python", missing=pd.NA),
        lambda: texts("pyarrow", missing=pd.NA),
    ),
    "many texts": (lambda: many_texts("python"), lambda: many_texts("pyarrow")),
    "part of texts": (
        lambda: texts("python")[1:3],
        lambda: texts("pyarrow")[1:3],
        lambda: stored(texts("pyarrow")[1:3]),
    ),
    "text index": (
        lambda: pd.Index(["a", "b"]),
        lambda: pd.Index(["a", "b"], dtype=pd.StringDtype("python", na_value=np.nan)),
        lambda: wide().columns[:2],
    ),
    "floats": (lambda: floats(0), lambda: floats(9), lambda: stored(floats(9))),
    "flags": (lambda: flags(True), lambda: flags(False)),
    "arrow": (
        lambda: pd.Series([1, None], dtype="int64[pyarrow]"),
        lambda: pd.Series([5, 1, None], dtype="int64[pyarrow]")[1:].reset_index(
            drop=True
        ),
    ),
    "arrow lists": (
        lambda: pd.Series([[1], None], dtype=arrow_lists()),
        lambda: pd.concat(
            [pd.Series([v], dtype=arrow_lists()) for v in ([1], None)],
            ignore_index=True,
        ),
    ),
    "sparse": (
        lambda: pd.Series([0, 1, 0], dtype="Sparse[int]"),
        lambda: stored(pd.Series([0, 1, 0], dtype="Sparse[int]")),
        lambda: pd.Series(pd.arrays.SparseArray([0, 1, 0], kind="block")),
    ),
    "levels": (
        levels,
        lambda: touched(levels()),
        lambda: pd.MultiIndex.from_product([["z", "a", "b"], [2, 1]], names=["x", "y"])[
            [3, 4]
        ],
    ),
    "categories": (
        lambda: pd.Series(["a", None], dtype=pd.CategoricalDtype(["a", "b"])),
        lambda: pd.Series(["a", "b"], dtype="category").where([True, False]),
    ),
    "attributes": (lambda: described(a=1), lambda: stored(described(a=1))),
    "moment": (
        lambda: pd.Timestamp("2026-01-01", tz="Europe/Berlin"),
        lambda: pd.Timestamp("2025-12-31T23:00Z").tz_convert("Europe/Berlin"),
    ),
    "offset": (lambda: pd.offsets.MonthEnd(2), lambda: pd.offsets.MonthEnd(1) * 2),
    "dates": (
        lambda: pd.date_range("2026", periods=3, freq="D"),
        lambda: stored(pd.date_range("2026", periods=4, freq="D")[:3]),
    ),
}

INDEXES: tuple[Make, ...] = (
    lambda: pd.RangeIndex(3), lambda: pd.RangeIndex(3, name="n"),
    lambda: pd.Index([0, 1, 2]), lambda: pd.Index([0, 1, 2], dtype="int32"),
    lambda: pd.Index([0, 1, 2], dtype="Int64"), lambda: pd.Index([0.0, 1, 2]),
    lambda: pd.Index(["0", "1", "2"]), lambda: pd.Index(["0", "1", "2"], dtype=object),
    lambda: pd.Index([0, 1, 2], dtype=object), lambda: pd.Index([False, True, True]),
    lambda: pd.CategoricalIndex([0, 1, 2]), lambda: pd.CategoricalIndex(["0", "1", "2"]),
    lambda: pd.date_range("2026", periods=3), lambda: pd.date_range("2026", periods=3, tz="UTC"),
    lambda: pd.date_range("2026", periods=3).as_unit("s"),
    lambda: pd.period_range("2026", periods=3, freq="D"),
    lambda: pd.timedelta_range("0D", periods=3), lambda: pd.interval_range(0, 3),
    lambda: pd.interval_range(0, 3, closed="left"), levels,
    lambda: levels().set_names(["x", "z"]), lambda: levels()[::-1],
    lambda: levels().to_flat_index(), lambda: pd.MultiIndex.from_arrays([[0, 1, 2]]),
)  # fmt: skip

DIFFERENT: dict[str, tuple[Make, ...]] = {
    "indexes": INDEXES,
    "frames by index": tuple(
        lambda make=make: pd.DataFrame({"v": range(len(make()))}, index=make())
        for make in INDEXES
    ),
    "columns": tuple(
        lambda dtype=dtype: pd.DataFrame({"v": pd.Series([1, 0], dtype=dtype)})
        for dtype in (
            "i8", "i4", "u1", "f8", "f4", "c16", "bool", "object", "Int64", "Float64",
            "boolean", "category", "Sparse[int]", "datetime64[ns]", "datetime64[s]",
            "timedelta64[s]", "int64[pyarrow]", "double[pyarrow]", "bool[pyarrow]",
        )
    ),
    "texts": (
        lambda: texts("python"), lambda: texts("python", missing=pd.NA),
        lambda: texts("python").astype(object), lambda: texts("python").astype("category"),
        lambda: texts("python").fillna(""), lambda: texts("python")[::-1],
        lambda: texts("python").reset_index(drop=True).rename("s"),
        lambda: texts("python").astype("string[pyarrow]").convert_dtypes(dtype_backend="pyarrow"),
        lambda: pd.Series(["a", None, "", "é"], dtype="str"),
        lambda: pd.Series(["aé", None, "", ""], dtype="str"),
    ),
    "missing": (
        lambda: floats(0), lambda: floats(0).fillna(0), lambda: floats(0)[::-1],
        lambda: flags(True), lambda: flags(True).fillna(False),
    ),
    "labels": (
        wide, lambda: wide()[list("abdc")], lambda: wide().rename(columns={"a": "x"}),
        lambda: wide().set_axis(range(4), axis=1), lambda: wide().rename_axis("c", axis=1),
        lambda: wide().T, lambda: described(a=1), lambda: described(a=2),
        lambda: wide().set_flags(allows_duplicate_labels=False),
        lambda: wide().set_axis(list("aacd"), axis=1), lambda: wide()["a"], lambda: wide()[["a"]],
        lambda: wide()["a"].to_frame("b"), lambda: wide().to_numpy(), lambda: wide().to_dict(),
    ),
    "categories": (
        lambda: pd.Categorical(["a", "b"]), lambda: pd.Categorical(["a", "b"], ["b", "a"]),
        lambda: pd.Categorical(["a", "b"], ["a", "b", "c"]),
        lambda: pd.Categorical(["a", "b"], ordered=True), lambda: pd.Categorical(["a", None]),
    ),
    "scalars": (
        lambda: pd.NA, lambda: pd.NaT, lambda: pd.Timestamp(0), lambda: pd.Timestamp(0, tz="UTC"),
        lambda: pd.Timestamp(0).as_unit("s"), lambda: pd.Timedelta(0), lambda: pd.Period("1970", "D"),
        lambda: pd.Period("1970", "h"), lambda: pd.Interval(0, 1), lambda: pd.Interval(0, 1, "left"),
        lambda: pd.offsets.Day(), lambda: pd.offsets.BDay(), lambda: pd.offsets.MonthEnd(2),
    ),
    "dtypes": (
        lambda: pd.CategoricalDtype(["a"]), lambda: pd.CategoricalDtype(["b"]),
        lambda: pd.CategoricalDtype(["a"], ordered=True), lambda: pd.Int64Dtype(),
        lambda: pd.StringDtype(), lambda: pd.IntervalDtype("int64"),
        lambda: pd.DatetimeTZDtype("ns", "UTC"), lambda: pd.DatetimeTZDtype("s", "UTC"),
        lambda: pd.PeriodDtype("D"), lambda: pd.SparseDtype("int"), lambda: np.dtype("i8"),
    ),
    "sparse": (
        lambda: pd.arrays.SparseArray([0, 1]), lambda: pd.arrays.SparseArray([1, 0]),
        lambda: pd.arrays.SparseArray([0, 1], fill_value=1), lambda: pd.arrays.SparseArray([0, 1, 0]),
        lambda: pd.arrays.SparseArray([0, 1.0]),
    ),
}  # fmt: skip

REFUSED: dict[str, tuple[Make, str, str]] = {
    "groups": (
        lambda: wide().groupby("a"),
        "pandas.api.typing.DataFrameGroupBy",
        "",
    ),
    "window": (lambda: [wide().rolling(2)], "pandas.api.typing.Rolling", "[0]"),
    "object in a frame": (
        lambda: {"df": pd.DataFrame({"a": [1], "b": [iter(())]})},
        "builtins.tuple_iterator",
        "['df']['b'][0]",
    ),
    "attribute": (
        lambda: described(a=iter(())),
        "builtins.tuple_iterator",
        ".attrs['a']",
    ),
}


def arrow_lists() -> pd.ArrowDtype:
    """A type of lists."""
    import pyarrow as pa

    return pd.ArrowDtype(pa.list_(pa.int64()))
