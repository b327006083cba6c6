"""What the shell refuses: cells and commands that can't be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from nbdurable.errors import DurableError, Remedy

_SEPARATORS = re.compile(r"[\W]+")


@dataclass(kw_only=True, eq=False)
class NameUnusable(DurableError):
    """The line of `%%durable` has a word that can't be the step's name."""

    slug: ClassVar[str] = "name-unusable"
    word: str
    line: str

    def fact(self) -> str:
        """One line about the user's own cell."""
        return f"{self.line} can't be the name of a step."

    def detail(self) -> str:
        """What was not done."""
        return (
            "A name is one word of letters, digits, _ and -, and begins with a letter.\n"
            "The cell was not run."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """The same words as one."""
        words = [w for w in self.line.split() if not w.startswith("-")]
        options = [w for w in self.line.split() if w.startswith("-")]
        name = _SEPARATORS.sub("_", "_".join(words)).strip("_")
        name = f"step_{name}" if not name or name[0].isdigit() else name
        return (Remedy("one word", " ".join(["%%durable", name, *options])),)


@dataclass(kw_only=True, eq=False)
class LimitUnusable(DurableError):
    """`--timeout` of `%%durable` has no duration behind it."""

    slug: ClassVar[str] = "limit-unusable"
    given: str
    line: str

    def fact(self) -> str:
        """One line about the user's own cell."""
        return f"%%durable {self.line}: {self.given or 'nothing'} is no duration."

    def detail(self) -> str:
        """What was not done."""
        return "A duration is a number above 0 with s, m or h.\nThe cell was not run."

    def remedies(self) -> tuple[Remedy, ...]:
        """How it is written."""
        return (Remedy("five minutes", "%%durable NAME --timeout 5m"),)


@dataclass(kw_only=True, eq=False)
class CellEmpty(DurableError):
    """A durable cell without code."""

    slug: ClassVar[str] = "cell-empty"

    def fact(self) -> str:
        """One line about the user's own cell."""
        return "this durable cell has no code."

    def detail(self) -> str:
        """What was not done."""
        return "Nothing was run and nothing was recorded."

    def remedies(self) -> tuple[Remedy, ...]:
        """Where the code goes."""
        return (Remedy("the code", "goes below the line with %%durable"),)


@dataclass(kw_only=True, eq=False)
class CommandIncomplete(DurableError):
    """A word of `%durable` was given too few or too many arguments."""

    slug: ClassVar[str] = "command-incomplete"
    command: str
    usage: str
    why: str = ""

    def fact(self) -> str:
        """One line about the user's own command."""
        return f"%durable {self.command} can't be read."

    def detail(self) -> str:
        """What was not done."""
        return f"{self.why}\nNothing was done." if self.why else "Nothing was done."

    def remedies(self) -> tuple[Remedy, ...]:
        """How the command is written."""
        return (Remedy("it is written", f"%durable {self.usage}"),)


@dataclass(kw_only=True, eq=False)
class NotOnLineOne(DurableError):
    """`%%durable` stands below line 1, or was called as a function."""

    slug: ClassVar[str] = "not-on-line-one"

    def fact(self) -> str:
        """One line about the user's own cell."""
        return "%%durable works only on line 1 of a cell."

    def detail(self) -> str:
        """What was not done."""
        return "The code below it was not run; what stands above it was."

    def remedies(self) -> tuple[Remedy, ...]:
        """Where it goes."""
        return (Remedy("line 1", "%%durable, other magics below it"),)


@dataclass(kw_only=True, eq=False)
class BrokenInside(DurableError):
    """nbdurable itself has a defect and could not begin a step."""

    slug: ClassVar[str] = "broken-inside"
    where: str
    error: str

    def fact(self) -> str:
        """One line about the user's own cell."""
        return "nbdurable has a defect and could not begin this step."

    def detail(self) -> str:
        """What was not done, and what to report."""
        return (
            "The cell was not run, because recorded calls could have been repeated.\n"
            f"{self.error} ({self.where})"
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """How to go on without it."""
        return (Remedy("run it without protection", "%durable off"),)
