"""The error for an answer to a question that nobody asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nbdurable.errors import DurableError, Remedy


@dataclass(kw_only=True, eq=False)
class NothingToSettle(DurableError):
    """An answer to a question that nobody asked.

    Attributes:
        reference: STEP.CALL, or STEP.CALL@DIGEST where an answer fits.
        call: The call as people read it.
        state: How it stands.
        fitting: The answers that fit, as options; empty if there is no question.
        why: Why nothing was done, where that isn't clear from those.
        afresh: STEP.CALL@DIGEST of a call that can be made afresh, or "".
    """

    slug: ClassVar[str] = "nothing-to-settle"
    reference: str
    call: str
    state: str
    fitting: tuple[str, ...] = ()
    why: str = ""
    afresh: str = ""

    def fact(self) -> str:
        """One line about the call."""
        why = "another answer is asked for" if self.fitting else "nothing to settle"
        return f"{self.reference}, {self.call}, {self.state}: {self.why or why}."

    def _plain(self) -> str:
        return self.reference.partition("@")[0]

    def detail(self) -> str:
        """What was not done."""
        return "Nothing was recorded."

    def remedies(self) -> tuple[Remedy, ...]:
        """The answers that fit; else how to see, and how to begin the call afresh."""
        if self.fitting:
            command = f"%durable resolve {self.reference}"
            return tuple(Remedy("answer", f"{command} {said}") for said in self.fitting)
        look = Remedy("see how it stands", f"%durable why {self._plain()}")
        if not self.afresh:
            return (look,)
        return look, Remedy("that was wrong: ask anew", f"%durable rerun {self.afresh}")
