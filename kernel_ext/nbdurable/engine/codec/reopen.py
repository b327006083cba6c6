"""What a load calls to make live things again from their description.

Names and parameters are part of the stored format, as in `rebuild`. Nothing here
creates, empties or writes a file: a file that is gone is an error for its name only.
"""

from __future__ import annotations

import contextvars
import functools
import gzip
import importlib
import io
import logging
import math
import os
import queue
import re
import sqlite3
import sys
import threading
import weakref
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Final

import blake3


def standard(name: str) -> Any:
    """``sys.stdin``, ``sys.stdout`` or ``sys.stderr`` of this process."""
    return getattr(sys, name)


def file(
    path: str, mode: str, encoding: str | None, errors: str | None, place: int
) -> IO[Any]:
    """A file as it was open: at its place, and never emptied."""
    how = re.sub("[wx]", "r", mode)
    if how != mode and "+" not in how:
        how += "+"
    opened: IO[Any] = Path(path).open(how, encoding=encoding, errors=errors)  # noqa: SIM115  # it is the value
    if "a" not in how:
        opened.seek(place)
    return opened


def closed(path: str, mode: str, encoding: str | None, errors: str | None) -> IO[Any]:
    """A closed file: it says its name, and that it is closed."""
    raw = io.FileIO(os.devnull, "rb")
    raw.name = path
    made: IO[Any] = io.BufferedReader(raw)
    if "b" not in mode:
        made = io.TextIOWrapper(made, encoding=encoding, errors=errors)
        made.mode = mode  # type: ignore[misc]
    made.close()
    return made


def memory_map(
    path: str | Path, mode: str, offset: int, laid: tuple[Any, ...], content: bytes
) -> Any:
    """A map of a file that holds what it held; a file is never emptied or made."""
    dtype, shape, order = laid
    there = digest_of(path, offset, dtype.itemsize * math.prod(shape))
    if there != content:
        raise OSError(differs(path, there))
    how = mode.replace("w", "r")
    return importlib.import_module("numpy").memmap(
        path, dtype, how, offset, shape, order
    )


def digest(memory: bytes | memoryview) -> bytes:
    """The digest that says whether a file holds what was mapped."""
    return blake3.blake3(memory).digest()


def digest_of(path: str | Path, offset: int, length: int) -> bytes | None:
    """The same of a range of a file; ``None`` if it can't be read."""
    hasher = blake3.blake3()
    try:
        with Path(path).open("rb") as opened:
            opened.seek(offset)
            while length > 0 and (read := opened.read(min(length, _READ_BYTES))):
                hasher.update(read)
                length -= len(read)
    except OSError:
        return None
    return hasher.digest()


def differs(path: str | Path, there: bytes | None) -> str:
    """Why a map of a file isn't made, or stored."""
    what = "can't be read" if there is None else "holds something else now"
    return f"the mapped file {path} {what}"


_READ_BYTES: Final = 1 << 20
"""What is read of a mapped file at a time."""


def gzip_file(path: str, place: int) -> gzip.GzipFile:
    """A compressed file that is being read."""
    opened = gzip.open(path)  # noqa: SIM115  # it is the value
    opened.seek(place)
    return opened


def handler(cls: type[logging.Handler], name: str | None) -> logging.Handler:
    """A logging handler without its state."""
    made = cls.__new__(cls)
    logging.Handler.__init__(made)
    if name is not None:
        made.set_name(name)
    return made


def environ() -> Any:
    """The environment of this process: it was never a value of its own."""
    return os.environ


def sqlite(
    path: str, content: bytes | None, isolation: Any, rows: Any, texts: Any
) -> sqlite3.Connection:
    """A connection to a file that exists, or to a database in memory with its content."""
    if path:
        made = sqlite3.connect(f"{Path(path).as_uri()}?mode=rw", uri=True)
    else:
        made = sqlite3.connect(":memory:")
        if content:
            made.deserialize(content)
    made.isolation_level, made.row_factory = isolation, rows
    made.text_factory = texts
    return made


def duckdb_file(path: str) -> Any:
    """A connection to a DuckDB file that exists."""
    if not Path(path).exists():
        raise FileNotFoundError(path)
    return importlib.import_module("duckdb").connect(path)


def duckdb_memory(tables: list[tuple[str, str, list[Any]]], views: list[str]) -> Any:
    """A DuckDB database in memory with its tables and views."""
    made = importlib.import_module("duckdb").connect()
    for sql, name, rows in tables:
        made.execute(sql)
        if rows:
            holes = ", ".join("?" * len(rows[0]))
            made.executemany(f'INSERT INTO "{name}" VALUES ({holes})', rows)  # noqa: S608  # names of its own tables
    for sql in views:
        made.execute(sql)
    return made


def engine(url: str) -> Any:
    """An SQLAlchemy engine; it connects when it is used."""
    return importlib.import_module("sqlalchemy").create_engine(url)


def pool(
    workers: int, prefix: str, initializer: Any, arguments: tuple[Any, ...]
) -> ThreadPoolExecutor:
    """An idle pool; its threads start when it is used."""
    return ThreadPoolExecutor(workers, prefix, initializer, arguments)


def future(result: Any, error: BaseException | None) -> Future[Any]:
    """A future that is done."""
    made: Future[Any] = Future()
    if error is None:
        made.set_result(result)
    else:
        made.set_exception(error)
    return made


def lock() -> Any:
    """A lock that nobody holds."""
    return threading.Lock()


def rlock() -> Any:
    """A re-entrant lock that nobody holds."""
    return threading.RLock()


def simple_queue(items: list[Any]) -> queue.SimpleQueue[Any]:
    """A queue with its items."""
    made: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for item in items:
        made.put(item)
    return made


def context_variable(name: str, *default: Any) -> contextvars.ContextVar[Any]:
    """A context variable that is not set."""
    if default:
        return contextvars.ContextVar(name, default=default[0])
    return contextvars.ContextVar(name)


class _Gone:
    """Nothing holds an object of this class."""


def dead() -> weakref.ref[Any]:
    """A weak reference whose object is gone."""
    return weakref.ref(_Gone())


def generator(
    function: Callable[..., Generator[Any, Any, Any]],
    arguments: list[Any],
    keywords: Mapping[str, Any],
) -> Generator[Any, Any, Any]:
    """A generator that has not begun."""
    return function(*arguments, **keywords)


def dispatching(base: Any, implementations: list[tuple[type, Any]]) -> Any:
    """A function with `singledispatch`."""
    made = functools.singledispatch(base)
    for cls, function in implementations:
        made.register(cls, function)
    return made


def sentinel(module: str, name: str) -> object:
    """The object that a module compares with ``is``."""
    return getattr(importlib.import_module(module), name)


def match(pattern: re.Pattern[Any], way: str, text: Any, pos: int, end: int) -> Any:
    """The same match, found again."""
    return getattr(pattern, way)(text, pos, end)


def lxml(document: bytes, path: str) -> Any:
    """An element of an XML document."""
    etree = importlib.import_module("lxml.etree")
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(document, parser).getroottree().xpath(path)[0]


def lxml_tree(root: Any) -> Any:
    """An XML document."""
    return importlib.import_module("lxml.etree").ElementTree(root)


def docx(document: bytes) -> Any:
    """A Word document."""
    return importlib.import_module("docx").Document(io.BytesIO(document))


def bokeh(document: Mapping[str, Any], model: str) -> Any:
    """A Bokeh model, in no document."""
    made = importlib.import_module("bokeh.document").Document.from_json(document)
    found = made.get_model_by_id(model)
    made.clear()
    return found


def widget(cls: Callable[..., Any], state: Mapping[str, Any]) -> Any:
    """A widget with its state; who observed it has to observe it again."""
    return cls(**state)
