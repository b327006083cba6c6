"""The functions that stored pickles call while they are loaded.

Their names, parameters and this module's place are part of the stored format: they may
be added to, never renamed. Each runs only on bytes whose signature was checked.
"""

from __future__ import annotations

import functools
import importlib
import linecache
import sys
import types
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from nbdurable.engine.codec import clients, hooks, layout, shapes, statements
from nbdurable.engine.codec.errors import Unreadable
from nbdurable.engine.values.redact import SecretAbsent, Secrets

TOOL_MAKER = ("nbdurable.engine.calls.tool", "tool")
"""Where the decorator of tools lives: module and name."""

STEP_MAKER = ("nbdurable.engine.calls.nested", "step")
"""Where that of steps inside cells lives."""

STEP_OPTION = "nd.step"
"""Among the options of a wrapper: that `nd.step` made it, and not `nd.tool`."""


@dataclass(slots=True)
class Loading:
    """What a load needs beside its bytes.

    Attributes:
        secrets: Where keys of clients and masked texts come from.
        namespace: Globals of the notebook: its functions see these, and its classes
            are looked for here first.
        reused: Ids of live classes that stand in for stored ones.
        moved: The same where the stored one is that very class as it was at another
            time, with what it was: by id, once that is read.
    """

    secrets: Secrets
    namespace: MutableMapping[str, Any]
    reused: set[int] = field(default_factory=set)
    moved: dict[int, tuple[type, tuple[Any, Any]] | None] = field(default_factory=dict)

    def finish(self, value: object) -> None:
        """Give classes what they were, if they are what was loaded.

        What only an object of such a class brings along is left: the class has gone on.
        """
        roots = value if isinstance(value, tuple) else (value,)
        for cls, state in filter(None, self.moved.values()):
            if any(root is cls for root in roots):
                _class_setstate(cls, state)


_loading: ContextVar[Loading] = ContextVar("nbdurable_loading")


@contextmanager
def loading(
    secrets: Secrets, namespace: MutableMapping[str, Any] | None
) -> Iterator[Loading]:
    """Hand these to every function of this module that a load calls."""
    if namespace is None:
        namespace = sys.modules["__main__"].__dict__
    now = Loading(secrets, namespace)
    token = _loading.set(now)
    try:
        yield now
    finally:
        _loading.reset(token)


def namespace() -> MutableMapping[str, Any]:
    """Globals of the notebook."""
    return _loading.get().namespace


# --- functions and classes of the notebook -------------------------------------------


def code(
    arguments: tuple[Any, ...],
    filename: str,
    source: str,
    python: tuple[int, int] = sys.version_info[:2],
) -> types.CodeType:
    """A code object that names its cell, whose text tracebacks and readers then find.

    Raises:
        Unreadable: It is bytecode of another Python.
    """
    if python != sys.version_info[:2]:
        major, minor = python
        raise Unreadable(
            codec="pickle5", why=f"it holds code of Python {major}.{minor}"
        )
    remember(filename, source)
    return types.CodeType(*arguments).replace(co_filename=filename)


def remember(filename: str, source: str) -> None:
    """Keep the text of a cell of an earlier kernel."""
    if source and filename not in linecache.cache:
        lines = source.splitlines(keepends=True)
        linecache.cache[filename] = (len(source), None, lines, filename)


def variable() -> types.CellType:
    """A variable of a closure; its value follows, if it has one."""
    return types.CellType()


def set_variable(cell: types.CellType, state: tuple[Any]) -> None:
    """Give a variable of a closure its value."""
    (cell.cell_contents,) = state


def set_function_state(
    function: types.FunctionType, state: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    """Complete a function of the notebook; give its globals what they lack."""
    from cloudpickle.cloudpickle import (  # lazy: costs 15 ms
        _function_setstate,
    )

    attributes, slots = state
    known = slots.pop("__globals__")
    for name, value in known.items():
        function.__globals__.setdefault(name, value)
    _function_setstate(function, (attributes, {**slots, "__globals__": {}}))


def make_class(
    path: str,
    shape: bytes,
    make: Callable[..., type],
    arguments: tuple[Any, ...],
    filename: str = "",
    source: str = "",
) -> type:
    """The notebook's own class of that name if it is still the same, else a new one.

    With a second class of equal code, ``isinstance`` and ``==`` would say no where
    they said yes. The text of its cell says what it is, where no function of it does.
    """
    now = _loading.get()
    live = shapes.lookup(now.namespace, path)
    if live is not None and shapes.shape(live) == shape:
        now.reused.add(id(live))
        return live
    remember(filename, source)
    with hooks.unheard(arguments):
        made = make(*arguments)
    made.__qualname__ = path  # cloudpickle knows the last part only
    if made is live:
        now.moved[id(made)] = None
    return made


def set_class_state(cls: type, state: tuple[Any, Any]) -> None:
    """Complete a class that `make_class` made; a live one is left alone."""
    now = _loading.get()
    if id(cls) in now.moved:
        now.moved[id(cls)] = cls, state
    elif id(cls) not in now.reused:
        _class_setstate(cls, state)


def _class_setstate(cls: type, state: tuple[Any, Any]) -> None:
    from cloudpickle import cloudpickle  # lazy: costs 15 ms

    cloudpickle._class_setstate(cls, state)  # noqa: SLF001  # as its pickles do


def class_by_statement(
    filename: str, text: str, names: tuple[str, ...], needs: Mapping[str, Any]
) -> type:
    """A class of the notebook, made by its statement."""
    statement = statements.Statement(filename, text, names)
    made = statements.run(statement, _loading.get().namespace, needs)
    remember(filename, text)
    return made


def lru(function: Any, parameters: Mapping[str, Any]) -> Any:
    """A function with an empty ``lru_cache``."""
    return functools.lru_cache(**parameters)(function)


def cached(function: Any, name: str | None) -> functools.cached_property[Any]:
    """A cached property of a class that is made without ``__set_name__``."""
    made = functools.cached_property(function)
    made.attrname = name
    return made


def tool(function: Any, options: Mapping[str, Any]) -> Any:
    """A tool of the notebook, or an `nd.step`, wrapped again."""
    module, name = STEP_MAKER if STEP_OPTION in options else TOOL_MAKER
    make = getattr(importlib.import_module(module), name)
    given = {n: value for n, value in options.items() if n != STEP_OPTION}
    return make(**given)(function)


# --- views, exceptions, headers, clients ---------------------------------------------


def view(
    base: Any,
    offset: int,
    dtype: Any,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    laid: tuple[int, ...] | None = None,
) -> Any:
    """An array that shares the memory of another one, or of a ``bytearray``.

    Args:
        base: Whose memory it is.
        offset: From the first element there to the first one here, in bytes.
        dtype: Its type.
        shape: Its shape.
        strides: Its strides.
        laid: How the other one lay in memory: elsewhere these places are other ones.
    """
    numpy = importlib.import_module("numpy")
    if layout.is_bytes(base):
        if not base:  # numpy would take any memory for it
            raise ValueError("the bytes that an array was over are gone")
        return numpy.ndarray(shape, dtype, base, offset, strides)
    if laid is not None and layout.laid(base) != laid:
        raise ValueError("the array that it is a part of lies otherwise in memory now")
    first, _ = layout.bounds(base)
    memory = layout.stretch(base)
    if memory.dtype.hasobject:
        return layout.among(memory, offset - first, shape, strides)
    return numpy.ndarray(shape, dtype, memory, offset - first, strides)


def read_only_view(base: Any, *where: Any) -> Any:
    """The same, through which nothing can be written."""
    made = view(base, *where)
    made.flags.writeable = False
    return made


def view_of_class(cls: type, writable: bool, base: Any, *where: Any) -> Any:  # noqa: FBT001  # pickle has no keywords
    """The same as an array of a class; its attributes follow."""
    made = (view if writable else read_only_view)(base, *where)
    numpy = importlib.import_module("numpy")
    return numpy.ndarray.view(made, cls)


def of_dict(held: Any, how: str) -> Any:
    """The keys, values or items of a dict, or the dict to be read only."""
    return getattr(held, how)() if how else types.MappingProxyType(held)


def seen_as(array: Any, dtype: Any) -> Any:
    """The same memory as elements of another type."""
    return array.view(dtype)


def exception(cls: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """An exception without running the ``__init__`` that its author wrote."""
    made = cls.__new__(cls, *arguments)
    native: Any = next(c for c in cls.__mro__ if c.__module__ == "builtins")
    native.__init__(made, *arguments)
    return made


def set_exception_state(made: BaseException, state: Mapping[str, Any]) -> None:
    """Attributes and chain of an exception."""
    made.__dict__.update(state["attributes"])
    for name, value in state["native"].items():
        setattr(made, name, value)
    made.__cause__ = state["cause"]
    made.__context__ = state["context"]
    made.__suppress_context__ = state["suppress"]


def bare(cls: Any) -> Any:
    """An object without its ``__init__``; its state follows."""
    return cls.__new__(cls)


def set_state(made: Any, state: Any) -> None:
    """The state of an object, without asking the object how."""
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    if attributes:
        object.__getattribute__(made, "__dict__").update(attributes)
    for name, value in (slots or {}).items():
        object.__setattr__(made, name, value)


def native(base: Any, cls: Any, arguments: tuple[Any, ...]) -> Any:
    """An object of a subclass, made as its base is, which wrote the arguments."""
    made = base.__new__(cls, *arguments)
    if base.__init__ is not object.__init__:  # which takes no arguments
        base.__init__(made, *arguments)
    return made


def in_notebook(make: Any, arguments: tuple[Any, ...]) -> Any:
    """What takes the module of its maker for its own, as if the notebook had made it."""
    made = make(*arguments)
    made.__module__ = "__main__"
    return made


def set_all(made: Any, state: tuple[Any, Any, Mapping[str, Any]]) -> None:
    """The state of an object as it takes it, then attributes that are not in it."""
    _set_own(made, state[0], state[1])
    object.__getattribute__(made, "__dict__").update(state[2])


def set_gradient(made: Any, state: tuple[Any, Any, Any]) -> None:
    """The same for a tensor and its gradient."""
    _set_own(made, state[0], state[1])
    made.grad = state[2]


def _set_own(made: Any, state: Any, setter: Any) -> None:
    """What pickle does with a state."""
    if state is None:
        return
    if setter is not None:
        setter(made, state)
    elif hasattr(made, "__setstate__"):
        made.__setstate__(state)
    else:
        set_state(made, state)


def masked_row(table: Any) -> Any:
    """The row of a masked table that has one."""
    return table[0]


def hidden(parts: list[str], fallback: bytes) -> bytes:
    """A header's value put together again, or its mask where a secret is absent."""
    try:
        return _loading.get().secrets.join(parts).encode("latin-1")
    except SecretAbsent:
        return fallback


def client(recipe: bytes) -> Any:
    """A client of a model SDK or of httpx, from its configuration."""
    return clients.rebuild(recipe, _loading.get().secrets)
