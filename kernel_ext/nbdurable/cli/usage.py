"""Words that are no command, told in the form of our errors instead of argparse's."""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NoReturn

from nbdurable.errors import DurableError, Remedy

PROGRAM: Final = "nbdurable"

NO_COMMAND: Final = re.compile(r"argument COMMAND: invalid choice: '(?P<word>.*?)'")
"""How argparse says that there is no such command."""

MISSING: Final = "the following arguments are required: "
"""How argparse says that words are missing."""

SHARED: Final = re.compile(r"\[(-h|--store PATH|--json)\] ?")
"""Options of all commands: they hide what a usage is about."""


@dataclass(kw_only=True, eq=False)
class WordsUnreadable(DurableError):
    """What was typed behind `nbdurable` can't be read.

    Attributes:
        given: What was typed.
        why: What can't be read of it, as a sentence without its end.
        usage: How the command is written, or "".
        nearest: What was meant perhaps, or "".
    """

    slug: ClassVar[str] = "words-unreadable"
    given: str
    why: str
    usage: str = ""
    nearest: str = ""

    def fact(self) -> str:
        """What was typed."""
        return f"{self.given} can't be read: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return "Nothing was done."

    def remedies(self) -> tuple[Remedy, ...]:
        """The nearest command, how it is written, and the list."""
        meant = (Remedy("meant perhaps", self.nearest),) if self.nearest else ()
        written = (Remedy("it is written", self.usage),) if self.usage else ()
        return (*meant, *written, Remedy("see all", f"{PROGRAM} --help"))


class Parser(argparse.ArgumentParser):
    """A parser that raises what it can't read."""

    def error(self, message: str) -> NoReturn:
        """What argparse writes to stderr before it ends the process.

        Raises:
            WordsUnreadable: Always.
        """
        missing = message.removeprefix(MISSING)
        why = message if missing == message else f"{missing} is missing"
        raise WordsUnreadable(given=self.prog, why=why, usage=self.written())

    def written(self) -> str:
        """How the command is written, on one line."""
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ")
        return SHARED.sub("", usage).strip()


def parsed(
    parser: Parser, commands: dict[str, Parser], words: Sequence[str]
) -> argparse.Namespace | None:
    """What was typed; None for nothing.

    Args:
        parser: Everything that can be typed.
        commands: The parser of each command.
        words: The words behind the program's name.

    Raises:
        WordsUnreadable: It can't be read.
    """
    try:
        given, rest = parser.parse_known_args(words)
    except WordsUnreadable as unreadable:
        unknown = NO_COMMAND.match(unreadable.why)
        if unknown is None:
            raise
        raise _no_command(unknown["word"], commands) from None
    begun = hasattr(given, "does")
    if rest:
        meant = commands[given.command] if begun else parser
        meant.error(f"{shlex.join(rest)} is not known here")
    return given if begun else None


def _no_command(word: str, commands: dict[str, Parser]) -> WordsUnreadable:
    """A word that is none, with the command that is most like it."""
    close = next(iter(difflib.get_close_matches(word, commands, n=1)), "")
    return WordsUnreadable(
        given=f"{PROGRAM} {word}",
        why=f"there is no command {word!r}",
        nearest=close and f"{PROGRAM} {close}",
    )
