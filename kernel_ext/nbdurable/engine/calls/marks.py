"""What tells the arguments of a call from others, parameter by parameter.

The key of a call says whether all of its arguments are the same, and nothing of each.
After an edit of the tool's signature the marks say which calls were those that are made
now (`past.edits`). Nobody can try values against a mark without the store's pepper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from blake3 import blake3

from nbdurable.engine.calls.given import Given
from nbdurable.engine.calls.keyed import NO_DIGEST
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.identity.plain import ATOMS, stream
from nbdurable.engine.past.edits import DEFAULT, DRAWN, ENTRY, UNKNOWN
from nbdurable.engine.values.drawn import looks_drawn
from nbdurable_store.records import Plain

MARK_BYTES: Final = 4
"""They tell some thousand calls of one cell apart; of two that are taken for one by
chance somebody is asked."""


class Marking:
    """The marks of a call; worked out once, before it is executed.

    Args:
        made: The tool, one whose calls are marked.
        given: The arguments, bound to its parameters.
        args: As given.
        kwargs: As given.
        pepper: That of the store.
    """

    __slots__ = ("_args", "_given", "_known", "_kwargs", "_made", "_pepper")

    def __init__(
        self,
        made: Tool,
        given: Given,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        pepper: bytes,
    ) -> None:
        self._made, self._given, self._pepper = made, given, pepper
        self._args, self._kwargs = args, kwargs
        self._known: Mapping[str, Plain] | None = None

    def __call__(self) -> Mapping[str, Plain] | None:
        """By parameter."""
        if self._known is None:
            self._known = self._now()
        return self._known

    def changes(self) -> list[str]:
        """The arguments that the call has changed in place; asked when it has ended."""
        if not self._given.did_change or self._known is None:
            return []
        now, known = self._now(), self._known
        return sorted(name for name in known if now.get(name) != known[name])

    def _now(self) -> Mapping[str, Plain]:
        said = self._made.given(self._args, self._kwargs)
        return _marks(self._made, self._given, said, self._pepper)


def _marks(
    made: Tool, given: Given, said: tuple[str, ...], pepper: bytes
) -> Mapping[str, Plain]:
    found, others = dict[str, Plain](), dict[str, object]()
    counted, several = given.counted, made.open_ended
    for name, value in _flat(counted, several) if several else counted.items():
        if value is _ANY:
            found[name] = DEFAULT
        elif type(value) in ATOMS:  # secrets too: a mark tells nothing of them
            mark = blake3(stream(value), key=pepper).hexdigest(MARK_BYTES)
            found[name] = f"{mark}{DRAWN}" if looks_drawn(value) else mark
        else:
            others[name] = value
    for name, digest in given.digested(others).items() if others else ():
        mark = blake3(digest, key=pepper).hexdigest(MARK_BYTES)
        mark += DRAWN if looks_drawn(others[name]) else ""
        found[name] = UNKNOWN if digest is NO_DIGEST else mark
    for name in made.parameters:
        if name not in said and name in found and found[name] != DEFAULT:
            found[name] = f"{DEFAULT}{found[name]}"
    return found


_ANY: Final = object()
"""Stands for the arguments of which there may be any number."""


def _flat(
    arguments: Mapping[str, Any], several: Mapping[str, bool]
) -> Iterator[tuple[str, object]]:
    """The arguments, those of which there may be any number each by itself."""
    for name, value in arguments.items():
        if name not in several:
            yield name, value
            continue
        yield name, _ANY
        for key, item in value.items() if several[name] else enumerate(value):
            yield f"{ENTRY}{key}", item
