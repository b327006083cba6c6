"""Code identity for the engine: of a cell's source, and of a tool's calls."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any

from nbdurable.engine.identity import keys, registry
from nbdurable.engine.identity.canonical import Hasher
from nbdurable.engine.identity.codes import Codes, Item
from nbdurable.engine.identity.forms import Form, Mark, Undigestible, no_label
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.methods import class_state
from nbdurable.engine.identity.normal import normal_form
from nbdurable.engine.identity.parsing import parsed
from nbdurable.engine.identity.sources import Facts, Sources, facts_of, unwrapped
from nbdurable.engine.identity.variables import (
    Variable,
    Variables,
    is_changing,
    is_constant,
)

__all__ = [
    "ArgumentCodes", "CallCodes", "Sources", "call_code", "call_code_digest",
    "source_digest",
]  # fmt: skip


class CallCodes(Codes):
    """Code as the identity of a tool: what its author wrote, not what surrounds it.

    Docstrings, the tool's decorators and versions of packages don't count, nor a name
    that the code itself binds: a counter is no edit. Mutable objects are their type.

    Attributes:
        variables: The variables met that hold them.
        ignored: Variables that don't count, constants too, if the code says so.
        roots: The functions of the tool itself: their defaults are arguments of its calls.
    """

    ignored: Collection[str] = ()
    roots: Collection[FunctionType] = ()

    def __init__(
        self,
        sources: Sources,
        namespace: Mapping[str, object],
        hidden: Collection[str] = (),
    ) -> None:
        """Look code up in sources and in the namespace of the notebook."""
        super().__init__(sources, namespace, hidden)
        self._within: set[int] = set()
        self.variables = Variables(sources)

    @property
    def home(self) -> int:
        """Which namespace code is looked up in."""
        return id(self._namespace)

    def anew(self) -> CallCodes:
        """For code that is met apart from this; what that reaches isn't met here."""
        return CallCodes(self._sources, self._namespace, self._hidden)

    def leaves(self, types: Collection[type], reached: Variables) -> bool:
        """Whether values of these types are data, and reached code leaves them so.

        Args:
            types: The types of all that is in it.
            reached: What code in it reaches.
        """
        return self.variables.is_data(types, reached, self.is_local, self.definition)

    def _source(self, facts: Facts) -> bytes:
        return facts.bare

    def _tool(self, function: Any) -> Form:
        return Form(Tag.TOOL, (), (function.__wrapped__,), no_label)

    def _local_function(self, function: FunctionType, facts: Facts) -> Form:
        if function not in self.roots:
            self.variables.meet_defaults(function, facts, self.ignored)
        return super()._local_function(function, facts)

    def _version(self, module: str) -> bytes:
        del module
        return b""

    def _head(self, facts: Facts, globals_: Mapping[str, object]) -> Iterator[Item]:
        del facts, globals_
        yield from ()

    def _given(self, function: FunctionType) -> Iterator[Item]:
        del function
        yield from ()

    def _attribute(self, value: object) -> object:
        return self.counted(value)

    def _attributes(self, cls: type, *, written: bool) -> Iterator[Item]:
        """Without what the class binds on itself: a counter is no edit."""
        bound = {f"attribute {name}" for name in self._bound_by(cls)}
        items = super()._attributes(cls, written=written)
        return (item for item in items if item[0] not in bound)

    def _bound_by(self, cls: type) -> Iterator[str]:
        for base in filter(self.is_local, cls.__mro__):
            node = self.definition(base)
            if node is not None:
                yield from class_state(node)

    def _reached(
        self, facts: Facts, globals_: Mapping[str, object], closure: Iterable[str] = ()
    ) -> Iterator[Item]:
        self.variables.meet(facts, globals_, closure)
        own = {f"global {name}" for name in facts.needs.stores}
        for key, value in super()._reached(facts, globals_, closure):
            missing = isinstance(value, Mark) and value.tag is Tag.MISSING
            if self.ignored and is_constant(value):
                name = Variable(globals_, key.removeprefix("global ")).label
                missing |= name in self.ignored
            if key not in own and not missing:
                yield key, value

    def _closed_over(
        self,
        function: FunctionType,
        name: str,
        value: Callable[[object], object],
        held: object,
    ) -> object:
        """Two tools that one factory made differ in what they closed over.

        What the code changes itself is no edit, and what has no digest is its type.
        """
        if name in self.ignored and registry.kind_of(type(held)) is not registry.CODE:
            return Mark(Tag.BOUND)
        if name in self._changed(function):
            return Mark(Tag.BOUND) if is_constant(held) else value(held)
        if id(held) in self._within or value(held) is held:
            return value(held)
        self._within.add(id(held))
        try:
            Hasher(codes=self).digest(held)
        except Undigestible:
            return value(held)
        finally:
            self._within.discard(id(held))
        return held

    def _changed(self, function: FunctionType) -> frozenset[str]:
        node = self._sources.function(function.__code__)
        return frozenset() if node is None else self._sources.changes(node).names

    def counted(self, value: object) -> object:
        """Constants by value, code by its code, objects by the code of their class."""
        if is_constant(value) or isinstance(value, Mark):
            return value
        if is_changing(value):
            return type(value.__self__), value.__name__
        if registry.kind_of(type(value)) is registry.CODE:
            return value
        if isinstance(value, MethodType):
            return value.__func__, type(value.__self__)
        return type(value), *unwrapped(value)


class ArgumentCodes(CallCodes):
    """Code as the argument of a call: what its author wrote.

    The docstrings of classes count: they are in the schemas that models are sent.
    """

    _in_class = 0

    def _source(self, facts: Facts) -> bytes:
        return facts.normal if self._in_class else facts.bare

    def _class(self, cls: type) -> Form:
        self._in_class += 1
        try:
            return super()._class(cls)
        finally:
            self._in_class -= 1


def source_digest(source: str) -> bytes:
    """Digest of a cell's source; comments and layout don't count.

    Args:
        source: The cell as IPython transformed it: plain Python.
    """
    return keys.source_digest(normal_form(parsed(source)))


class _NamedCodes(CallCodes):
    """The code of a tool as if its function had another name."""

    name = ""

    def _local_function(self, function: FunctionType, facts: Facts) -> Form:
        node, name = self._sources.function(function.__code__), self.name
        self.name = ""  # those that it reaches have their own
        if name and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            renamed = type(node)(**{**vars(node), "name": name})
            facts = facts_of(renamed)  # nobody else meets this one
        return super()._local_function(function, facts)


def call_code_digest(
    function: Callable[..., object], sources: Sources, name: str = ""
) -> bytes:
    """The digest of a tool's code, recorded beside the key of each of its calls.

    Args:
        function: The tool, or the function that it wraps.
        sources: Where local code is found; installed code is its name alone.
        name: As if the function had this name; "" for its own.
    """
    return call_code(function, sources, name)[0]


def call_code(
    function: Callable[..., object],
    sources: Sources,
    name: str = "",
    ignore: Collection[str] = (),
) -> tuple[bytes, CallCodes]:
    """The same, without these variables, and what was met on the way."""
    inner = function.__func__ if isinstance(function, MethodType) else function
    codes = _NamedCodes(sources, getattr(inner, "__globals__", {}))
    codes.name, codes.ignored = name, ignore
    codes.roots = [*unwrapped(inner)]
    return Hasher(codes=codes).digest(codes.counted(inner)), codes
