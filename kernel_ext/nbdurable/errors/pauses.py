"""Pauses that a program must not catch: somebody has to decide about a call."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Final

from nbdurable_store.errors import DurablePause
from nbdurable_store.form import Remedy

PLACEHOLDER: Final = "VALUE"
"""What stands for a value in the commands that are offered. Pasted as it is, it would be
what the call returned."""

STANDS_FOR: Final = f"{PLACEHOLDER} stands for what the call returned"


@dataclasses.dataclass(kw_only=True, eq=False)
class CallPause(DurablePause):
    """Somebody has to decide about one call.

    Attributes:
        call: The call as it was written.
        reference: STEP.CALL@DIGEST, to be used in commands.
        tool: The tool's name.
        earlier: The recorded call as it was written, where it differs.
    """

    call: str
    reference: str
    tool: str
    earlier: str = ""

    def _keep(self) -> Remedy:
        return Remedy("keep that result", f"%durable resolve {self.reference} --keep")

    def _again(self) -> Remedy:
        return Remedy("do it again", f"%durable resolve {self.reference} --again")

    def _happened(self) -> Remedy:
        command = f"%durable resolve {self.reference} --happened VALUE"
        return Remedy("it happened", command)

    def _did_not(self) -> Remedy:
        return Remedy("it did not", f"%durable resolve {self.reference} --did-not")


ONLY_READS = Remedy("it only reads", '@nd.tool(effect="read")')
"""What helps where a tool without ``effect=`` is treated as a write."""


@dataclasses.dataclass(kw_only=True, eq=False)
class CallInDoubt(CallPause):
    """A write may or may not have happened.

    Attributes:
        how: How its last attempt ended, as a sentence.
        where: Step, call number and attempt, as people read it.
        undeclared: The tool has no ``effect=``.
        raised: Name of the exception that it ended with, or "".
    """

    slug: ClassVar[str] = "call-in-doubt"
    how: str
    where: str
    undeclared: bool = False
    raised: str = ""

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} may or may not have happened."

    def detail(self) -> str:
        """How it came to be in doubt."""
        lines = [
            f"{self.how} ({self.where}), before a result was recorded.",
            'It was not repeated, because on_doubt="ask".',
        ]
        if self.undeclared:
            lines.append(f"{self.tool} has no effect=, so it is treated as a write.")
        return "\n".join(lines)

    def remedies(self) -> tuple[Remedy, ...]:
        """Settle it, or promise that it is safe."""
        never = Remedy("that error means no", f"@nd.tool(not_done={self.raised})")
        return (
            self._happened(),
            self._did_not(),
            *((never,) if self.raised else ()),
            Remedy("it is safe to redo", '@nd.tool(on_doubt="retry")'),
            *((ONLY_READS,) if self.undeclared else ()),
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class CallRefused(CallInDoubt):
    """A write in doubt whose author said ``on_doubt="fail"``."""

    slug: ClassVar[str] = "call-refused"

    def detail(self) -> str:
        """Why it was refused."""
        return (
            f"{self.how} ({self.where}), before a result was recorded.\n"
            'It was not repeated, because on_doubt="fail".'
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class AlreadyHappened(CallPause):
    """A write that completed with an earlier version of the code behind it.

    Attributes:
        given: Names of the classes and functions among its arguments whose code was
            another one, or "".
        values: Names of the variables that its tool reads whose value was another one,
            or "". With neither, the tool's code was another one.
        code: That was another one as well.
        since: What was edited, what it was and what it is, a sentence each.
    """

    slug: ClassVar[str] = "already-happened"
    given: str = ""
    values: str = ""
    code: bool = False
    since: tuple[str, ...] = ()

    def fact(self) -> str:
        """One line about the call."""
        what = [f"an earlier version of {self.tool}"] if self.code else []
        what += [f"an earlier version of {self.given}"] if self.given else []
        what += [f"another {self.values}"] if self.values else []
        told = " and ".join(what) or f"an earlier version of {self.tool}"
        then = f", as {self.earlier}" if self.earlier else ""
        return f"{self.call} already happened with {told}{then}."

    def detail(self) -> str:
        """What was edited, and what was not done."""
        kept = (
            "It was not repeated. «keep» serves the recorded result, now and for later"
            f" versions of {self._versions()} in this cell."
        )
        return "\n".join((*self.since, kept))

    def _versions(self) -> str:
        given = ["of what it is given"] if self.given else []
        given += ["of what it reads"] if self.values else []
        return " and ".join([self.tool, *given])

    def remedies(self) -> tuple[Remedy, ...]:
        """Keep the result, or do it again."""
        return self._keep(), self._again()


@dataclasses.dataclass(kw_only=True, eq=False)
class ResultGone(CallPause):
    """A write that completed, and whose result can't be brought back.

    Attributes:
        why: Why its result is gone.
    """

    slug: ClassVar[str] = "result-gone"
    why: str

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} happened, and its result can't be brought back."

    def detail(self) -> str:
        """Why, and what was not done."""
        return f"{self.why}\nIt was not repeated."

    def remedies(self) -> tuple[Remedy, ...]:
        """Say what it returned, or do it again."""
        command = f"%durable resolve {self.reference} --happened VALUE"
        return Remedy("it returned", command), self._again()


@dataclasses.dataclass(kw_only=True, eq=False)
class HappenedElsewhere(CallPause):
    """A write that completed in a cell that may still be in the notebook.

    Attributes:
        cell: The step that owns it.
        version: Its tool was edited since.
    """

    slug: ClassVar[str] = "happened-elsewhere"
    cell: str
    version: bool = False

    def fact(self) -> str:
        """One line about the call."""
        then = f", with an earlier version of {self.tool}" if self.version else ""
        then += f", as {self.earlier}" if self.earlier else ""
        return f"{self.call} already happened in the cell {self.cell}{then}."

    def detail(self) -> str:
        """Why it asks."""
        return (
            "It isn't known whether that cell still exists, so this may be the same"
            " call, moved, or a second one. It was not repeated."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """The same call, or another one."""
        return (
            Remedy("the same call", f"%durable resolve {self.reference} --keep"),
            Remedy("a second call", f"%durable resolve {self.reference} --again"),
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class HappenedBeforeRerun(CallPause):
    """Writes that completed before `rerun` was asked for.

    Attributes:
        step: The step that begins afresh.
        others: The other writes of the step that already happened.
    """

    slug: ClassVar[str] = "happened-before-rerun"
    step: str
    others: tuple[str, ...] = ()

    def fact(self) -> str:
        """One line about the calls."""
        more = f" and {len(self.others)} more" if self.others else ""
        happened = f"{self.earlier or self.call}{more} already happened"
        return f"{happened} before this rerun of {self.step}."

    def detail(self) -> str:
        """Which ones, and what was not done."""
        they = "They were" if self.others else "It was"
        now = f"; the cell now calls {self.call}" if self.earlier else ""
        told = f"{they} not repeated{now}."
        return "\n".join([*(f"also {o}" for o in self.others), told])

    def remedies(self) -> tuple[Remedy, ...]:
        """One answer for all writes of the step."""
        results, them = (
            ("their results", "them") if self.others else ("its result", "it")
        )
        return (
            Remedy(f"keep {results}", f"%durable resolve {self.reference} --keep"),
            Remedy(f"do {them} again", f"%durable resolve {self.reference} --again"),
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class KeysDiffer(CallPause):
    """A write that may be one that was recorded under keys of another algorithm.

    Attributes:
        since: The release since which keys are computed as they are now.
    """

    slug: ClassVar[str] = "keys-differ"
    since: str

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} may be one that already happened."

    def detail(self) -> str:
        """Why it can't be told."""
        return (
            f"nbdurable computes keys differently since version {self.since}, and"
            f" {self.earlier}\nwas recorded before. It was not repeated."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """The same call, or another one."""
        return self._keep(), self._again()


@dataclasses.dataclass(kw_only=True, eq=False)
class TwinHappened(CallPause):
    """A write with an argument that has no digest, where an equal one is recorded.

    Attributes:
        argument: The argument without a digest, and its type.
        parameter: Its parameter.
    """

    slug: ClassVar[str] = "twin-happened"
    argument: str
    parameter: str

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} may be one that already happened."

    def detail(self) -> str:
        """Why it can't be told."""
        return (
            f"{self.argument} has no digest, and a call equal but for it is recorded:"
            f" {self.earlier}.\nIt was not repeated."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Make it comparable, or decide."""
        return (
            Remedy(
                "it doesn't matter, and ask once more",
                f'@nd.tool(ignore=("{self.parameter}",))',
            ),
            self._keep(),
            self._again(),
        )
