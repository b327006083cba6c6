"""Commands that were written for a notebook, as they are typed at a shell."""

from __future__ import annotations

import re
import sys
from typing import Final

from nbdurable.errors import DurableError, DurablePause, Remedy
from nbdurable_store.form import tell

SPELLINGS: Final = (
    (re.compile(r"^!"), ""),
    (re.compile(r"^%pip "), "pip "),
    (re.compile(r"^%env (?=\w+=)"), "export "),
    (re.compile(r"^%durable$"), "nbdurable show"),
    (
        re.compile(r"^%durable (?=(answer|approve|diff|inbox|resolve|why)\b)"),
        "nbdurable ",
    ),
)
"""What begins a command in a notebook, and what it is at a shell. The other words of
`%durable` need a kernel, so they stay as they are."""

ANSWERS: Final = re.compile(r"%durable (answer|approve|resolve) ")


def typed(command: str) -> str:
    """A command as it is typed at a shell.

    Example:
        >>> typed('!ls -la "/tmp"'), typed("%env NBDURABLE_STORE=/tmp/x")
        ('ls -la "/tmp"', 'export NBDURABLE_STORE=/tmp/x')
        >>> typed("%durable rerun findings")
        '%durable rerun findings'
    """
    for beginning, here in SPELLINGS:
        command = beginning.sub(here, command)
    return command


def answers(text: str, run: str) -> str:
    """A run as it is shown, with answers that can be given at a shell.

    Args:
        text: What a kernel shows.
        run: The run as it was named on the command line, or "" for the latest.
    """
    of_run = f"--run {run} " if run else ""
    return ANSWERS.sub(rf"nbdurable \1 {of_run}", text)


def has_person() -> bool:
    """Whether somebody sits at a terminal, so that a question can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def agreed(question: str) -> bool:
    """Ask at the terminal; whatever isn't yes is no."""
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def told(error: DurableError | DurablePause) -> str:
    """An error, with remedies that can be pasted into a shell."""
    remedies = tuple(Remedy(r.when, typed(r.command)) for r in error.remedies())
    name = type(error).__name__
    return tell(name, error.fact(), error.detail(), remedies, error.slug)
