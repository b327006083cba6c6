"""Where the definitions of one source stand.

A cell that runs again has its text again under another file name. Its tree, and with
it all that is known of its definitions, is then the one of before.
"""

from __future__ import annotations
import __future__

import ast
from functools import lru_cache
from types import CodeType
from typing import Final

from nbdurable.engine.identity.parsing import parsed
from nbdurable.engine.identity.scopes import DEFINITIONS, Function

TEXTS_KEPT: Final = 256
"""How many texts stay parsed: all cells of a long notebook. A tree of a long cell takes
about a megabyte."""

_NO_CODE = (SyntaxError, ValueError, RecursionError)


class Index:
    """Where the definitions of one source are.

    Attributes:
        tree: The source, parsed. Nobody changes it.
        functions: Functions and lambdas by first line and name.
        classes: Classes by qualified name.
    """

    def __init__(self, source: str, tree: ast.Module) -> None:
        self.tree = tree
        self.functions: dict[tuple[int, str], list[Function]] = {}
        self.classes: dict[str, list[ast.ClassDef]] = {}
        self._source = source
        self._codes: dict[int, dict[CodeType, list[CodeType]]] = {}
        stack: list[tuple[ast.AST, str]] = [(self.tree, "")]
        while stack:
            node, prefix = stack.pop()
            inner = prefix
            if isinstance(node, ast.ClassDef):
                self.classes.setdefault(prefix + node.name, []).append(node)
                inner = f"{prefix}{node.name}."
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._add(node, node.name)
                inner = f"{prefix}{node.name}.<locals>."
            elif isinstance(node, ast.Lambda):
                self._add(node, "<lambda>")
            children = [*ast.iter_child_nodes(node)]
            stack += [(child, inner) for child in reversed(children)]

    def function(self, code: CodeType, bare: CodeType | None = None) -> Function | None:
        """The definition that compiles to this code, wherever it stands.

        Args:
            code: The code.
            bare: What `placeless` gives for it, where several indexes are asked.
        """
        future = code.co_flags & __future__.annotations.compiler_flag
        compiled = self._compiled(future).get(bare or placeless(code), [])
        same = [own for own in compiled if own == code] or compiled
        return self._node(same[-1]) if same else None

    def _compiled(self, future: int) -> dict[CodeType, list[CodeType]]:
        if future not in self._codes:
            try:
                self._codes[future] = _codes(self._source, future)
            except _NO_CODE:  # it parses, such as a bare return
                return {}
        return self._codes[future]

    def _node(self, code: CodeType) -> Function | None:
        """The definition at the place of code that was compiled from this source."""
        found = self.functions.get((code.co_firstlineno, code.co_name), [])
        if len(found) > 1:
            ranges = set(code.co_positions())
            found = [node for node in found if _range(node) in ranges]
        return found[0] if found else None

    def _add(self, node: Function, name: str) -> None:
        self.functions.setdefault((first_line(node), name), []).append(node)


def index_of(source: str) -> Index:
    """The index of a text; nobody's code is in one that doesn't parse.

    That isn't kept: how deep a tree may be depends on who asks.
    """
    try:
        return _parsed(source)
    except _NO_CODE:
        return Index("", ast.Module([], []))


@lru_cache(maxsize=TEXTS_KEPT)
def _parsed(source: str) -> Index:
    return Index(source, parsed(source))


def _codes(source: str, future: int) -> dict[CodeType, list[CodeType]]:
    """All code that a source compiles to, by what it is without its place."""
    flags = future | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    found: dict[CodeType, list[CodeType]] = {}
    stack = [compile(source, "", "exec", flags=flags, dont_inherit=True)]
    while stack:
        code = stack.pop()
        found.setdefault(placeless(code), []).append(code)
        inner = [const for const in code.co_consts if isinstance(const, CodeType)]
        stack += reversed(inner)
    return found


def placeless(code: CodeType) -> CodeType:
    """Code without file, lines and columns, nested code included."""
    consts = (placeless(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(
        co_filename="", co_firstlineno=1, co_linetable=b"", co_consts=tuple(consts)
    )


def first_line(node: Function | ast.ClassDef) -> int:
    """The line that the compiler calls the first: that of the first decorator."""
    if isinstance(node, DEFINITIONS) and node.decorator_list:
        return node.decorator_list[0].lineno
    return node.lineno


def _range(node: Function) -> tuple[int, int | None, int, int | None]:
    """Where the body's value stands: what the code of a lambda returns."""
    last = node.body if isinstance(node, ast.Lambda) else node.body[-1]
    return last.lineno, last.end_lineno, last.col_offset, last.end_col_offset
