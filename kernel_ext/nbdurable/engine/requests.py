"""A call on its way through the protocol: what is asked, its place, its outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nbdurable.engine.codec import Encoded
from nbdurable.engine.matching import Match
from nbdurable.engine.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A call that is about to be made.

    Attributes:
        name: The function's name, or method and address of an HTTP exchange.
        key: Its call key, 32 bytes.
        policy: The tool's promises.
        kind: ``tool`` or ``http``.
        code: Digest of the tool's code, hex, or "".
        text: Tells the call as people read it; a replayed call isn't told.
        arguments: The arguments encoded as plain data, if they are plain and small.
        undigestible: Where an argument has no digest, or "".
        encode: Result to bytes; raises `Unstorable`.
        decode: Bytes (verified) to result.
        measure: Plain facts of a result for the record (model, tokens).
        find_out: Calls the tool's ``on_doubt`` function with the call's arguments.
        again: Logical id of a call of this attempt that failed, and that a library
            sends again: this is its next attempt. Else "".
    """

    name: str
    key: bytes
    policy: Policy
    kind: str = "tool"
    code: str = ""
    text: Callable[[], str]
    arguments: Callable[[], Encoded | None] = lambda: None
    undigestible: str = ""
    encode: Callable[[object], Encoded]
    decode: Callable[[str, bytes], object]
    measure: Callable[[object], dict[str, str | int | float]] = lambda _: {}
    find_out: Callable[[], object] | None = None
    again: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A call's place in its attempt.

    Attributes:
        number: Its number in the attempt, from 1.
        scope: The part of the step it is made in.
        after: Logical id of the preceding `write` in that scope, or "".
        match: The record it was matched with.
    """

    number: int
    scope: str
    after: str
    match: Match


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a performed call ended: with a value, or by raising."""

    value: object = None
    raised: BaseException | None = None
