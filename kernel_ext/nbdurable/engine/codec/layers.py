"""Choosing the first layer that keeps a value exactly, and reading by the layer's name.

The name is stored under the signature. Reading never falls back from one layer to
another: bytes that their own layer can't read are unreadable.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, Final, NamedTuple, TypeVar

from nbdurable.engine.codec import arrays, arrow, dills, plain, plain_deep, unpickles
from nbdurable.engine.codec.errors import Unreadable, Unstorable
from nbdurable.engine.codec.grafts import Grafting, Marks
from nbdurable.engine.codec.guard import Overflow
from nbdurable.engine.codec.parts import Parts
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.protocol import Fill, Sink

JSON: Final = "json"
NPY: Final = "npy"
ARROW: Final = "arrow"
PICKLE: Final = "pickle5"
DILL: Final = "dill"

JOINED_MAX: Final = 1 << 15
"""Up to here, in bytes, a value is one stretch that travels in its record. Half of what
may travel there: a value that grows is written again and again until it is in chunks."""

OUTCOME_JOINED_MAX: Final = 60_000
"""The same for what a call returned, which doesn't grow: all that travels in a record,
with room for what says where its parts are."""

PLAIN: Final = frozenset({JSON, NPY, ARROW})
"""Layers that run no code on load and need no trust."""


class Encoded(NamedTuple):
    """A value as bytes.

    Attributes:
        codec: Name of the layer that wrote them.
        data: The bytes.
    """

    codec: str
    data: bytes


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
        return _last(value, secrets, marks, refusal)


def _last(
    value: object, secrets: Secrets, marks: Marks | None, refusal: Unstorable
) -> Encoded:
    """In what keeps a value that pickle refused."""
    from nbdurable.engine.codec import pickles  # lazy: cloudpickle costs 15 ms

    if refusal.final:
        raise refusal from refusal.__cause__
    if refusal.why == pickles.TOO_DEEP:
        try:
            return Encoded(JSON, plain_deep.encode(value, secrets, marks))
        except plain.NotPlain:
            raise refusal from None
    try:
        return Encoded(DILL, dills.encode(value, secrets))
    except Unstorable:
        raise refusal from None


_R = TypeVar("_R")
Put = Callable[[str, bytes | Fill], _R]
"""`nbdurable_store.protocol.Store.put`."""


def keep(  # noqa: PLR0913  # what a value is, one by one
    value: object,
    put: Put[_R],
    *,
    secrets: Secrets,
    marks: Marks | None = None,
    outcome: bool = False,
    shares: bool = False,
    joined: int | None = None,
) -> _R:
    """Hand a value to a store as bytes; a large one is never in memory twice.

    Args:
        value: Any object.
        put: Where it goes.
        secrets: What must not be inside.
        marks: Objects in it that are written as the places where they were.
        outcome: It is what a call returned; see `encode`.
        shares: It is known to hold an object twice, which plain data can't say.
        joined: Up to here, in bytes, it is one stretch.

    Raises:
        Unstorable: No layer keeps it, or it holds a secret that can't be put back.
        DurableError: The store can't take it.
    """
    most = joined or (OUTCOME_JOINED_MAX if outcome else JOINED_MAX)
    if shares and marks is None:
        return _keep_graph(value, put, secrets, marks, outcome=outcome, most=most)
    try:
        text = plain.encode(value, secrets, marks)
    except plain.NotPlain:
        pass
    else:
        if len(text) <= most:
            return put(JSON, text)
        return put(JSON, lambda sink: plain.hand_over(text, value, sink))
    if marks is None and arrays.takes(value):
        if value.nbytes <= most:  # type: ignore[attr-defined]  # an array
            return put(NPY, arrays.encode(value, secrets))
        return put(NPY, lambda sink: arrays.write(value, sink, secrets))
    if marks is None and arrow.takes(value):
        small = _if_small(lambda: arrow.encode(value, secrets, most))
        return put(ARROW, small or (lambda sink: arrow.write(value, sink, secrets)))
    return _keep_graph(value, put, secrets, marks, outcome=outcome, most=most)


def _if_small(encode: Callable[[], bytes]) -> bytes | None:
    # Nothing of the attempt stays in memory: not what its exception would hold.
    try:
        return encode()
    except Overflow:
        return None


def _keep_graph(
    value: object,
    put: Put[_R],
    secrets: Secrets,
    marks: Marks | None,
    *,
    outcome: bool,
    most: int,
) -> _R:
    from nbdurable.engine.codec import pickles  # lazy: cloudpickle costs 15 ms

    def write(sink: Sink) -> None:
        pickles.write(value, sink, secrets, marks=marks, outcome=outcome)

    def encoded() -> bytes:
        return pickles.encode(value, secrets, marks=marks, outcome=outcome, most=most)

    try:
        small = _if_small(encoded)
        return put(PICKLE, small or write)
    except Unstorable as refusal:
        last = _last(value, secrets, marks, refusal)
    return put(*last)


def decode(
    codec: str,
    data: bytes | Parts,
    *,
    secrets: Secrets,
    namespace: MutableMapping[str, Any] | None = None,
    grafting: Grafting | None = None,
) -> object:
    """Turn bytes back into a value.

    Args:
        codec: The layer's name, as the store has verified it with the bytes.
        data: The bytes, verified, or where they are read from: two of the layers run
            code that they name.
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
    if codec == ARROW:
        return arrow.decode(data)
    grafts = grafting or Grafting()
    if codec == JSON:
        value = plain.decode(_whole(data), secrets, grafts)
    elif codec in (PICKLE, DILL):
        value = _decode_graph(codec, data, secrets, namespace, grafts)
    else:
        raise Unreadable(codec=codec, why="this version knows no such layer")
    if grafting is None:
        grafts.apply()
    return value


def _decode_graph(
    codec: str,
    data: bytes | Parts,
    secrets: Secrets,
    namespace: MutableMapping[str, Any] | None,
    grafting: Grafting,
) -> object:
    if codec == PICKLE:
        return unpickles.decode(data, secrets, namespace, grafting)
    return dills.decode(_whole(data))


def _whole(data: bytes | Parts) -> bytes:
    if isinstance(data, bytes):
        return data
    with data.head() as head:
        return head.read()
