"""Which pandas frames and series Arrow keeps exactly, taken apart and made again.

The list is short on purpose. Arrow silently changes texts in columns of objects, other
labels than texts, frequencies of indexes, flags, odd attributes, categories and NaNs
among numbers; such frames are pickled, which changes nothing. Numbers don't go through
Arrow at all: their memory is a leaf.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from nbdurable.engine.codec.remainders import noted

_NUMBERS: Final = "biufmM"
"""Kinds of numpy columns: booleans, numbers, spans and moments without a zone."""


def takes(value: Any) -> bool:
    """Whether a frame or series is on the list, and has a column of texts."""
    import pandas as pd

    if type(value) not in (pd.DataFrame, pd.Series) or value.attrs or noted(value):
        return False
    if not len(value):
        return False
    if not value.flags.allows_duplicate_labels or not _plain_index(value.index):
        return False
    if isinstance(value, pd.Series):
        names_fit = value.name is None or type(value.name) is str
        return names_fit and _is_text(value.dtype)
    columns = value.columns
    return bool(
        type(columns) is pd.Index
        and columns.name is None
        and _is_text(columns.dtype)
        and columns.is_unique
        and set(map(type, columns)) <= {str}
        and any(map(_is_text, value.dtypes))
        and all(_is_text(d) or _is_number(d) for d in value.dtypes)
    )


def apart(value: Any) -> tuple[dict[str, Any], Any, Iterator[Any]]:
    """What it is, its texts as a table, and the memory of its numbers."""
    import pandas as pd
    import pyarrow as pa

    series = isinstance(value, pd.Series)
    columns = [value] if series else [value.iloc[:, n] for n in range(value.shape[1])]
    index = value.index
    said: dict[str, Any] = {
        "is": "pandas",
        "series": series,
        "rows": len(value),
        "name": value.name if series else None,
        "columns": [] if series else list(value.columns),
        "index": [index.start, index.stop, index.step],
        "index_name": index.name,
        "dtypes": [],
    }
    texts, numbers = [], []
    for column in columns:
        if _is_text(column.dtype):
            said["dtypes"].append("str")
            texts.append(column.array._pa_array)  # noqa: SLF001  # no other way without a copy
        else:
            said["dtypes"].append(column.dtype.str)
            numbers.append(column)
    table = pa.table(texts, names=[str(n) for n in range(len(texts))])
    return said, table, map(_memory, numbers)


def _memory(column: Any) -> Any:
    import numpy as np

    # Columns stand apart in the memory of a frame: one is copied at a time.
    memory: Any = np.ascontiguousarray(column.to_numpy()).view(np.uint8)
    return memoryview(memory)


def made(said: dict[str, Any], table: Any, leaves: Iterator[Any]) -> Any:
    """The frame or series again."""
    import numpy as np
    import pandas as pd

    texts = iter(table.columns)
    index = pd.RangeIndex(*said["index"], name=said["index_name"])
    columns: list[Any] = []
    for dtype in said["dtypes"]:
        if dtype == "str":
            columns.append(pd.Series(_texts(next(texts)), index=index, copy=False))
        else:
            column = np.frombuffer(next(leaves), dtype)
            columns.append(pd.Series(column, index=index, copy=False))
    if any(len(column) != said["rows"] for column in columns):
        raise ValueError("its columns differ in length")
    if said["series"]:
        return columns[0].rename(said["name"])
    frame = pd.DataFrame(dict(enumerate(columns)), index=index, copy=False)
    frame.columns = pd.Index(said["columns"], dtype="str")
    return frame


def _texts(column: Any) -> Any:
    import pandas as pd

    kind: Any = pd.StringDtype("pyarrow", na_value=float("nan"))
    return pd.arrays.ArrowStringArray(column, dtype=kind)


def _plain_index(index: Any) -> bool:
    import pandas as pd

    named = index.name is None or type(index.name) is str
    return type(index) is pd.RangeIndex and named


def _is_text(dtype: Any) -> bool:
    """The dtype ``str`` of pandas 3, kept by pyarrow."""
    return str(dtype) == "str" and getattr(dtype, "storage", "") == "pyarrow"


def _is_number(dtype: Any) -> bool:
    import numpy as np

    return isinstance(dtype, np.dtype) and dtype.kind in _NUMBERS and dtype.isnative
