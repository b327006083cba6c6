"""Which variables a function changes itself, by binding them or in place. Pure."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from nbdurable.engine.identity.aliases import (
    BINDING,
    bound_to,
    given_inside,
    is_new,
    owner,
)
from nbdurable.engine.identity.apart import apart
from nbdurable.engine.identity.trees import DEFINITIONS_KEPT, nodes_of

CHANGING: Final = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop",
     "popitem", "popleft", "put", "remove", "reverse", "setdefault", "sort", "update",
     "write"}
)  # fmt: skip
"""Methods of the builtin collections, of queues and files, that change their object."""

CHANGING_METHODS: Final = CHANGING | {
    "__delitem__", "__setitem__", "difference_update", "extendleft", "fill",
    "intersection_update", "move_to_end", "rotate", "subtract",
    "symmetric_difference_update",
}  # fmt: skip
"""With those of arrays, and the rarer ones."""

_CHANGING_FIRST: Final = frozenset(
    {"__delattr__", "__setattr__", "copyto", "delattr", "delitem", "heapify", "heappop", "heappush", "heappushpop",
     "heapreplace", "insort", "insort_left", "insort_right", "next", "setattr",
     "setitem", "shuffle"}
)  # fmt: skip
"""Functions of Python and numpy that change their first argument."""


def changed_names(node: ast.AST) -> set[str]:
    """The variables that the code of a node binds or changes in place.

    Example:
        >>> tree = ast.parse("n += 1; seen.append(x); at[k].a = url['host']")
        >>> sorted(changed_names(tree))
        ['at', 'n', 'seen']
    """
    return _changed_by_name(nodes_of(node))


def _changed_by_name(nodes: Iterable[ast.AST]) -> set[str]:
    return {name for part in nodes for name in _changed_by(part)}


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


METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Changes(NamedTuple):
    """What the code of a definition may change of what others hold.

    Attributes:
        names: Variables that it binds or changes in place.
        inside: Variables whose object it changes, or may change by a name of a part.
        whole: Those of them that it changes by a name for all of the object.
        passes: Functions that it calls, each with a place and the variable given there.
        attributes: Names of the attributes that it mentions, each with the variable that it
            is one of, or "". Those of what it makes itself are left out.
    """

    names: frozenset[str]
    inside: frozenset[str]
    whole: frozenset[str]
    passes: frozenset[tuple[str, int | str, str]]
    attributes: frozenset[tuple[str, str]]


@lru_cache(maxsize=DEFINITIONS_KEPT)
def changes_of(node: ast.AST) -> Changes:
    """What the code of a definition may change; worked out once for each."""
    nodes = nodes_of(apart(node))
    new = _made_new(nodes)
    inside, whole = _changed(nodes, new)
    return Changes(
        names=frozenset(_changed_by_name(nodes)),
        inside=frozenset(inside),
        whole=frozenset(whole),
        passes=frozenset(_passed(nodes)),
        attributes=frozenset(_attributes_of(nodes, new)),
    )


def _changed(nodes: Collection[ast.AST], new: set[str]) -> tuple[set[str], set[str]]:
    """The variables whose object is changed, under whatever name, and those of them as a whole.

    What is bound anew is another object; but what a name was bound to is changed
    together with what the name stands for. What `+=` is done to is mostly a number or a
    text, so it counts for the object alone and not for what that is a part of.

    Args:
        nodes: All nodes of the code.
        new: Names of what it makes itself.

    Returns:
        Also those of which a part is changed that has a name of its own; and the others.

    Example:
        >>> tree = ast.parse("n = 1; row = rows[0]; row.done = True; heappush(heap, n)")
        >>> [sorted(names) for names in _changed(nodes_of(tree), set())]
        [['heap', 'row', 'rows'], ['heap', 'row']]
        >>> tree = ast.parse("text = texts[0]; text += more; out[0] = text")
        >>> sorted(_changed(nodes_of(tree), set())[0])
        ['out', 'text']
    """
    doing = [part for part in nodes if isinstance(part, _DOING)]
    found = {name for part in doing for name in _changed_anyhow(part)} - new
    binding = (part for part in nodes if isinstance(part, BINDING))
    pairs = [pair for part in binding for pair in bound_to(part)]
    pairs += given_inside(nodes)
    alike = [(pair.name, pair.of) for pair in pairs if pair.whole]
    added = {name for part in doing for name in _added_to(part)} - new
    whole = _spread(found | added, alike)
    inside = whole | _spread(found, [(pair.name, pair.of) for pair in pairs])
    return inside - new, whole - new


def _made_new(nodes: Collection[ast.AST]) -> set[str]:
    """The names that are bound to something new before that is changed, and to no other."""
    found, whole = set[str](), _touched(nodes)
    for block in (n.body for n in nodes if isinstance(n, _BLOCKS)):
        for at, statement in enumerate(block, 1):
            name = _new_name(statement)
            if not whole[name] or name in found:
                continue
            after = nodes_of(*block[at:])
            if whole[name] == _touched(after)[name] and not _is_rebound(name, after):
                found.add(name)
    return found


def _touched(nodes: Iterable[ast.AST]) -> Counter[str]:
    """How often the object of each name is changed."""
    doing = [part for part in nodes if isinstance(part, _DOING)]
    found = Counter(name for part in doing for name in _changed_anyhow(part))
    found.update(name for part in doing for name in _added_to(part))
    return found


def _new_name(statement: ast.AST) -> str:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_new(value):
            return name
        case ast.AugAssign(target=ast.Name(id=name)):
            return name
        case _:
            return ""


def _is_rebound(name: str, nodes: Collection[ast.AST]) -> bool:
    """Whether they bind a name to anything that is not new."""
    stored = [n for n in nodes if isinstance(n, ast.Name) and n.id == name]
    bound = sum(isinstance(n.ctx, ast.Store) for n in stored)
    return bound != sum(_new_name(n) == name for n in nodes)


_BLOCKS: Final = (
    *METHODS, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith,
)  # fmt: skip
"""What has a body all of which runs, if any."""


def _spread(names: set[str], pairs: Collection[tuple[str, str]]) -> set[str]:
    """The names, and those that stand for what they do."""
    found, size = set(names), -1
    while size < len(found):
        size = len(found)
        found.update(of for name, of in pairs if name in found)
    return found


_DOING: Final = (
    ast.Subscript, ast.Attribute, ast.Call, ast.keyword, ast.AugAssign
)  # fmt: skip
"""The nodes that can change an object."""


def _changed_anyhow(part: ast.AST) -> Iterator[str]:
    yield from _changed_in_place(part)
    yield from _changed_as_first(part)
    yield from _changed_as_output(part)


def _changed_in_place(part: ast.AST) -> Iterator[str]:
    match part:
        case (
            ast.Subscript(ctx=ast.Store() | ast.Del())
            | ast.Attribute(ctx=ast.Store() | ast.Del())
        ):
            yield from owner(part)
        case ast.Call(func=ast.Attribute(value=of, attr=method)):
            own = isinstance(of, ast.Call) and is_new(of)  # ``seen.copy().pop()``
            if not own and (method in CHANGING_METHODS or _is_in_place(part)):
                yield from owner(of)
        case _:
            return


def _added_to(part: ast.AST) -> Iterator[str]:
    match part:
        case ast.AugAssign(target=ast.Name(id=name)):
            yield name
        case _:
            return


def _changed_as_first(part: ast.AST) -> Iterator[str]:
    """What is handed to a function that changes its first argument."""
    match part:
        case ast.Call(
            func=ast.Name(id=function) | ast.Attribute(attr=function),
            args=[first, *_],
        ) if function in _CHANGING_FIRST:
            yield from owner(first)
        case _:
            return


def _changed_as_output(part: ast.AST) -> Iterator[str]:
    """What a function of numpy is told to write to: ``add(a, b, out=a)``."""
    match part:
        case ast.keyword(arg="out", value=value):
            yield from owner(value)
        case _:
            return


def _is_in_place(call: ast.Call) -> bool:
    """Whether a method of a frame is told to change it."""
    return any(keyword.arg == "inplace" for keyword in call.keywords)


def _attributes_of(
    nodes: Iterable[ast.AST], new: set[str]
) -> Iterator[tuple[str, str]]:
    for part in nodes:
        match part:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                if name not in new:
                    yield name, attribute
            case ast.Attribute(attr=attribute):
                yield "", attribute
            case _:
                continue


def _passed(nodes: Iterable[ast.AST]) -> set[tuple[str, int | str, str]]:
    """Variables handed to functions: the function, the place or parameter, the variable.

    Example:
        >>> sorted(_passed(nodes_of(ast.parse("remember(7, seen)"))), key=str)
        [('remember', 1, 'seen')]
        >>> sorted(_passed(nodes_of(ast.parse("helpers.note(seen)"))), key=str)
        [('helpers.note', 0, 'seen')]
    """
    found: set[tuple[str, int | str, str]] = set()
    for call in nodes:
        if isinstance(call, ast.Call) and (called := _called(call.func)):
            places = [*enumerate(call.args), *((k.arg, k.value) for k in call.keywords)]
            found |= {
                (called, place, value.id)
                for place, value in places
                if isinstance(value, ast.Name) and place is not None
            }
    return found


def _called(function: ast.expr) -> str:
    """The name of what is called, also of a function of a module; "" of anything else."""
    match function:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return f"{module}.{name}"
        case _:
            return ""
