"""Names into which a cell only puts something: what they hold is its output. Pure.

Theory of operation. ``results[w] = pay(w)`` changes what the cell reads, so it reads
something else when it runs again. No argument of a call can come from there, as long as
the cell does nothing with the name but put into it, or show it at the end, also what
another name is bound to that it does no more with (``n = len(results)``). One other use
is enough to make it an input, such as ``queue.pop(0)`` whose value goes somewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from nbdurable.engine.identity.parsing import parsed
from nbdurable.engine.identity.trees import nodes_of

_PUTTING: Final = frozenset(
    {"add", "append", "appendleft", "extend", "extendleft", "insert", "setdefault",
     "update"}
)  # fmt: skip
"""Methods that put something into an object; what they give back has to be left."""

_SHOWING: Final = frozenset({"display", "print"})

_OF_SHOWN: Final = frozenset(
    {"dict", "len", "list", "max", "min", "repr", "sorted", "str", "sum", "tuple"}
)
"""Functions through which something is shown."""


SHOWN_BY: Final = _SHOWING | _OF_SHOWN
"""Builtins that do nothing with what they are given but show it."""


def only_put_into(source: str) -> frozenset[str]:
    """The names that a cell puts something into, or shows, and uses in no other way.

    Args:
        source: The cell as IPython transformed it: plain Python.

    Raises:
        SyntaxError: The source is no Python.

    Example:
        >>> sorted(only_put_into("got[w] = pay(w); n += 1; all.append(w); print(all)"))
        ['all', 'got', 'n']
        >>> only_put_into("got[w] = pay(w); n = len(got); print(n)")
        frozenset({'got'})
        >>> only_put_into("got[w] = pay(w); n = len(got); pay(n)")
        frozenset()
        >>> only_put_into("pay(queue.pop(0)); got[1] = pay(got[0])")
        frozenset()
    """
    nodes = nodes_of(parsed(source))
    put = {id(name): name.id for node in nodes for name in _put(node)}
    shown = {id(name) for node in nodes for name in _shown(node)}
    named_so = [named for node in nodes for named in _shown_by_name(node)]
    aside = {id(name) for target, names in named_so for name in (target, *names)}
    other, texts = set[str](), list[str]()
    for node in nodes:
        if isinstance(node, ast.Name) and id(node) not in shown | aside | put.keys():
            other.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)  # the body of a cell magic, or code
        elif isinstance(node, ast.Global | ast.Nonlocal):
            other.update(node.names)
    known = {*put.values(), *(target.id for target, _ in named_so)}
    other |= {name for name in known if any(name in text for text in texts)}
    for _ in named_so:
        other |= {
            n.id for target, names in named_so if target.id in other for n in names
        }
    return frozenset(put.values()) - other


def _put(node: ast.AST) -> Iterator[ast.Name]:
    """The names that a node puts something into."""
    match node:
        case ast.AugAssign(target=ast.Name() as name):
            yield name
        case ast.Subscript(value=ast.Name() as name, ctx=ast.Store()):
            yield name
        case ast.Attribute(value=ast.Name() as name, ctx=ast.Store()):
            yield name
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name() as name, attr=method))
        ) if method in _PUTTING:
            yield name


def _shown(node: ast.AST) -> Iterator[ast.Name]:
    """The names in a statement that does nothing but show something."""
    if isinstance(node, ast.Expr):
        yield from _only_shown(node)


def _shown_by_name(node: ast.AST) -> Iterator[tuple[ast.Name, list[ast.Name]]]:
    """A name that is bound to what is shown, and the names in that."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        (target,), names = node.targets, [*_only_shown(node.value)]
        if isinstance(target, ast.Name) and names:
            yield target, names


def _only_shown(node: ast.AST) -> Iterator[ast.Name]:
    """The names in code that makes nothing of them but what is shown."""
    nodes = nodes_of(node)
    names = {part for part in nodes if isinstance(part, ast.Name)}
    calls = [part for part in nodes if isinstance(part, ast.Call)]
    called = {part.func for part in calls}
    known = {n for n in names if n in called and n.id in SHOWN_BY}
    deeds = (ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)
    if called <= known and not any(isinstance(p, deeds) for p in nodes):
        yield from names - known
