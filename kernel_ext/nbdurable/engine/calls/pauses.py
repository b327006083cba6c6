"""The questions about a `write` that an equal call alone doesn't raise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.meant import means
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import CallPause, Remedy
from nbdurable.errors.pauses import ONLY_READS


@dataclass(kw_only=True, eq=False)
class HappenedWithOtherData(CallPause):
    """A write that the same cell made before, when what it read was something else.

    Attributes:
        step: The step.
    """

    slug: ClassVar[str] = "happened-with-other-data"
    step: str

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} already happened in {self.step}, with other data."

    def detail(self) -> str:
        """Why it asks."""
        return (
            "The cell's code is unchanged and what it reads is not, so this may be the"
            " same call or one more. It was not repeated."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """The same call, or one each time the cell runs with other data."""
        each = Remedy("each time", f"%durable resolve {self.reference} --again")
        return self._keep(), each


@dataclass(kw_only=True, eq=False)
class OtherInDoubt(CallPause):
    """A write, where another one of the tool may have happened in its place.

    Attributes:
        how: How the other one's last attempt ended, as a sentence.
        where: Step, call number and attempt of the other one, as people read it.
        refused: The tool's author said ``on_doubt="fail"``.
        own: STEP.CALL@DIGEST of the other one, if it was made at another place, or has
            no argument in common with this one.
        foreign: It has none.
        undeclared: The tool has no ``effect=``.
        version: Its tool had other parameters then, so it may read as this one does.
        since: Which, a sentence each.
    """

    slug: ClassVar[str] = "other-in-doubt"
    how: str
    where: str
    refused: bool = False
    own: str = ""
    foreign: bool = False
    undeclared: bool = False
    version: bool = False
    since: tuple[str, ...] = ()

    def fact(self) -> str:
        """One line about both calls."""
        then = f", with an earlier version of {self.tool}" if self.version else ""
        other = f"{self.earlier} may have happened instead{then}"
        return f"{self.call} was not made: {other}."

    def detail(self) -> str:
        """How the other one came to be in doubt."""
        because = (
            f'\nIt stops here, because on_doubt="{"fail" if self.refused else "ask"}".'
        )
        if self.undeclared:
            because += f"\n{self.tool} has no effect=, so it is treated as a write."
        apart = " They have no argument in common." if self.foreign else ""
        how = f"{self.how} ({self.where}), before a result was recorded."
        return "\n".join((*self.since, f"{how}{apart}{because}"))

    def remedies(self) -> tuple[Remedy, ...]:
        """What became of the other one."""
        command = f"%durable resolve {self.reference} --happened VALUE"
        happened = f"%durable resolve {self.own} --happened VALUE"
        again = f"%durable resolve {self.reference} --again"
        there = [Remedy("it happened there", happened)] if self.own else []
        here = [Remedy(means(Past.OTHER_IN_DOUBT, Answer.HAPPENED), command)]
        return (
            *(there + here if self.foreign else here + there),
            self._did_not(),
            Remedy(means(Past.OTHER_IN_DOUBT, Answer.AGAIN), again),
            *((ONLY_READS,) if self.undeclared else ()),
        )


@dataclass(kw_only=True, eq=False)
class InsteadOrAlso(CallPause):
    """A write that may stand in the place of one that was made before.

    Attributes:
        where: The cell that made that one; "" for this cell.
    """

    slug: ClassVar[str] = "instead-or-also"
    where: str = ""

    def fact(self) -> str:
        """One line about both calls."""
        made = f"the cell {self.where}" if self.where else "this cell"
        return f"{self.call} was not made: {made} has made {self.earlier} before."

    def detail(self) -> str:
        """Why it asks."""
        return (
            "That call was not made this time, so the new one may be meant instead of"
            " it, or as well."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Instead, which can't be made undone, or also."""
        keep = f"%durable resolve {self.reference} --keep"
        again = f"%durable resolve {self.reference} --again"
        return (
            Remedy(means(Past.INSTEAD, Answer.KEEP), keep),
            Remedy(means(Past.INSTEAD, Answer.AGAIN), again),
        )


@dataclass(kw_only=True, eq=False)
class MadeInEarlierTry(CallPause):
    """A write in a cell or a call that is tried again, where another one was made.

    Attributes:
        when: When the other one was made, such as ``attempt of review``.
    """

    slug: ClassVar[str] = "made-in-earlier-try"
    when: str

    def fact(self) -> str:
        """One line about both calls."""
        made = f"an earlier {self.when} made {self.earlier}"
        return f"{self.call} was not made: {made}."

    def detail(self) -> str:
        """Why it asks."""
        return (
            "That call was not made this time, so the new one may be the same with an"
            " argument drawn anew or changed since, or another one."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """The same call, another one, or an argument that stays."""
        keep = f"%durable resolve {self.reference} --keep"
        again = f"%durable resolve {self.reference} --again"
        return (
            Remedy(means(Past.EARLIER_TRY, Answer.KEEP), keep),
            Remedy(means(Past.EARLIER_TRY, Answer.AGAIN), again),
            Remedy("an id that stays the same", "nd.uuid4()"),
        )


@dataclass(kw_only=True, eq=False)
class StoodIn(CallPause):
    """A write that completed, and whose result was kept for another call.

    Attributes:
        other: The call that was served it, as people read it.
    """

    slug: ClassVar[str] = "stood-in"
    other: str

    def fact(self) -> str:
        """One line about both calls."""
        return f"{self.call} happened once, and stands for {self.other} in this cell."

    def detail(self) -> str:
        """Why it asks."""
        return (
            "One result is the result of one call, so this would be a second one. It"
            " was not made."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Give it back its result and make the other one, or make this one again."""
        keep = f"%durable resolve {self.reference} --keep"
        again = f"%durable resolve {self.reference} --again"
        return (
            Remedy(f"this one's result; make {self.other} as well", keep),
            Remedy(f"a second {self.call}", again),
        )


@dataclass(kw_only=True, eq=False)
class TakenApart(CallPause):
    """A write that completed, and whose inner calls another call was served."""

    slug: ClassVar[str] = "taken-apart"

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} already happened, and a part of it now stands outside it."

    def detail(self) -> str:
        """Why it asks."""
        return (
            "A call that it had made inside was served to another call of this cell, so"
            " this may be the same call or one more. It was not repeated."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Keep the result, or do it again."""
        return self._keep(), self._again()
