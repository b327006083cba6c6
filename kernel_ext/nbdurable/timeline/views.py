"""What is shown of a run: frozen rows of short, safe text. Pure.

Every text in a view has gone through `plainly.visible`: nothing in it acts on a
terminal, and it still has to be escaped for HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from nbdurable.engine.past.fates import Fate
from nbdurable.engine.past.tally import Tally
from nbdurable.engine.where.moments import Now


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A stored value as people read it, at most 2 kB.

    Attributes:
        text: Its beginning, or "" where it can't be shown.
        note: What is not shown, such as ``npy, 12 MB`` or ``the first 2 kB of 80 kB``.
        kind: How it is read best: ``text``, ``chat``, ``table``, ``image``, ``html``.
        rows: Turns of a chat as pairs, or the rows of a table, heads first.
        chars: Characters of the whole text where `text` is a part of it, -1 where nobody
            counted them, else 0.
    """

    text: str = ""
    note: str = ""
    kind: str = "text"
    rows: tuple[tuple[str, ...], ...] = ()
    chars: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """A call in one step attempt.

    Attributes:
        id: Its logical id.
        reference: What to type for it, such as ``review.2@3fa2c1``.
        number: Its number in the attempt, such as ``2`` or ``2.1``.
        name: Its tool.
        text: The call as it was written, on one line.
        effect: ``write``, ``read`` or ``pure``; ``step`` for an `nd.step`.
        fate: What became of it in this attempt.
        parent: Id of the enclosing call, or "".
        depth: How many calls enclose it.
        is_step: Whether it is an `nd.step`, which holds calls.
        held: How many of the cell's calls were made in it, where it completed.
        started_us: When it was executed, microseconds since 1970 UTC.
        ms: How long that took, with the waits between attempts, milliseconds; 0 where it
            is not known.
        tokens: Tokens in and out.
        usd: What it cost, US dollars; None where that isn't known.
        model: The model that answered, or "".
        attempt: Which of its attempts is shown, from 1.
        attempts: How each of them ended, if there were several.
        tries: How many of them were made in this attempt of the step.
        error: Type and message of its exception, or "".
        why: What became of it, and why: one line.
        key: The digest it is matched by, hex.
        arguments: Its arguments, if they were kept.
        result: Its result, if it has one.
        trace: The traceback of its exception, if it has one.
    """

    id: str
    reference: str
    number: str
    name: str
    text: str
    effect: str
    fate: Fate
    parent: str = ""
    depth: int = 0
    is_step: bool = False
    held: int = 0
    started_us: int = 0
    ms: float = 0.0
    tokens: int = 0
    usd: Decimal | None = None
    model: str = ""
    attempt: int = 1
    attempts: tuple[str, ...] = ()
    tries: int = 1
    error: str = ""
    why: str = ""
    key: str = ""
    arguments: Preview | None = None
    result: Preview | None = None
    trace: Preview | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One attempt of a step.

    Attributes:
        id: Its id.
        slot: The slot it executed in.
        name: What people call it.
        title: The first line of its code.
        attempt: Its number within its slot, from 1.
        fate: How it ended.
        answered: Whether it waits, and what it waits for is there.
        started_us: When it started, microseconds since 1970 UTC.
        ended_us: When it ended or was last heard of.
        ms: How long it took, milliseconds.
        tally: What it did with its calls.
        calls: Its calls in order, each after the one that encloses it.
        dropped: How many calls before those a live view holds no more.
        why: Why it ran, and how it ended: one line each.
        names: Names that it stored.
        unsaved: Names that could not be stored.
        error: Type and message of the exception that ended it, or "".
        replays: When it was replayed whole, microseconds since 1970 UTC.
        source: The cell's text.
        outputs: What the cell showed, as text.
        displays: What it showed that is more than text: images, tables.
    """

    id: str
    slot: str
    name: str
    title: str
    attempt: int
    fate: Fate
    started_us: int
    ended_us: int
    ms: float
    tally: Tally
    calls: tuple[CallView, ...] = ()
    answered: bool = False
    dropped: int = 0
    why: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    unsaved: tuple[str, ...] = ()
    error: str = ""
    replays: tuple[int, ...] = ()
    source: Preview | None = None
    outputs: Preview | None = None
    displays: tuple[Preview, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """A slot: all attempts of one cell.

    Attributes:
        slot: Its id.
        name: What people call it now.
        attempts: Its attempts, oldest first; at least one.
        total: What all its attempts and replays did; those of all cells add up to that
            of the run.
        stale: Why it would run again now, or "" where it wouldn't or nobody knows.
        cell_id: The front end's id of the cell that ran it last, or "".
        written: CRC-32 of the text that ran last; 0 where it isn't known.
    """

    slot: str
    name: str
    attempts: tuple[StepView, ...]
    total: Tally
    stale: str = ""
    cell_id: str = ""
    written: int = 0

    @property
    def latest(self) -> StepView:
        """The attempt that was executed or replayed last: how the cell stands."""
        return latest(self.attempts)


def latest(attempts: Sequence[StepView]) -> StepView:
    """The one of a cell's attempts, oldest first, that was executed or replayed last."""
    return max(reversed(attempts), key=lambda s: max([s.started_us, *s.replays]))


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelView:
    """A process that executed cells of the run.

    Attributes:
        owner: Its id as an owner.
        number: From 1, in the order in which they began.
        first_us: When it was first heard of, microseconds since 1970 UTC.
        last_us: When it was last heard of.
        alive: Whether it lives.
        stopped: How it stopped in the middle of a step, as a sentence, or "".
    """

    owner: str
    number: int
    first_us: int
    last_us: int
    alive: bool
    stopped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskView:
    """What waits for an answer.

    Attributes:
        reference: What to type for the call.
        call: The call as it was written.
        says: Why it is asked, to the end of the sentence.
        fate: Whether it waits, or is in doubt.
        answers: Pairs of a meaning and the command that says it.
        said: For each of them what a button says, and whether a text goes with it.
        shown: What was shown with the question, or "".
        question: The question in its lines, 2 kB at most, or "".
        attempt: Id of the attempt that made the call last.
        id: The call's logical id.
    """

    reference: str
    call: str
    says: str
    fate: Fate
    answers: tuple[tuple[str, str], ...]
    said: tuple[tuple[str, bool], ...] = ()
    shown: str = ""
    question: str = ""
    attempt: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptView:
    """A name that `restore` can bring back.

    Attributes:
        name: The name.
        step: The step that stored it last.
        at_us: When that step ended, microseconds since 1970 UTC.
    """

    name: str
    step: str
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run.

    Attributes:
        id: Its id.
        number: Its number among the runs of its notebook.
        notebook: The notebook.
        opened_us: When it was opened, microseconds since 1970 UTC.
        closed: Whether it was closed.
        forked: From where it was forked, such as ``run 2 at findings``, or "".
        now: The present in which it is shown.
        cells: Its cells, in the order of their first attempt.
        kernels: The processes that executed it.
        asks: What waits for an answer.
        kept: Names that can be restored.
        kept_bytes: How large their values are.
        total: What all attempts and replays did.
        budget: What it may spend, US dollars; None for no limit.
        unpriced: Models whose price isn't known.
    """

    id: str
    number: int
    notebook: str
    opened_us: int
    closed: bool
    now: Now
    cells: tuple[CellView, ...]
    kernels: tuple[KernelView, ...]
    asks: tuple[AskView, ...]
    kept: tuple[KeptView, ...]
    total: Tally
    kept_bytes: int = 0
    forked: str = ""
    budget: Decimal | None = None
    unpriced: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The notebook without its folders."""
        return self.notebook.rpartition("/")[2] or self.notebook

    @property
    def attempts(self) -> tuple[StepView, ...]:
        """All attempts, in the order in which they started."""
        every = (s for cell in self.cells for s in cell.attempts)
        return tuple(sorted(every, key=lambda s: s.started_us))
