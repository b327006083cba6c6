"""What took too long: a call, and a cell."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from nbdurable_store.errors import DurableError, DurablePause
from nbdurable_store.form import Remedy


@dataclasses.dataclass(kw_only=True, eq=False)
class TimedOut(DurableError, TimeoutError):
    """A call had no result within the ``timeout=`` of its tool.

    An ordinary exception: an agent loop may see it, and go on.

    Attributes:
        call: The call as it was written.
        reference: STEP.CALL@DIGEST, to be used in commands.
        seconds: The limit.
        write: Whether it may have changed the world.
        goes_on: Whether its function still runs, in a thread.
    """

    slug: ClassVar[str] = "timed-out"
    call: str
    reference: str
    seconds: float
    write: bool = True
    goes_on: bool = False

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} had no result after {self.seconds:g} s."

    def detail(self) -> str:
        """What became of it, as far as it is known."""
        lines = ["It may have happened, and was not repeated."] if self.write else []
        if self.goes_on:
            lines.append("It goes on in its thread; a result that still comes is kept.")
        else:
            lines.append("It was cancelled.")
        return "\n".join(lines)

    def remedies(self) -> tuple[Remedy, ...]:
        """Settle it, or give it more time."""
        more = Remedy("give it more time", f"@nd.tool(timeout={self.seconds * 2:g})")
        if not self.write:
            return (
                more,
                Remedy("try it again", "@nd.tool(retry=nd.Retry(attempts=3))"),
            )
        resolve = f"%durable resolve {self.reference}"
        return (
            Remedy("it happened", f"{resolve} --happened VALUE"),
            Remedy("it did not", f"{resolve} --did-not"),
            more,
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class CellTimedOut(DurablePause):
    """A cell took longer than its ``--timeout``, and was interrupted.

    Attributes:
        step: The step.
        limit: The limit as it was typed.
        line: The line of the cell in which it was stopped, or 0.
        doubts: The calls that may have happened, each as ``STEP.CALL@DIGEST its text``.
    """

    slug: ClassVar[str] = "cell-timed-out"
    step: str
    limit: str
    line: int = 0
    doubts: tuple[str, ...] = ()

    def fact(self) -> str:
        """One line about the cell."""
        return f"{self.step} took longer than {self.limit}."

    def detail(self) -> str:
        """Where it was stopped, and what may have happened."""
        where = f" in line {self.line}" if self.line else ""
        doubts = (f"May have happened: {doubt}" for doubt in self.doubts)
        return "\n".join(
            [
                f"It was interrupted{where}; the calls that it finished are kept.",
                *doubts,
            ]
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Settle the doubts, and go on."""
        first = next((d.partition(" ")[0] for d in self.doubts), "")
        resolve = f"%durable resolve {first}"
        settle = (
            Remedy("it happened", f"{resolve} --happened VALUE"),
            Remedy("it did not", f"{resolve} --did-not"),
        )
        again = "run the cell again, or give it another --timeout"
        return (*(settle if first else ()), Remedy("go on where it stopped", again))
