"""What a view says, and the reading of it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, cast

from nbdurable.timeline.protocol import VERSION

VALUE_CHARS_MAX: Final = 100_000
"""Characters of an answer that a view sends: a person typed it."""

NAME_CHARS_MAX: Final = 1_000
"""Characters of a reference or an id that a view sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Give me a snapshot.

    Attributes:
        version: The protocol that the view speaks.
        run: Id of the run; "" for the one that the source is about.
        notebook: Where the notebook is now, below the server's folder; "" if unknown.
    """

    type: ClassVar[str] = "open"
    version: int
    run: str = ""
    notebook: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Tell me what needs somebody, and no more than I say: I draw nothing now.

    Attributes:
        version: The protocol that the view speaks.
        cells: Whether to tell also how the cells stand, for what marks them.
        notebook: Where the notebook is now, below the server's folder; "" if unknown.
    """

    type: ClassVar[str] = "watch"
    version: int
    cells: bool = False
    notebook: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Give me runs of the store; what is "" doesn't count.

    Attributes:
        text: Part of the notebook, the number (``run 3``), or a cell.
        notebook: The notebook.
        status: How it stands: a word of `RunLine.status`.
        tool: Part of the name of a tool that it called.
        model: Part of the name of a model that it asked.
        call: Part of a call as it was written.
        tag: Part of a tag of one of its cells.
        start: How many to leave out.
    """

    type: ClassVar[str] = "find"
    text: str = ""
    notebook: str = ""
    status: str = ""
    tool: str = ""
    model: str = ""
    call: str = ""
    tag: str = ""
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """Give me the calls before those that I have.

    Attributes:
        left_out: How many there are, as the last message said.
    """

    type: ClassVar[str] = "older"
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Tell me all about a call or an attempt.

    Attributes:
        attempt: Id of the attempt.
        call: Id of the call, or "".
    """

    type: ClassVar[str] = "detail"
    attempt: str
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Give me a piece of a value.

    Attributes:
        attempt: Id of the attempt.
        call: Id of the call, or "".
        part: The title of the part.
        start: How many characters to leave out before it.
    """

    type: ClassVar[str] = "value"
    attempt: str
    part: str
    call: str = ""
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """Somebody says what became of a call.

    Attributes:
        call: The reference of what needs it, such as ``review.2@3fa2c1``.
        said: ``happened``, ``did-not``, ``keep`` or ``again``.
        text: The value that it returned, as it is typed.
        ask: What tells this request from others, made by the view; "" for a view that
            doesn't mind whether it is done twice.
        run: Id of the run that it is about; "" for the one that the source shows.
    """

    type: ClassVar[str] = "resolve"
    call: str
    said: str
    text: str = ""
    ask: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Somebody answers a question.

    Attributes:
        call: The reference of the call that waits.
        text: The answer, as it is typed.
        ask: What tells this request from others, made by the view; "" for a view that
            doesn't mind whether it is done twice.
        run: Id of the run that it is about; "" for the one that the source shows.
    """

    type: ClassVar[str] = "signal"
    call: str
    text: str = ""
    ask: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Somebody wants that a call is given up.

    Attributes:
        call: Its reference.
        ask: What tells this request from others, made by the view; "" for a view that
            doesn't mind whether it is done twice.
        run: Id of the run that it is about; "" for the one that the source shows.
    """

    type: ClassVar[str] = "cancel"
    call: str
    ask: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Somebody wants something done, and has confirmed it.

    Attributes:
        what: As an `Action` says it.
        about: The step, the call, or "" for the run.
        ask: What tells this request from others, made by the view; "" for a view that
            doesn't mind whether it is done twice.
        run: Id of the run that it is about; "" for the one that the source shows.
    """

    type: ClassVar[str] = "act"
    what: str
    about: str = ""
    ask: str = ""
    run: str = ""


IN_KERNEL: Final = ("fork", "branch", "restore", "cancel")
"""What only a kernel can do, to what it has in memory: no other kernel is asked for it."""

Doing = Resolve | Signal | Cancel | Act
"""What does something; the others only read."""

Request = Open | Watch | Find | Older | Detail | Value | Doing

REQUESTS: Final = (
    Open,
    Watch,
    Find,
    Older,
    Detail,
    Value,
    Resolve,
    Signal,
    Cancel,
    Act,
)


def named(said: object) -> str:
    """What a request is told apart by, before anything of it is checked; else ""."""
    ask = said.get("ask") if isinstance(said, Mapping) else ""
    return ask if isinstance(ask, str) and len(ask) <= NAME_CHARS_MAX else ""


class Misread(ValueError):
    """What a view said is no message of this protocol; the text says why."""


def understood(said: object) -> Request:
    """What a view said, checked; fields that aren't known are ignored.

    Raises:
        Misread: It is no request, or one that is larger than people type.

    Example:
        >>> understood({"type": "open", "version": 1})
        Open(version=1, run='', notebook='')
    """
    if not isinstance(said, Mapping):
        raise Misread("a message is an object")
    kind = said.get("type")
    made = next((r for r in REQUESTS if r.type == kind), None)
    if made is None:
        raise Misread(f"no message is called {str(kind)[:40]!r}")
    given = {
        f.name: _field(made, f, said[f.name])
        for f in dataclasses.fields(made)
        if f.name in said
    }
    try:
        request = cast("Callable[..., Request]", made)(**given)
    except TypeError as missing:
        raise Misread(f"{kind} lacks a field") from missing
    if isinstance(request, Open | Watch) and request.version != VERSION:
        raise Misread(
            f"the view speaks version {request.version} of the protocol,"
            f" this nbdurable speaks {VERSION}: reload the page"
        )
    return request


_MOST: Final = {(Resolve, "text"): VALUE_CHARS_MAX, (Signal, "text"): VALUE_CHARS_MAX}
_KINDS: Final[Mapping[object, Callable[[object], bool]]] = {
    "str": lambda v: isinstance(v, str),
    "bool": lambda v: isinstance(v, bool),
    "int": lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0,
}


def _field(made: type, field: dataclasses.Field[object], value: object) -> object:
    if not _KINDS[field.type](value):
        raise Misread(f"{field.name} is no {field.type}")
    most = _MOST.get((made, field.name), NAME_CHARS_MAX)
    if isinstance(value, str) and len(value) > most:
        raise Misread(f"{field.name} is longer than {most:,} characters")
    return value
