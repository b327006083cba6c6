"""Where two values of a variable differ, told in a few lines."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nbdurable.engine.steps import alike
from nbdurable.engine.steps.alike import changes


class Odd:
    """Raises whatever is asked of it."""

    def __reduce__(self) -> Any:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]  # as an object with __eq__ has it


FRAME = pd.DataFrame({"name": ["a", "b", None], "price": [1.0, 2.0, np.nan]})

CASES: dict[str, tuple[Any, Any, list[str]]] = {
    "equal frames": (FRAME, FRAME.copy(), []),
    "a cell": (FRAME, FRAME.assign(price=[1.0, 3.0, np.nan]), ["x.loc[1, 'price'] was 2.0, is 3.0"]),
    "a gap filled": (FRAME, FRAME.assign(price=[1.0, 2.0, 9.0]), ["x.loc[2, 'price'] was nan, is 9.0"]),
    "one cell more": (pd.DataFrame({"a": range(4)}), pd.DataFrame({"a": range(1, 5)}), ["x.loc[0, 'a'] was 0, is 1", "x.loc[1, 'a'] was 1, is 2", "x.loc[2, 'a'] was 2, is 3", "1 more cell"]),
    "many cells": (pd.DataFrame({"a": range(9)}), pd.DataFrame({"a": range(1, 10)}), ["x.loc[0, 'a'] was 0, is 1", "x.loc[1, 'a'] was 1, is 2", "x.loc[2, 'a'] was 2, is 3", "6 more cells"]),
    "a column": (FRAME, FRAME.drop(columns="name").assign(city="x"), ["x: columns gone: name", "x: new columns: city"]),
    "columns in another order": (FRAME, FRAME[["price", "name"]], ["x: its columns have another order"]),
    "rows": (FRAME, FRAME.head(2), ["x was DataFrame 3 × 2, is DataFrame 2 × 2", "x: its index is another one"]),
    "a dtype": (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1.0]}), ["x['a'] was int64, is float64"]),
    "a category": (FRAME.astype({"name": "category"}), FRAME.assign(name=["a", "c", None]).astype({"name": "category"}), ["x['name'] was category, is category", "x.loc[1, 'name'] was 'b', is 'c'"][1:]),
    "a class that is stored twice": (type("P", (), {}), type("P", (), {}), []),
    "a series": (pd.Series([1, 2]), pd.Series([1, 5]), ["x.loc[1] was 2, is 5"]),
    "a longer series": (pd.Series([1, 2]), pd.Series([1]), ["x was Series 2, is Series 1", "x: its index is another one"]),
    "a series of another type": (pd.Series([1, 2], name="a"), pd.Series([1.0, 2.5], name="b"), ["x.name was 'a', is 'b'", "x was of int64, is of float64", "x.loc[1] was 2, is 2.5"]),
    "polars": (pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1, 4]}), ["x['a'][1] was 2, is 4"]),
    "an array": (np.array([[1.0, np.nan]]), np.array([[2.0, np.nan]]), ["x[0, 0] was 1.0, is 2.0"]),
    "an array's shape": (np.zeros(2), np.zeros(3), ["x was ndarray 2 of float64, is ndarray 3 of float64"]),
    "a nested value": ({"m": [{"c": "a"}]}, {"m": [{"c": "b"}]}, ["x.m[0].c was 'a', is 'b'"]),
    "a type": ([1], (1,), ["x was list of 1: [1], is tuple of 1: (1,)"]),
    "sets": ({1, 2}, {1, 3}, ["x (set of 2) is another one"]),
    "misbehaving": (Odd(), Odd(), ["x (Odd) is another one"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_places_are_named(case: str) -> None:
    """Type, shape, the changed cells, the path of the first differences."""
    old, new, told = CASES[case]
    assert changes("x", old, new) == told


def test_examples_in_docstrings_hold() -> None:
    """What a docstring shows is what the function says."""
    assert doctest.testmod(alike).failed == 0


def test_a_large_frame_is_compared_by_columns() -> None:
    """A million rows are no walk through a million Python objects."""
    old = pd.DataFrame({"a": np.arange(1_000_000), "b": 1.0})
    new = old.copy()
    new.loc[999_999, "a"] = 0
    assert changes("x", old, new) == ["x.loc[999999, 'a'] was 999999, is 0"]
