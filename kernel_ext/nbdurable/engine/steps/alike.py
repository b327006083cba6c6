"""Where two values of a variable differ, told in a few lines: frames, arrays, plain data.

No library is imported for this: a value's own library is loaded already. An object that
misbehaves while it is compared is told by its type.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Final

from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.steps.witness import is_small, kind
from nbdurable.engine.values.differences import differences, short
from nbdurable.engine.values.plainly import visible

CELLS_MAX: Final = 3
"""Changed cells of a frame that are shown; more are counted."""

PLAIN_NODES_MAX: Final = 100_000
"""Elements of plain data that are walked for their first differences."""


_CODE: Final = (type, types.FunctionType)
"""What differs in these is a difference of a cell's text, and told as such."""


def changes(name: str, old: Any, new: Any) -> list[str]:
    """How the value of a variable differs; nothing if it doesn't.

    Example:
        >>> changes("x", {"a": [1, 2]}, {"a": [1, 3]})
        ['x.a[1] was 2, is 3']
        >>> changes("x", [1], "1")
        ["x was list of 1: [1], is str of 1: '1'"]
    """
    if isinstance(old, _CODE) and isinstance(new, _CODE):
        return []
    try:
        return list(_changes(name, old, new))
    except Exception as error:  # noqa: BLE001  # whatever an object does when compared
        return [f"{name} ({kind(new)}) can't be compared: {type(error).__name__}"]


def _changes(name: str, old: Any, new: Any) -> Iterator[str]:
    if type(old) is not type(new):
        yield f"{name} was {_told(old)}, is {_told(new)}"
    elif _is(new, "pandas", "DataFrame"):
        yield from _frame(name, old, new)
    elif _is(new, "pandas", "Series"):
        yield from _series(name, old, new)
    elif _is(new, "polars", "DataFrame"):
        yield from _columns(
            name, old.to_dict(as_series=False), new.to_dict(as_series=False)
        )
    elif _is(new, "numpy", "ndarray"):
        yield from _array(name, old, new)
    elif is_small(old, PLAIN_NODES_MAX) and is_small(new, PLAIN_NODES_MAX):
        yield from map(str, differences(old, new, CELLS_MAX, root=name))
    elif not _equal(old, new):
        was, now = _told(old), _told(new)
        yield (
            f"{name} was {was}, is {now}"
            if was != now
            else f"{name} ({kind(new)}) is another one"
        )


def _is(value: object, package: str, name: str) -> bool:
    cls = type(value)
    return str(cls.__module__).partition(".")[0] == package and cls.__name__ == name


def _told(value: object) -> str:
    shown = f": {short(value)}" if is_small(value) else ""
    return f"{kind(value)}{shown}"


def _equal(old: object, new: object) -> bool:
    try:
        return digest(old) == digest(new)
    except Undigestible:
        return False


def _frame(name: str, old: Any, new: Any) -> Iterator[str]:
    if old.shape != new.shape:
        yield f"{name} was {kind(old)}, is {kind(new)}"
    yield from _names(name, [*map(str, old.columns)], [*map(str, new.columns)])
    shared = [c for c in new.columns if c in old.columns]
    if not old.index.equals(new.index):
        yield f"{name}: its index is another one"
        return
    for column in shared:
        if str(old[column].dtype) != str(new[column].dtype):
            yield f"{name}[{column!r}] was {old[column].dtype}, is {new[column].dtype}"
    found = (
        (
            f"{name}.loc[{new.index[nth]!r}, {column!r}]",
            pair[0].iloc[nth],
            pair[1].iloc[nth],
        )
        for column in shared
        for pair in [_comparable(old[column], new[column])]
        for nth in _places(*pair)
    )
    yield from _cells(found)


def _series(name: str, old: Any, new: Any) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{name} was {kind(old)}, is {kind(new)}"
    if str(old.name) != str(new.name):
        yield f"{name}.name was {short(old.name)}, is {short(new.name)}"
    if not old.index.equals(new.index):
        yield f"{name}: its index is another one"
        return
    if str(old.dtype) != str(new.dtype):
        yield f"{name} was of {old.dtype}, is of {new.dtype}"
    pair = _comparable(old, new)
    yield from _cells(
        (f"{name}.loc[{new.index[nth]!r}]", pair[0].iloc[nth], pair[1].iloc[nth])
        for nth in _places(*pair)
    )


def _comparable(old: Any, new: Any) -> tuple[Any, Any]:
    """Two columns as they can be compared: of categories only the values count."""
    same = old.dtype == new.dtype and str(new.dtype) != "category"
    return (old, new) if same else (old.astype(object), new.astype(object))


def _places(old: Any, new: Any) -> Iterator[int]:
    """The rows in which two columns differ; a gap equals a gap."""
    both = old.isna() & new.isna()
    differ = ((old != new).fillna(True)) & ~both  # pandas' own shape
    yield from differ.to_numpy(dtype=bool).nonzero()[0].tolist()


def _columns(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    yield from _names(name, [*old], [*new])
    yield from _cells(
        (f"{name}[{column!r}][{nth}]", a, b)
        for column in new
        for nth, (a, b) in enumerate(
            zip(old.get(column, ()), new[column], strict=False)
        )
        if _differ(a, b)
    )


def _names(name: str, old: list[str], new: list[str]) -> Iterator[str]:
    gone = [c for c in old if c not in new]
    more = [c for c in new if c not in old]
    if gone:
        yield f"{name}: columns gone: {', '.join(gone)}"
    if more:
        yield f"{name}: new columns: {', '.join(more)}"
    if not gone and not more and old != new:
        yield f"{name}: its columns have another order"


def _array(name: str, old: Any, new: Any) -> Iterator[str]:
    if old.shape != new.shape or old.dtype != new.dtype:
        yield f"{name} was {kind(old)} of {old.dtype}, is {kind(new)} of {new.dtype}"
        return
    gaps = (old != old) & (new != new)  # noqa: PLR0124  # NaN and NaT
    differ = (old != new) & ~gaps
    places = differ.nonzero()
    found = (
        (f"{name}[{', '.join(map(str, place))}]", old[place], new[place])
        for place in zip(*(p.tolist() for p in places), strict=True)
    )
    yield from _cells(found)


def _differ(old: Any, new: Any) -> bool:
    if type(old) is not type(new):
        return not (_is_gap(old) and _is_gap(new))
    same = old == new
    return not (same if isinstance(same, bool) else bool(same)) and not (
        _is_gap(old) and _is_gap(new)
    )


def _is_gap(value: Any) -> bool:
    """A missing value: it isn't equal to itself, or can't say so."""
    try:
        return value is None or bool(value != value)  # noqa: PLR0124  # NaN and NaT
    except TypeError:  # pandas.NA
        return True


def _cells(found: Iterator[tuple[str, Any, Any]]) -> Iterator[str]:
    more = 0
    for nth, (place, old, new) in enumerate(found):
        if nth < CELLS_MAX:
            yield f"{place} was {_cell(old)}, is {_cell(new)}"
        else:
            more += 1
    if more:
        yield "1 more cell" if more == 1 else f"{more:,} more cells"


def _cell(value: Any) -> str:
    item = getattr(value, "item", None)
    plain = item() if callable(item) and type(value).__module__ == "numpy" else value
    return short(plain) if is_small(plain) else visible(str(plain)[:40], lines=False)
