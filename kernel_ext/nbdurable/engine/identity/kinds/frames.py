"""pandas: labels and columns by their values; how blocks hold them doesn't count.

Nothing of pandas is imported here.
"""

from __future__ import annotations

from array import array
from typing import Any

from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    Named,
    Stretches,
    no_label,
    qualified,
)
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds import arrow


def _frame(value: Any) -> Form:
    places = range(value.shape[1])
    columns = [value.iloc[:, place].array for place in places]
    children = [value.columns, value.index, *_extras(value), *columns]
    labels = [".columns", ".index", ".attrs", ".flags", ""]
    labels += [f"[{name!r}]" for name in value.columns]
    return Form(Tag.FRAME, (_name(value),), children, labels.__getitem__)


def _series(value: Any) -> Form:
    children = [value.name, value.index, *_extras(value), value.array]
    labels = (".name", ".index", ".attrs", ".flags", "", "")
    return Form(Tag.SERIES, (_name(value),), children, labels.__getitem__)


def _extras(value: Any) -> list[object]:
    subclass = Named({n: getattr(value, n, None) for n in value._metadata})  # noqa: SLF001  # pandas documents it for subclasses
    return [value.attrs, value.flags.allows_duplicate_labels, subclass]


def _name(value: object) -> bytes:
    return qualified(type(value)).encode()


def _index(value: Any) -> Form:
    freq = getattr(value, "freq", None)
    fields = (_name(value), repr(getattr(freq, "freqstr", None)).encode())
    return Form(Tag.INDEX, fields, (value.name, value.array), no_label)


def _range_index(value: Any) -> Form:
    fields = (_name(value),)
    children = (value.name, value.start, value.stop, value.step)
    return Form(Tag.INDEX, fields, children)


def _multi_index(value: Any) -> Form:
    """By the values of each level: unused levels and their order don't count."""
    levels = [value.get_level_values(i).array for i in range(value.nlevels)]
    return Form(Tag.INDEX, (_name(value),), (list(value.names), *levels))


# --- arrays of columns


def _column(value: Any, *parts: object) -> Form:
    return Form(Tag.COLUMN, (str(value.dtype).encode(),), parts, no_label)


def _numpy_column(value: Any) -> Form:
    return _column(value, value.to_numpy())


def _categorical(value: Any) -> Form:
    codes = value.codes.astype("int64")
    return _column(value, value.categories, value.ordered, codes)


def _masked(value: Any) -> Form:
    """Nullable numbers and booleans: zero under the mask, whatever lies there."""
    value = value[:]  # an array remembers its dtype once it is asked
    dtype = value.dtype.type
    return _column(value, value.to_numpy(dtype, na_value=dtype(0)), value.isna())


def _texts(value: Any) -> Form:
    """Texts by value: pandas stores them one way with pyarrow and another without."""
    fields = (b"text", repr(value.dtype.na_value).encode(), str(len(value)).encode())
    if len(value) > arrow.ROWS_MAX:
        return Form(Tag.COLUMN, fields, _pieces(value), no_label, flat=False)
    missing = value.isna()
    valid = value[~missing] if missing.any() else value
    stored = type(value).__name__.startswith("Arrow") and len(valid)
    lengths, joined = (_arrow_texts if stored else _object_texts)(valid)
    flags = missing.tobytes() if len(valid) < len(value) else b""
    # A child, not a field: a secret in it is found.
    return Form(Tag.COLUMN, (*fields, lengths, flags), (joined,), no_label)


def _pieces(value: Any) -> Stretches:
    most = arrow.ROWS_MAX
    return Stretches(
        -(-len(value) // most), lambda place: value[place * most : (place + 1) * most]
    )


def _arrow_texts(valid: Any) -> tuple[bytes, bytes]:
    return arrow.texts(valid.__arrow_array__().combine_chunks())


def _object_texts(valid: Any) -> tuple[bytes, bytes]:
    texts = [t.encode("utf-8", "surrogatepass") for t in valid.to_numpy(dtype=object)]
    return array("q", map(len, texts)).tobytes(), b"".join(texts)


def _moments(value: Any) -> Form:
    """Times, spans and periods: integers, with unit and zone in the dtype."""
    return _column(value, value.asi8)


def _interval(value: Any) -> Form:
    return _column(value, value.left, value.right, value.closed)


def _arrow(value: Any) -> Form:
    return _column(value, value.__arrow_array__())


def _sparse(value: Any) -> Form:
    places = value.sp_index.to_int_index().indices
    return _column(value, len(value), value.fill_value, places, value.sp_values)


# --- scalars


def _timestamp(value: Any) -> Form:
    unit = value.unit.encode()
    return Form(
        Tag.MOMENT, (_name(value), unit), (_count(value), value.fold, value.tzinfo)
    )


def _timedelta(value: Any) -> Form:
    return Form(Tag.MOMENT, (_name(value), value.unit.encode()), (_count(value),))


def _count(value: Any) -> int:
    """The number of units, exact for any unit (``.value`` counts nanoseconds)."""
    return int(value.asm8.astype("int64"))


def _period(value: Any) -> Form:
    return Form(Tag.MOMENT, (_name(value), value.freqstr.encode()), (value.ordinal,))


def _null(value: object) -> Form:
    return Form(Tag.MOMENT, (_name(value), b"null"))


def _dtype(value: Any) -> Form:
    return Form(Tag.DTYPE, (_name(value), str(value).encode()))


def _categorical_dtype(value: Any) -> Form:
    return Form(Tag.DTYPE, (_name(value),), (value.categories, value.ordered))


_NAMES = {
    _frame: ("DataFrame", "core.frame.DataFrame"),
    _series: ("Series", "core.series.Series"),
    _index: ("Index", "core.indexes.base.Index"),
    _range_index: ("RangeIndex", "core.indexes.range.RangeIndex"),
    _multi_index: ("MultiIndex", "core.indexes.multi.MultiIndex"),
    _numpy_column: (
        "arrays.NumpyExtensionArray",
        "core.arrays.numpy_.NumpyExtensionArray",
        "core.arrays.numpy_.PandasArray",
    ),
    _categorical: ("Categorical", "core.arrays.categorical.Categorical"),
    _masked: ("core.arrays.masked.BaseMaskedArray",),
    _texts: (
        "arrays.StringArray",
        "arrays.ArrowStringArray",
        "core.arrays.string_.BaseStringArray",
    ),
    _moments: (
        "arrays.DatetimeArray",
        "arrays.TimedeltaArray",
        "arrays.PeriodArray",
        "core.arrays.datetimelike.DatetimeLikeArrayMixin",
    ),
    _interval: ("arrays.IntervalArray", "core.arrays.interval.IntervalArray"),
    _arrow: (
        "arrays.ArrowExtensionArray",
        "core.arrays.arrow.array.ArrowExtensionArray",
    ),
    _sparse: ("arrays.SparseArray", "core.arrays.sparse.array.SparseArray"),
    _timestamp: ("Timestamp", "_libs.tslibs.timestamps.Timestamp"),
    _timedelta: ("Timedelta", "_libs.tslibs.timedeltas.Timedelta"),
    _period: ("Period", "_libs.tslibs.period.Period"),
    _null: (
        "api.typing.NAType",
        "api.typing.NaTType",
        "_libs.missing.NAType",
        "_libs.tslibs.nattype.NaTType",
    ),
    _dtype: ("api.extensions.ExtensionDtype", "core.dtypes.base.ExtensionDtype"),
    _categorical_dtype: ("CategoricalDtype", "core.dtypes.dtypes.CategoricalDtype"),
}
"""Names since pandas 3, which moved its classes, and before."""

KINDS: Kinds = {f"pandas.{n}": kind for kind, names in _NAMES.items() for n in names}
