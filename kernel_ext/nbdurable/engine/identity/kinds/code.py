"""Functions, classes and modules as values, where nobody can say what their code is.

Whoever knows sources passes `Codes` to the hasher, and `importable` is not asked.
Methods are values: an owner, and the name of one of its functions.
"""

from __future__ import annotations

import sys
from types import FunctionType, MethodType, ModuleType
from typing import Any

from nbdurable.engine.identity.forms import (
    Form,
    Imported,
    Kinds,
    Named,
    Undigestible,
    no_label,
    qualified,
)
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds.objects import own_attributes, reduced


def importable(value: object) -> Form:
    """The form of code that is found under its name in an imported module."""
    form = bound(value)
    if form is not None:
        return form
    name = import_name(value) or _builtin_name(value)
    if name is None:
        raise Undigestible(qualified(type(value)), reason="no module has it by name")
    return Form(Tag.NAMED, (name.encode(),))


def bound(value: Any) -> Form | None:
    """The form of a C function that belongs to an object, such as ``list.append``."""
    owner = getattr(value, "__self__", None)
    if owner is None or isinstance(value, FunctionType | type | ModuleType):
        return None
    if isinstance(owner, ModuleType | type):
        return None
    return _method(value)


_DRAWING = ("random", "numpy.random.mtrand")
"""Modules whose functions are methods of their own generator."""


def _method(value: Any) -> Form:
    """A bound method: its owner and a name.

    The functions of `random` are methods of a generator that the module keeps. They are
    code: its state is no input of the cell that draws from it, as with ``import random``.
    """
    owner, name = value.__self__, value.__name__
    for module in _DRAWING:
        if getattr(sys.modules.get(module), name, None) is value:
            return Form(Tag.NAMED, (b"of", module.encode(), name.encode()))
    return Form(Tag.METHOD, (name.encode(),), (owner,), no_label)


def _builtin_name(value: object) -> str | None:
    """The name of a builtin type that no module holds, or of a C function of a type."""
    owner = getattr(value, "__self__", None)
    if isinstance(owner, type) and not isinstance(value, FunctionType):
        return f"{qualified(owner)}.{value.__name__}"  # type: ignore[attr-defined]  # it has an owner, so it is a function
    if isinstance(value, type) and value.__module__ == "builtins":
        return qualified(value)
    return None


def import_name(value: Any) -> str | None:
    """``module.qualified.name``, if that is where the object is found; not __main__."""
    if type(value) is type(sys):
        return str(value.__name__)
    module, path = _module_name(value), getattr(value, "__qualname__", None)
    if module in {None, "__main__"} or not isinstance(path, str):
        return None
    home = sys.modules.get(str(module))
    for name in (path, str(getattr(value, "__name__", path))):
        found: object = home
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is value:
            return f"{module}.{name}"
    return None


def _module_name(value: Any) -> str | None:
    name = getattr(value, "__module__", None)
    if name is None:
        owner = getattr(value, "__objclass__", None)
        name = getattr(owner, "__module__", None)
    return name if isinstance(name, str) else None


def _partial(value: Any) -> Form:
    """A function with arguments; the order of its keywords doesn't count."""
    if type(value).__module__ != "functools":
        return reduced(value)
    children = (value.func, value.args, Named(value.keywords), own_attributes(value))
    return Form(Tag.PARTIAL, (), children, no_label)


def _property(value: property) -> Form:
    children = (value.fget, value.fset, value.fdel)
    return Form(Tag.DESCRIPTOR, (b"property",), children, no_label)


def _wrapped(value: Any) -> Form:
    """A static or class method, as it stands in its class."""
    name = type(value).__name__.encode()
    return Form(Tag.DESCRIPTOR, (name,), (value.__func__,), no_label)


KINDS: Kinds = {
    **dict.fromkeys(
        (
            Imported,
            "builtins.function",
            "builtins.code",
            "builtins.builtin_function_or_method",
            "builtins.type",
            "builtins.module",
            "builtins.method_descriptor",
            "builtins.classmethod_descriptor",
            "builtins.wrapper_descriptor",
            "builtins.getset_descriptor",
            "builtins.member_descriptor",
        ),
        importable,
    ),
    MethodType: _method,
    "functools.partial": _partial,
    property: _property,
    staticmethod: _wrapped,
    classmethod: _wrapped,
}
