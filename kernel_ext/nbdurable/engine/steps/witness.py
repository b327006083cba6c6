"""Writes down what an attempt is given, so that `why` can tell old from new.

Written once per attempt, when it starts: small plain values as they are, of all others
type and size, and the text of the code that the cell reaches. What is too big is left
out, and `why` tells then by digest only that it changed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any, Final

from nbdurable.engine.codec import JSON, Encoded, Unstorable, encode
from nbdurable.engine.identity import plain
from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.identity.sources import Local, Sources, unwrapped
from nbdurable.engine.identity.trees import DEFINITIONS_KEPT
from nbdurable.engine.values import named
from nbdurable.engine.values.redact import Secrets

VALUE_NODES_MAX: Final = 1_000
"""Elements of a value that is written down: looking at more costs time in every step."""

BYTES_MAX: Final = 16_384
"""Bytes written down per attempt: it travels in the record, and is read by people."""

NAMES_MAX: Final = 200
"""Names looked at. A cell that reads all variables reads no more of them for this."""

IMPORT: Final = "import "
"""How `Inputs.codes` names the modules that a cell imports."""

_SHAPED: Final = frozenset({"numpy", "pandas", "polars", "scipy", "torch", "pyarrow"})
_SIZED: Final = (str, bytes, bytearray, list, tuple, dict, set, frozenset)


def written(
    inputs: Inputs, namespace: Mapping[str, object], sources: Sources, secrets: Secrets
) -> Encoded | None:
    """What the cell is given, as plain data; None if there is nothing to write.

    Args:
        inputs: What it reads.
        namespace: The variables, before it runs.
        sources: Where the code of the notebook is found.
        secrets: What must not be in it.
    """
    names = [n for n in inputs.given if n in namespace][:NAMES_MAX]
    given = {name: namespace[name] for name in names}
    room = _Room(secrets)
    texts, versions = dict[str, str](), dict[str, str]()
    for name, what in _definitions(inputs, given, namespace, sources):
        if isinstance(what, str):
            versions[name] = what
        elif room.takes(text := _text(what)):
            texts[name] = text
    values = {
        n: v
        for n, v in given.items()
        if is_small(v) and not named.is_kept_out(n, v) and room.takes(v)
    }
    kinds = {n: kind(v) for n, v in given.items() if n not in texts}
    found = {"values": values, "kinds": kinds, "code": texts, "versions": versions}
    return room.encoded({k: v for k, v in found.items() if v})


class _Room:
    """What may still be written down."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._left = BYTES_MAX

    def encoded(self, value: object) -> Encoded | None:
        """A value as plain data, if it is that and holds no secret that must not be."""
        if not value:
            return None
        try:
            found = encode(value, secrets=self._secrets)
        except Unstorable:
            return None
        return found if found.codec == JSON else None

    def takes(self, value: object) -> bool:
        """Whether there is room for it; then the room is taken."""
        found = self.encoded([value])
        if found is None or len(found.data) > self._left:
            return False
        self._left -= len(found.data)
        return True


def is_small(value: object, most: int = VALUE_NODES_MAX) -> bool:
    """Whether a value is plain data of few elements; others aren't looked through."""
    left, stack = most, [value]
    while stack:
        item: Any = stack.pop()
        left -= 1
        if type(item) not in plain.PLAIN or left < 0:
            return False
        if type(item) in {str, bytes} and len(item) > BYTES_MAX:
            return False
        if type(item) in {list, tuple, dict}:
            if len(item) > left:
                return False
            stack += item.values() if type(item) is dict else item
    return True


def kind(value: object) -> str:
    """Type and size of a value.

    Example:
        >>> kind([1, 2]), kind(None)
        ('list of 2', 'NoneType')
    """
    cls = type(value)
    if str(cls.__module__).partition(".")[0] in _SHAPED:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) and all(isinstance(n, int) for n in shape):
            return f"{cls.__name__} {' × '.join(f'{n:,}' for n in shape)}".rstrip()
    if cls in _SIZED:
        return f"{cls.__name__} of {len(value):,}"  # type: ignore[arg-type]  # all have a length
    return cls.__qualname__


# ---- code --------------------------------------------------------------------------------


def _definitions(
    inputs: Inputs,
    given: Mapping[str, object],
    namespace: Mapping[str, object],
    sources: Sources,
) -> Iterator[tuple[str, Local | str]]:
    """By name, each definition that the cell reaches; installed code's version."""
    for name, value in given.items():
        yield from ((name, what) for what in _defined(value, sources))
    for label in inputs.codes:
        module = label.removeprefix(IMPORT)
        if module != label:
            yield from ((module, what) for what in _module(module, sources))
        else:
            cls = _class_named(label, namespace)
            found = _defined(cls, sources) if isinstance(cls, type) else ()
            yield from ((label.rpartition(".")[2], what) for what in found)


def _defined(value: object, sources: Sources) -> Iterator[Local | str]:
    if isinstance(value, ModuleType):
        yield from _module(value.__name__, sources)
    elif isinstance(value, type):
        file = getattr(sys.modules.get(value.__module__), "__file__", None)
        home = None if value.__module__ == "__main__" else file
        local = home is None or sources.holds(home)
        node = sources.class_(value, home) if local else None
        yield from _found(node, value.__module__, sources)
    else:
        found = map(sources.function, (f.__code__ for f in unwrapped(value)))
        first = next((function for function in found if function is not None), None)
        if first is not None:
            yield first
        elif isinstance(value, FunctionType):
            yield from _found(None, value.__module__ or "", sources)


def _module(name: str, sources: Sources) -> Iterator[Local | str]:
    file = sources.find(name)
    local = file is not None and sources.holds(file)
    yield from _found(sources.module(str(file)) if local else None, name, sources)


def _found(node: Local | None, module: str, sources: Sources) -> Iterator[Local | str]:
    version = "" if node is not None else sources.version_of(module)
    if node is not None or version:
        yield version if node is None else node


def _class_named(label: str, namespace: Mapping[str, object]) -> object:
    module, _, name = label.partition(".")
    if module == "__main__":
        return namespace.get(name)
    home, _, name = label.rpartition(".")
    return vars(sys.modules[home]).get(name) if home in sys.modules else None


def _text(node: Local) -> str:
    try:
        return _unparsed(node)
    except RecursionError:
        return ""


_unparsed = lru_cache(maxsize=DEFINITIONS_KEPT)(ast.unparse)
