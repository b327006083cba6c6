"""A call that is about to be made, as matching sees it. Pure.

Nobody changes one of these. They are made for each call: a class with slots takes a
third of the time of a named tuple, also to look into; a frozen one as long as that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from nbdurable.engine.past.belonging import Standing
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.policy import Policy
from nbdurable_store.records import Plain


class Under(NamedTuple):
    """What a call would be recorded by if its tool had another name.

    Attributes:
        key: Its call key, 32 bytes.
        codes: Digests of the tool's code, hex: under its own name, and under that one.
    """

    key: bytes
    codes: Collection[str]


@dataclass(slots=True)
class Wanted:
    """A call that is about to be made.

    Attributes:
        key: Its call key, 32 bytes.
        name: The function's name.
        policy: The tool's promises.
        code: Digest of the tool's code, hex, or "" for HTTP exchanges.
        scope: The part of the step it is made in.
        after: Logical id of the `write` that preceded it in its scope, or "".
        new_write: Whether a `write` newly executed before it in its scope.
        undigestible: Where an argument has no digest, as people read it, or "".
        text: Tells the call as people read it.
        arguments: The arguments as they would be kept, or ``None``.
        marks: What tells its arguments from others, by parameter, or ``None``.
        under: What it would be recorded by if its tool had the name of a recorded call,
            and what it is given had the code that it had then.
        parent: Logical id of the enclosing call, or "".
        inner: Logical id of the `write` tool's call whose function makes it, or "".
        ordered: Whether code that runs in order makes it, and no thread of a pool.
        number: Its number in the attempt, such as ``2``, or ``2.1`` inside that.
    """

    key: bytes
    name: str
    policy: Policy
    code: str = ""
    scope: str = ""
    after: str = ""
    new_write: bool = False
    undigestible: str = ""
    text: Callable[[], str] = str
    arguments: Callable[[], bytes | None] = lambda: None
    marks: Callable[[], Mapping[str, Plain] | None] = lambda: None
    under: Callable[[CallPast], Under] = lambda _: Under(b"", ())
    parent: str = ""
    inner: str = ""
    ordered: bool = True
    number: str = ""


@dataclass(slots=True)
class Match:
    """The record that a call is, if there is one.

    Attributes:
        past: What the journal holds of it.
        call: The record, or None.
        standing: To whom it belongs.
        apart: Id of a record that this call is not, as a person said; or "".
        renewed: Whether it was made with other parameters, or under another name.
    """

    past: Past
    call: CallPast | None = None
    standing: Standing = Standing.OWN
    apart: str = ""
    renewed: bool = False


NOTHING = Match(Past.NOTHING)
UNDIGESTIBLE = Match(Past.UNDIGESTIBLE)
"""There is no record."""


def same_arguments(call: CallPast, wanted: Wanted) -> bool:
    """Whether both have equal arguments, as far as they are kept."""
    given = wanted.arguments()
    kept = call.arguments
    if given is None or kept is None:
        return False
    if isinstance(kept, str):
        return kept.encode("utf-8", "surrogatepass") == given
    return kept.names(given)


VALUE = "value of "
"""What the name of a variable stands behind among the digests of a call's codes."""


class Edited(NamedTuple):
    """What a call has beside its tool's code that is another one now.

    Attributes:
        code: Names of classes and functions among its arguments.
        values: Names of variables that the tool reads.
    """

    code: list[str]
    values: list[str]


def edited_given(call: CallPast, codes: Mapping[str, Plain]) -> Edited:
    """What stands beside the code of a call's tool and is another one now.

    Args:
        call: The recorded call.
        codes: What it would have now, with its digests.
    """
    names = [name for name, code in codes.items() if call.codes.get(name) != code]
    values = [n.removeprefix(VALUE) for n in names if n.startswith(VALUE)]
    return Edited([n for n in names if not n.startswith(VALUE)], values)


def comparable(call: CallPast, wanted: Wanted) -> bool:
    """Whether it is known that they are one call: by its key, else by its arguments."""
    return call.key == wanted.key or same_arguments(call, wanted)
