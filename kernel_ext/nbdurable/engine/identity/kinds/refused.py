"""Types that have no digest, named so that their reduce is never tried.

Most of them refuse to reduce anyway; some answer with something that looks fine and
says nothing (an iterator shares what it has consumed, a lazy frame its optimiser).
"""

from __future__ import annotations

from nbdurable.engine.identity.forms import Form, Kinds, Undigestible, qualified


def refuse(value: object) -> Form:
    """No digest, by type."""
    raise Undigestible(qualified(type(value)))


_NAMES = (
    "builtins.generator",
    "builtins.coroutine",
    "builtins.async_generator",
    "builtins.frame",
    "builtins.traceback",
    "builtins.zip",
    "builtins.map",
    "builtins.filter",
    "builtins.enumerate",
    "itertools.accumulate",
    "itertools.batched",
    "itertools.chain",
    "itertools.combinations",
    "itertools.combinations_with_replacement",
    "itertools.compress",
    "itertools.count",
    "itertools.cycle",
    "itertools.dropwhile",
    "itertools.filterfalse",
    "itertools.groupby",
    "itertools.islice",
    "itertools.pairwise",
    "itertools.permutations",
    "itertools.product",
    "itertools.repeat",
    "itertools.starmap",
    "itertools.takewhile",
    "itertools._tee",
    "itertools.zip_longest",
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
    "builtins.weakref",
    "weakref.WeakKeyDictionary",
    "weakref.WeakValueDictionary",
    "polars.lazyframe.frame.LazyFrame",
    "mmap.mmap",
)

KINDS: Kinds = dict.fromkeys(_NAMES, refuse)
