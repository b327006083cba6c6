"""What a view is told by whoever has the journal; docs/protocol.md is the page about it.

Pure: shapes and limits. What a view says stands in `requests`; the TypeScript types are
generated from both files.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Final

from nbdurable.timeline.told import Action, Details, File, Piece, Runs

VERSION: Final = 1
"""Raised when a message changes its meaning; a new field with a default is no change."""

CALLS_MAX: Final = 100_000
"""Calls of one snapshot, the newest; a view asks for the rest page by page."""

TEXT_CHARS_MAX: Final = 120
"""Characters of a call in a snapshot: a line of a narrow panel. Its details have more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands above everything.

    Attributes:
        id: The run's id.
        number: Its number among the runs of its notebook.
        title: The notebook without its folders.
        notebook: The notebook.
        told: ``since Mon 09:14 · 2 kernels · spent $0.12``: what else there is to say.
        opened_us: When it was opened, microseconds since 1970 UTC.
        now_us: When the snapshot was made.
        zone_min: The reader's distance from UTC then, minutes.
        served: Calls that were replayed, in all attempts.
        saved: What that saved, in words, or "".
        kernel: ``alive``, ``stopped``, or "" in a file.
        kept: How large the values are that can be restored, in words, or "".
        actions: What can be done with the run.
    """

    id: str
    number: int
    title: str
    notebook: str
    told: str
    opened_us: int
    now_us: int
    zone_min: int
    served: int
    saved: str
    kernel: str
    kept: str = ""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A button under a question.

    Attributes:
        means: What it says to people.
        said: What `resolve` or `signal` carries for it.
        typed: Whether a text goes with it.
        command: What can be typed in a notebook instead.
    """

    means: str
    said: str
    typed: bool
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What needs somebody.

    Attributes:
        reference: The question, such as ``review.2@3fa2c1``.
        message: What answers it: ``resolve`` or ``signal``.
        fate: ``in doubt`` or ``waiting``.
        call: The call as it was written.
        says: Why it is asked.
        shown: What was shown with the question, 2 kB at most, or "".
        replies: The answers that there are.
        question: The question in its lines, 2 kB at most, or "" where none is asked.
        attempt: Id of the attempt whose `detail` says more, or "".
        id: The call's logical id, or "".
    """

    reference: str
    message: str
    fate: str
    call: str
    says: str
    shown: str
    replies: tuple[Reply, ...]
    question: str = ""
    attempt: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell.

    Attributes:
        slot: Its id.
        name: What people call it.
        title: The first line of its code.
        fate: How it stands.
        last: What its latest attempt did, in words.
        would: What it would do if it were run now, in words.
        stale: Why it would run again, or "".
        cost_ms: How long it would take as far as is known, milliseconds; 0 if unknown.
        saved: What replay saved in all its attempts, in words, or "".
        cell_id: The front end's id of the cell that ran it last, or "".
        took_ms: How long it took last, replayed calls as when they ran, milliseconds.
        written: CRC-32 of the text that ran last, as UTF-8; 0 where that isn't known.
    """

    slot: str
    name: str
    title: str
    fate: str
    last: str
    would: str
    stale: str
    cost_ms: float
    saved: str
    cell_id: str = ""
    took_ms: float = 0.0
    written: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt of a cell.

    Attributes:
        id: Its id.
        cell: The place of its cell in the snapshot.
        number: Its number within its cell, from 1.
        fate: How it ended.
        start_ms: When it started, milliseconds since the run was opened.
        end_ms: When it ended or was last heard of.
        told: What it did with its calls, in words.
        why: Why it ran, and how it ended.
        error: Type and message of the exception that ended it, or "".
        replays_ms: When it was replayed whole.
        calls: How many calls it made or was served.
    """

    id: str
    cell: int
    number: int
    fate: str
    start_ms: float
    end_ms: float
    told: str
    why: tuple[str, ...]
    error: str
    replays_ms: tuple[float, ...]
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A process that executed cells of the run.

    Attributes:
        number: From 1, in the order in which they began.
        start_ms: When it was first heard of, milliseconds since the run was opened.
        end_ms: When it was last heard of.
        alive: Whether it lives.
        stopped: How it stopped in the middle of a step, as a sentence, or "".
    """

    number: int
    start_ms: float
    end_ms: float
    alive: bool
    stopped: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls as columns: the n-th entries of all lists are one call.

    Attributes:
        names: Every tool and fate that occurs, once.
        attempt: Id of its attempt, as a place in `names`.
        id: Its logical id.
        number: Its number in the attempt.
        name: Its tool, as a place in `names`.
        text: The call as it was written, shortened.
        fate: What became of it, as a place in `names`.
        depth: How many calls enclose it.
        start_ms: When it was executed, milliseconds since the run was opened.
        ms: How long that took; 0 where it is not known.
        tokens: Tokens in and out.
        tries: How many of its attempts were made in the attempt of the step.
    """

    names: tuple[str, ...]
    attempt: tuple[int, ...]
    id: tuple[str, ...]
    number: tuple[str, ...]
    name: tuple[int, ...]
    text: tuple[str, ...]
    fate: tuple[int, ...]
    depth: tuple[int, ...]
    start_ms: tuple[float, ...]
    ms: tuple[float, ...]
    tokens: tuple[int, ...]
    tries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that a view shows at first.

    Attributes:
        version: Of the protocol.
        seq: The number of this state; each later message has the next one.
        head: What stands above everything.
        needs: What needs somebody.
        cells: The cells, in the order of their first attempt.
        attempts: Their attempts, in the order in which they started.
        kernels: The processes.
        calls: The newest calls.
        left_out: How many older ones there are.
        kept: Names that can be restored.
        note: A sentence where there is nothing to show, else "".
    """

    type: ClassVar[str] = "snapshot"
    version: int
    seq: int
    head: Head
    needs: tuple[Need, ...]
    cells: tuple[Cell, ...]
    attempts: tuple[Attempt, ...]
    kernels: tuple[Kernel, ...]
    calls: Calls
    left_out: int
    kept: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What is otherwise than at ``seq - 1``: all but the calls is sent whole.

    Attributes:
        seq: The number of this state.
        head: As in a snapshot, and so are the next four.
        needs: What needs somebody.
        cells: The cells.
        attempts: Their attempts.
        kernels: The processes.
        calls: Only those that are new or changed, each with all its columns.
        kept: Names that can be restored.
    """

    type: ClassVar[str] = "changed"
    seq: int
    head: Head
    needs: tuple[Need, ...]
    cells: tuple[Cell, ...]
    attempts: tuple[Attempt, ...]
    kernels: tuple[Kernel, ...]
    calls: Calls
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Older calls, as they were asked for.

    Attributes:
        calls: The calls.
        left_out: How many older ones there still are.
    """

    type: ClassVar[str] = "page"
    calls: Calls
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an answer did.

    Attributes:
        about: The call or the signal.
        line: In words.
        to: The `ask` of the request that this answers, or "".
    """

    type: ClassVar[str] = "told"
    about: str
    line: str
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What needs somebody, for a view that draws nothing.

    Attributes:
        needs: As in a snapshot.
        cells: The same, if they were asked for.
        run: Id of the run that this is about.
    """

    type: ClassVar[str] = "watched"
    needs: tuple[Need, ...]
    cells: tuple[Cell, ...] = ()
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What was not done, and what to do instead.

    Attributes:
        about: The call or the message that it is about, or "".
        line: What happened and what did not.
        remedies: What to type or to do.
        to: The `ask` of the request that this answers, or "".
        actions: What can be done by a click instead.
        again: Whether the source doesn't know this view any more, which has to `open`.
    """

    type: ClassVar[str] = "refused"
    about: str
    line: str
    remedies: tuple[str, ...] = ()
    to: str = ""
    actions: tuple[Action, ...] = ()
    again: bool = False


Message = (
    Snapshot | Changed | Watched | Page | Details | Piece | Runs | File | Told | Refused
)

MESSAGES: Final = (
    Snapshot,
    Changed,
    Watched,
    Page,
    Details,
    Piece,
    Runs,
    File,
    Told,
    Refused,
)


def plain(message: object) -> object:
    """A message as JSON has it.

    Example:
        >>> plain(Told(about="review.2", line="answered"))
        {'type': 'told', 'about': 'review.2', 'line': 'answered', 'to': ''}
    """
    if isinstance(message, tuple):
        scalars = not message or isinstance(message[0], int | float | str)
        return list(message) if scalars else [plain(part) for part in message]
    if not dataclasses.is_dataclass(message):
        return message
    kind = getattr(message, "type", None)
    said = {
        f.name: plain(getattr(message, f.name)) for f in dataclasses.fields(message)
    }
    return said if kind is None else {"type": kind, **said}
