"""The sources of the notebook's code, kept by ourselves.

``inspect.getsource`` fails for classes of a cell, for functions that were exec'd and
for everything once linecache was cleared, and it gives two lambdas the same line.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain
from types import CodeType, FunctionType, MethodType
from typing import TypeAlias

from nbdurable.engine.identity.changes import Changes, changes_of
from nbdurable.engine.identity.indexes import Index, first_line, index_of, placeless
from nbdurable.engine.identity.ledger import Needs
from nbdurable.engine.identity.normal import normal_form
from nbdurable.engine.identity.notebook import Transform
from nbdurable.engine.identity.reads import needs_of
from nbdurable.engine.identity.scopes import Function, imported_modules
from nbdurable.engine.identity.trees import DEFINITIONS_KEPT, nodes_of

Load: TypeAlias = Callable[[str], "str | None"]
"""From a code filename to its source, or ``None`` if it isn't local code."""


VersionOf: TypeAlias = Callable[[str], str]
"""From a module's name to its distribution and version; "" where that doesn't count."""

Local: TypeAlias = Function | ast.ClassDef | ast.Module
"""A definition in a local source."""


Find: TypeAlias = Callable[[str], "str | None"]
"""From a module's full name to the file of its source, without importing it."""


def not_found(_: str) -> None:
    """No module is local."""


def none_earlier() -> Iterable[str]:
    """No cell of an earlier kernel is known."""
    return ()


def no_version(_: str) -> str:
    """Versions don't count."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a definition from its text alone.

    Attributes:
        node: The definition.
        normal: Its normal form, decorators and docstrings included.
        bare: The same without docstrings and without its own decorators.
        needs: What its body needs when it runs.
        head: Names that its decorators load.
    """

    node: Local
    normal: bytes
    bare: bytes
    needs: Needs
    head: frozenset[str]


class Sources:
    """Sources by code filename: cells as they run, local modules when they are met.

    Attributes:
        version_of: Says which version a module is of.
        transform: IPython's transformation, for the bodies of cell magics.
        find: Finds the file of a module.
    """

    def __init__(
        self,
        load: Load | None = None,
        version_of: VersionOf = no_version,
        transform: Transform | None = None,
        find: Find = not_found,
        earlier: Callable[[], Iterable[str]] = none_earlier,
    ) -> None:
        """Keep nothing yet. What needs the world outside is handed in.

        Args:
            load: Finds the source of a local file nobody has added: a loose module
                beside the notebook, or a cell that ran before. It says ``None`` for
                what a distribution owns.
            version_of: From a module's name to its distribution and version; "" where
                that doesn't count.
            transform: From a cell's text to plain Python.
            find: From a module's full name to its file.
            earlier: The file names of cells of earlier kernels, the latest first: a
                class without functions that was put back stands in one of them.
        """
        self.find = find
        self.version_of = version_of
        self.transform = transform
        self._load = load
        self._earlier = earlier
        self._texts: dict[str, str | None] = {}
        self._indexes: dict[str, Index] = {}
        self._cells: dict[str, None] = {}
        self._facts: dict[ast.AST, Facts] = {}
        self._changes: dict[ast.AST, Changes] = {}
        self._remembered = 0

    def add(self, filename: str, source: str) -> None:
        """Keep the source of a cell, as it was compiled under this filename."""
        if self._texts.get(filename) != source:
            self._indexes.pop(filename, None)
        self._texts[filename] = source
        self._cells.pop(filename, None)
        self._cells[filename] = None

    def remember(self, texts: Sequence[str]) -> None:
        """Keep the sources of cells that ran, in their order, as far as they are new.

        A class without functions doesn't say in which cell it stands.

        Args:
            texts: All that ran in this kernel, oldest first.
        """
        if len(texts) < self._remembered:  # the shell has forgotten them
            self._remembered = 0
        for number in range(self._remembered, len(texts)):
            self.add(f"In[{number}]", texts[number])
        self._remembered = len(texts)

    def say(self, word: str) -> bool:
        """Whether a text that is kept has a word in it."""
        return any(word in text for text in [*self._texts.values()] if text)

    def refresh(self) -> None:
        """Ask again for the sources that were found by ``load``: files change."""
        for filename in self._texts.keys() - self._cells.keys():
            text = self._load(filename) if self._load else None
            if text != self._texts[filename]:
                self._indexes.pop(filename, None)
                self._texts[filename] = text

    def holds(self, filename: str | None) -> bool:
        """Whether the file is local code whose source is known."""
        if not filename:
            return False
        if filename not in self._texts:
            self._texts[filename] = self._load(filename) if self._load else None
        return self._texts[filename] is not None

    def module(self, filename: str) -> ast.Module:
        """The tree of a file that `holds` says is local."""
        index = self._index(filename)
        assert index is not None, filename
        return index.tree

    def function(self, code: CodeType) -> Function | None:
        """The definition of a function, by its file, else among the cells.

        A function that was put back carries the file name of a kernel that is gone; it
        is found by its code. ``None`` if no source compiles to this code: a file that
        was edited after its import says nothing about what runs.
        """
        index = self._index(code.co_filename)
        if index is not None:
            return index.function(code)
        bare = placeless(code)
        found = (self._index(filename) for filename in self._latest())
        nodes = (index.function(code, bare) for index in found if index is not None)
        return next((node for node in nodes if node is not None), None)

    def facts(self, node: Local) -> Facts:
        """What the text of a definition says; worked out once."""
        known = self._facts.get(node)
        if known is None:
            known = self._facts[node] = _facts_of(node)
        return known

    def changes(self, node: Local) -> Changes:
        """What the code of a definition may change; worked out once."""
        if node not in self._changes:
            self._changes[node] = changes_of(node)
        return self._changes[node]

    def class_(self, cls: type, home: str | None) -> ast.ClassDef | None:
        """The definition of a class: where its functions are, else the latest cell's.

        Args:
            cls: The class.
            home: The file of its module; ``None`` for a class of the notebook.
        """
        lines = dict(_first_lines(cls))
        others: Iterable[str] = [home] if home is not None else ()
        if home is None:
            others = chain(self._latest(), self._earlier())
        for filename in chain(lines, others):
            index = self._index(filename)
            nodes = index.classes.get(cls.__qualname__, []) if index else []
            line = lines.get(filename)
            fitting = [n for n in nodes if line is None or _holds_line(n, line)]
            if fitting:
                return fitting[-1]
        return None

    def _latest(self) -> list[str]:
        """The cells, the latest first; another thread may begin one meanwhile."""
        return [*reversed(self._cells)]

    def _index(self, filename: str) -> Index | None:
        if filename not in self._indexes:
            if not self.holds(filename):
                return None
            self._indexes[filename] = index_of(self._texts[filename] or "")
        return self._indexes[filename]


def facts_of(node: Local) -> Facts:
    """What the text of a definition says, also of one that stands in no cell."""
    return Facts(
        node=node,
        normal=normal_form(node),
        bare=normal_form(node, docstrings=False, decorators=False),
        needs=_needs(node),
        head=_head(node),
    )


_facts_of = lru_cache(maxsize=DEFINITIONS_KEPT)(facts_of)


def _head(node: Local) -> frozenset[str]:
    """What is bound in a decorator, such as a parameter of its lambda, is not loaded."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    if all(isinstance(d, ast.Name) for d in decorators):
        return frozenset(d.id for d in decorators if isinstance(d, ast.Name))
    return frozenset(needs_of(_as_function(ast.Tuple(decorators, ast.Load()))).loads)


def _as_function(value: ast.expr) -> ast.Lambda:
    """A function without parameters that gives this."""
    none = ast.arguments(
        posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    return ast.copy_location(ast.Lambda(args=none, body=value), value)


def _needs(node: Local) -> Needs:
    if isinstance(node, ast.Module):  # what it loads is in it, or in its imports
        return Needs(imports=_imports(node))
    if isinstance(node, ast.ClassDef):
        node = ast.ClassDef(**{**vars(node), "decorator_list": []})
    return needs_of(node)


def _imports(module: ast.Module) -> set[str]:
    nodes = (n for n in nodes_of(module) if isinstance(n, ast.Import | ast.ImportFrom))
    return {name for node in nodes for name in imported_modules(node)}


def _holds_line(node: ast.ClassDef, line: int) -> bool:
    return first_line(node) <= line <= (node.end_lineno or node.lineno)


def _first_lines(cls: type) -> Iterator[tuple[str, int]]:
    """Per file, the first line of a function of the class."""
    for attribute in vars(cls).values():
        for function in unwrapped(attribute):
            code = function.__code__
            if function.__qualname__.startswith(f"{cls.__qualname__}."):
                yield code.co_filename, code.co_firstlineno


_WITHOUT_CODE = frozenset({str, int, float, bool, type(None), dict, list, tuple})
"""Types of most attributes of a class that are no function."""


def unwrapped(attribute: object) -> Iterator[FunctionType]:
    """The functions in what decorators made of them.

    ``staticmethod``, ``classmethod``, ``property``, and objects that keep the function
    as those of functools do. Nothing is asked of an object but its dict: one with a
    ``__getattr__`` of its own may answer anything, without end.
    """
    if type(attribute) in _WITHOUT_CODE:
        return
    stack, seen = [attribute], set[int]()
    while stack:
        item = stack.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, FunctionType):
            yield item
        stack += [inner for inner in _inner(item) if inner is not None]


def _inner(item: object) -> Iterator[object]:
    if isinstance(item, property):
        yield from (item.fget, item.fset, item.fdel)
    elif isinstance(item, staticmethod | classmethod | MethodType):
        yield item.__func__
    elif isinstance(item, partial):
        yield item.func
    elif not isinstance(item, type):
        own = getattr(item, "__dict__", None)
        if type(own) is dict:
            found = (own.get(name) for name in ("__wrapped__", "func", "wrapped"))
            yield from (inner for inner in found if callable(inner))
