"""Tables and texts: each through the layer that keeps it exactly."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from nbdurable.engine import codec
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.values.redact import Secrets
from nbdurable_store import BlobRef
from nbdurable_store.backends.memory import MemoryStore

SECRETS = Secrets({})
TEXTS = ["a", "ü", None, ""]


def _flagged() -> pd.DataFrame:
    return pd.DataFrame({"a": TEXTS}).set_flags(allows_duplicate_labels=False)


def _attributed() -> pd.DataFrame:
    frame = pd.DataFrame({"a": TEXTS})
    frame.attrs = {"unit": ("m", {1, 2})}
    return frame


def _odd_nan() -> pd.DataFrame:
    bits = np.array([0x7FF8000000000001, 0xFFF8000000000000, 0, 1 << 63], "u8")
    return pd.DataFrame({"a": TEXTS, "b": bits.view("f8")})


DAY = dt.date(2024, 1, 2)
FRAMES: dict[str, Callable[[], Any]] = {
    "texts": lambda: pd.DataFrame({"a": TEXTS}),
    "series": lambda: pd.Series(TEXTS, name="n"),
    "unnamed series": lambda: pd.Series(TEXTS),
    "mixed": lambda: pd.DataFrame(
        {"a": TEXTS, "i": range(4), "f": [1.5, np.nan, -0.0, 2], "b": [True] * 4}
    ),
    "small numbers": lambda: pd.DataFrame({"a": TEXTS, "i": np.arange(4, dtype="u1")}),
    "half floats": lambda: pd.DataFrame({"a": TEXTS, "f": np.arange(4, dtype="f2")}),
    "odd NaNs": _odd_nan,
    "moments": lambda: pd.DataFrame(
        {
            "a": TEXTS,
            "t": pd.date_range("2024", periods=4),
            "d": pd.to_timedelta([1, 2, 3, 4]),
        }
    ),
    "seconds": lambda: pd.DataFrame({"a": TEXTS, "t": np.arange(4).astype("M8[s]")}),
    "a range": lambda: pd.DataFrame(
        {"a": TEXTS}, index=pd.RangeIndex(2, 10, 2, name="r")
    ),
    "a slice": lambda: pd.DataFrame({"a": TEXTS * 9, "b": range(36)}).iloc[5:9],
    "fragmented": lambda: pd.concat(
        [pd.Series(TEXTS, name="a"), pd.Series(range(4), name="b")], axis=1
    ),
    "no rows": lambda: pd.DataFrame({"a": TEXTS}).iloc[:0],
}
PICKLED: dict[str, Callable[[], Any]] = {
    "numbers": lambda: pd.DataFrame({"a": range(9), "b": np.arange(9.0)}),
    "objects": lambda: pd.DataFrame({"a": TEXTS, "o": [1, "x", None, (2,)]}),
    "object texts": lambda: pd.DataFrame(
        {"a": pd.Series(["a", None, np.nan, pd.NA], dtype=object), "b": TEXTS}
    ),
    "string[python]": lambda: pd.DataFrame(
        {"a": pd.array(TEXTS, "string[python]"), "b": TEXTS}
    ),
    "string[pyarrow]": lambda: pd.DataFrame({"a": pd.array(TEXTS, "string[pyarrow]")}),
    "labels of numbers": lambda: pd.DataFrame({1: TEXTS, 2: TEXTS}),
    "labels mixed": lambda: pd.DataFrame({"a": TEXTS, 2: TEXTS}),
    "labels of moments": lambda: pd.DataFrame({pd.Timestamp("2024"): TEXTS}),
    "equal labels": lambda: pd.DataFrame([TEXTS, TEXTS], columns=["a", "a", "b", "c"]),
    "named labels": lambda: pd.DataFrame({"a": TEXTS}).rename_axis(columns="k"),
    "a frequency": lambda: pd.DataFrame(
        {"a": TEXTS}, index=pd.date_range("2024", periods=4, freq="D")
    ),
    "an index of texts": lambda: pd.DataFrame({"a": TEXTS}, index=list("wxyz")),
    "levels": lambda: pd.DataFrame(
        {"a": TEXTS}, index=pd.MultiIndex.from_product([[1, 2], ["x", "y"]])
    ),
    "periods": lambda: pd.DataFrame(
        {"a": TEXTS, "p": pd.period_range("2024", periods=4, freq="M")}
    ),
    "intervals": lambda: pd.DataFrame({"a": TEXTS, "i": pd.interval_range(0, 4)}),
    "zones": lambda: pd.DataFrame(
        {"a": TEXTS, "t": pd.date_range("2024", periods=4, tz="Europe/Berlin")}
    ),
    "offsets": lambda: pd.DataFrame(
        {
            "a": TEXTS,
            "t": pd.date_range(
                "2024", periods=4, tz=dt.timezone(dt.timedelta(hours=3))
            ),
        }
    ),
    "categories": lambda: pd.DataFrame(
        {
            "a": TEXTS,
            "c": pd.Categorical(["x", "y", None, "x"], ["y", "x"], ordered=True),
        }
    ),
    "categories of dates": lambda: pd.DataFrame(
        {"a": TEXTS, "c": pd.Categorical([DAY, None, DAY, DAY])}
    ),
    "nullable": lambda: pd.DataFrame(
        {
            "a": TEXTS,
            "i": pd.array([1, None, 3, 4], "Int8"),
            "b": pd.array([True, None, False, True], "boolean"),
        }
    ),
    "arrow numbers": lambda: pd.DataFrame(
        {"a": TEXTS, "i": pd.array([1, None, 3, 4], "int8[pyarrow]")}
    ),
    "arrow lists": lambda: pd.DataFrame(
        {
            "a": TEXTS,
            "l": pd.array(
                [[1], None, [], [2, 3]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))
            ),
        }
    ),
    "complex": lambda: pd.DataFrame({"a": TEXTS, "c": np.arange(4) * 1j}),
    "sparse": lambda: pd.DataFrame(
        {"a": TEXTS, "s": pd.arrays.SparseArray([0, 0, 1, 0])}
    ),
    "decimals": lambda: pd.DataFrame({"a": TEXTS, "d": [decimal.Decimal("2.50")] * 4}),
    "flags": _flagged,
    "attributes": _attributed,
    "no columns": lambda: pd.DataFrame(index=pd.RangeIndex(5)),
    "series of numbers": lambda: pd.Series([1, 2]),
    "series with a name of its own": lambda: pd.Series(TEXTS, name=("a", 1)),
    "big endian": lambda: pd.DataFrame({"a": TEXTS, "i": np.arange(4, dtype=">i4")}),
}
TABLES: dict[str, Callable[[], Any]] = {
    "table": lambda: pa.table(
        {"a": TEXTS, "b": [[1], None, [], [2]], "c": [{"x": 1}] * 4}
    ),
    "chunked": lambda: pa.concat_tables([pa.table({"a": TEXTS})] * 3),
    "metadata": lambda: pa.table({"a": TEXTS}).replace_schema_metadata({"k": "v"}),
    "polars": lambda: pl.DataFrame({"a": TEXTS, "b": [1, None, 3, 4], "d": [DAY] * 4}),
    "polars moments": lambda: pl.DataFrame(
        {"t": [dt.datetime(2024, 1, 2, tzinfo=dt.UTC), None]}
    ),
    "polars series": lambda: pl.Series("s", TEXTS),
    "polars numbers": lambda: pl.Series("s", [1.5, None, float("nan")]),
    "texts": lambda: [f"text {n}" for n in range(900_000)],
}
OTHER: dict[str, Callable[[], Any]] = {
    "polars objects": lambda: pl.Series("o", [object, None], dtype=pl.Object),
    "polars categories": lambda: pl.Series("c", ["a", "b"], dtype=pl.Categorical),
    "polars lists": lambda: pl.Series("l", [[1], [2, 3]]),
    "no columns": lambda: pa.table({}),
    "dictionaries": lambda: pa.table({"d": pa.array(["a", "b"]).dictionary_encode()}),
    "surrogates": lambda: ["\ud800" * 9] * 1_000_000,
    "mixed texts": lambda: ["x" * 30, None] * 400_000,
}


def _kept(value: object) -> tuple[BlobRef, Any]:
    store = MemoryStore()
    ref = codec.keep(value, store.put, secrets=SECRETS)
    return ref, codec.decode(ref.codec, store.get(ref, stream=True), secrets=SECRETS)


def _same(back: Any, value: Any) -> None:
    assert type(back) is type(value)
    assert digest(back) == digest(value)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(back, value, check_freq=True, check_flags=True)
        assert back.attrs == value.attrs
        assert [type(c) for c in back.columns] == [type(c) for c in value.columns]
    if isinstance(value, pd.Series):
        pd.testing.assert_series_equal(back, value, check_freq=True, check_flags=True)


@pytest.mark.parametrize("case", [*FRAMES, *PICKLED])
def test_every_frame_is_exact_through_its_layer(case: str) -> None:
    """A frame comes back exactly, through Arrow only if it is on the list."""
    value = (FRAMES | PICKLED)[case]()
    ref, back = _kept(value)
    assert ref.codec == ("arrow" if case in FRAMES and len(value) else "pickle5")
    _same(back, value)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*TABLES])
def test_tables_and_texts_go_through_arrow(case: str) -> None:
    """A table of pyarrow or polars, or a long list of texts, needs no pickle."""
    value = TABLES[case]()
    ref, back = _kept(value)
    assert ref.codec == "arrow"
    _same(back, value)
    if isinstance(value, pa.Table):
        assert back.schema.metadata == value.schema.metadata


@pytest.mark.parametrize("case", [*OTHER])
def test_what_arrow_would_change_goes_elsewhere(case: str) -> None:
    """What is not on the list is pickled, or refused, and never changed."""
    value = OTHER[case]()
    store = MemoryStore()
    try:
        ref = codec.keep(value, store.put, secrets=SECRETS)
    except codec.Unstorable:
        assert case == "polars objects"
        return
    assert ref.codec == "pickle5"
    back: Any = codec.decode(ref.codec, store.get(ref, stream=True), secrets=SECRETS)
    assert type(back) is type(value)
    assert back.equals(value) if hasattr(back, "equals") else back == value


@pytest.mark.parametrize("rows", [4, 400_000])
def test_a_frame_that_came_back_can_be_changed(rows: int) -> None:
    """Columns of texts and of numbers are written to as before."""
    value = pd.DataFrame({"a": TEXTS * (rows // 4), "n": np.arange(float(rows))})
    _, back = _kept(value)
    for frame in (value, back):
        frame.loc[1, "a"] = "new"
        frame.loc[2, "n"] = -1.0
        frame["sum"] = frame["n"].cumsum()
    _same(back, value)


def test_a_secret_in_a_table_is_found() -> None:
    """A table with a secret is refused, wherever the secret stands."""
    key = "a-secret-of-some-length"
    for rows in (1, 70_000):
        frame = pd.DataFrame({"a": ["x" * 30] * rows + [f"so {key} it is"]})
        store = MemoryStore()
        with pytest.raises(codec.Unstorable, match="API_KEY"):
            codec.keep(frame, store.put, secrets=Secrets({"API_KEY": key}))
        assert not store._world.chunks
