"""What the methods of a class change: their instance, or the class itself. Pure."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from nbdurable.engine.identity.changes import METHODS, changes_of
from nbdurable.engine.identity.trees import DEFINITIONS_KEPT, nodes_of


@lru_cache(maxsize=DEFINITIONS_KEPT)
def class_state(node: ast.ClassDef) -> frozenset[str]:
    r"""The attributes that a class binds on itself while it is used: ``cls.made += 1``.

    What a method binds on its ``self`` is the instance's.

    Example:
        >>> source = "class A:\n  def f(self): self.a = 1; A.b += 1; type(self).c = 2"
        >>> sorted(class_state(ast.parse(source).body[0]))
        ['b', 'c']
    """
    methods = (n for n in node.body if isinstance(n, METHODS))
    return frozenset(name for method in methods for name in _bound_on_others(method))


Leaves = Callable[[str, str, int | str], bool]
"""Whether what a method hands to a function, at a place, is surely left as it is there."""


def _leaves_nothing(method: str, function: str, place: int | str) -> bool:
    del method, function, place
    return False


def changing_methods(node: ast.ClassDef, leaves: Leaves = _leaves_nothing) -> set[str]:
    r"""The methods of a class that change its instances once they are made.

    Args:
        node: The class.
        leaves: Knows what a function that an instance is handed to does with it.

    Example:
        >>> source = "class A:\n  def __init__(self): self.n = 0\n  def up(self): self.n += 1"
        >>> changing_methods(ast.parse(source).body[0])
        {'up'}
    """
    methods = (n for n in node.body if isinstance(n, METHODS))
    return {
        method.name
        for method in methods
        if method.name not in _MAKING and _changes_its_first(method, leaves)
    }


def _changes_its_first(
    method: ast.FunctionDef | ast.AsyncFunctionDef, leaves: Leaves
) -> bool:
    arguments = [*method.args.posonlyargs, *method.args.args]
    if not arguments:
        return False
    first, changes = arguments[0].arg, changes_of(method)
    handed_over = any(
        name == first
        and not hasattr(builtins, called)
        and not leaves(method.name, called, place)
        for called, place, name in changes.passes
    )
    return handed_over or not changes.inside.isdisjoint({first, "super"})


_MAKING: Final = frozenset(
    {"__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setstate__",
     "model_post_init", "__init_subclass__", "__set_name__"}
)  # fmt: skip
"""Methods that run while an instance, or its class, is made."""

_OF_CLASS: Final = {"__new__", "__init_subclass__", "__class_getitem__"}
"""Methods that are given the class without being told to be."""


def _bound_on_others(method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    decorators = {d.id for d in method.decorator_list if isinstance(d, ast.Name)}
    of_class = method.name in _OF_CLASS or decorators & {"classmethod", "staticmethod"}
    arguments = [*method.args.posonlyargs, *method.args.args]
    own = arguments[0].arg if arguments and not of_class else ""
    for part in nodes_of(method):
        if isinstance(part, ast.Attribute) and not isinstance(part.ctx, ast.Load):
            of = part.value
            if not (isinstance(of, ast.Name) and of.id == own):
                yield part.attr
