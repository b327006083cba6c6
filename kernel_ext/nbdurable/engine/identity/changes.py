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
