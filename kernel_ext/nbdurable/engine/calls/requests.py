"""A call on its way through the protocol: what is asked, its place, its outcome.

Nobody changes one of these. They are made for each call: a class with slots takes a
third of the time of a named tuple, also to look into; a frozen one as long as that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from nbdurable.engine.calls.whose import Whose
from nbdurable.engine.codec import Encoded
from nbdurable.engine.past.history import CallPast
from nbdurable.engine.past.policy import Policy
from nbdurable.engine.past.wanted import Match, Under
from nbdurable_store.protocol import Fill, Stored
from nbdurable_store.records import BlobRef, Plain

Put = Callable[[str, bytes | Fill], BlobRef]
"""`Store.put`."""

Keep = Callable[[object, Put], BlobRef]
"""Hands a result to a store; raises `Unstorable`."""

ARGUMENTS_BYTES_MAX = 16_384
"""Arguments above this aren't kept beside a call: they would double the journal of an
agent that sends its whole conversation each turn. The digest is always there."""


ARGUMENTS_FIELD_BYTES_MAX = 512
"""Up to here arguments are a field of the record: a blob's digest and MAC cost 7 µs, and
take as much room. More would weigh on everything that lists records."""


TOOL_KIND = "tool"
"""The kind of a call of the user's own tool."""


NO_CODES: Final[Mapping[str, str]] = MappingProxyType({})
"""A call is given no code."""


def no_marks() -> None:
    """The arguments of a call have no marks."""


class Costs(NamedTuple):
    """What a call may cost.

    Attributes:
        model: What its model is called.
        tokens_out: How many tokens its answer may have, or None if it doesn't say.
        usd: What it costs, US dollars, with an answer of so many tokens; None where
            no price is known.
    """

    model: str
    tokens_out: int | None
    usd: Callable[[int], Decimal | None]


@dataclass(slots=True)
class CallRequest:
    """A call that is about to be made.

    Attributes:
        name: The function's name, or method and address of an HTTP exchange.
        key: Its call key, 32 bytes.
        policy: The tool's promises.
        kind: ``tool``, ``http``, ``step``, or what it waits for.
        code: Digest of the tool's code, hex, or "".
        codes: Digest (hex) of each class and function among its arguments whose code is
            a part of that.
        text: Tells the call as people read it; a replayed call isn't told.
        arguments: The arguments encoded as plain data, if they are plain; called
            before the call is executed.
        marks: What tells the arguments of a `write` from others, by parameter; None of
            what is no tool's call.
        changes: The parameters whose arguments it has changed in place, when it has ended.
        under: What it would be recorded by if its tool had the name of a recorded call,
            and what it is given had the code that it had then.
        loads: The names of the notebook that its tool's code loads.
        undigestible: Where an argument has no digest, or "".
        keep: Hands a result to a store; raises `Unstorable`.
        decode: Bytes (verified), or where they are read from, to result.
        changed: The arguments as a call that raised left them, or None if it changed
            none; raises `Unstorable`. `decode` gives them back.
        had: What was had of a result when it was broken off by this exception, or None.
            `decode` gives it back.
        measure: Plain facts of a result for the record (model, tokens), or None.
        find_out: Calls the tool's ``on_doubt`` function with the call's arguments.
        waits: What a call that waits says of itself when it starts, given the record
            that it was matched with. None for any other call.
        release: The call has ended; what it was given is held no more.
        again: Logical id of a call of this attempt that failed, and that is tried or
            sent again: this is its next attempt. Else "".
        inner: Logical id of the `write` tool's call whose function makes it, or "".
        holder: Stands for it where it holds what it was given.
        whose: Looks at its arguments while its function awaits or yields, or None.
        costs: What it may cost, of a call that is paid for.
        estimate: The same as it is recorded, where the run has a budget; or "".
    """

    name: str
    key: bytes
    policy: Policy
    text: Callable[[], str]
    keep: Keep
    decode: Callable[[str, bytes | Stored], object]
    kind: str = TOOL_KIND
    code: str = ""
    codes: Mapping[str, str] = field(default_factory=lambda: NO_CODES)
    arguments: Callable[[], Encoded | None] = lambda: None
    marks: Callable[[], Mapping[str, Plain] | None] = no_marks
    changes: Callable[[], Sequence[str]] = tuple
    under: Callable[[CallPast], Under] = lambda _: Under(b"", ())
    loads: Callable[[], Collection[str]] = tuple
    undigestible: str = ""
    changed: Callable[[], Encoded | None] = lambda: None
    had: Callable[[BaseException], Encoded | None] = lambda _: None
    measure: Callable[[object], dict[str, str | int | float]] | None = None
    find_out: Callable[[], object] | None = None
    waits: Callable[[CallPast | None], dict[str, Plain]] | None = None
    again: str = ""
    inner: str = ""
    release: Callable[[], None] = lambda: None
    holder: object = None
    whose: Whose | None = None
    costs: Callable[[], Costs] | None = None
    estimate: str = ""

    def as_given(self) -> CallRequest:
        """With what is recorded of it taken now: it is about to wait."""
        text, arguments, marks = self.text(), self.arguments(), self.marks()
        return replace(
            self,
            text=lambda: text,
            arguments=lambda: arguments,
            marks=lambda: marks,
        )


@dataclass(slots=True)
class Claim:
    """A call's place in its attempt.

    Attributes:
        number: Its number in the attempt, such as ``2``, or ``2.1`` for the first one
            made inside that.
        scope: The part of the step it is made in.
        after: Logical id of the preceding `write` in that scope, or "".
        match: The record it was matched with.
        parent: Logical id of the enclosing call, or "".
        counts: Whether it is among the cell's calls, as people count them: nothing but
            steps are around it.
        ordered: Whether code that runs in order makes it, and no thread of a pool.
    """

    number: str
    scope: str
    after: str
    match: Match
    parent: str = ""
    counts: bool = True
    ordered: bool = True

    @property
    def nth(self) -> int:
        """The last part of its number."""
        return int(self.number.rpartition(".")[2])


@dataclass(slots=True)
class Outcome:
    """How a performed call ended: with a value, or by raising.

    Attributes:
        value: What its function returned.
        raised: What it raised.
        expired: It had not ended in time.
        leave: If its function still runs: called when that is recorded, with what is
            to be told what comes of it.
        ms: How long its function took, milliseconds; None where whoever waits for it
            may measure that.
    """

    value: object = None
    raised: BaseException | None = None
    expired: bool = False
    leave: Callable[[Callable[[Outcome], None]], None] | None = None
    ms: float | None = None


def kept(arguments: Encoded | None) -> bytes | None:
    """The arguments as they are kept beside a call, if they are."""
    if arguments is None or len(arguments.data) > ARGUMENTS_BYTES_MAX:
        return None
    return arguments.data
