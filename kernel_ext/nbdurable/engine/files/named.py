"""Files that a cell names: by its constants, by those of code it reaches, by its inputs.

A reader that doesn't go through Python (Parquet, DuckDB, HDF5) shows itself in no other
way. A name that is no file costs one look at the disk and counts for nothing.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath

from nbdurable.engine.files.counted import absolute
from nbdurable.engine.identity.texts import file_names

NAMES_MAX = 2_000
"""Paths looked at before a step runs; a look costs 2 µs."""

ITEMS_MAX = 1_000
"""Members of an input looked at for paths."""

MATCHES_MAX = 1_000
"""Files that one pattern stands for."""

PATH_CHARS_MAX = 1_024

_PATTERN = re.compile(r"(?!.*\*\*)[^\s?*\[]*[?*\[][^\s]*\.\w{1,10}(?:\.\w{1,4})?")
"""A pattern of one folder with an ending, such as ``data/*.csv``; ``**`` is left to those
who list folders through Python, since a whole tree may hang on it."""

_JOINED = re.compile(r"/?[\w-][^\s*?\[\]]*\.\w{1,10}")
"""The rest of a path, as it stands behind a folder's: ``/ "x.csv"``, ``f"{data}/x.csv"``."""


def paths(texts: Iterable[str], values: Iterable[object]) -> Iterator[str]:
    """Absolute paths of what may be a file, each once.

    Args:
        texts: The constants of a cell and of code it reaches.
        values: Its inputs.
    """
    constants = [text for text in sorted(texts) if _may_be_path(text)]
    given = [path for value in values for path in _texts_in(value, ITEMS_MAX)]
    folders = [p for p in dict.fromkeys([*given, *constants]) if _is_folder(p)]
    every = dict.fromkeys(absolute(p) for p in _all(constants, given, folders))
    for path, _ in zip(every, range(NAMES_MAX), strict=False):
        yield path


def patterns(texts: Iterable[str]) -> Iterator[str]:
    """Absolute patterns among the constants that match a file."""
    for text in sorted(texts):
        if _PATTERN.fullmatch(text) and any(_matching(text)):
            yield absolute(text)


def _all(
    constants: Iterable[str], given: Iterable[str], folders: Iterable[str]
) -> Iterator[str]:
    yield from given
    yield from constants
    for text in constants:
        if _PATTERN.fullmatch(text):
            yield from _matching(text)
    rests = [text.lstrip("/") for text in constants if _JOINED.fullmatch(text)]
    for folder in folders:
        yield from (str(PurePath(folder, rest)) for rest in rests)


def _matching(pattern: str) -> Iterator[str]:
    top = PurePath(pattern)
    start = Path(top.anchor) if top.anchor else Path()
    relative = str(top.relative_to(top.anchor)) if top.anchor else pattern
    try:
        found = sorted(str(path) for path in start.glob(relative))
    except (OSError, ValueError, NotImplementedError):  # no pattern that Python takes
        return
    yield from found[:MATCHES_MAX]


def _may_be_path(text: str) -> bool:
    return 0 < len(text) <= PATH_CHARS_MAX and "\0" not in text and "\n" not in text


def _is_folder(text: str) -> bool:
    try:
        return Path(text).is_dir()
    except (OSError, ValueError):
        return False


def _texts_in(value: object, most: int) -> Iterator[str]:
    """Texts and paths in a value: itself, its members, its fields; two levels."""
    levels: list[object] = [value]
    for _ in range(3):
        inner: list[object] = []
        for item in levels[:most]:
            if isinstance(item, str):
                yield from filter(_may_be_path, file_names(item))
            elif isinstance(item, PurePath):
                yield str(item)
            else:
                inner += _members(item)
        levels = inner


def _members(value: object) -> Iterable[object]:
    kind = type(value)
    if kind in {list, tuple, set, frozenset}:
        return [*value][:ITEMS_MAX]  # type: ignore[misc]  # a collection
    if isinstance(value, Mapping) and kind is dict:
        return [*value.values()][:ITEMS_MAX]
    if dataclasses.is_dataclass(kind):
        return [*getattr(value, "__dict__", {}).values()]
    return ()
