"""Names that a cell reads through texts and through the namespace as an object.

``eval`` and ``exec`` of a constant, ``globals()["k"]``, the shell lines and magics that
IPython's transformation has turned into calls of ``get_ipython()``, and ``@x`` in the
queries of frames. Everything here answers whether it took the node.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from nbdurable.engine.identity import texts
from nbdurable.engine.identity.flow import Flow
from nbdurable.engine.identity.parsing import parsed
from nbdurable.engine.identity.scopes import Place
from nbdurable.engine.identity.trees import nodes_of

Transform = Callable[[str], str]
"""IPython's transformation of a cell, for the bodies of cell magics."""

OPENERS = frozenset({"eval", "exec", "globals", "locals", "vars"})
"""Builtins through which any name can be read, once they are more than called."""

_NAMESPACES = frozenset({"globals", "locals", "vars"})
_SHELL = frozenset({"system", "getoutput"})
_CODE = frozenset({"ev", "ex", "run_cell", "runcode"})
_QUERIES = frozenset({"query", "eval"})
_EXPRESSIONS = frozenset({("pd", "eval"), ("pandas", "eval"), ("ne", "evaluate"),
                          ("numexpr", "evaluate")})  # fmt: skip
_BUILTINS = frozenset({"builtins", "__builtins__"})
_PUSHING = frozenset({"drop_by_id", "push", "reset"})
_LOOKUPS = frozenset({"get", "pop", "setdefault", "__getitem__"})


def call(walk: Flow, node: ast.Call, transform: Transform | None) -> bool:
    """A call that may read names in its arguments."""
    if isinstance(node.func, ast.Name):
        return _builtin(walk, node, node.func.id)
    if isinstance(node.func, ast.Attribute):
        return _method(walk, node, node.func, transform)
    return False


def _builtin(walk: Flow, node: ast.Call, name: str) -> bool:
    if not walk.is_builtin(name):
        return False
    if name in {"eval", "exec"}:
        return _evaluate(walk, node, name)
    if name == "__import__":
        _import(walk, node)
    if name not in _NAMESPACES and name != "dir":
        return False
    walk.load(name)
    walk.statements([*node.args, *node.keywords])
    if _is_namespace(walk, node) or (name == "dir" and not node.args):
        walk.sums.dynamic.add(name)
    return True


def _method(
    walk: Flow, node: ast.Call, function: ast.Attribute, transform: Transform | None
) -> bool:
    if _is_namespace(walk, function.value):
        return _ask(walk, node, function.attr)
    if _is_shell(function.value):
        walk.sums.star |= function.attr in _PUSHING
        return _shell(walk, node, function.attr, transform)
    if function.attr == "import_module":
        _import(walk, node)
    for text in _constants(node.args[:1]):
        _query(walk, function, text)
    return False


def _query(walk: Flow, function: ast.Attribute, text: str) -> None:
    """The text that a method evaluates: ``pd.eval``, and ``query`` of a frame."""
    owner = function.value.id if isinstance(function.value, ast.Name) else ""
    if (owner, function.attr) in _EXPRESSIONS:
        guess(walk, text)
    if function.attr in _QUERIES:
        for name in texts.query_names(text):
            walk.load(name)


def _import(walk: Flow, node: ast.Call) -> None:
    """An import by a function: a constant name is known, the notebook is dynamic."""
    names = _constants(node.args[:1])
    walk.sums.imports.update(names)
    if "__main__" in names:
        walk.sums.dynamic.add("__main__")


def imported(walk: Flow, node: ast.Import | ast.ImportFrom) -> None:
    """The notebook imported as a module: under its name `attribute` knows it."""
    if isinstance(node, ast.ImportFrom):
        if node.module == "__main__" and not node.level:
            for alias in node.names:
                walk.load_global(alias.name)
    elif any(a.name == "__main__" and a.asname for a in node.names):
        walk.sums.dynamic.add("__main__")


def item(walk: Flow, node: ast.Subscript) -> bool:
    """``globals()["k"]``, or any name if ``k`` is computed."""
    if _is_modules(node.value):
        if _main_name(node.slice):
            walk.sums.dynamic.add("sys.modules")
        return False
    if not _is_namespace(walk, node.value):
        return False
    _owner(walk, node.value)
    key = _text(node.slice)
    if key is None:
        walk.visit(node.slice)
        _unknown(walk, stores=not isinstance(node.ctx, ast.Load))
    else:
        _access(walk, key, node.ctx)
    return True


def attribute(walk: Flow, node: ast.Attribute) -> bool:
    """``__main__.k``, or the namespace itself as an object."""
    if isinstance(node.value, ast.Name) and node.value.id in _BUILTINS:
        if node.attr in OPENERS:
            walk.sums.dynamic.add(node.attr)
            walk.sums.star |= node.attr == "exec"
        return False
    if _is_main(node.value):
        if node.attr == "__dict__":
            _unknown(walk, stores=False)
        else:
            _access(walk, node.attr, node.ctx)
        return True
    if _is_namespace(walk, node):
        walk.visit(node.value)
        _unknown(walk, stores=False)
        return True
    return False


def membership(walk: Flow, node: ast.Compare) -> bool:
    """``"k" in globals()``."""
    key = _text(node.left)
    tests = all(isinstance(op, ast.In | ast.NotIn) for op in node.ops)
    spaces = all(_is_namespace(walk, right) for right in node.comparators)
    if key is None or not tests or not spaces:
        return False
    for space in node.comparators:
        _owner(walk, space)
    walk.load_global(key)
    return True


# --- the namespace as an object


def _owner(walk: Flow, space: ast.AST) -> None:
    """What a namespace is asked of: ``frame`` in ``frame.f_globals``."""
    if isinstance(space, ast.Attribute):
        walk.visit(space.value)


def _is_namespace(walk: Flow, node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]):
            here = name == "globals" or walk.scope.place is not Place.FUNCTION
            return name in _NAMESPACES and here and walk.is_builtin(name)
        case ast.Attribute(
            attr="user_ns" | "user_global_ns" | "f_globals" | "f_locals"
        ):
            return True
        case ast.Attribute(value=ast.Name(id="__main__"), attr="__dict__"):
            return True
        case _:
            return False


def _is_main(node: ast.AST) -> bool:
    named = isinstance(node, ast.Name) and node.id == "__main__"
    return named or (isinstance(node, ast.Attribute) and node.attr == "user_module")


def _is_modules(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "modules"


def _main_name(node: ast.AST) -> bool:
    named = isinstance(node, ast.Name) and node.id == "__name__"
    return named or _text(node) in {"__main__", None}


def _unknown(walk: Flow, *, stores: bool) -> None:
    walk.sums.dynamic.add("globals")
    walk.sums.star |= stores


def _access(walk: Flow, key: str, context: ast.expr_context) -> None:
    match context:
        case ast.Store():
            walk.bind_global(key)
        case ast.Del():
            walk.load_global(key)
            walk.sums.stores.add(key)
        case _:
            walk.load_global(key)


def _ask(walk: Flow, node: ast.Call, method: str) -> bool:
    """A method of the namespace: a look-up of one name, or anything."""
    assert isinstance(node.func, ast.Attribute)
    _owner(walk, node.func.value)
    key = _text(node.args[0]) if node.args else None
    if method in _LOOKUPS and key is not None:
        walk.load_global(key)
        walk.statements(node.args[1:])
    else:
        walk.statements([*node.args, *node.keywords])
        _unknown(walk, stores=method not in {"get", "keys", "values", "items", "copy"})
    return True


# --- texts that are code


def _evaluate(walk: Flow, node: ast.Call, name: str) -> bool:
    walk.load(name)
    text = _text(node.args[0]) if node.args else None
    if text is not None:
        code(walk, text)
        walk.statements(node.args[1:])
        return True
    walk.statements([*node.args, *node.keywords])
    if (
        len(node.args) < 2 and not node.keywords
    ):  # with a namespace of its own it reads that
        walk.sums.dynamic.add(name)
        walk.sums.star |= name == "exec"
    return True


def code(walk: Flow, text: str) -> None:
    """A text that is run as Python; if it is none, every word is a guess."""
    try:
        tree = parsed(text.strip())
    except (SyntaxError, ValueError):
        guess(walk, text)
    else:
        walk.statements(tree.body)


def guess(walk: Flow, text: str) -> None:
    """A text of which nobody knows what its words are."""
    found = filter(walk.scope.is_global, texts.words(text))
    walk.sums.guesses.update(set(found) - walk.ledger.bound)
    tables = filter(walk.scope.is_global, texts.tables(text))
    walk.sums.frames.update(set(tables) - walk.ledger.bound)


# --- shell lines and magics


def _is_shell(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="get_ipython"), args=[], keywords=[]):
            return True
        case ast.Name(id="get_ipython" | "ip" | "ipython" | "shell"):
            return True
        case _:
            return False


def _shell(
    walk: Flow, node: ast.Call, method: str, transform: Transform | None
) -> bool:
    given = [_text(argument) for argument in node.args]
    match method, given:
        case _, [] | [None, *_]:
            computed = method in _CODE or method.startswith("run_")
            if computed and node.args:
                _unknown(walk, stores=True)
            return False
        case _, [str(line)] if method in _SHELL:
            _expand(walk, line)
        case _, [str(text), *_] if method in _CODE:
            code(walk, transform(text) if transform else text)
        case "run_line_magic", [str(name), str(line), *_]:
            _line_magic(walk, name, line)
        case "magic", [str(line)]:
            name, _, rest = line.partition(" ")
            _line_magic(walk, name, rest)
        case "run_cell_magic", [str(name), str(line), str(body)]:
            _cell_magic(walk, name, line, transform(body) if transform else body)
        case _:
            return False
    return True


def _expand(walk: Flow, line: str) -> None:
    walk.sums.texts.update(line.split(), texts.file_names(line))
    expressions, names = texts.expansions(line)
    for expression in expressions:
        code(walk, expression)
    walk.sums.guesses.update(set(names) - walk.ledger.bound)


def _line_magic(walk: Flow, name: str, line: str) -> None:
    _expand(walk, line)
    if name in texts.PYTHON_MAGICS:
        code(walk, texts.without_options(line))
    elif name in texts.BINDING_MAGICS:
        walk.sums.star = True
        if name == "run" and "-i" in line.split():
            walk.sums.dynamic.add("%run -i")
        guess(walk, line)
    elif name not in texts.FOREIGN_MAGICS:
        guess(walk, texts.without_options(line))


def _cell_magic(walk: Flow, name: str, line: str, body: str) -> None:
    _expand(walk, line)
    if name == "capture":
        for target in texts.words(texts.without_options(line))[:1]:
            walk.bind_global(target)
    elif name in texts.PYTHON_MAGICS:
        code(walk, texts.without_options(line))
    elif name not in texts.FOREIGN_MAGICS:
        guess(walk, texts.without_options(line))
    if name in texts.PYTHON_MAGICS:
        code(walk, body)
        return
    walk.sums.texts.update(body.split(), texts.file_names(body))
    if name not in texts.FOREIGN_MAGICS:
        guess(walk, body)


# --- constants


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _constants(nodes: Sequence[ast.AST]) -> list[str]:
    """All texts in some expressions, pieces of f-strings included."""
    inner = (child for node in nodes for child in nodes_of(node))
    return [text for text in map(_text, inner) if text is not None]
