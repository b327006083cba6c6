"""Which variables a function changes itself, by binding them or in place. Pure."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from itertools import product
from typing import Final, NamedTuple

from nbdurable.engine.identity.apart import apart

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


METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Changes(NamedTuple):
    """What the code of a definition may change of what others hold.

    Attributes:
        inside: Variables whose object it changes, or may change by a name of a part.
        whole: Those of them that it changes by a name for all of the object.
        passes: Functions that it calls, each with a place and the variable given there.
        attributes: Names of the attributes that it mentions, each with the variable that it
            is one of, or "". Those of what it makes itself are left out.
    """

    inside: frozenset[str]
    whole: frozenset[str]
    passes: frozenset[tuple[str, int | str, str]]
    attributes: frozenset[tuple[str, str]]


def changes_of(node: ast.AST) -> Changes:
    """What the code of a definition may change."""
    node = apart(node)
    return Changes(
        inside=frozenset(changed_inside(node)),
        whole=frozenset(changed_inside(node, parts=False)),
        passes=frozenset(passed_names(node)),
        attributes=frozenset(_attributes_of(node)),
    )


def changed_inside(node: ast.AST, *, parts: bool = True) -> set[str]:
    """The variables whose object the code of a node changes, under whatever name.

    What is bound anew is another object; but what a name was bound to is changed
    together with what the name stands for. What `+=` is done to is mostly a number or a
    text, so it counts for the object alone and not for what that is a part of.

    Args:
        node: The code.
        parts: Also those of which a part is changed that has a name of its own.

    Example:
        >>> tree = ast.parse("n = 1; row = rows[0]; row.done = True; heappush(heap, n)")
        >>> sorted(changed_inside(tree)), sorted(changed_inside(tree, parts=False))
        (['heap', 'row', 'rows'], ['heap', 'row'])
        >>> sorted(changed_inside(ast.parse("text = texts[0]; text += more; out[0] = text")))
        ['out', 'text']
    """
    nodes = [*ast.walk(node)]
    ways = _changed_in_place, _changed_as_first, _changed_as_output
    found = {name for way in ways for part in nodes for name in way(part)}
    pairs = [pair for part in nodes for pair in _bound_to(part)]
    pairs += _given_inside(nodes)
    alike = [(pair.name, pair.of) for pair in pairs if pair.whole]
    added = {name for part in nodes for name in _added_to(part)}
    whole = _spread(found | added, alike)
    if parts:
        whole |= _spread(found, [(pair.name, pair.of) for pair in pairs])
    return whole - _bound_first(node)


def _bound_first(node: ast.AST) -> set[str]:
    """The names that a function binds to something new before it changes that."""
    if not isinstance(node, METHODS):
        return set()
    new, changed = set[str](), set[str]()
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                new |= {name} if _is_new(value) and name not in changed else set()
            case _:
                changed |= {
                    n for part in ast.walk(statement) for n in _changed_by(part)
                }
    return new


def _is_new(value: ast.expr) -> bool:
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
    ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.JoinedStr,
)  # fmt: skip


def _spread(names: set[str], pairs: Collection[tuple[str, str]]) -> set[str]:
    """The names, and those that stand for what they do."""
    found, size = set(names), -1
    while size < len(found):
        size = len(found)
        found.update(of for name, of in pairs if name in found)
    return found


def _changed_in_place(part: ast.AST) -> Iterator[str]:
    match part:
        case (
            ast.Subscript(ctx=ast.Store() | ast.Del())
            | ast.Attribute(ctx=ast.Store() | ast.Del())
        ):
            yield from _owner(part)
        case ast.Call(func=ast.Attribute(value=of, attr=method)):
            own = isinstance(of, ast.Call) and _is_new(of)  # ``seen.copy().pop()``
            if not own and (method in CHANGING_METHODS or _is_in_place(part)):
                yield from _owner(of)
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
            yield from _owner(first)
        case _:
            return


def _owner(part: ast.expr) -> Iterator[str]:
    """The variable at the beginning of ``a[k].b.get(1)``; of a choice all of them."""
    while isinstance(part, ast.Subscript | ast.Attribute | ast.Call):
        part = part.func if isinstance(part, ast.Call) else part.value
    match part:
        case ast.Name(id=name):
            yield name
        case ast.NamedExpr(value=value):
            yield from _owner(value)
        case ast.IfExp(body=one, orelse=other):
            yield from _owner(one)
            yield from _owner(other)
        case ast.BoolOp(values=values):
            yield from (name for value in values for name in _owner(value))
        case _:
            return


def _changed_as_output(part: ast.AST) -> Iterator[str]:
    """What a function of numpy is told to write to: ``add(a, b, out=a)``."""
    match part:
        case ast.keyword(arg="out", value=value):
            yield from _owner(value)
        case _:
            return


def _is_in_place(call: ast.Call) -> bool:
    """Whether a method of a frame is told to change it."""
    return any(keyword.arg == "inplace" for keyword in call.keywords)


class _Bound(NamedTuple):
    """A name that is bound to what another one stands for, or to a part of that."""

    name: str
    of: str
    whole: bool


def _bound_to(part: ast.AST) -> Iterator[_Bound]:
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
        yield from _bound_to(ast.Assign([one], own))
    for target in targets:
        whole = isinstance(target, ast.Name) and isinstance(value, ast.Name)
        # In ``seen[key] = value`` no name is bound.
        names = (n for n in ast.walk(target) if isinstance(n, ast.Name))
        bound = [n.id for n in names if isinstance(n.ctx, ast.Store)]
        for name, of in product(bound, () if _is_new(value) else _owner(value)):
            yield _Bound(name, of, whole and not looped)


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


def _given_inside(nodes: Collection[ast.AST]) -> Iterator[_Bound]:
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


def _given(of: ast.arguments, call: ast.Call) -> Iterator[_Bound]:
    by_place = [*of.posonlyargs, *of.args]
    named = {arg.arg.rpartition(".")[2]: arg for arg in (*by_place, *of.kwonlyargs)}
    pairs = [*zip(by_place, call.args, strict=False)]
    pairs += [(named[k.arg], k.value) for k in call.keywords if k.arg in named]
    for parameter, value in pairs:
        for name in _owner(value):
            yield _Bound(parameter.arg, name, isinstance(value, ast.Name))


def _attributes_of(node: ast.AST) -> Iterator[tuple[str, str]]:
    new = {name for part in ast.walk(node) for name in _bound_first(part)}
    for part in ast.walk(node):
        match part:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                if name not in new:
                    yield name, attribute
            case ast.Attribute(attr=attribute):
                yield "", attribute
            case _:
                continue


def _defaults(of: ast.arguments) -> Iterator[_Bound]:
    """Parameters, each with the variable that stands for it where none is given."""
    by_place = [*of.posonlyargs, *of.args]
    pairs = [
        *zip(reversed(by_place), reversed(of.defaults), strict=False),
        *zip(of.kwonlyargs, of.kw_defaults, strict=True),
    ]
    for parameter, value in pairs:
        if value is not None:
            whole = isinstance(value, ast.Name)
            for name in _owner(value):
                yield _Bound(parameter.arg, name, whole)


def passed_names(node: ast.AST) -> set[tuple[str, int | str, str]]:
    """Variables handed to functions: the function, the place or parameter, the variable.

    Example:
        >>> sorted(passed_names(ast.parse("remember(7, seen)")), key=str)
        [('remember', 1, 'seen')]
        >>> sorted(passed_names(ast.parse("helpers.note(seen)")), key=str)
        [('helpers.note', 0, 'seen')]
    """
    found: set[tuple[str, int | str, str]] = set()
    for call in ast.walk(node):
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
