"""Functions, classes and modules as values, where nobody can say what their code is.

Whoever knows sources passes `Codes` to the hasher, and these kinds are not asked.
"""

from __future__ import annotations

import sys
from typing import Any

from nbdurable.engine.identity.forms import (
    Form,
    Imported,
    Kinds,
    Undigestible,
    qualified,
)
from nbdurable.engine.identity.keys import Tag


def importable(value: object) -> Form:
    """The form of code that is found under its name in an imported module."""
    name = import_name(value)
    if name is None:
        raise Undigestible(qualified(type(value)))
    return Form(Tag.NAMED, (name.encode(),))


def import_name(value: Any) -> str | None:
    """``module.qualified.name``, if that is where the object is found; not __main__."""
    if type(value) is type(sys):
        return str(value.__name__)
    module, path = _module_name(value), getattr(value, "__qualname__", None)
    if module in {None, "__main__"} or not isinstance(path, str):
        return None
    found: object = sys.modules.get(str(module))
    for part in path.split("."):
        found = getattr(found, part, None)
    return f"{module}.{path}" if found is value else None


def _module_name(value: Any) -> str | None:
    name = getattr(value, "__module__", None)
    if name is None:
        owner = getattr(value, "__objclass__", None)
        name = getattr(owner, "__module__", None)
    return name if isinstance(name, str) else None


KINDS: Kinds = dict.fromkeys(
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
        "numpy.ufunc",
    ),
    importable,
)
