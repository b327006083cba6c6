"""Which variables a function changes itself, by binding them or in place. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

CHANGING: Final = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop",
     "popitem", "popleft", "put", "remove", "reverse", "setdefault", "sort", "update",
     "write"}
)  # fmt: skip
"""Methods of the builtin collections, of queues and files, that change their object."""


def changed_names(node: ast.AST) -> set[str]:
    """The variables that the code of a node binds or changes in place.

    Example:
        >>> tree = ast.parse("n += 1; seen.append(x); at[k].a = url['host']")
        >>> sorted(changed_names(tree))
        ['at', 'n', 'seen']
    """
    return {name for part in ast.walk(node) for name in _changed_by(part)}


def _changed_by(part: ast.AST) -> Iterator[str]:
    match part:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case (
            ast.Subscript(ctx=ast.Store() | ast.Del())
            | ast.Attribute(ctx=ast.Store() | ast.Del())
        ):
            yield from _base(part)
        case ast.Call(func=ast.Attribute(attr=method) as called) if method in CHANGING:
            yield from _base(called)


def _base(part: ast.expr) -> Iterator[str]:
    while isinstance(part, ast.Subscript | ast.Attribute):
        part = part.value
    if isinstance(part, ast.Name):
        yield part.id


def class_state(node: ast.ClassDef) -> set[str]:
    r"""The attributes that a class binds on itself while it is used: ``cls.made += 1``.

    What a method binds on its ``self`` is the instance's.

    Example:
        >>> source = "class A:\n  def f(self): self.a = 1; A.b += 1; type(self).c = 2"
        >>> sorted(class_state(ast.parse(source).body[0]))
        ['b', 'c']
    """
    methods = (n for n in node.body if isinstance(n, METHODS))
    return {name for method in methods for name in _bound_on_others(method)}


METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)

_OF_CLASS: Final = {"__new__", "__init_subclass__", "__class_getitem__"}
"""Methods that are given the class without being told to be."""


def _bound_on_others(method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    decorators = {d.id for d in method.decorator_list if isinstance(d, ast.Name)}
    of_class = method.name in _OF_CLASS or decorators & {"classmethod", "staticmethod"}
    arguments = [*method.args.posonlyargs, *method.args.args]
    own = arguments[0].arg if arguments and not of_class else ""
    for part in ast.walk(method):
        if isinstance(part, ast.Attribute) and not isinstance(part.ctx, ast.Load):
            of = part.value
            if not (isinstance(of, ast.Name) and of.id == own):
                yield part.attr
