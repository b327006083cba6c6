"""How objects that pickle doesn't keep, or mustn't, are taken apart.

One table by qualified name, looked up by exact type and then along the MRO, so that no
package is imported to find out that a value is none of its objects. An entry is a
reducer, or the reason why such an object is tied to this process.
"""

from __future__ import annotations

import copyreg
import linecache
import sys
import types
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol

from nbdurable.engine.codec import (
    clients,
    live,
    rebuild,
    remainders,
    statements,
    views,
)
from nbdurable.engine.codec.arguments import unsaid
from nbdurable.engine.values.redact import Secrets


class Graph(Protocol):
    """What a reducer may ask the pickler that is writing the graph.

    Attributes:
        secrets: What must not be written.
        chain: Whether exceptions take their cause and context along.
        outcome: Whether the graph is what a call returned.
    """

    secrets: Secrets
    chain: bool
    outcome: bool

    def travels(self, value: object) -> bool:
        """Whether a global goes along with the function that reads it."""
        ...

    def cell(self, filename: str) -> tuple[str, str]:
        """File name and text of a cell: the same objects each time, written once."""
        ...

    def variable(self, cell: types.CellType) -> Any:
        """What stands for a variable of a closure: the same object each time."""
        ...

    def storage(self, memory: Any) -> Any:
        """What stands for the memory of tensors: the same object each time."""
        ...

    def keeps(self, owner: object) -> bool:
        """Whether an array is written whole anyway, or has to be."""
        ...

    def owning(self, owner: Any, value: Any) -> Any:
        """The array that a view is a part of on load, of those over its memory."""
        ...

    def places(self, owner: Any) -> bool:
        """Whether a view of it can be made where it stands, or is made to stand."""
        ...

    def within(self, owner: Any) -> Collection[int]:
        """Ids of what an array holds, if it is one of objects."""
        ...


Reducer = Callable[[Graph, Any], Any]
"""Takes an object apart as ``__reduce_ex__`` does; may return ``NotImplemented``."""

TOOL_MARK: Final = "__nbdurable_tool__"
"""Attribute of a tool's wrapper: the keyword arguments that `nd.tool` was given."""

_module_of = type.__dict__["__module__"].__get__
_name_of = type.__dict__["__qualname__"].__get__


def qualified(kind: type) -> str:
    """Module and qualified name, whatever the metaclass does."""
    return f"{_module_of(kind)}.{_name_of(kind)}"


def find(kind: type) -> Reducer | str | None:
    """The entry for a type: its own, else that of its nearest base that has one."""
    if kind is object:
        return _sentinel
    for cls in kind.__mro__:
        entry = REDUCERS.get(qualified(cls))
        if entry is not None:
            return entry
    if unsaid(kind):
        return f"{qualified(kind)} is made by arguments, and doesn't say which"
    if _delegates(kind):
        return delegating
    return remainders.with_attributes if remainders.leaves_out(kind) else None


def register(name: str, entry: Reducer | str) -> None:
    """Add a reducer, or the reason for refusing, for a type and its subclasses.

    Args:
        name: Qualified name of the type, such as ``socket.socket``.
        entry: The reducer, or the reason as the rest of a sentence about the object.
    """
    REDUCERS[name] = entry


# --- functions and classes of the notebook -------------------------------------------


def function(graph: Graph, fn: types.FunctionType, reduced: Any) -> Any:
    """Take apart a function that no module can give back by name.

    It is rebuilt on the notebook's own globals, so that it sees the names of today.
    Only code, modules and small plain values among its globals travel with it.
    """
    if (dispatching := live.dispatching(fn)) is not None:
        return dispatching
    if TOOL_MARK in fn.__dict__:
        return rebuild.tool, (fn.__wrapped__, dict(fn.__dict__[TOOL_MARK]))  # type: ignore[attr-defined]  # made by functools.wraps
    if fn.__globals__.get("__name__") != "__main__":
        return reduced
    make, arguments, (attributes, slots), *_ = reduced
    # Functions that were made in one call share its variables; cloudpickle gives each
    # function variables of its own.
    closure = fn.__closure__ and tuple(graph.variable(c) for c in fn.__closure__)
    arguments = (arguments[0], NAMESPACE, *arguments[2:4], closure)
    kept = {k: v for k, v in slots["__globals__"].items() if graph.travels(v)}
    state = (attributes, {**slots, "__globals__": kept, "__closure__": None})
    return make, arguments, state, None, None, rebuild.set_function_state


class Variable:
    """Stands for a variable that functions share, in a pickle."""

    def __init__(self, cell: types.CellType) -> None:
        self._cell = cell

    def __reduce__(self) -> tuple[Any, ...]:
        # Its value follows when it is known: that may be the function itself.
        try:
            state = (self._cell.cell_contents,)
        except ValueError:  # it has none
            return rebuild.variable, ()
        return rebuild.variable, (), state, None, None, rebuild.set_variable


class Namespace:
    """Stands for the notebook's globals in a pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild.namespace, ()


NAMESPACE: Final = Namespace()


def code(graph: Graph, value: types.CodeType, reduced: Any) -> Any:
    """Take apart a code object; the text of its cell goes along."""
    cell = graph.cell(value.co_filename)
    return rebuild.code, (reduced[1], *cell, tuple(sys.version_info[:2]))


def by_statement(graph: Graph, cls: type, reduced: Any) -> Any:
    """Take apart a class whose statement has to run again; as it is where none is found."""
    statement = statements.of(cls)
    if statement is None:
        return reduced
    main = sys.modules["__main__"].__dict__
    needs = {n: main[n] for n in statement.names if n in main and main[n] is not cls}
    kept = {n: v for n, v in needs.items() if graph.travels(v)}
    return rebuild.class_by_statement, (*statement, kept)


def cell_text(filename: str) -> str:
    """The text of a cell; "" for a file, which has its text itself."""
    # An entry without a time is none of a file.
    size, when, lines, _ = [*linecache.cache.get(filename, ()), 0, 0, (), ""][:4]
    return "".join(lines) if size and when is None else ""


def _lru(_: Graph, value: Any) -> Any:
    if value.__module__ != "__main__":
        return NotImplemented
    return rebuild.lru, (value.__wrapped__, value.cache_parameters())


def _cached_property(_: Graph, value: Any) -> Any:
    # Python 3.11 keeps a lock in it.
    return rebuild.cached, (value.func, value.attrname)


def _memoryview(_: Graph, value: memoryview) -> Any:
    owner = value.obj
    if type(owner) is bytes and value.format == "B" and value.contiguous:
        return memoryview, (bytes(value),)
    whole = type(owner) in (bytes, bytearray) and memoryview(owner) == value
    if whole and value.format == "B" and value.ndim == 1:
        return memoryview, (owner,)
    return "a memoryview of foreign memory is tied to this process"


def _sentinel(_: Graph, value: object) -> Any:
    return live.sentinel(value)


def _arrow_column(_: Graph, value: Any) -> Any:
    """A column that Arrow keeps; its own way copies all of it into one chunk first.

    That is wanted only for a small part of a large one, whose memory would go along.
    """
    column = value._pa_array  # noqa: SLF001  # pandas has no other way without a copy
    if column.get_total_buffer_size() > views.FACTOR_MAX * column.nbytes:
        return NotImplemented
    return rebuild.bare, (type(value),), {**vars(value), "_cache": {}}


def _delegates(kind: type) -> bool:
    """Whether unknown attributes are looked up by the object's own code."""
    names = [name for cls in kind.__mro__ for name in vars(cls)]
    own = {"__setstate__", "__reduce__", "__reduce_ex__"}
    return (
        "__getattr__" in names
        and not issubclass(kind, type)
        and sum(name in own for name in names) == 2  # those of object
    )


def delegating(_: Graph, value: Any) -> Any:
    """Such an object is asked for ``__setstate__`` before it has any state to look in."""
    make, arguments, state, *rest = value.__reduce_ex__(5)
    items = [*rest, None, None][:2]
    return make, arguments, state, *items, rebuild.set_state


# --- exceptions and headers ----------------------------------------------------------


def _exception(graph: Graph, value: BaseException) -> Any:
    cls = type(value)
    native: Any = next(c for c in cls.__mro__ if c.__module__ == "builtins")
    if any(
        "__reduce__" in vars(c) or "__reduce_ex__" in vars(c)
        for c in cls.__mro__[: cls.__mro__.index(native)]
    ):
        return value.__reduce_ex__(5) if _traced(cls) else NotImplemented
    _, arguments, *_rest = native.__reduce__(value)
    chained = graph.chain
    state = {
        "attributes": dict(value.__dict__),
        "native": {
            name: getattr(value, name)
            for name in ("name", "path")
            if isinstance(value, ImportError | NameError | AttributeError)
            and isinstance(getattr(value, name, None), str)
        },
        "cause": value.__cause__ if chained else None,
        "context": value.__context__ if chained else None,
        "suppress": value.__suppress_context__,
    }
    return (
        rebuild.exception,
        (cls, arguments),
        state,
        None,
        None,
        (rebuild.set_exception_state),
    )


def _traced(kind: type) -> bool:
    """Whether tblib, which Dask brings, would pickle it with its traceback."""
    module = getattr(copyreg.dispatch_table.get(kind), "__module__", "")
    return module.partition(".")[0] == "tblib"


_SENSITIVE: Final = frozenset(
    {
        b"authorization",
        b"proxy-authorization",
        b"cookie",
        b"set-cookie",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"x-amz-security-token",
    }
)


class _Hidden:
    """A header's value, cut at its secrets."""

    def __init__(self, parts: list[str], fallback: bytes) -> None:
        self.parts = parts
        self.fallback = fallback

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild.hidden, (self.parts, self.fallback)


def _headers(graph: Graph, value: Any) -> Any:
    rows = [(*row[:-1], _mask(graph, row[-2], row[-1])) for row in value._list]  # noqa: SLF001  # httpx pickles it so
    state = {**vars(value), "_list": rows}
    return rebuild.bare, (type(value),), state


def _mask(graph: Graph, name: bytes, value: bytes) -> Any:
    if name.lower() not in _SENSITIVE:
        return value
    fallback = f"<{name.decode('latin-1').lower()} is not stored>".encode()
    parts = graph.secrets.parts(value.decode("latin-1"))
    if parts is None or any(map(graph.secrets.found, parts[::2])):
        return fallback
    return _Hidden(parts, fallback)


def _client(graph: Graph, value: Any) -> Any:
    return rebuild.client, (clients.recipe(value, graph.secrets),)


# --- the table -----------------------------------------------------------------------

_TIED: Final = "is tied to this process"

REDUCERS: Final[dict[str, Reducer | str]] = {
    "builtins.BaseException": _exception,
    "builtins.memoryview": _memoryview,
    "numpy.ndarray": views.array,
    "numpy.memmap": views.memory_map,
    "numpy.ma.MaskedArray": views.masked,
    "numpy.ma.core.MaskedArray": views.masked,
    "_ctypes.Array": "a ctypes array is of a class that only this process has",
    "pandas.arrays.ArrowExtensionArray": _arrow_column,
    "functools._lru_cache_wrapper": _lru,
    "functools.cached_property": _cached_property,
    "httpx.Headers": _headers,
    "httpx2.Headers": _headers,
    **dict.fromkeys(clients.NAMES, _client),
    **live.KINDS,
    **remainders.KINDS,
    "builtins.async_generator": f"an async generator {_TIED}",
    "builtins.coroutine": f"a coroutine {_TIED}",
    "builtins.frame": f"a frame {_TIED}",
    "IPython.core.interactiveshell.InteractiveShell": f"the shell {_TIED}",
    "ipykernel.kernelbase.Kernel": f"the kernel {_TIED}",
    "comm.base_comm.BaseComm": f"a connection to the page {_TIED}",
    "builtins.traceback": f"a traceback {_TIED}",
    "_thread._local": f"a thread-local {_TIED}",
    "threading.Thread": f"a thread {_TIED}",
    "concurrent.futures._base.Executor": f"a pool {_TIED}",
    "_asyncio.Future": f"a future {_TIED}",
    "asyncio.events.AbstractEventLoop": f"an event loop {_TIED}",
    "multiprocessing.process.BaseProcess": f"a process {_TIED}",
    "subprocess.Popen": f"a process {_TIED}",
    "_socket.socket": f"a socket {_TIED}",
    "_ssl._SSLContext": f"an SSL context {_TIED}",
    "tempfile._TemporaryFileWrapper": f"an open file {_TIED}",
    "_io.BytesIO": lambda *_: NotImplemented,
    "_io.StringIO": lambda *_: NotImplemented,
    "mmap.mmap": f"a memory map {_TIED}",
    "sqlite3.Cursor": f"a database cursor {_TIED}",
    "_contextvars.Context": f"a context {_TIED}",
    "_contextvars.Token": f"a context token {_TIED}",
    "select.epoll": f"an event queue {_TIED}",
    "_hashlib.HASH": f"a hash in progress {_TIED}",
}
