"""Types that have no digest, named so that their reduce is never tried.

Most of them refuse to reduce anyway; some answer with something that looks fine and
says nothing (an iterator shares what it has consumed, a lazy frame its optimiser).
"""

from __future__ import annotations

from nbdurable.engine.identity.forms import Form, Kinds, Undigestible, qualified


def refuse(value: object) -> Form:
    """No digest, by type."""
    cls = type(value)
    used_up = hasattr(cls, "__next__") and not hasattr(cls, "readline")
    reason = "an iterator is used up by being read" if used_up else ""
    raise Undigestible(qualified(cls), reason=reason)


_NAMES = (
    "builtins.coroutine",
    "builtins.frame",
    "builtins.traceback",
    "_io._IOBase",
    "_thread.lock",
    "_thread.RLock",
    "threading.Thread",
    "threading.local",
    "_thread._local",
    "_contextvars.Context",
    "_contextvars.ContextVar",
    "_contextvars.Token",
    "_asyncio.Future",
    "asyncio.events.AbstractEventLoop",
    "concurrent.futures._base.Executor",
    "concurrent.futures._base.Future",
    "_socket.socket",
    "subprocess.Popen",
    "sqlite3.Connection",
    "sqlite3.Cursor",
    "duckdb.DuckDBPyConnection",
    "_duckdb.DuckDBPyConnection",
    "weakref.ReferenceType",
    "weakref.ProxyType",
    "weakref.CallableProxyType",
    "weakref.WeakKeyDictionary",
    "weakref.WeakValueDictionary",
    "asyncio.mixins._LoopBoundMixin",
    "multiprocessing.context.BaseContext",
    "polars.lazyframe.frame.LazyFrame",
    "polars.expr.expr.Expr",
    "pyarrow.lib.NativeFile",
    "pyarrow.lib.RecordBatchReader",
    "pyarrow._dataset.Dataset",
    "pyarrow._dataset.Scanner",
    "pyarrow._compute.Expression",
    "pandas.core.groupby.groupby.BaseGroupBy",
    "pandas.core.window.rolling.BaseWindow",
    "pandas.io.formats.style.Styler",
    "torch.cuda.streams.Stream",
    "torch.utils.data.dataloader.DataLoader",
    "mmap.mmap",
)

_ITERATORS = (
    "builtins.generator",
    "builtins.async_generator",
    "builtins.zip",
    "builtins.map",
    "builtins.filter",
    "builtins.enumerate",
    "builtins.reversed",
    "itertools.accumulate",
    "itertools.chain",
    "itertools.count",
    "itertools.cycle",
    "itertools.groupby",
    "itertools.islice",
    "itertools._tee",
    "itertools.tee",
)
"""Iterators whose subclasses don't count as instances either; `registry` knows the
others by how they iterate."""

KINDS: Kinds = dict.fromkeys((*_NAMES, *_ITERATORS), refuse)
