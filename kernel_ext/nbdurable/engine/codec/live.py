"""Live things that are kept as a description, and made again from it.

An open file is its path, mode and place; a database in memory is its content; a lock
that nobody holds is a lock. What is in the middle of something (a held lock, an open
transaction, a generator that has begun) has no description and is refused by name.

The other half, what a load calls, is `reopen`.
"""

from __future__ import annotations

import contextvars
import functools
import gc
import inspect
import io
import logging
import re
import struct
import sys
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from nbdurable.engine.codec import rebuild, reopen

_TIED: Final = "is tied to this process"

_MAIN: Final = "__main__"

STANDARD: Final = ("stdin", "stdout", "stderr")


# --- files and streams ---------------------------------------------------------------


def _stream(_: object, value: Any) -> Any:
    name = next((n for n in STANDARD if _is_standard(value, n)), None)
    if name is not None:
        return reopen.standard, (name,)
    path = getattr(value, "name", None)
    if not isinstance(path, str) or not hasattr(value, "mode"):
        return f"an open file {_TIED}"
    text = isinstance(value, io.TextIOBase)
    coding = (value.encoding, value.errors) if text else (None, None)
    if value.closed:
        return reopen.closed, (path, value.mode, *coding)
    try:
        if value.writable():
            value.flush()  # or what it holds back would be in no file
        place = value.tell()
    except (OSError, ValueError):
        return f"an open file in the middle of something {_TIED}"
    return reopen.file, (str(Path(path).absolute()), value.mode, *coding, place)


def _is_standard(value: object, name: str) -> bool:
    return value in (getattr(sys, name), getattr(sys, f"__{name}__"))


def _gzip(_: object, value: Any) -> Any:
    if value.closed or not value.readable():
        return f"a compressed file that is being written {_TIED}"
    return reopen.gzip_file, (str(Path(value.name).absolute()), value.tell())


def _handler(_: object, value: logging.Handler) -> Any:
    state = {k: v for k, v in vars(value).items() if k not in ("lock", "_name")}
    return reopen.handler, (type(value), value.get_name()), state


def _environ(*_: object) -> Any:
    return reopen.environ, ()


# --- databases and pools -------------------------------------------------------------


def _sqlite(_: object, value: Any) -> Any:
    if value.in_transaction:
        return f"a database connection in a transaction {_TIED}"
    databases = {row[1]: row[2] for row in value.execute("PRAGMA database_list")}
    if set(databases) != {"main"}:
        return f"a database connection with attached databases {_TIED}"
    path = databases["main"]
    empty = value.execute("PRAGMA page_count").fetchone() == (0,)
    content = None if path or empty else value.serialize()
    settings = (value.isolation_level, value.row_factory, value.text_factory)
    return reopen.sqlite, (path, content, *settings)


_TRANSACTION: Final = "SELECT txid_current()"
_TEMPORARY: Final = (
    "SELECT (SELECT count(*) FROM duckdb_tables() WHERE temporary)"
    " + (SELECT count(*) FROM duckdb_views() WHERE temporary AND NOT internal)"
    " + (SELECT count(*) FROM duckdb_sequences() WHERE temporary)"
    " + (SELECT count(*) FROM duckdb_functions()"
    "    WHERE database_name = 'temp' AND NOT internal)"
)


def _duckdb(_: object, connection: Any) -> Any:
    # What only this connection sees is neither in a file nor in what another one reads.
    if why := _seen_only_here(connection):
        return f"{why} {_TIED}"
    value = connection.cursor()
    rows = "SELECT path FROM duckdb_databases() WHERE NOT internal"
    places = [path for (path,) in value.execute(rows).fetchall()]
    if len(places) != 1:
        return f"a database connection with attached databases {_TIED}"
    if places[0]:
        return reopen.duckdb_file, (places[0],)
    others = (
        "SELECT (SELECT count(*) FROM duckdb_sequences())"
        " + (SELECT count(*) FROM duckdb_types() WHERE NOT internal)"
        " + (SELECT count(*) FROM duckdb_functions() WHERE NOT internal)"
        " + (SELECT count(*) FROM duckdb_schemas() WHERE NOT internal)"
    )
    if value.execute(others).fetchone()[0]:
        return f"a database in memory with more than tables and views {_TIED}"
    made = "SELECT sql, table_name FROM duckdb_tables() ORDER BY table_oid"
    tables = [
        (sql, name, value.table(f'"{name}"').fetchall())
        for sql, name in value.execute(made).fetchall()
    ]
    views = "SELECT sql FROM duckdb_views() WHERE NOT internal ORDER BY view_oid"
    texts = [sql for (sql,) in value.execute(views).fetchall()]
    return reopen.duckdb_memory, (tables, texts)


def _seen_only_here(connection: Any) -> str:
    """What a DuckDB connection has that no other one of its database sees, or ""."""
    try:
        # Refused where a result is being read, which is left alone so.
        first, second = (connection.sql(_TRANSACTION).fetchall() for _ in range(2))
    except Exception:  # noqa: BLE001  # its types are where duckdb is
        return "a database connection whose result is being read"
    if first == second:
        return "a database connection in a transaction"
    if connection.sql(_TEMPORARY).fetchall() != [(0,)]:
        return "a database connection with temporary tables or views"
    return ""


def _engine(_: object, value: Any) -> Any:
    url = value.url
    if url.password is not None:
        return "an engine with a password in its address isn't kept"
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        return f"a database in memory {_TIED}"
    return reopen.engine, (str(url),)


def _pool(_: object, value: Any) -> Any:
    threads = len(value._threads)  # noqa: SLF001  # there is no public way to ask
    idle = value._idle_semaphore._value  # noqa: SLF001
    queued = value._work_queue.qsize()  # noqa: SLF001
    if value._shutdown or queued or idle < threads:  # noqa: SLF001
        return f"a pool at work {_TIED}"
    start = (value._initializer, value._initargs)  # noqa: SLF001
    prefix = value._thread_name_prefix  # noqa: SLF001
    own = re.fullmatch(r"ThreadPoolExecutor-\d+", prefix)
    return reopen.pool, (value._max_workers, "" if own else prefix, *start)  # noqa: SLF001


def _future(_: object, value: Any) -> Any:
    if not value.done() or value.cancelled():
        return f"a future {_TIED}"
    error = value.exception()
    result = None if error is not None else value.result()
    return reopen.future, (result, error)


# --- locks, references, variables of a context ---------------------------------------


def _lock(_: object, value: Any) -> Any:
    if value.locked():
        return f"a lock that is held {_TIED}"
    return reopen.lock, ()


def _rlock(_: object, value: Any) -> Any:
    if not repr(value).startswith("<unlocked "):
        return f"a lock that is held {_TIED}"
    return reopen.rlock, ()


def _context_variable(_: object, value: contextvars.ContextVar[Any]) -> Any:
    if value in contextvars.copy_context():
        return f"a context variable that is set {_TIED}"
    try:
        return reopen.context_variable, (value.name, value.get())
    except LookupError:
        return reopen.context_variable, (value.name,)


def _weak(_: object, value: Any) -> Any:
    if value.__callback__ is not None:
        return f"a weak reference with a callback {_TIED}"
    target = value()
    return (reopen.dead, ()) if target is None else (weakref.ref, (target,))


def _weak_values(_: object, value: Any) -> Any:
    return type(value), (), None, None, iter(list(value.items()))


def _weak_set(_: object, value: Any) -> Any:
    return type(value), (list(value),)


# --- code that is in no module -------------------------------------------------------


def _generator(graph: Any, value: Any) -> Any:
    if graph.outcome:
        return f"a generator that a call returned {_TIED}"
    if inspect.getgeneratorstate(value) != inspect.GEN_CREATED:
        return f"a generator that has begun {_TIED}"
    code, frame = value.gi_code, value.gi_frame
    found = dict(frame.f_locals)
    cells = tuple(types.CellType(found[name]) for name in code.co_freevars)
    function = types.FunctionType(
        code, frame.f_globals, value.__name__, None, cells or None
    )
    function.__qualname__ = value.__qualname__
    count = code.co_argcount + code.co_kwonlyargcount
    names = iter(code.co_varnames)
    plain = [found[next(names)] for _ in range(code.co_argcount)]
    named = [next(names) for _ in range(count - code.co_argcount)]
    if code.co_flags & inspect.CO_VARARGS:
        plain += found[next(names)]
    keywords = {name: found[name] for name in named}
    if code.co_flags & inspect.CO_VARKEYWORDS:
        keywords |= found[next(names)]
    return reopen.generator, (function, plain, keywords)


_DISPATCHING: Final = functools.singledispatch(len).__code__  # type: ignore[attr-defined]


def dispatching(function: types.FunctionType) -> Any:
    """A function with `singledispatch`: its implementations by type, else ``None``."""
    if function.__code__ is not _DISPATCHING:
        return None
    registry = dict(function.registry)  # type: ignore[attr-defined]
    return reopen.dispatching, (registry.pop(object), list(registry.items()))


def sentinel(value: object) -> Any:
    """Where a module keeps a bare ``object()`` that is compared by ``is``."""
    for name, module in list(sys.modules.items()):
        if getattr(module, "__name__", "") == name != _MAIN:
            for attribute, found in list(vars(module).items()):
                if found is value:
                    return reopen.sentinel, (name, attribute)
    return NotImplemented


def _match(_: object, value: re.Match[Any]) -> Any:
    for way in ("match", "search", "fullmatch"):
        again = getattr(value.re, way)(value.string, value.pos, value.endpos)
        if again is not None and again.regs == value.regs:
            return reopen.match, (value.re, way, value.string, value.pos, value.endpos)
    return f"a match in the middle of a scan {_TIED}"


def _of_dict(_: object, value: Any) -> Any:
    """What shows a dict as it is by now: its keys, or all of it to be read only."""
    (held,) = gc.get_referents(value)
    how = type(value).__name__.rpartition("_")[2]
    if how == "mappingproxy":
        # That of a class can't be had without it.
        own = type(held) is not dict or {"__dict__", "__module__"} & held.keys()
        return NotImplemented if own else (rebuild.of_dict, (held, ""))
    return rebuild.of_dict, (held, how)


def _struct(_: object, value: struct.Struct) -> Any:
    return struct.Struct, (value.format,)


# --- documents and widgets -----------------------------------------------------------


def _lxml(_: object, value: Any) -> Any:
    tree = value.getroottree()
    etree = sys.modules["lxml.etree"]
    return reopen.lxml, (etree.tostring(tree, with_tail=False), tree.getpath(value))


def _lxml_tree(_: object, value: Any) -> Any:
    return reopen.lxml_tree, (value.getroot(),)


def _docx(_: object, value: Any) -> Any:
    sink = io.BytesIO()
    value.save(sink)
    return reopen.docx, (sink.getvalue(),)


def _bokeh(_: object, value: Any) -> Any:
    if value.document is not None:
        return reopen.bokeh, (value.document.to_json(), value.id)
    document = sys.modules["bokeh.document"].Document()
    document.add_root(value)
    try:
        return reopen.bokeh, (document.to_json(), value.id)
    finally:
        document.remove_root(value)


def _widget(_: object, value: Any) -> Any:
    names = [name for name in value.keys if not name.startswith("_")]
    return reopen.widget, (type(value), {name: getattr(value, name) for name in names})


DICT_VIEWS: Final = tuple(
    f"builtins.{kind}_{part}"
    for kind in ("dict", "odict")
    for part in ("keys", "values", "items")
)

KINDS: Final[dict[str, Callable[[Any, Any], Any] | str]] = {
    "_io._IOBase": _stream,
    "gzip.GzipFile": _gzip,
    "tempfile.TemporaryDirectory": f"a temporary directory {_TIED}",
    "logging.Handler": _handler,
    "os._Environ": _environ,
    "sqlite3.Connection": _sqlite,
    "_duckdb.DuckDBPyConnection": _duckdb,
    "sqlalchemy.engine.base.Engine": _engine,
    "concurrent.futures.thread.ThreadPoolExecutor": _pool,
    "concurrent.futures._base.Future": _future,
    "_thread.lock": _lock,
    "_thread.RLock": _rlock,
    "_contextvars.ContextVar": _context_variable,
    "weakref.ReferenceType": _weak,
    "weakref.WeakValueDictionary": _weak_values,
    "weakref.WeakKeyDictionary": _weak_values,
    "_weakrefset.WeakSet": _weak_set,
    "builtins.generator": _generator,
    "re.Match": _match,
    "builtins.mappingproxy": _of_dict,
    **dict.fromkeys(DICT_VIEWS, _of_dict),
    "_struct.Struct": _struct,
    "lxml.etree._Element": _lxml,
    "lxml.etree._ElementTree": _lxml_tree,
    "docx.document.Document": _docx,
    "bokeh.model.model.Model": _bokeh,
    "ipywidgets.widgets.widget.Widget": _widget,
}
"""How each kind is described, by qualified name; a text is why it isn't."""
