"""A definition in which no two variables have one name. Pure.

Who looks for what a function changes goes by names, wherever they stand. A parameter of
a function inside, the variable of a comprehension or a name in the body of a class may be
named like a variable of the notebook and is another one: it gets a name that no
variable of the notebook has. What the definition itself is given keeps its name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from nbdurable.engine.identity.scopes import (
    COMPREHENSIONS,
    Comprehension,
    Place,
    Scope,
    class_scope,
    function_scope,
    parameters,
    type_parameters,
)
from nbdurable.engine.identity.trees import FIELDS, nodes_of

_Node = TypeVar("_Node", bound=ast.AST)

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

_OPENING: Final = (*FUNCTIONS, ast.ClassDef, *COMPREHENSIONS)
"""Nodes that open a scope."""

_NAMED: Final = (ast.arg, ast.FunctionDef, ast.AsyncFunctionDef, ast.Name)
"""Nodes that hold the name of a variable."""


def apart(node: _Node) -> _Node:
    """A copy in which names of variables that are no global have a number before them.

    It doesn't recurse: a long sum is a deep tree.

    Example:
        >>> tree = ast.parse("def f(a): b = [a for a in a]; g(lambda G: G + a)")
        >>> print(ast.unparse(apart(tree.body[0])))
        def f(a):
            1.b = [2.a for 2.a in a]
            g(lambda 3.G: 3.G + a)
    """
    kept = {arg.arg for arg in parameters(node)} if isinstance(node, FUNCTIONS) else ()
    names = _Names(kept)
    result = _copy(node)
    stack: list[tuple[ast.AST, Scope]] = [(result, Scope(Place.MODULE, None))]
    while stack:
        part, scope = stack.pop()
        if isinstance(part, _OPENING):
            for inner, nodes in _scopes(part, scope):
                names.open(inner, nodes)
        if isinstance(part, _NAMED):
            names.name(part, scope)
        inside = [*_with_copies(part)]
        stack += [(new, names.places.pop(old, scope)) for old, new in reversed(inside)]
    return result


class _Names:
    """The names of the variables of a definition.

    Attributes:
        places: The scopes of nodes that stand in another one than what is around them.
    """

    def __init__(self, kept: Iterable[str]) -> None:
        self.places: dict[int, Scope] = {}
        self._kept = frozenset(kept)
        self._numbers: dict[Scope, int] = {}

    def open(self, scope: Scope, nodes: Iterable[ast.AST]) -> None:
        """A scope begins; the first one is that of the definition itself."""
        self._numbers[scope] = len(self._numbers) + 1
        self.places.update((id(node), scope) for node in nodes)

    def name(self, part: ast.AST, scope: Scope) -> None:
        """Give a name its number, if the part is one."""
        match part:
            case ast.arg():
                part.arg = self._own(part.arg, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                part.name = self._own(part.name, scope)
            case ast.Name():
                binder = scope.binder()
                if binder.place is Place.CLASS and not isinstance(part.ctx, ast.Load):
                    binder.bound.add(part.id)
                part.id = self._own(part.id, scope)
            case _:
                return

    def _own(self, name: str, scope: Scope) -> str:
        home = scope.home(name)
        if home is None:
            return name
        number = self._numbers.setdefault(home, len(self._numbers) + 1)
        return name if number == 1 and name in self._kept else f"{number}.{name}"


def _scopes(part: ast.AST, scope: Scope) -> Iterator[tuple[Scope, list[ast.AST]]]:
    """The scope that a node opens, with the parts that stand in it."""
    match part:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            inner = function_scope(part, type_parameters(part, scope))
            body = [part.body] if isinstance(part, ast.Lambda) else part.body
            yield inner, [*parameters(part), *body]
        case ast.ClassDef():
            yield class_scope(part, type_parameters(part, scope)), [*part.body]
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield _comprehension(part, scope)
        case _:
            return


def _comprehension(node: Comprehension, scope: Scope) -> tuple[Scope, list[ast.AST]]:
    """The first iterable is evaluated outside."""
    turns = node.generators
    targets = [n for turn in turns for n in nodes_of(turn.target)]
    names = [n for n in targets if isinstance(n, ast.Name)]
    bound = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    nodes: list[ast.AST] = [n for turn in turns for n in (turn.target, *turn.ifs)]
    nodes += [turn.iter for turn in turns[1:]]
    nodes += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    return Scope(Place.COMPREHENSION, scope, bound), nodes


def _with_copies(part: ast.AST) -> Iterator[tuple[int, ast.AST]]:
    """Give a node copies of its children; each with the identity of what it is of."""
    for name in FIELDS[type(part)]:
        value = getattr(part, name, None)
        if isinstance(value, ast.AST):
            new = _copy(value)
            setattr(part, name, new)
            yield id(value), new
        elif type(value) is list:
            copies = [_copy(v) if isinstance(v, ast.AST) else v for v in value]
            setattr(part, name, copies)
            pairs = zip(value, copies, strict=True)
            yield from ((id(v), new) for v, new in pairs if isinstance(new, ast.AST))


def _copy(node: _Node) -> _Node:
    """A tenth of the time that `copy.copy` takes."""
    new = type(node).__new__(type(node))
    vars(new).update(vars(node))
    return new
