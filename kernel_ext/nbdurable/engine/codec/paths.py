"""Finding the way from a value to something inside it, to name it for a person."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from nbdurable.engine.identity.held import held_by
from nbdurable.engine.values.redact import Secrets

_NODES_MAX: Final = 200_000
"""Objects looked at; beyond them the place is not named."""

_ELSEWHERE: Final = (
    *(type, types.ModuleType, dict),
    *(types.TracebackType, types.FrameType),
)
"""What is in these isn't in the value, or is found by another way."""

_SHOWN: Final = frozenset({str, int, float, bool, bytes, type(None)})
_NAME_MAX: Final = 40
"""Characters of a key that is shown."""


def path_to(root: object, wanted: Callable[[object], bool]) -> str | None:
    """The shortest way to an object, such as ``["rows"][3]._lock``; "" for the root."""
    queue: deque[tuple[object, str]] = deque([(root, "")])
    seen = {id(root)}
    for _ in range(_NODES_MAX):
        if not queue:
            return None
        value, path = queue.popleft()
        if wanted(value):
            return path
        for step, child in _children(value):
            if id(child) not in seen:
                seen.add(id(child))
                queue.append((child, (path + step).replace("……", "…")))
    return None


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if issubclass(kind, dict):
        yield from _items(value)
    elif issubclass(kind, list | tuple):
        for i, item in enumerate(tuple(value)):
            yield f"[{i}]", item
    elif issubclass(kind, set | frozenset):
        for item in tuple(value):
            yield "{…}", item
    yield from _attributes(value)
    if not issubclass(kind, dict | list | tuple | set | frozenset):
        yield from _opaque(value)


def _items(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, item in dict.items(value):
        if type(key) in _SHOWN:
            yield f"[{repr(key)[:_NAME_MAX]}]", item
        else:
            yield ".keys()", key
            yield "[…]", item


def _opaque(value: object) -> Iterator[tuple[str, Any]]:
    """What an object of a compiled class refers to, without a name for the way."""
    if isinstance(value, type | types.ModuleType | types.FunctionType):
        return
    for child in held_by(value):
        if not isinstance(child, _ELSEWHERE):
            yield "…", child


def _attributes(value: object) -> Iterator[tuple[str, Any]]:
    # Read past __getattr__ and properties, which may run anything.
    if isinstance(value, type):
        return
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        attributes = {}
    for name, item in list(attributes.items()):
        yield f".{name}", item
    for name in ("__self__", "__func__", "__wrapped__", "__closure__", "cell_contents"):
        try:
            yield f".{name}", object.__getattribute__(value, name)
        except (AttributeError, ValueError):
            continue


def secret_path(root: object, secrets: Secrets) -> str:
    """The way to a text that holds a secret; "" where none is found."""

    def spells(value: object) -> bool:
        return isinstance(value, str) and secrets.found(value) is not None

    return path_to(root, spells) or ""
