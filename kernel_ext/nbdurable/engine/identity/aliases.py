"""Which names of a function stand for the object of another one. Pure.

A function may change a variable of the notebook under any name that it gives it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from itertools import product
from typing import Final, NamedTuple

from nbdurable.engine.identity.trees import nodes_of


class Bound(NamedTuple):
    """A name that is bound to what another one stands for, or to a part of that."""

    name: str
    of: str
    whole: bool


BINDING: Final = (
    ast.Assign, ast.For, ast.AsyncFor, ast.comprehension, ast.NamedExpr, ast.AnnAssign,
    ast.withitem, ast.arguments,
)  # fmt: skip
"""The nodes that bind names."""


def bound_to(part: ast.AST) -> Iterator[Bound]:
    """Names, each with what it is bound to, or to a part of."""
    match part:
        case ast.Assign(targets=targets, value=value):
            pass
        case (
            ast.For(target=target, iter=value)
            | ast.AsyncFor(target=target, iter=value)
            | ast.comprehension(target=target, iter=value)
            | ast.NamedExpr(target=target, value=value)
            | ast.AnnAssign(target=target, value=ast.expr() as value)
        ):
            targets = [target]
        case ast.withitem(optional_vars=ast.expr() as target, context_expr=value):
            targets = [target]
        case ast.arguments():
            yield from _defaults(part)
            return
        case _:
            return
    looped = isinstance(part, ast.For | ast.AsyncFor | ast.comprehension)
    for one, own in [] if looped else _side_by_side(targets, value):
        yield from bound_to(ast.Assign([one], own))
    for target in targets:
        whole = isinstance(target, ast.Name) and isinstance(value, ast.Name)
        # In ``seen[key] = value`` no name is bound.
        names = (n for n in nodes_of(target) if isinstance(n, ast.Name))
        bound = [n.id for n in names if isinstance(n.ctx, ast.Store)]
        for name, of in product(bound, () if is_new(value) else owner(value)):
            yield Bound(name, of, whole and not looped)


def _side_by_side(
    targets: Collection[ast.expr], value: ast.expr
) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Each target of ``a, b = c, d`` with its own value."""
    match value:
        case ast.Tuple(elts=values) | ast.List(elts=values):
            pass
        case _:
            return
    for target in targets:
        match target:
            case ast.Tuple(elts=names) | ast.List(elts=names):
                starred = any(isinstance(e, ast.Starred) for e in (*names, *values))
                yield from () if starred else zip(names, values, strict=False)
            case _:
                continue


def given_inside(nodes: Collection[ast.AST]) -> Iterator[Bound]:
    """Parameters of functions inside, each with what a call there gives it."""
    known: dict[str, ast.arguments] = {}
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                known[name] = node.args
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda(args=own)):
                known[name] = own
            case _:
                continue
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in known:
                yield from _given(known[name], node)
            case _:
                continue


def _given(of: ast.arguments, call: ast.Call) -> Iterator[Bound]:
    by_place = [*of.posonlyargs, *of.args]
    named = {arg.arg.rpartition(".")[2]: arg for arg in (*by_place, *of.kwonlyargs)}
    pairs = [*zip(by_place, call.args, strict=False)]
    pairs += [(named[k.arg], k.value) for k in call.keywords if k.arg in named]
    for parameter, value in pairs:
        for name in owner(value):
            yield Bound(parameter.arg, name, isinstance(value, ast.Name))


def _defaults(of: ast.arguments) -> Iterator[Bound]:
    """Parameters, each with the variable that stands for it where none is given."""
    by_place = [*of.posonlyargs, *of.args]
    pairs = [
        *zip(reversed(by_place), reversed(of.defaults), strict=False),
        *zip(of.kwonlyargs, of.kw_defaults, strict=True),
    ]
    for parameter, value in pairs:
        if value is not None:
            whole = isinstance(value, ast.Name)
            for name in owner(value):
                yield Bound(parameter.arg, name, whole)


def owner(part: ast.expr) -> Iterator[str]:
    """The variable at the beginning of ``a[k].b.get(1)``; of a choice all of them."""
    while isinstance(part, ast.Subscript | ast.Attribute | ast.Call):
        part = part.func if isinstance(part, ast.Call) else part.value
    match part:
        case ast.Name(id=name):
            yield name
        case ast.NamedExpr(value=value):
            yield from owner(value)
        case ast.IfExp(body=one, orelse=other):
            yield from owner(one)
            yield from owner(other)
        case ast.BoolOp(values=values):
            yield from (name for value in values for name in owner(value))
        case _:
            return


def is_new(value: ast.expr) -> bool:
    """Whether an expression makes an object that nobody else has."""
    match value:
        case ast.Call(func=ast.Name(id=made)):
            return made in _MADE_NEW
        case ast.Call(func=ast.Attribute(attr=made)):
            return made in _GIVEN_NEW
        case ast.Subscript(slice=which):  # some elements, or those that a mask tells
            return isinstance(which, ast.Slice | ast.Compare)
        case _:
            return isinstance(value, _DISPLAYS)


_MADE_NEW: Final = frozenset(
    {"bytearray", "deepcopy", "deque", "dict", "list", "set", "sorted", "str"}
)
_GIVEN_NEW: Final = frozenset(
    {"astype", "copy", "deepcopy", "difference", "format", "intersection", "join",
     "lower", "replace", "split", "splitlines", "strip", "to_dict", "tolist", "union",
     "upper"}
)  # fmt: skip
"""Functions and methods that give an object which is a part of no other one."""

_DISPLAYS: Final = (
    ast.BinOp, ast.Dict, ast.DictComp, ast.JoinedStr, ast.List, ast.ListComp, ast.Set,
    ast.SetComp,
)  # fmt: skip
