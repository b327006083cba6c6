"""Values that people read as a table: records, frames, arrays. Pure but for their packages.

The first row is the heads. Cells are text, short, and made visible where they are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

ROWS_MAX: Final = 50
"""Rows that are shown: enough to see what is in a table."""

COLUMNS_MAX: Final = 16
"""Columns that are shown; more don't fit beside each other."""

CELL_CHARS_MAX: Final = 80
"""Characters of one cell."""

RECORDS_MIN: Final = 2
"""Records that are worth a table; one is read better as it is."""

_PLAIN: Final = (str, int, float, bool, type(None))

Table = tuple[tuple[str, ...], ...]


def records(value: object) -> tuple[Table, str]:
    """A list of records of one shape, and what is not shown of it; () if it is none.

    Example:
        >>> records([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
        ((('a', 'b'), ('1', 'x'), ('2', 'y')), '2 rows × 2 columns')
    """
    if not isinstance(value, list) or len(value) < RECORDS_MIN:
        return (), ""
    first = value[0]
    if not isinstance(first, Mapping) or not first:
        return (), ""
    names = list(first)
    for one in value[:ROWS_MAX]:
        if not isinstance(one, Mapping) or list(one) != names:
            return (), ""
        if not all(isinstance(cell, _PLAIN) for cell in one.values()):
            return (), ""
    shown = [[one[name] for name in names] for one in value[:ROWS_MAX]]
    return _table(names, shown, len(value), len(names))


def frame(value: Any) -> tuple[Table, str]:
    """A frame of pandas, polars or pyarrow, or an array of numpy; () for anything else."""
    package = str(type(value).__module__).partition(".")[0]
    made = _MADE.get(package)
    return made(value) if made else ((), "")


def _pandas(value: Any) -> tuple[Table, str]:
    shown = value.to_frame() if hasattr(value, "to_frame") else value
    top = shown.head(ROWS_MAX)
    rows = [[str(index), *cells] for index, *cells in top.itertuples()]
    heads = ["", *map(str, shown.columns)]
    return _table(heads, rows, len(shown), len(shown.columns))


def _polars(value: Any) -> tuple[Table, str]:
    shown = value.to_frame() if hasattr(value, "to_frame") else value
    return _table(shown.columns, shown.head(ROWS_MAX).rows(), shown.height, shown.width)


def _pyarrow(value: Any) -> tuple[Table, str]:
    names = list(map(str, value.column_names))
    top = value.slice(0, ROWS_MAX)
    columns = [top.column(n).to_pylist() for n in range(len(names))]
    return _table(names, zip(*columns, strict=True), value.num_rows, len(names))


def _numpy(value: Any) -> tuple[Table, str]:
    if value.ndim not in {1, 2} or value.dtype.names:
        return (), ""
    flat = value.reshape(len(value), -1)
    rows = [[str(n), *row] for n, row in enumerate(flat[:ROWS_MAX].tolist())]
    heads = ["", *map(str, range(flat.shape[1]))]
    return _table(heads, rows, *flat.shape)


_MADE: Final = {
    "pandas": _pandas,
    "polars": _polars,
    "pyarrow": _pyarrow,
    "numpy": _numpy,
}


def _table(
    heads: Sequence[object], rows: Iterable[Sequence[object]], many: int, wide: int
) -> tuple[Table, str]:
    shown = [tuple(map(_cell, row[:COLUMNS_MAX])) for row in rows]
    note = f"{many:,} rows × {wide:,} columns"
    cut = [f"the first {len(shown)} rows"] if many > len(shown) else []
    cut += [f"the first {COLUMNS_MAX} columns"] if len(heads) > COLUMNS_MAX else []
    told = f"{note}, {' and '.join(cut)}" if cut else note
    return (tuple(map(_cell, heads[:COLUMNS_MAX])), *shown), told


def _cell(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= CELL_CHARS_MAX else f"{text[: CELL_CHARS_MAX - 1]}…"
