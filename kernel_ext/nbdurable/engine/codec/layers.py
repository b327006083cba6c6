"""Choosing the first layer that keeps a value exactly, and reading by the layer's name.

The name is stored under the signature. Reading never falls back from one layer to
another: bytes that their own layer can't read are unreadable.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from nbdurable.engine.codec import arrays, plain
from nbdurable.engine.codec.errors import Unreadable, Unstorable
from nbdurable.engine.codec.grafts import Grafting, Marks
from nbdurable.engine.redact import Secrets

JSON: Final = "json"
NPY: Final = "npy"
ARROW: Final = "arrow"
PICKLE: Final = "pickle5"
DILL: Final = "dill"

PLAIN: Final = frozenset({JSON, NPY, ARROW})
"""Layers that run no code on load and need no trust."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value as bytes.

    Attributes:
        codec: Name of the layer that wrote them.
        data: The bytes.
    """

    codec: str
    data: bytes = field(repr=False)


def encode(
    value: object,
    *,
    secrets: Secrets,
    marks: Marks | None = None,
    outcome: bool = False,
) -> Encoded:
    """Turn a value into bytes.

    Args:
        value: Any object.
        secrets: What must not be inside.
        marks: Objects in it that are written as the places where they were.
        outcome: It is what a call returned. A generator is refused then: its body,
            and what it does to the world, belongs to the call.

    Raises:
        Unstorable: No layer keeps it, or it holds a secret that can't be put back.
    """
    try:
        return Encoded(JSON, plain.encode(value, secrets, marks))
    except plain.NotPlain:
        pass
    if marks is None and arrays.takes(value):
        return Encoded(NPY, arrays.encode(value, secrets))
    return _encode_graph(value, secrets, marks, outcome=outcome)


def _encode_graph(
    value: object, secrets: Secrets, marks: Marks | None, *, outcome: bool
) -> Encoded:
    from nbdurable.engine.codec import pickles  # lazy: cloudpickle costs 15 ms

    try:
        return Encoded(
            PICKLE, pickles.encode(value, secrets, marks=marks, outcome=outcome)
        )
    except Unstorable as refusal:
        if refusal.final:
            raise
        try:
            return Encoded(DILL, pickles.encode_dill(value, secrets))
        except Unstorable:
            raise refusal from None


def decode(
    codec: str,
    data: bytes,
    *,
    secrets: Secrets,
    namespace: MutableMapping[str, Any] | None = None,
    grafting: Grafting | None = None,
) -> object:
    """Turn bytes back into a value.

    Args:
        codec: The layer's name, as the store has verified it with the bytes.
        data: The bytes, verified: two of the layers run code that they name.
        secrets: What masked texts and keys of clients are put back from.
        namespace: Globals of the notebook; default: those of ``__main__``.
        grafting: Collects the objects that places stand for; without it new ones are
            made and filled.

    Raises:
        Unreadable: They make no object here.
        SecretAbsent: They need a secret that is not set here.
    """
    if codec == NPY:
        return arrays.decode(data)
    grafts = grafting or Grafting()
    if codec == JSON:
        value = plain.decode(data, secrets, grafts)
    elif codec in (PICKLE, DILL):
        value = _decode_graph(codec, data, secrets, namespace, grafts)
    else:
        raise Unreadable(codec=codec, why="this version knows no such layer")
    if grafting is None:
        grafts.apply()
    return value


def _decode_graph(
    codec: str,
    data: bytes,
    secrets: Secrets,
    namespace: MutableMapping[str, Any] | None,
    grafting: Grafting,
) -> object:
    from nbdurable.engine.codec import pickles  # lazy: cloudpickle costs 15 ms

    if codec == PICKLE:
        return pickles.decode(data, secrets, namespace, grafting)
    return pickles.decode_dill(data)
