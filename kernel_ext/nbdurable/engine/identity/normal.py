"""The normal form of source: equal code has equal bytes, on Python 3.11 to 3.13.

``ast.dump`` differs between Pythons, ``ast.unparse`` in places, bytecode always. So
the tree is written out by a rule of our own: a node is its name and its fields,
without what is empty, without positions, contexts and comments. Comments, layout,
quotes and ``0x3`` for ``3`` don't count; docstrings, annotations and the names of
locals do (tool descriptions and schemas are made of them).

It needs nothing but `ast`, and doesn't recurse: a sum of 5,000 terms is a deep tree.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_UNSAID = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that say nothing about meaning, or what the place of the node says already."""

_DOCUMENTED = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def normal_form(
    tree: ast.AST, *, docstrings: bool = True, decorators: bool = True
) -> bytes:
    """The bytes that stand for a tree.

    Args:
        tree: Any node.
        docstrings: False leaves out every docstring in the tree.
        decorators: False leaves out those of the topmost node: a decorated name is
            bound to the wrapper, which is code of its own.

    Example:
        >>> one, two = ast.parse("f( 0x3 )  # three"), ast.parse("f(3)")
        >>> normal_form(one) == normal_form(two)
        True
    """
    unsaid = frozenset() if decorators else frozenset({"decorator_list"})
    out: list[bytes] = []
    stack: list[object] = [_Node(tree, unsaid)]
    while stack:
        item = stack.pop()
        if type(item) is bytes:
            out.append(item)
        else:
            stack += reversed([*_written(item, docstrings=docstrings)])
    return b"".join(out)


class _Node:
    """A node some of whose fields are left out."""

    __slots__ = ("node", "unsaid")

    def __init__(self, node: ast.AST, unsaid: frozenset[str]) -> None:
        self.node = node
        self.unsaid = unsaid


def _written(item: object, *, docstrings: bool) -> Iterator[object]:
    """One level of an item: bytes to write, and items still to be taken apart."""
    match item:
        case _Node():
            yield from _node(item.node, item.unsaid, docstrings=docstrings)
        case ast.Constant():
            yield _constant(item.value)
        case ast.AST():
            yield from _node(item, frozenset(), docstrings=docstrings)
        case list():
            yield b"["
            yield from item
            yield b"]"
        case _:
            yield _constant(item)


def _node(
    node: ast.AST, unsaid: frozenset[str], *, docstrings: bool
) -> Iterator[object]:
    yield b"(" + type(node).__name__.encode()
    for name, value in ast.iter_fields(node):
        said = _said(node, name, value, docstrings=docstrings)
        if said is None or said == [] or name in _UNSAID or name in unsaid:
            continue
        yield b" " + name.encode() + b"="
        yield said
    yield b")"


def _said(node: ast.AST, name: str, value: object, *, docstrings: bool) -> object:
    """The value of a field as it is written; ``None`` or ``[]`` if it isn't."""
    if isinstance(node, ast.JoinedStr) and name == "values":
        return _pieces(node)
    if name == "format_spec" and isinstance(value, ast.JoinedStr):
        return value if _pieces(value) else None
    if name == "body" and not docstrings and isinstance(node, _DOCUMENTED):
        return node.body[1:] if _starts_with_docstring(node.body) else node.body
    return value


def _pieces(node: ast.JoinedStr) -> list[ast.expr]:
    """The pieces of an f-string: Python 3.12 cuts its constants otherwise than 3.11."""
    pieces: list[ast.expr] = []
    for piece in node.values:
        text = _text(piece)
        before = _text(pieces[-1]) if pieces else None
        if text == "":
            continue
        if text is not None and before is not None:
            pieces[-1] = ast.Constant(before + text)
        else:
            pieces.append(piece)
    return pieces


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _starts_with_docstring(body: list[ast.stmt]) -> bool:
    first = body[0] if body else None
    return isinstance(first, ast.Expr) and _text(first.value) is not None


def _constant(value: object) -> bytes:
    """A constant as type, length and text; no repr, which depends on Unicode's age."""
    match value:
        case str():
            data = value.encode("utf-8", "surrogatepass")
        case bytes():
            data = value
        case int():
            data = f"{value:x}".encode()
        case float():
            data = value.hex().encode()
        case complex():
            data = f"{value.real.hex()} {value.imag.hex()}".encode()
        case _:
            data = repr(value).encode()
    return b"<%s %d:%s>" % (type(value).__name__.encode(), len(data), data)
