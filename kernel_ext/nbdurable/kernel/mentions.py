"""The names that a cell mentions: in its code, in its texts, in its magics. Pure.

More than it reads is no harm here: what is mentioned is loaded a little early.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d]\w*")

ANY = frozenset(
    {
        *("globals", "locals", "vars", "dir", "eval", "exec"),
        *("who", "whos", "who_ls", "reset", "reset_selective"),
    }
)
"""Whoever mentions one of these may use any name, or forget it."""


def mentioned(nodes: Iterable[ast.AST]) -> set[str]:
    """Names in the nodes of a cell.

    Args:
        nodes: The cell, parsed; magics and shell lines are calls by now.

    Example:
        >>> sorted(mentioned(ast.parse("df.query('x > @limit')").body))
        ['df', 'limit', 'x']
    """
    found: set[str] = set()
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(_WORD.findall(node.value))
    return found
