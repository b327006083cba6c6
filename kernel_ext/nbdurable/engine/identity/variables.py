"""The variables beside a tool whose values count for its calls.

Theory of operation. A constant beside a tool is a part of its code, and an edit of it an
edit of the tool. A list, a table or a settings object is that as well, as long as nobody
but the notebook changes it. What the code changes itself (a memo, a counter, a list of
what was seen) says what happened before and not what is meant: it would be another one
at each call. So while code is hashed its variables are *met*, together with what it
changes, by whatever name; those that are left count by the digest of their value. What
another tool changes is left out as well: it doesn't when its call is served.

Only data counts: objects of installed libraries are clients, sessions, locks and loggers,
which change as they are used. So is an object of the notebook's own class, if a method
that the code mentions changes it.
"""

from __future__ import annotations

import ast
import builtins
import enum
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from types import BuiltinMethodType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, TypeGuard

from nbdurable.engine.identity import plain, registry
from nbdurable.engine.identity.changes import CHANGING_METHODS
from nbdurable.engine.identity.codes import NOTEBOOK, TOOL_ATTRIBUTE
from nbdurable.engine.identity.forms import Mark, qualified
from nbdurable.engine.identity.methods import changing_methods
from nbdurable.engine.identity.scopes import Function
from nbdurable.engine.identity.sources import Facts, Sources, unwrapped

CONSTANT_MODULES = frozenset(
    {"datetime", "decimal", "fractions", "pathlib", "re", "uuid"}
)
"""Modules whose values never change: a call's code digest counts them."""

_DATA_MODULES = CONSTANT_MODULES | {
    "argparse", "array", "builtins", "collections", "functools", "nbdurable", "numpy",
    "pandas", "polars", "pyarrow", "types", "zoneinfo",
}  # fmt: skip
"""Modules whose values are data."""

_BASES = _DATA_MODULES | {"_collections_abc", "abc", "enum", "pydantic",
                         "pydantic_settings", "typing"}  # fmt: skip
"""Modules of bases that a class of data may have."""

_FRAMES = frozenset({"pandas", "polars", "pyarrow"})
"""Modules whose values give no part away that is changed in them."""

_CHANGED_BY_READING = {"collections.defaultdict"}


class Variable(NamedTuple):
    """A variable of the notebook or of a local module.

    Attributes:
        home: The variables that it is one of.
        name: Its name there.
    """

    home: Mapping[str, object]
    name: str

    @property
    def label(self) -> str:
        """How it is told."""
        module = self.home.get("__name__")
        return self.name if module == NOTEBOOK else f"{module}.{self.name}"

    @property
    def value(self) -> object:
        """What it is bound to now."""
        return self.home.get(self.name)


class Variables:
    """What reached code reads of its surroundings, and what it changes there."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._met: dict[tuple[int, str], Variable] = {}
        self._changed: set[tuple[int, str]] = set()
        self._mentioned: set[str] = set()
        self._changing: dict[type, frozenset[str] | None] = {}

    def meet(
        self, facts: Facts, globals_: Mapping[str, object], closure: Iterable[str]
    ) -> None:
        """Take in what a definition reads and changes."""
        changes, home = self._sources.changes(facts.node), id(globals_)
        known = {n: globals_.get(n) for n in facts.needs.loads}
        self._mentioned |= {
            name for of, name in changes.attributes if not _is_known(known.get(of))
        }
        for name in facts.needs.loads - {*closure}:
            if name in globals_ and _may_count(globals_[name]):
                self._met.setdefault((home, name), Variable(globals_, name))
        # A parameter or another local name is no variable of the notebook.
        inside = changes.inside & facts.needs.loads
        gone = {n for n in inside if n in changes.whole or _shares_parts(globals_, n)}
        gone |= facts.needs.stores
        gone |= {
            name
            for called, place, name in changes.passes
            if name in facts.needs.loads
            and self._changes_parameter(
                _function(globals_, called),
                place,
                whole=not _shares_parts(globals_, name),
            )
        }
        gone |= {name for one in facts.needs.loads for name in _held_by(globals_, one)}
        gone |= {
            of for of, name in changes.attributes if _changes_by(known.get(of), name)
        }
        self._changed |= {(home, name) for name in gone}

    def meet_defaults(
        self, function: FunctionType, facts: Facts, ignored: Collection[str]
    ) -> None:
        """Take in what the parameters of a reached function are where nothing is given.

        Args:
            function: The function.
            facts: Of its text.
            ignored: Names of variables that don't count, by whatever name.
        """
        changes, globals_ = self._sources.changes(facts.node), function.__globals__
        code = function.__code__
        by_place = code.co_varnames[: code.co_argcount]
        values = function.__defaults__ or ()
        defaults = dict(zip(by_place[::-1], values[::-1], strict=False))
        defaults |= function.__kwdefaults__ or {}
        out = {id(globals_[name]) for name in ignored if name in globals_}
        home = {"__name__": function.__qualname__, **defaults}
        passed = {name for _, _, name in changes.passes}
        for name, value in defaults.items():
            kept = name not in changes.inside | passed and id(value) not in out
            if kept and _may_count(value):
                self._met.setdefault((id(function), name), Variable(home, name))

    def take(self, other: Variables) -> None:
        """Take in what was met apart from this."""
        for place, variable in other._met.items():
            self._met.setdefault(place, variable)
        self._changed |= other._changed
        self._mentioned |= other._mentioned

    def changes(self, variable: Variable) -> bool:
        """Whether reached code changes it."""
        return (id(variable.home), variable.name) in self._changed

    def left(self) -> list[Variable]:
        """Those met that no reached code changes, in the order of their names."""
        changed = {id(v.value) for v in self._met.values() if self.changes(v)}
        found = [v for v in self._met.values() if id(v.value) not in changed]
        return sorted(found, key=lambda variable: variable.label)

    def is_data(
        self,
        types: Collection[type],
        inside: Variables,
        is_local: Callable[[type], bool],
        definition: Callable[[type], ast.ClassDef | None],
    ) -> bool:
        """Whether a value of these types is data that reached code leaves as it is.

        Args:
            types: The types of all that is in it.
            inside: What the code in it reads and changes.
            is_local: Whether a class is the notebook's or a local module's.
            definition: The text of a local class, if it is known.
        """
        return all(
            self._leaves_itself(cls, inside, is_local, definition)
            if is_local(cls)
            else _is_data(cls)
            for cls in types
        )

    def _leaves_itself(
        self,
        cls: type,
        inside: Variables,
        is_local: Callable[[type], bool],
        definition: Callable[[type], ast.ClassDef | None],
    ) -> bool:
        if cls not in self._changing:
            self._changing[cls] = self._methods(cls, is_local, definition)
        changing = self._changing[cls]
        if changing is None:
            return False
        mentioned = self._mentioned | inside._mentioned
        return not any(m in mentioned or m[:2] == "__" for m in changing)

    def _methods(
        self,
        cls: type,
        is_local: Callable[[type], bool],
        definition: Callable[[type], ast.ClassDef | None],
    ) -> frozenset[str] | None:
        """The methods of a local class that change its instances; None of one of others."""
        found: set[str] = set()
        for base in cls.__mro__:
            if is_local(base):
                node = definition(base)
                leaves = partial(self._leaves, base)
                found |= changing_methods(node, leaves) if node else set()
            elif _top(base) not in _BASES:
                return None
        return frozenset(found)

    def _leaves(self, cls: type, method: str, called: str, place: int | str) -> bool:
        """Whether a function of the notebook leaves an instance as it is."""
        homes = [f.__globals__ for f in unwrapped(vars(cls).get(method))]
        found = unwrapped(_function(homes[0], called)) if homes else ()
        known = [(f, self._sources.function(f.__code__)) for f in found]
        own = [(f, node) for f, node in known if node is not None]
        return bool(own) and all(self._only_reads(*each, place) for each in own)

    def _only_reads(
        self, function: FunctionType, node: Function, place: int | str
    ) -> bool:
        code, changes = function.__code__, self._sources.changes(node)
        names = _by_place(code)
        name = place if isinstance(place, str) else names.get(place)
        passed = {n for called, _, n in changes.passes if not hasattr(builtins, called)}
        return name in names.values() and name not in changes.inside | passed

    def _changes_parameter(
        self,
        called: object,
        place: int | str,
        *,
        whole: bool,
        around: frozenset[CodeType] = frozenset(),
    ) -> bool:
        """Whether a function changes what it is given at a place, or hands it on to one."""
        for function in unwrapped(called):
            code = function.__code__
            node = self._sources.function(code)
            if node is None or code in around:
                continue
            changes, names = self._sources.changes(node), _by_place(code)
            name = place if isinstance(place, str) else names.get(place)
            handed_on = (
                (_function(function.__globals__, other), at)
                for other, at, given in changes.passes
                if given == name
            )
            if name in (changes.whole if whole else changes.inside) or any(
                self._changes_parameter(*pair, whole=whole, around=around | {code})
                for pair in handed_on
            ):
                return True
        return False


def _by_place(code: CodeType) -> dict[int, str]:
    return dict(enumerate(code.co_varnames[: code.co_argcount]))


def _function(home: Mapping[str, object], called: str) -> object:
    """A function by its name, which may be one of a module."""
    first, _, name = called.partition(".")
    found = home.get(first)
    if not name:
        return found
    return vars(found).get(name) if isinstance(found, ModuleType | type) else None


def _shares_parts(home: Mapping[str, object], name: str) -> bool:
    """Whether a part of a variable is changed in it; a frame gives copies away."""
    return _top(type(home.get(name))) not in _FRAMES


def _held_by(home: Mapping[str, object], name: str) -> Iterator[str]:
    """The variables that a method under a name of its own changes: ``add = seen.append``."""
    method = home.get(name)
    if is_changing(method):
        held = method.__self__
        yield from (other for other, value in [*home.items()] if value is held)


def _is_known(value: object) -> bool:
    """Whether nobody's own class says what its attributes are: of a module, of a dict."""
    return (
        type(value) is ModuleType
        or type(value).__module__ == "collections"
        or (type(value) in plain.TREES)
    )


def _changes_by(value: object, method: str) -> bool:
    """Whether it is a builtin object that this method changes: ``map(seen.append, …)``."""
    kind = type(value)
    builtin = kind.__module__ in {"builtins", "collections"}
    return builtin and method in CHANGING_METHODS and hasattr(kind, method)


def is_changing(value: object) -> TypeGuard[BuiltinMethodType]:
    """Whether it is a method that changes the builtin object that it belongs to."""
    return type(value) is BuiltinMethodType and value.__name__ in CHANGING_METHODS


def tools_of(home: Mapping[str, object]) -> Iterator[FunctionType]:
    """The functions of the tools among some variables, and of those in their classes."""
    for value in [*home.values()]:  # another thread may bind more meanwhile
        inner = [value]
        if issubclass(type(value), type) and value.__module__ == home.get("__name__"):
            inner = [*vars(value).values()]
        for one in inner:
            function = function_of(one)
            if type(function) is FunctionType and TOOL_ATTRIBUTE in vars(function):
                wrapped = vars(function).get("__wrapped__")
                if isinstance(wrapped, FunctionType):
                    yield wrapped


def function_of(value: Any) -> object:
    """The function of a method, static or not; anything else is what it is.

    By its type: a proxy asks somebody who may not be there for each attribute.
    """
    method = issubclass(type(value), staticmethod | classmethod | MethodType)
    return value.__func__ if method else value


def _may_count(value: object) -> bool:
    """Whether it may be data that isn't counted with the code: neither code nor constant."""
    code = registry.kind_of(type(value)) is registry.CODE
    return not (code or isinstance(value, Mark) or is_constant(value))


def _is_data(cls: type) -> bool:
    """Whether instances of an installed class are data, or code."""
    if registry.kind_of(cls) is registry.CODE or issubclass(cls, enum.Enum | type):
        return True
    return _top(cls) in _DATA_MODULES and qualified(cls) not in _CHANGED_BY_READING


def is_constant(value: object) -> bool:
    """Whether a value can't be changed in place."""
    if type(value) in plain.ATOMS or isinstance(value, enum.Enum):
        return True
    if type(value) in {tuple, frozenset}:
        return all(map(is_constant, value))  # type: ignore[call-overload]  # a collection
    return _top(type(value)) in CONSTANT_MODULES


def _top(cls: type) -> str:
    return str(cls.__module__).partition(".")[0]
