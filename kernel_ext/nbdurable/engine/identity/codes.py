"""What functions, classes and modules are: their source, and all they reach.

A function is its normalised source together with the values of its defaults, of its
closure and of every global that it loads; what those are is asked again, so a digest
closes over the notebook's code. Code that was installed is its name and version.

The forms made here are hashed by the hasher of values. A function that calls itself,
or two that call each other, are then simply a cycle.
"""

from __future__ import annotations

import builtins
import sys
from ast import ClassDef
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias

from nbdurable.engine.identity import bytecode, plain, registry
from nbdurable.engine.identity.forms import (
    Form,
    Imported,
    Mark,
    Undigestible,
    named_form,
    no_label,
    qualified,
)
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds import refused
from nbdurable.engine.identity.kinds.code import import_name
from nbdurable.engine.identity.modules import Modules
from nbdurable.engine.identity.sources import Facts, Sources, unwrapped
from nbdurable.engine.identity.texts import file_names, tables

TOOL_ATTRIBUTE = "__nbdurable_tool__"
"""Where a wrapper made by `nd.tool` keeps its options, as a value with a digest. Such a
wrapper is the function that it wraps, and these options."""

PATIENCE = {"retry", "timeout"}
"""Options of a tool that say how long its caller waits, and nothing of what it does."""

NOTEBOOK = "__main__"
"""The module of everything that a cell defines."""

Item: TypeAlias = tuple[str, object]
"""What code depends on, with its value."""

_SHELL_NAMES = frozenset(
    {"In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_dh", "_ih", "_oh", "_sh",
     "get_ipython", "exit", "quit", "__annotations__", "__builtin__", "__builtins__",
     "__doc__", "__file__", "__loader__", "__name__", "__package__", "__session__",
     "__spec__", "__warningregistry__"}
)  # fmt: skip


def is_shell_name(name: str) -> bool:
    """Whether the shell puts this name into the namespace: no input of anybody."""
    history = name.removeprefix("_i").removeprefix("_")
    return name in _SHELL_NAMES or (name[:1] == "_" and history.isdecimal())


class Codes:
    """Code as the inputs of a step: everything that can change what it does.

    Attributes:
        touched: Names of the notebook that reached code loads.
        stores: Names of the notebook that reached code may bind.
        texts: Texts in reached code that may name files, its paths among them.
        tables: Names in reached texts that stand where SQL has tables.
        dynamic: Builtins through which reached code may read any name.
        tools: The functions met that stand for tools.
    """

    def __init__(
        self,
        sources: Sources,
        namespace: Mapping[str, object],
        hidden: Collection[str] = (),
    ) -> None:
        """Look code up in sources and in the namespace of the notebook.

        Args:
            sources: Where local code is found.
            namespace: The notebook's variables.
            hidden: Names that the cell has bound itself before the code can run.
        """
        self._sources = sources
        self._namespace = namespace
        self._hidden = frozenset(hidden)
        self.touched: set[str] = set()
        self.stores: set[str] = set()
        self.dynamic: set[str] = set()
        self.texts: set[str] = set()
        self.tables: set[str] = set()
        self.tools: set[FunctionType] = set()
        self._modules = Modules(sources, self._source, self._version)

    @property
    def outdated(self) -> set[str]:
        """Local modules met whose file was edited since they were imported."""
        return self._modules.outdated

    def form(self, value: object) -> Form:
        """The form of a function, class or module."""
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, ModuleType):
            return self._modules.form(value)
        if isinstance(value, CodeType):
            return bytecode.form(value)
        if isinstance(value, Imported):
            return self._modules.imported(value)
        return self._named(value)

    def is_local(self, cls: type) -> bool:
        """Whether a class is the notebook's or a local module's."""
        return cls.__module__ == NOTEBOOK or self._sources.holds(_file_of(cls))

    def counts(self, code: type | FunctionType) -> bool:
        """Whether a class or function is local, or a wrapper around a local one."""
        if isinstance(code, type):
            return self.is_local(code)
        return any(map(self._is_local_function, unwrapped(code)))

    def imports(self, names: Iterable[str]) -> list[Imported]:
        """The modules that the notebook's imports name, as far as they can change."""
        return self._modules.imports(names)

    # --- what counts; `CallCodes` counts less

    def _source(self, facts: Facts) -> bytes:
        return facts.normal

    def counted(self, value: object) -> object:
        """What counts of a default, a closure's or a global's value."""
        return value

    def _head(self, facts: Facts, globals_: Mapping[str, object]) -> Iterator[Item]:
        for name, value in self._globals(facts.head, globals_):
            yield f"decorator {name}", _decoration(value)

    def _attribute(self, value: object) -> object:
        """An attribute of a class; one that never has a digest says its type."""
        if registry.kind_of(type(value)) is refused.refuse:
            return _opaque(value)
        return value

    def _given(self, function: FunctionType) -> Iterator[Item]:
        """Plain data that somebody put on a function: ``ask.retries = 3``."""
        for name, value in vars(function).items():
            if name[:2] != "__" and plain.census(value) is not None:
                yield f"attribute {name}", value

    # --- functions

    def _function(self, function: FunctionType) -> Form:
        if TOOL_ATTRIBUTE in function.__dict__:
            self.tools.add(function)
            return self._tool(function)
        node = self._sources.function(function.__code__)
        if node is not None:
            return self._local_function(function, self._sources.facts(node))
        if self._is_local_function(function):
            return self._unsourced(function)
        if import_name(function) is not None:
            return self._named(function)
        return self._wrapper(function)

    def _tool(self, function: Any) -> Form:
        options = getattr(function, TOOL_ATTRIBUTE)
        counted = {k: v for k, v in options.items() if k not in PATIENCE}
        children = (function.__wrapped__, counted)
        return Form(Tag.TOOL, (), children, no_label)

    def _local_function(self, function: FunctionType, facts: Facts) -> Form:
        items = dict(self._bound_to(function, self.counted))
        items |= self._given(function)
        items |= self._reached(
            facts, function.__globals__, function.__code__.co_freevars
        )
        return named_form(Tag.FUNCTION, (self._source(facts),), items, _code_path)

    def _unsourced(self, function: FunctionType) -> Form:
        """A local function that no source is of: made by ``exec``, or outdated."""
        module = str(function.__globals__.get("__name__"))
        if module != NOTEBOOK and self._sources.holds(function.__code__.co_filename):
            self.outdated.add(module)
        items: dict[str, object] = {"code": function.__code__}
        items |= self._bound_to(function, self.counted)
        names = set(bytecode.loaded(function.__code__))
        for name, value in self._globals(names, function.__globals__):
            items[f"global {name}"] = self.counted(value)
        return named_form(Tag.FUNCTION, (b"unsourced",), items, _code_path)

    def _wrapper(self, function: FunctionType) -> Form:
        """A function made by installed code: a decorator's wrapper, above all."""
        module = str(function.__globals__.get("__name__"))
        name = f"{module}.{function.__code__.co_qualname}"
        fields = (name.encode(), self._version(module))
        items = dict(self._bound_to(function, _decoration))
        items["wrapped"] = getattr(function, "__wrapped__", None)
        variants = getattr(function, "registry", None)  # of functools.singledispatch
        if isinstance(variants, Mapping):
            items |= {f"variant {key!r}": value for key, value in variants.items()}
        return named_form(Tag.CLOSURE, fields, items, _code_path)

    def _bound_to(
        self, function: FunctionType, value: Callable[[object], object]
    ) -> Iterator[Item]:
        """Defaults and closure."""
        for default in function.__defaults__ or ():
            self._note(default)
        for place, default in enumerate(function.__defaults__ or ()):
            yield f"default {place}", value(default)
        for name, default in (function.__kwdefaults__ or {}).items():
            yield f"default {name}", value(default)
        cells = zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        )
        for name, cell in cells:
            try:
                held = cell.cell_contents
            except ValueError:  # not filled yet
                yield f"closure {name}", Mark(Tag.MISSING)
            else:
                yield f"closure {name}", self._closed_over(function, name, value, held)

    def _closed_over(
        self,
        function: FunctionType,
        name: str,
        value: Callable[[object], object],
        held: object,
    ) -> object:
        """What counts of what a function closed over; `CallCodes` counts more."""
        del function, name
        return value(held)

    def _reached(
        self, facts: Facts, globals_: Mapping[str, object], closure: Iterable[str] = ()
    ) -> Iterator[Item]:
        """The globals that a body loads, and what it does besides."""
        needs = facts.needs
        if globals_ is self._namespace:
            self.stores |= needs.stores
            self.dynamic |= {n for n in needs.dynamic if n not in globals_}
        names = needs.loads | {n for n in needs.guesses | needs.frames if n in globals_}
        self.texts |= needs.texts
        for name, value in self._globals(names - {*closure}, globals_):
            self._note(value)
            yield f"global {name}", self.counted(value)
        package = str(globals_.get("__package__") or "")
        for module in self._modules.imports(needs.imports, package):
            yield f"import {module.name}", module
        yield from self._head(facts, globals_)

    def _globals(
        self, names: Iterable[str], globals_: Mapping[str, object]
    ) -> Iterator[Item]:
        here = globals_ is self._namespace
        for name in names:
            if here and is_shell_name(name):
                continue
            if here:
                self.touched.add(name)
            if here and name in self._hidden:
                yield name, Mark(Tag.BOUND)
            elif name in globals_:
                yield name, globals_[name]
            elif not hasattr(builtins, name):
                yield name, Mark(Tag.MISSING)

    # --- classes

    def definition(self, cls: type) -> ClassDef | None:
        """The text of a local class, if it is known."""
        home = None if cls.__module__ == NOTEBOOK else _file_of(cls)
        return self._sources.class_(cls, home)

    def _class(self, cls: type) -> Form:
        if not self.is_local(cls):
            return self._named(cls)
        node = self.definition(cls)
        items: dict[str, object] = {"metaclass": type(cls)}
        items |= {f"base {place}": base for place, base in enumerate(cls.__bases__)}
        items |= self._attributes(cls, written=node is not None)
        name = qualified(cls).encode()
        if node is None:
            return named_form(Tag.MADE_CLASS, (name,), items, _code_path)
        facts = self._sources.facts(node)
        here = cls.__module__ == NOTEBOOK
        globals_ = self._namespace if here else vars(sys.modules[cls.__module__])
        items |= self._reached(facts, globals_)
        return named_form(Tag.CLASS, (name, self._source(facts)), items, _code_path)

    def _attributes(self, cls: type, *, written: bool) -> Iterator[Item]:
        """Own functions and data, unwrapped, without what Python keeps its books in.

        Args:
            cls: The class.
            written: Its text is known: what a decorator generated says nothing more,
                and is bytecode of one version of Python.
        """
        for name, value in [*vars(cls).items()]:
            inside = [*unwrapped(value)]
            self.tools |= {f for f in inside if TOOL_ATTRIBUTE in f.__dict__}
            functions = [f for f in inside if self._is_local_function(f)]
            if written and name[:2] == "__":
                functions = [f for f in functions if not _is_generated(f)]
            for place, function in enumerate(functions):
                yield f"function {name} {place}", function
            if not functions and _is_data(cls, name, value):
                yield f"attribute {name}", self._attribute(value)

    def _is_local_function(self, function: FunctionType) -> bool:
        module = function.__globals__.get("__name__")
        return module == NOTEBOOK or self._sources.holds(function.__code__.co_filename)

    def _note(self, value: object) -> None:
        """A text or path that reached code uses may name a file or a frame."""
        if isinstance(value, str):
            self.tables.update(tables(value))
        if isinstance(value, str) or str(type(value).__module__).startswith("pathlib"):
            self.texts.update(file_names(str(value)))

    # --- whatever was installed

    def _named(self, value: Any) -> Form:
        owner = getattr(value, "__self__", None)
        if owner is not None and not isinstance(owner, ModuleType | type):
            return Form(Tag.NAMED, (b"method", value.__name__.encode()), (owner,))
        name = import_name(value) or getattr(value, "__qualname__", None)
        name = name or getattr(value, "__name__", None)
        if not isinstance(name, str):
            raise Undigestible(qualified(type(value)))
        module = str(getattr(value, "__module__", None) or "")
        return Form(Tag.NAMED, (module.encode(), name.encode(), self._version(module)))

    def _version(self, module: str) -> bytes:
        return self._sources.version_of(module).encode()


# --- what to count of a value


def _code_path(item: str) -> str:
    kind, _, name = item.partition(" ")
    return f" → {name}" if kind in {"global", "closure", "decorator"} else f" ({item})"


def _opaque(value: object) -> Mark:
    return Mark(Tag.OPAQUE, qualified(type(value)))


def _decoration(value: object) -> object:
    """A value that a decorator uses: its text counts, so that an object may not."""
    code = registry.kind_of(type(value)) is registry.CODE
    kept = code or isinstance(value, Mark) or plain.census(value) is not None
    return value if kept else _opaque(value)


def _is_generated(function: FunctionType) -> bool:
    """Whether a dataclass, or something like it, made this function from the fields."""
    return function.__code__.co_filename.startswith(("<string>", "<attrs generated"))


def _is_data(cls: type, name: str, value: object) -> bool:
    """Whether an attribute of a class is data that its author put there."""
    bookkeeping = name == "_abc_impl" or (name[:1] == "_" and name[-1:] == "_")
    return not (
        bookkeeping or isinstance(value, cls) or hasattr(type(value), "__get__")
    )


def _file_of(cls: type) -> str | None:
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else None
