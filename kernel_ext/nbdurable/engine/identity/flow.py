"""Which names are bound for certain, followed through the branches of a statement."""

# ruff: noqa: N815  # ast.NodeVisitor dictates these names

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Sequence

from nbdurable.engine.identity.ledger import Ledger, Needs
from nbdurable.engine.identity.scopes import Place, Scope, pattern_names
from nbdurable.engine.identity.trees import nodes_of

_SUPPRESSING = frozenset({"suppress", "raises"})
"""Context managers after which the body may have stopped anywhere."""

_LEAVING = (ast.Raise, ast.Return, ast.Break, ast.Continue)


_SAME_LENGTH = frozenset({"enumerate", "list", "reversed", "sorted", "tuple"})
"""Builtins that give back as much as they are given."""


class Names(ast.NodeVisitor):
    """Loads and bindings, each taken to the scope it belongs to."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.scope = Scope(Place.MODULE, None)
        self.scope.bound = self.ledger.bound
        self.needs: Needs | None = None
        """Where loads go while a body is walked that doesn't run here and now."""

    @property
    def sums(self) -> Needs:
        """Where what is found in texts goes."""
        return self.ledger.sums if self.needs is None else self.needs

    def load(self, name: str) -> None:
        """A name is loaded in the current scope."""
        if self.scope.is_global(name):
            self.load_global(name)

    def load_global(self, name: str) -> None:
        """A name of the module is loaded, whatever the scope."""
        if self.needs is not None:
            self.needs.loads.add(name)
        else:
            self.ledger.load(name)

    def bind(self, name: str) -> None:
        """A name is bound in the current scope."""
        scope = self.scope.binder()
        if scope.parent is None or name in scope.declared:
            self.bind_global(name)
        else:
            scope.bound.add(name)

    def bind_global(self, name: str) -> None:
        """A name of the module is bound, whatever the scope."""
        if self.needs is not None:
            self.needs.stores.add(name)
        else:
            self.ledger.bind(name)

    def delete(self, name: str) -> None:
        """A name is deleted in the current scope."""
        if not self.scope.is_global(name):
            if self.scope.place is Place.CLASS:
                self.scope.bound.discard(name)
        elif self.needs is not None:
            self.needs.loads.add(name)
            self.needs.stores.add(name)
        else:
            self.ledger.delete(name)

    def is_builtin(self, name: str) -> bool:
        """Whether a name may still mean the builtin at this point."""
        return self.scope.is_global(name) and name not in self.ledger.bound


class Flow(Names):
    """The statements that branch.

    Every branch starts from what was bound before it. Certain afterwards is what was
    bound at the end of all branches that go on after the statement.
    """

    def statements(self, body: Iterable[ast.AST]) -> None:
        """Walk statements that run one after the other."""
        for statement in body:
            self.visit(statement)

    def branch(self, *parts: ast.AST | Sequence[ast.AST]) -> set[str]:
        """Walk what may run or not, and hand back what was bound at its end."""
        bound = self.scope.binder().bound
        before = set(bound)
        for part in parts:
            self.statements([part] if isinstance(part, ast.AST) else part)
        after = set(bound)
        _refill(bound, before)
        return after

    def _merge(self, ends: Sequence[set[str]]) -> None:
        if ends:
            _refill(self.scope.binder().bound, set.intersection(*ends))

    def visit_If(self, node: ast.If) -> None:
        """Two branches."""
        self.visit(node.test)
        ends = [(self.branch(body), body) for body in (node.body, node.orelse)]
        self._merge([end for end, body in ends if not _leaves(body)])

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Two branches in an expression."""
        self.visit(node.test)
        self._merge([self.branch(node.body), self.branch(node.orelse)])

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Only the first operand is evaluated for certain."""
        self.visit(node.values[0])
        for value in node.values[1:]:
            self.branch(value)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        """The body may not run at all, unless there is something to go through."""
        self.visit(node.iter)
        if self._is_filled(node.iter):
            self._turns(node.target, *node.body)
        else:
            self.branch(node.target, node.body)
        self.branch(node.orelse)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        """The test is evaluated once at least; the body perhaps not, if it can fail."""
        self.visit(node.test)
        if isinstance(node.test, ast.Constant) and node.test.value:
            self._turns(*node.body)
        else:
            self.branch(node.body)
        self.branch(node.orelse)

    def _turns(self, *parts: ast.AST) -> None:
        """A body that runs once at least: as far as nothing in it jumps, for certain."""
        certain = [*itertools.takewhile(lambda part: not _jumps(part), parts)]
        self.statements(certain)
        self.branch(parts[len(certain) :])

    def _is_filled(self, iterable: ast.expr) -> bool:
        """Whether something surely comes out: ``range(5)``, ``enumerate(["a"])``."""
        match iterable:
            case ast.Tuple() | ast.List() | ast.Set():
                return not all(isinstance(e, ast.Starred) for e in iterable.elts)
            case ast.Call(ast.Name("range"), arguments, []):
                return self.is_builtin("range") and _counts(arguments)
            case ast.Call(ast.Name(name), [first, *_]) if name in _SAME_LENGTH:
                return self.is_builtin(name) and self._is_filled(first)
        return False

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        """A handler starts from what was bound before the body."""
        bodies: list[list[ast.AST]] = [[*node.body, *node.orelse]]
        bodies += [[handler] for handler in node.handlers]
        ends = [(self.branch(body), body) for body in bodies]
        before = set(self.scope.binder().bound)
        last = self.branch(node.finalbody) - before
        self._merge([end for end, body in ends if not _leaves(body)])
        self.scope.binder().bound.update(last)

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """The name of the exception is unbound at the end of the handler."""
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.bind(node.name)
        self.statements(node.body)
        if node.name:
            self.scope.binder().bound.discard(node.name)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        """The head first; the body runs for certain, unless errors are suppressed."""
        for item in node.items:
            self.visit(item)
        heads = {called_name(item.context_expr) for item in node.items}
        if heads & _SUPPRESSING:
            self.branch(node.body)
        else:
            self.statements(node.body)

    visit_AsyncWith = visit_With

    def visit_Match(self, node: ast.Match) -> None:
        """One of the cases runs, or none if the last one can fail."""
        self.visit(node.subject)
        ends = [(self.branch(case), case.body) for case in node.cases]
        if not _is_irrefutable(node.cases[-1]):
            ends.append((set(self.scope.binder().bound), []))
        self._merge([end for end, body in ends if not _leaves(body)])

    def visit_match_case(self, node: ast.match_case) -> None:
        """Values of the pattern, names it captures, guard, body."""
        self.generic_visit(node.pattern)
        for name in pattern_names(node.pattern):
            self.bind(name)
        if node.guard is not None:
            self.visit(node.guard)
        self.statements(node.body)


def _refill(bound: set[str], names: set[str]) -> None:
    # In place: the ledger and the scope of the module share one set.
    bound.clear()
    bound.update(names)


def _jumps(part: ast.AST) -> bool:
    return any(isinstance(n, ast.Break | ast.Continue) for n in nodes_of(part))


def _counts(arguments: list[ast.expr]) -> bool:
    """Whether a ``range`` of these is a known one with something in it."""
    try:
        return bool(range(*map(ast.literal_eval, arguments)))
    except (TypeError, ValueError):
        return False


def _leaves(body: Sequence[ast.AST]) -> bool:
    """Whether a branch ends in a jump, so that nothing after it follows."""
    last = body[-1] if body else None
    if isinstance(last, ast.ExceptHandler):
        return _leaves(last.body)
    return isinstance(last, _LEAVING)


def _is_irrefutable(case: ast.match_case) -> bool:
    pattern = case.pattern
    free = isinstance(pattern, ast.MatchAs) and pattern.pattern is None
    return free and case.guard is None


def called_name(node: ast.AST) -> str:
    """The last part of the name of what is called or named, or nothing."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
