"""Classes of the notebook that are made again without their hooks.

A class statement runs code: `__init_subclass__` of a base, `__new__` and `__init__` of a
metaclass. What it did then is in the values that are kept (a registry, say). Run once
more by a load it would do it twice, to a class that has no attributes yet, or fail.
Hooks of libraries run: what they note is in their module, which is kept by name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

_OF_BASES: Final = ("__init_subclass__",)
_OF_METACLASSES: Final = ("__new__", "__init__", "__prepare__")


@contextlib.contextmanager
def unheard(arguments: Iterable[object]) -> Iterator[None]:
    """Within, no hook of the notebook hears of a new class.

    Args:
        arguments: What the class is made of, its metaclass and bases among it.
    """
    away: list[tuple[type, str, Any]] = []
    try:
        for cls, name in _hooks(arguments):
            away.append((cls, name, vars(cls)[name]))
            type.__delattr__(cls, name)
        yield
    finally:
        for cls, name, hook in away:
            type.__setattr__(cls, name, hook)


def _hooks(arguments: Iterable[object]) -> Iterator[tuple[type, str]]:
    for argument in arguments:
        if isinstance(argument, tuple):  # the bases
            for base in argument:
                yield from _own(base, _OF_BASES)
        elif isinstance(argument, type):
            yield from _own(argument, _OF_METACLASSES)


def _own(cls: object, names: Iterable[str]) -> Iterator[tuple[type, str]]:
    for base in cls.__mro__ if isinstance(cls, type) else ():
        if base.__module__ == "__main__":
            yield from ((base, name) for name in names if name in vars(base))
