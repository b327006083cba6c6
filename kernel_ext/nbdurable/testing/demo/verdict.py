"""Whether anything was repeated or lost, counted by those outside. Pure.

An arrival is known by what it says (its digest), so the runs can be compared: what
arrived before and after the kill together must be what an undisturbed run sends. More
than that was sent again. One call may have been in flight when the kernel died: nobody
had seen its answer, so a `read` may be sent once more; it is shown apart. Everything
before it was acknowledged, because the agent asks one thing after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbdurable.engine.where.moments import duration
from nbdurable.testing.account import Arrived

MODEL = "requests at the model server"
"""How arrivals without a tool are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journaled:
    """What the journal says of the two kernels; zeros if there is none.

    Attributes:
        acknowledged: Calls that had a result in the journal when the kernel died.
        replayed: Calls that the fresh kernel was served.
        ran: Calls that the fresh kernel executed.
        in_doubt: The call that was in doubt, as people read it, or "".
        settled: How it was settled, or "".
        saved_tokens: What the replayed calls had spent.
        saved_ms: How long they had taken, milliseconds.
        cells: How many of those calls each cell has, such as ``28 in findings``.
    """

    acknowledged: int = 0
    replayed: int = 0
    ran: int = 0
    in_doubt: str = ""
    settled: str = ""
    saved_tokens: int = 0
    saved_ms: float = 0.0
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The two accounts of one killed run, beside an undisturbed one.

    Attributes:
        undisturbed: What arrives when nobody kills the kernel.
        before: What arrived before the kill, in order.
        after: What arrived from the fresh kernel, in order.
        journaled: What the journal says.
        same_answer: Whether the answer is that of the undisturbed run.
    """

    undisturbed: Sequence[Arrived]
    before: Sequence[Arrived]
    after: Sequence[Arrived]
    journaled: Journaled
    same_answer: bool

    @property
    def in_flight(self) -> Arrived | None:
        """The arrival that nobody had an acknowledged answer to, if there is one."""
        unseen = len(self.before) > self.journaled.acknowledged
        return self.before[-1] if unseen and self.before else None

    @property
    def again(self) -> Counter[str]:
        """By digest, how often something arrived more than undisturbed."""
        total = _by_digest([*self.before, *self.after])
        return total - _by_digest(self.undisturbed)

    @property
    def repeated(self) -> int:
        """Acknowledged calls that were sent again."""
        again = self.again
        if self.in_flight is not None:
            again -= Counter({self.in_flight.digest: 1})
        return again.total()

    @property
    def lost(self) -> int:
        """Calls of the undisturbed run that never arrived."""
        total = _by_digest([*self.before, *self.after])
        return (_by_digest(self.undisturbed) - total).total()

    def failures(self) -> list[str]:
        """What must not be; empty if all is well."""
        told = []
        if self.repeated:
            told.append(f"{self.repeated} acknowledged calls were sent again")
        if self.lost:
            told.append(f"{self.lost} calls never arrived")
        if not self.same_answer:
            told.append("the answer differs from that of an undisturbed run")
        calls = self.journaled.replayed + self.journaled.ran
        if calls != len(self.undisturbed):
            told.append(
                f"the journal knows {calls} calls, {len(self.undisturbed)} were made"
            )
        return told

    def table(self) -> list[str]:
        """The accounts beside each other, as lines."""
        columns = [
            _by_what(part) for part in (self.before, self.after, self.undisturbed)
        ]
        rows = [("", ["before the kill", "after it", "undisturbed"])]
        for what in columns[-1]:
            rows += [(what, [str(column[what]) for column in columns])]
        return [f"{what:<30}{a:>17}{b:>11}{c:>14}" for what, (a, b, c) in rows]

    def facts(self) -> list[str]:
        """What the journal says, and what was in flight, as lines."""
        was = self.journaled
        doubtful = int(bool(was.in_doubt))
        cells = f" · {', '.join(was.cells)}" if was.cells else ""
        lines = [
            f"calls: {was.replayed} replayed, {was.ran} ran, {doubtful} in doubt{cells}",
            f"saved: {was.saved_tokens:,} tokens and {duration(was.saved_ms)}",
        ]
        if was.in_doubt:
            told = f"in flight when the kernel died: {was.in_doubt} · {was.settled}"
            lines.insert(1, told)
        return lines

    def last_line(self) -> str:
        """The one line to remember.

        Example: ``30 calls: 16 replayed, 14 ran, 0 repeated``.
        """
        replayed, ran = self.journaled.replayed, self.journaled.ran
        calls = max(replayed + ran, len(self.undisturbed))
        return (
            f"{calls} calls: {replayed} replayed, {ran} ran, {self.repeated} repeated"
        )


def _by_digest(arrivals: Sequence[Arrived]) -> Counter[str]:
    return Counter(a.digest for a in arrivals)


def _by_what(arrivals: Sequence[Arrived]) -> Mapping[str, int]:
    return Counter(_what(a) for a in arrivals)


def _what(arrived: Arrived) -> str:
    tool = arrived.more.get("tool")
    return f"effects of {tool}" if tool else MODEL
