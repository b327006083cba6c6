"""What ends a wait without an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from nbdurable.errors import DurableError, DurablePause, Remedy

SHOWN_LINES_MAX: Final = 8
"""Lines of what was shown with a question: who wants more looks at the notebook."""


def shown_lines(preview: str) -> list[str]:
    """What was shown with a question, a few lines of it.

    Example:
        >>> shown_lines("total: 12")
        ['total: 12']
    """
    lines = preview.splitlines()
    more = ["…"] if len(lines) > SHOWN_LINES_MAX else []
    return [*lines[:SHOWN_LINES_MAX], *more]


@dataclass(kw_only=True, eq=False)
class WaitingForAnswer(DurablePause):
    """Nobody sits before this notebook: it stops until somebody has answered.

    Attributes:
        text: What is waited for.
        reference: STEP.CALL.
        command: What to type to answer, outside the notebook.
    """

    slug: ClassVar[str] = "waiting-for-answer"
    text: str
    reference: str
    command: str

    def fact(self) -> str:
        """One line about the question."""
        return f"{self.reference} waits for an answer: {self.text}"

    def detail(self) -> str:
        """What was not done."""
        return (
            "The notebook runs without a person, so it stopped here and nothing after"
            " this was run. What was done is kept."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """How to answer, and how to go on."""
        return (
            Remedy("answer", self.command),
            Remedy("then go on", "run the notebook again: it resumes here"),
        )


@dataclass(kw_only=True, eq=False)
class NoAnswer(DurableError, TimeoutError):
    """A wait ended before an answer came. A program may catch it.

    Attributes:
        text: What was waited for.
        reference: STEP.CALL.
        waited: How long, as people say it.
    """

    slug: ClassVar[str] = "no-answer"
    text: str
    reference: str
    waited: str

    def fact(self) -> str:
        """One line about the wait."""
        return f"no answer came in {self.waited}: {self.text}"

    def detail(self) -> str:
        """What an answer would do now."""
        return f"{self.reference} ended. What is sent now comes too late for it."

    def remedies(self) -> tuple[Remedy, ...]:
        """Ask again, or wait for ever."""
        step = self.reference.partition(".")[0]
        return (
            Remedy("ask again", f"run {step} again"),
            Remedy("go on without", "default="),
        )


@dataclass(kw_only=True, eq=False)
class NotWaiting(DurableError):
    """An answer to something that isn't asked, or that is answered already.

    Attributes:
        given: What was meant, as it was typed.
        state: How it stands.
    """

    slug: ClassVar[str] = "not-waiting"
    given: str
    state: str

    def fact(self) -> str:
        """One line about what was meant."""
        return f"{self.given} {self.state}."

    def detail(self) -> str:
        """What was not done."""
        return "What was answered now has no effect."

    def remedies(self) -> tuple[Remedy, ...]:
        """What waits."""
        return (Remedy("see what waits", "nbdurable inbox"),)


@dataclass(kw_only=True, eq=False)
class QuestionUnseen(DurableError):
    """An answer that isn't bound to the question that is asked now.

    Attributes:
        given: What was answered, as it was typed.
        changed: Whether it was bound to another question.
        asked: What is asked now.
        preview: What is shown with it, as text.
        commands: Pairs of an answer and what to type for it.
    """

    slug: ClassVar[str] = "question-unseen"
    given: str
    changed: bool
    asked: str
    preview: str
    commands: tuple[tuple[str, str], ...]

    def fact(self) -> str:
        """One line about what was typed."""
        if self.changed:
            return f"{self.given} isn't the question that is asked there now."
        return f"{self.given} doesn't say which question was seen."

    def detail(self) -> str:
        """What was not done, and what is asked."""
        shown = [f"  {part}" for part in shown_lines(self.preview)]
        return "\n".join(["Nothing was answered. It asks:", f"? {self.asked}", *shown])

    def remedies(self) -> tuple[Remedy, ...]:
        """The answers to what is asked now."""
        return (
            *(Remedy(means, command) for means, command in self.commands),
            Remedy("see what waits", "nbdurable inbox"),
        )


@dataclass(kw_only=True, eq=False)
class AnswerMisfit(DurableError):
    """An answer of another kind than the question asks for.

    Attributes:
        text: The question.
        reference: STEP.CALL@DIGEST.
        given: The answer, as it was typed.
        why: Why it doesn't fit.
    """

    slug: ClassVar[str] = "answer-misfit"
    text: str
    reference: str
    given: str
    why: str

    def fact(self) -> str:
        """One line about the answer."""
        return f"{self.given} doesn't answer «{self.text}»: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return "The answer was not recorded; the question stays open."

    def remedies(self) -> tuple[Remedy, ...]:
        """Answer again."""
        return (Remedy("answer", f"nbdurable answer {self.reference} VALUE"),)


@dataclass(kw_only=True, eq=False)
class OutsideDurable(DurableError):
    """Something that waits was called where nothing is durable.

    Attributes:
        call: The function, such as ``nd.approve``.
    """

    slug: ClassVar[str] = "outside-durable"
    call: str

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} needs a durable cell, and this is none."

    def detail(self) -> str:
        """What was not done."""
        return "Nothing was asked, and no address was made: an answer would be lost with the kernel."

    def remedies(self) -> tuple[Remedy, ...]:
        """How to make it durable."""
        return (Remedy("make the cell durable", "%%durable NAME on its first line"),)
