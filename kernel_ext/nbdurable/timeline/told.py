"""What a view is told when it asks: details, pieces of values, runs. Pure shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stored value, shortened.

    Attributes:
        title: What it is: ``arguments``, ``result``, ``traceback``, ``code``, ``output``.
        text: Its beginning, or "" where it can't be shown.
        note: What is not shown.
        kind: ``text``; ``chat`` or ``table``, with `rows`; ``image``, as the rest of a
            ``data:`` address; ``html``, cleaned, for a frame without scripts; ``diff``.
        rows: Turns of a chat as who and what, or rows of a table, heads first.
        chars: Characters of the whole text where `value` hands out pieces of it, -1 where
            nobody counted them, 0 where this is all.
    """

    title: str
    text: str
    note: str
    kind: str = "text"
    rows: tuple[tuple[str, ...], ...] = ()
    chars: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that can be done, and what it costs.

    Attributes:
        what: ``rerun``, ``fork``, ``restore``, ``cancel``, ``pin``, ``unpin``, ``export``,
            or ``copy``, which a view does by itself.
        about: The step, the call or "" for the run: what `act` carries.
        means: What a button says.
        asks: What it will do and cost, to be confirmed first; "" where nothing can be lost.
        command: What can be typed in a notebook or a terminal instead, or "".
        code: What ``copy`` copies, or "".
    """

    what: str
    about: str
    means: str
    asks: str = ""
    command: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that was asked for, to be saved.

    Attributes:
        name: What it is to be called.
        text: What is in it.
        to: The `ask` of the request that this answers, or "".
    """

    type: ClassVar[str] = "file"
    name: str
    text: str
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """All there is to say of a call, or of an attempt.

    Attributes:
        attempt: Id of the attempt.
        call: Id of the call, or "" for the attempt itself.
        title: What it is, as people refer to it.
        lines: Facts about it.
        error: Type and message of its exception, or "".
        parts: Its values.
        key: The digest it is matched by, hex, or "".
        actions: What can be done with it.
    """

    type: ClassVar[str] = "details"
    attempt: str
    call: str
    title: str
    lines: tuple[str, ...]
    error: str
    parts: tuple[Part, ...]
    key: str
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a value, as it was asked for.

    Attributes:
        attempt: Id of the attempt.
        call: Id of the call, or "".
        part: The title of the part.
        start: How many characters of the whole stand before it.
        text: The piece.
        chars: How many characters the whole has.
    """

    type: ClassVar[str] = "piece"
    attempt: str
    call: str
    part: str
    start: int
    text: str
    chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run in a list.

    Attributes:
        id: Its id.
        number: Its number among the runs of its notebook.
        notebook: The notebook.
        status: ``running``, ``waiting``, ``error``, ``stopped``, ``open`` or ``closed``.
        told: How it stands, in words.
        since: When it was opened, in words.
        active: When it was used last, in words.
        cells: Names of its latest cells.
        tags: Tags of its cells.
        pinned: Whether it is kept whatever else goes.
        shown: Whether it is the one that the view shows.
    """

    id: str
    number: int
    notebook: str
    status: str
    told: str
    since: str
    active: str
    cells: tuple[str, ...]
    tags: tuple[str, ...]
    pinned: bool
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Runs of the store, as they were asked for.

    Attributes:
        runs: A page of them, the one that was used last first.
        start: How many stand before the page.
        total: How many there are.
        note: What was not looked at, or "".
        unread: Runs whose calls are to be read yet, and that may stand otherwise, or be
            others, then: a view asks again.
    """

    type: ClassVar[str] = "runs"
    runs: tuple[RunLine, ...]
    start: int
    total: int
    note: str
    unread: int = 0
