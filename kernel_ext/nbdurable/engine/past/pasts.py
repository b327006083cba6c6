"""What is known of the calls of a run, and of what was sent and said in it.

`history` folds entries into these; matching, the timeline and `why` read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from nbdurable.engine.past.fields import number
from nbdurable.engine.past.packed import Packed, packed, unpacked
from nbdurable.engine.past.policy import Effect
from nbdurable_store.records import BlobRef, Plain

FIRST_ALGORITHM = "1"
"""That of records which don't say one."""

STEP_KIND = "step"
"""The kind of a call that is an `nd.step`: it holds calls and has no effect itself."""

HELD = "held"
"""Field of a completed `nd.step`: how many of the cell's calls were made in it."""

STAYING: Final = frozenset({"approval", "question"})
"""Kinds of calls that a person answers: what was said to one question is no answer to
another cell's, so they never leave their slot."""

Order = tuple[int, str, int]
"""Place in the run: (tick, owner, seq)."""


class CallState(StrEnum):
    """How the latest attempt of a call stands."""

    STARTED = "started"
    COMPLETED = "completed"
    RAISED = "raised"
    INTERRUPTED = "interrupted"


@dataclass(slots=True, kw_only=True)
class CallPast:
    """One logical call: what is known of all its attempts.

    Attributes:
        id: Logical id, kept over attempts, edits and adoption.
        key: The digest it is matched by.
        name: The function's name, or method and address of an HTTP exchange.
        number: Its number, from 1, among the calls of the attempt that last executed
            it, or among those made inside the same call.
        slot: The slot that owns it.
        step: Id of the step attempt that last executed it.
        scope: The part of the step it was made in.
        after: Logical id of the `write` that preceded it in its scope, or "".
        parent: Logical id of the enclosing call, or "".
        inner: Logical id of the `write` tool's call that it is a part of, or "".
        order: Where its first attempt started.
        ended_order: Where its latest outcome stands, else that of `started`.
        effect: Its tool's effect when it was last executed.
        kind: ``tool``, ``http`` or ``step``.
        code: Digest of the tool's code, hex, or "".
        codes: Digest (hex) of the code among its arguments, which is a part of that.
        text: The call as people read it, at most 2 kB.
        undigestible: Where an argument had no digest, or "".
        state: How the latest attempt stands.
        attempts: How many attempts were started.
        owner: Who started the latest attempt.
        started_us: When the latest attempt started, microseconds since 1970 UTC.
        ended_us: When it ended, or 0.
        tries: Which one it is of those that the tool's `Retry` makes, from 1.
        ms: How long the latest finished attempt took, milliseconds.
        fields: Plain data of the latest outcome (tokens, model, type, message).
        arguments: The arguments as plain data, if they were kept: small ones as JSON.
        marks: What tells its arguments from others, by parameter (`edits`); None if
            they were not marked.
        kept: The result or the exception, if it was kept, as `packed` makes it.
        changed: The arguments as a call that raised left them, if it changed any.
        resolved: How it was settled: happened, did-not, again, keep, undone, dropped (by
            ``on_doubt="retry"``), afresh (a rerun of it was asked for); or "".
        adopted_from: The slot it was adopted from, or "".
        renamed: Whether it was made by another name than it has.
        once_in: Ids of the calls that it was made in before it was served elsewhere,
            each with the place in the run where it was.
        taken_in: Ids of the attempts to which it was served as another call's record.
        blamed: Whether its exception ended the latest ended attempt that used it.
        earlier: Its earlier attempts, each as it stood, oldest first.
        wait: What it waits for, as its latest attempt said; empty if it is no wait.
    """

    id: str
    key: bytes
    name: str
    number: int
    slot: str
    step: str
    scope: str
    after: str
    parent: str
    order: Order
    ended_order: Order
    effect: Effect
    kind: str
    code: str
    text: str
    codes: Mapping[str, Plain] = field(default_factory=dict)
    undigestible: str = ""
    inner: str = ""
    state: CallState = CallState.STARTED
    attempts: int = 1
    owner: str = ""
    started_us: int = 0
    ended_us: int = 0
    tries: int = 1
    ms: float = 0.0
    fields: Mapping[str, Plain] = field(default_factory=dict)
    arguments: BlobRef | str | None = None
    marks: Mapping[str, Plain] | None = None
    kept: Packed = None
    changed: BlobRef | None = None
    resolved: str = ""
    adopted_from: str = ""
    renamed: bool = False
    once_in: tuple[tuple[str, Order], ...] = ()
    taken_in: tuple[str, ...] = ()
    blamed: bool = False
    earlier: tuple[CallPast, ...] = ()
    wait: Mapping[str, Plain] = field(default_factory=dict)

    @property
    def outcome(self) -> BlobRef | None:
        """The result or the exception, if it was kept."""
        return unpacked(self.kept)

    @outcome.setter
    def outcome(self, outcome: BlobRef | None) -> None:
        self.kept = packed(outcome)

    @property
    def is_step(self) -> bool:
        """Whether it is an `nd.step`: it has no effect of its own, it holds calls."""
        return self.kind == STEP_KIND

    @property
    def writes(self) -> bool:
        """Whether it is a `write` of its own, and no part of another one."""
        return self.effect is Effect.WRITE and not self.inner

    @property
    def finished(self) -> bool:
        """Whether a result or an exception of the latest attempt is known."""
        return self.state in {CallState.COMPLETED, CallState.RAISED}

    @property
    def retrying(self) -> bool:
        """Whether it was to be tried again after its latest attempt."""
        raised = self.state is CallState.RAISED and not self.resolved
        return raised and number(self.fields, "again_ms", -1) >= 0


def made_by_cell(calls: Mapping[str, CallPast], call: CallPast) -> bool:
    """Whether a call counts as the cell's: it is in nothing but steps.

    Args:
        calls: All calls of the run, by id.
        call: The call.
    """
    seen: set[str] = set()
    while call.parent and call.parent not in seen:
        seen.add(call.parent)
        outer = calls.get(call.parent)
        if outer is None or not outer.is_step:
            return False
        call = outer
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPast:
    """What a long loop had when it said so.

    Attributes:
        of: What it belongs to: the key of its step, or key and code of its call.
        value: What was kept.
        at_us: When, microseconds since 1970 UTC.
        order: Where it stands.
    """

    of: str
    value: BlobRef | None
    at_us: int
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPast:
    """A value that was sent into the run.

    Attributes:
        id: Its id.
        to: Logical id of the call that it answers, or "".
        name: The name it was sent under, or "".
        value: What was sent.
        by: The account that sent it.
        via: From where: ``cell``, ``command``, ``widget``, ``input``, ``webhook``.
        at_us: When it was sent, microseconds since 1970 UTC.
        order: Where it stands.
    """

    id: str
    to: str
    name: str
    value: BlobRef | None
    by: str
    via: str
    at_us: int
    order: Order


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that holds for a cell and a tool.

    Attributes:
        how: ``keep`` or ``again``.
        source: Digest (hex) of the cell's source then: it holds for no other one.
        order: Where it stands in the run: a rerun behind it ends it.
        until: Where the latest ``again`` stands, of this one and those before it.
    """

    how: str
    source: str
    order: Order
    until: Order | None = None


@dataclass(frozen=True, slots=True)
class KeptTool:
    """«Keep» of a tool that was edited: it holds for later versions, too.

    Attributes:
        differ: The parameters in which the calls differed that were shown, all of them.
        order: Where the latest such answer stands.
    """

    differ: frozenset[str]
    order: Order


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer that was given about a call beside a recorded one of the same cell.

    Attributes:
        differ: The parameters in which those two differed; ``None`` if unknown.
        said: The answer, and how long it holds.
    """

    differ: frozenset[str] | None
    said: Said


@dataclass(frozen=True, slots=True)
class Another:
    """An answer that a call is another one than a doubt.

    Attributes:
        doubt: Logical id of the call that may have happened.
        number: The number, in its attempt, of the call that was asked about.
        marks: What told its arguments from others (`edits`), if they were marked.
        said: How long that holds.
    """

    doubt: str
    number: str
    marks: Mapping[str, Plain] | None
    said: Said
