"""What a cell reads and binds, found without running it.

Theory of operation. The statements are walked in the order in which Python runs them,
with the set of names that are bound *for certain* so far; a load of any other global
is a read. Branches are walked from one start, and only what all of them bind stays
certain (`flow`). A loop may not run at all, so its names stay in doubt, unless
it surely has a first turn (``for turn in range(5)``, ``while True``). Bodies of
functions are walked without order, and count once their name is loaded (`ledger`).

Names in texts count where a grammar marks them (`texts`, `notebook`). What can't be
known (``eval`` of a computed text, ``globals()[k]``) makes the cell dynamic: all
variables of the user then count as read.
"""

# ruff: noqa: N802, N815  # ast.NodeVisitor dictates these names

from __future__ import annotations

import ast
from collections.abc import Iterable

from nbdurable.engine.identity import keys, notebook, texts
from nbdurable.engine.identity.flow import Flow, called_name
from nbdurable.engine.identity.ledger import Analysis, Ledger, Needs
from nbdurable.engine.identity.normal import normal_form
from nbdurable.engine.identity.parsing import parsed
from nbdurable.engine.identity.scopes import (
    Comprehension,
    Function,
    Place,
    Scope,
    class_scope,
    function_scope,
    imported_modules,
    imported_name,
    operands,
    type_parameters,
)
from nbdurable.engine.identity.trees import nodes_of

LAZY_DECORATORS = frozenset(
    {
        "abstractmethod", "asynccontextmanager", "cache", "cached_property",
        "classmethod", "contextmanager", "dataclass", "jit", "lru_cache", "njit",
        "overload", "property", "retry", "singledispatch", "staticmethod", "step",
        "tool", "validator", "wraps",
    }
)  # fmt: skip
"""Decorators known not to call what they decorate. Any other may, so that the needs of
the function count where it is defined."""


def analyse(source: str, transform: notebook.Transform | None = None) -> Analysis:
    """What a cell reads and binds.

    Args:
        source: The cell as IPython transformed it: plain Python.
        transform: IPython's transformation, for the bodies of cell magics.

    Raises:
        SyntaxError: The source is no Python.

    Example:
        >>> found = analyse("total = price * count; print(total)")
        >>> sorted(found.reads), sorted(found.writes)
        (['count', 'price', 'print'], ['total'])
    """
    tree = parsed(source)
    digest = keys.source_digest(normal_form(tree))
    walk = _Walk(transform)
    try:
        walk.statements(tree.body)
    except RecursionError:
        return _every_name(tree).close(digest)
    return walk.ledger.close(digest)


def _every_name(tree: ast.Module) -> Ledger:
    """For a tree deeper than the stack: every name in it is read, bound and in doubt."""
    ledger = Ledger()
    for node in nodes_of(tree):
        if isinstance(node, ast.Name):
            ledger.load(node.id, ())
            ledger.writes.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            ledger.sums.imports |= set(imported_modules(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            ledger.sums.texts |= set(texts.file_names(node.value))
    ledger.sums.star = True
    return ledger


def needs_of(node: Function | ast.ClassDef) -> Needs:
    """What a function needs when it runs, or a class with all its methods."""
    walk = _Walk(None)
    walk.needs = Needs()
    if isinstance(node, ast.ClassDef):
        walk.visit(node)
    else:
        walk.body(node, walk.scope)
    return walk.needs


class _Walk(Flow):
    """Walks a tree in the order of evaluation."""

    def __init__(self, transform: notebook.Transform | None) -> None:
        super().__init__()
        self._transform = transform
        self._methods: Needs | None = None
        """Where the needs of methods go while a class body is walked."""

    # --- definitions

    def body(self, node: Function, parent: Scope) -> None:
        """Walk the body of a function in its own scope."""
        outside = self.scope
        self.scope = function_scope(node, parent)
        self.statements([node.body] if isinstance(node, ast.Lambda) else node.body)
        self.scope = outside

    def _later(self, node: Function, parent: Scope) -> Needs:
        """The needs of a body that doesn't run where it stands."""
        outside, self.needs = self.needs, Needs()
        self.body(node, parent)
        found, self.needs = self.needs, outside
        return found

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Decorators, defaults and annotations now, the body when it is called."""
        self.statements(node.decorator_list)
        outside = self.scope
        self.scope = type_parameters(node, outside)
        self._signature(node)
        inside, self.scope = self.scope, outside
        self.bind(node.name)
        if self.needs is not None:
            self.body(node, inside)
            return
        needs = self._later(node, inside)
        if not {called_name(d) for d in node.decorator_list} <= LAZY_DECORATORS:
            self.ledger.run(needs)
        elif self._methods is not None:
            self._methods.add(needs)
        else:
            self.ledger.defer(node.name, needs)

    visit_AsyncFunctionDef = visit_FunctionDef

    def _signature(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for parameter in getattr(node, "type_params", []):
            self.visit(parameter)
        self.visit(node.args)
        if node.returns is not None:
            self.visit(node.returns)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """The body runs now, its methods when the class is used."""
        self.statements(node.decorator_list)
        outside, methods = self.scope, self._methods
        around = type_parameters(node, outside)
        self.scope = around
        self.statements([*node.bases, *node.keywords])
        self.scope, self._methods = class_scope(node, around), Needs()
        self.statements(node.body)
        found = self._methods
        self.scope, self._methods = outside, methods
        self.bind(node.name)
        if self.needs is not None:
            return
        if methods is not None:
            methods.add(found)
        else:
            self.ledger.defer(node.name, found)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A lambda may be called at once by whoever gets it."""
        self.visit(node.args)
        if self.needs is not None:
            self.body(node, self.scope)
        else:
            self.ledger.run(self._later(node, self.scope))

    def visit_TypeAlias(self, node: ast.AST) -> None:
        """``type X = …``: evaluated when it is asked for; counted now."""
        outside = self.scope
        self.scope = type_parameters(node, outside)
        self.visit(node.value)  # type: ignore[attr-defined]  # Python 3.12
        self.scope = outside
        self.visit(node.name)  # type: ignore[attr-defined]  # as above

    # --- bindings

    def visit_Assign(self, node: ast.Assign) -> None:
        """The value before the targets; a named lambda is like a ``def``."""
        target = node.targets[0]
        named = len(node.targets) == 1 and isinstance(target, ast.Name)
        if named and isinstance(node.value, ast.Lambda) and self._is_top:
            self.visit(node.value.args)
            needs = self._later(node.value, self.scope)
            self.visit(target)
            self.ledger.defer(target.id, needs)  # type: ignore[attr-defined]  # a Name
            return
        self.visit(node.value)
        self.statements(node.targets)

    @property
    def _is_top(self) -> bool:
        return self.needs is None and self.scope.parent is None

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """The target is read before it is bound."""
        if isinstance(node.target, ast.Name):
            self.load(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """An annotation without a value binds nothing."""
        if self.scope.place is not Place.FUNCTION:
            self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """The value before the name."""
        self.visit(node.value)
        self.bind(node.target.id)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Names of modules, or of what is in them."""
        self.sums.imports |= set(imported_modules(node))
        notebook.imported(self, node)
        for alias in node.names:
            if alias.name == "*":
                self.sums.star = True
            else:
                self.bind(imported_name(alias))

    visit_ImportFrom = visit_Import

    def visit_Name(self, node: ast.Name) -> None:
        """A load, a binding or a deletion."""
        match node.ctx:
            case ast.Store():
                self.bind(node.id)
            case ast.Del():
                self.delete(node.id)
            case _:
                self.load(node.id)
                if node.id in notebook.OPENERS and self.is_builtin(node.id):
                    self.sums.dynamic.add(node.id)

    # --- expressions

    def _comprehension(self, node: Comprehension, elements: Iterable[ast.AST]) -> None:
        """The first iterable is evaluated outside; the rest may not run at all."""
        first = node.generators[0]
        self.visit(first.iter)
        outside = self.scope
        before = set(outside.binder().bound)
        self.scope = Scope(Place.COMPREHENSION, outside)
        for generator in node.generators:
            if generator is not first:
                self.visit(generator.iter)
            self._target(generator.target)
            self.statements(generator.ifs)
        self.statements(elements)
        self.scope = outside
        outside.binder().bound.intersection_update(before)

    def _target(self, target: ast.expr) -> None:
        """A target of a comprehension is bound in it, not where a statement binds."""
        for node in nodes_of(target):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.scope.bound.add(node.id)
            elif isinstance(node, ast.Name):
                self.load(node.id)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        """One element per turn."""
        self._comprehension(node, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        """One element per turn."""
        self._comprehension(node, [node.elt])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        """One element per turn, sooner or later."""
        self._comprehension(node, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        """One pair per turn."""
        self._comprehension(node, [node.key, node.value])

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Each operand, from the left."""
        self.statements(operands(node))

    def visit_Constant(self, node: ast.Constant) -> None:
        """A text may name a file, or frames where SQL has tables."""
        if isinstance(node.value, str):
            self.sums.texts |= set(texts.file_names(node.value))
            found = filter(self.scope.is_global, texts.tables(node.value))
            self.sums.frames.update(set(found) - self.ledger.bound)

    # --- what only a notebook has

    def visit_Call(self, node: ast.Call) -> None:
        """Calls that read names in texts, else function and arguments."""
        if not notebook.call(self, node, self._transform):
            self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """``globals()["k"]`` is the name ``k``."""
        if not notebook.item(self, node):
            self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """``__main__.k`` is the name ``k``."""
        if not notebook.attribute(self, node):
            self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """``"k" in globals()`` asks for the name ``k``."""
        if not notebook.membership(self, node):
            self.generic_visit(node)
