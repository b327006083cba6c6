"""What an attempt was given, as it was written down when it started. Pure.

Digests say that an input changed; this says what it was. It is for reading only: nothing
is ever served, matched or restored from it, and it holds small plain values only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.values import plainly
from nbdurable_store.records import BlobRef

Get = Callable[[BlobRef], bytes]
"""How the bytes of a value are read, verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an attempt was given.

    Attributes:
        source: The cell as it was typed.
        values: Small plain values, by name.
        kinds: Type and size of each value, such as ``DataFrame 100 × 3``.
        code: Text of each function, class and local module, without comments.
        versions: Distribution and version of each module that was installed.
    """

    source: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


NOTHING = Evidence()
"""Where nothing was written down, or nothing can be read."""

EvidenceOf = Callable[[StepPast], Evidence]

Compared = Callable[[StepPast, StepPast, str], Collection[str]]
"""Where the values of a name differ that two attempts were given; nothing if that can't
be told."""


def not_compared(_old: StepPast, _new: StepPast, _name: str) -> Collection[str]:
    """For a reader that loads no values."""
    return ()


def nothing(_: StepPast) -> Evidence:
    """For a reader without a store."""
    return NOTHING


def read(step: StepPast, get: Get) -> Evidence:
    """What is written down of an attempt.

    Args:
        step: The attempt.
        get: How values are read; may raise `plainly.Unreadable`, which counts as none.
    """
    source, given, *_ = (*(_plain(ref, get) for ref in step.inputs), None, None)
    return Evidence(
        source=source if isinstance(source, str) else "",
        values=_mapping(given, "values"),
        kinds=_texts(given, "kinds"),
        code=_texts(given, "code"),
        versions=_texts(given, "versions"),
    )


def _plain(ref: BlobRef, get: Get) -> object:
    if ref.codec not in plainly.READABLE or ref.size > plainly.BYTES_MAX:
        return None
    try:
        return plainly.read(ref.codec, get(ref))
    except plainly.Unreadable:
        return None


def _mapping(given: object, name: str) -> Mapping[str, object]:
    found = given.get(name) if isinstance(given, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _texts(given: object, name: str) -> Mapping[str, str]:
    return {str(k): str(v) for k, v in _mapping(given, name).items()}
