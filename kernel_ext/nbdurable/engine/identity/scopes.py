"""Whose name is it: the scopes of Python, over trees instead of bytecode.

Bytecode differs between Pythons, and symtable wants the text of what it looks at and
knows no order. A test compares this module with symtable over the standard library.
"""

# ruff: noqa: N815  # ast.NodeVisitor dictates these names

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import TypeAlias

from nbdurable.engine.identity.trees import nodes_of

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Place(Enum):
    """The kinds of scope."""

    MODULE = auto()
    CLASS = auto()
    FUNCTION = auto()
    COMPREHENSION = auto()


class Scope:
    """One scope.

    Attributes:
        place: Its kind.
        parent: The scope around it; ``None`` for the module.
        bound: In a function, every local; elsewhere the names bound for certain at
            the point that the walk has reached.
        declared: Names declared ``global`` here.
    """

    def __init__(
        self,
        place: Place,
        parent: Scope | None,
        bound: Iterable[str] = (),
        declared: Iterable[str] = (),
    ) -> None:
        self.place = place
        self.parent = parent
        self.bound = set(bound)
        self.declared = frozenset(declared)

    def is_global(self, name: str) -> bool:
        """Whether loading the name here may load a global."""
        return self.home(name) is None

    def home(self, name: str) -> Scope | None:
        """The scope whose variable the name is here; None if it may be a global."""
        scope = self
        while scope.parent is not None:
            if name in scope.declared:
                return None
            # A class body is seen from itself alone, not from its methods.
            if name in scope.bound and (
                scope is self or scope.place is not Place.CLASS
            ):
                return scope
            scope = scope.parent
        return None

    def binder(self) -> Scope:
        """The scope that a walrus or a statement here binds in."""
        scope = self
        while scope.place is Place.COMPREHENSION and scope.parent is not None:
            scope = scope.parent
        return scope


def function_scope(node: Function, parent: Scope) -> Scope:
    """The scope of a function's body."""
    found = _Bindings()
    found.bound.update(arg.arg for arg in parameters(node))
    for part in _body(node):
        found.visit(part)
    local = found.bound - found.declared - found.outer
    return Scope(Place.FUNCTION, parent, local, found.declared)


def parameters(node: Function) -> list[ast.arg]:
    """The parameters of a function, of all kinds."""
    of = node.args
    stars = [arg for arg in (of.vararg, of.kwarg) if arg is not None]
    return [*of.posonlyargs, *of.args, *of.kwonlyargs, *stars]


def class_scope(node: ast.ClassDef, parent: Scope) -> Scope:
    """The scope of a class body, in which nothing is bound yet."""
    found = _Bindings()
    for part in node.body:
        found.visit(part)
    return Scope(Place.CLASS, parent, (), found.declared)


def type_parameters(node: ast.AST, parent: Scope) -> Scope:
    """The scope around a generic definition; the parent itself before Python 3.12."""
    given = getattr(node, "type_params", [])
    if not given:
        return parent
    return Scope(Place.FUNCTION, parent, (parameter.name for parameter in given))


def _body(node: Function) -> list[ast.AST]:
    return [node.body] if isinstance(node, ast.Lambda) else [*node.body]


def imported_name(alias: ast.alias) -> str:
    """The name that an import binds."""
    return alias.asname or alias.name.partition(".")[0]


def imported_modules(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The modules that an import names; ``from a import b`` may mean ``a.b``, too.

    Example:
        >>> sorted(imported_modules(ast.parse("from ..a import b").body[0]))
        ['..a', '..a.b']
    """
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    dots, name = "." * node.level, node.module or ""
    yield dots + name
    joint = "." if name else ""
    yield from (f"{dots}{name}{joint}{a.name}" for a in node.names if a.name != "*")


def operands(node: ast.BinOp) -> list[ast.expr]:
    """Left before right; a long sum is a deep tree, so it is taken apart here."""
    found: list[ast.expr] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp):
        found.append(left.right)
        left = left.left
    return [left, *reversed(found)]


def pattern_names(pattern: ast.pattern) -> Iterator[str]:
    """The names that a pattern of ``case`` captures."""
    for node in nodes_of(pattern):
        name = getattr(
            node, "rest" if isinstance(node, ast.MatchMapping) else "name", None
        )
        if isinstance(name, str):
            yield name


class _Bindings(ast.NodeVisitor):
    """All names that a body binds, in whatever order; nested scopes left out."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.declared: set[str] = set()
        self.outer: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        for operand in operands(node):
            self.visit(operand)

    def visit_Global(self, node: ast.Global) -> None:
        self.declared.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.outer.update(node.names)

    def visit_alias(self, node: ast.alias) -> None:
        self.bound.add(imported_name(node))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_Match(self, node: ast.Match) -> None:
        for case in node.cases:
            self.bound.update(pattern_names(case.pattern))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: Definition) -> None:
        self.bound.add(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
        if not isinstance(node, ast.ClassDef):
            defaults = [*node.args.defaults, *node.args.kw_defaults]
            for default in defaults:
                if default is not None:
                    self.visit(default)

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in node.args.defaults:
            self.visit(default)

    def visit_ListComp(self, node: Comprehension) -> None:
        """Of a comprehension only what a walrus binds is bound outside."""
        for child in nodes_of(node):
            if isinstance(child, ast.NamedExpr) and isinstance(child.target, ast.Name):
                self.bound.add(child.target.id)

    visit_SetComp = visit_ListComp
    visit_DictComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp

    def visit_TypeAlias(self, node: ast.AST) -> None:
        """``type X = …`` binds its name; the value has a scope of its own."""
        self.visit(node.name)  # type: ignore[attr-defined]  # Python 3.12
