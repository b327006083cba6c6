"""Errors that a program may catch: something was refused, and nothing was done."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from nbdurable_store.errors import DurableError
from nbdurable_store.form import Remedy


class NotDone(Exception):  # it is an answer, not an error
    """Raised by a tool, or by an `on_doubt` function: nothing happened."""


class WorkerDied(Exception):  # it is an answer too: nobody knows
    """A worker died with a `write`: it may have happened, whatever ``not_done=`` says."""


@dataclasses.dataclass(kw_only=True, eq=False)
class ToolRefused(DurableError):
    """`@nd.tool` was put on something that makes no tool.

    Attributes:
        what: What it is, as a sentence without its end.
        above: The decorator that belongs above `@nd.tool`, or "".
    """

    slug: ClassVar[str] = "tool-refused"
    what: str
    above: str = ""

    def fact(self) -> str:
        """One line about the decorated thing."""
        return f"{self.what}."

    def detail(self) -> str:
        """What a tool is."""
        return (
            "No tool was made. A tool is a function or method: plain, async, or one"
            " that yields."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """How to decorate it."""
        if self.above:
            return (
                Remedy("the other way round", f"{self.above} above @nd.tool"),
                Remedy("a class with a method", "put @nd.tool on what it calls"),
            )
        return (
            Remedy("a function", '@nd.tool(effect="read")'),
            Remedy("a static or class method", "put @nd.tool below @staticmethod"),
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class OutsideCall(DurableError):
    """`nd.idempotency_key` was called where no call is recorded."""

    slug: ClassVar[str] = "outside-call"

    def fact(self) -> str:
        """One line about the user's own code."""
        return "this code is in no call of a durable cell."

    def detail(self) -> str:
        """What was not done."""
        return (
            "There is no idempotency key for it: the key is that of a recorded call, and"
            " outside\nof durable cells a tool is the plain function."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Where it has one."""
        return (
            Remedy("in a tool", "@nd.tool on the function that asks for the key"),
            Remedy("in a cell", "%%durable on the first line of the one that calls it"),
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class DigestRefused(DurableError):
    """`nd.register_digest` was given something that it can't register."""

    slug: ClassVar[str] = "digest-refused"
    what: str

    def fact(self) -> str:
        """One line about what was given."""
        return f"{self.what}."

    def detail(self) -> str:
        """What was not done."""
        return (
            "Nothing was registered. A digest is registered for a class, with a function"
            " that gives a value for each of its instances."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """How to register one."""
        return (
            Remedy("a class", "nd.register_digest(Session, lambda s: s.host)"),
            Remedy("by name", 'nd.register_digest("lib.Session", lambda s: s.host)'),
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class OptionUnknown(DurableError):
    """A word or option of the magic that doesn't exist."""

    slug: ClassVar[str] = "option-unknown"
    given: str
    nearest: str
    known: tuple[str, ...]

    def fact(self) -> str:
        """One line about what was typed."""
        return f"{self.given} is not known here."

    def detail(self) -> str:
        """What exists."""
        return f"Nothing was run. Known: {', '.join(self.known)}."

    def remedies(self) -> tuple[Remedy, ...]:
        """The nearest one, and the list."""
        meant = (Remedy("meant perhaps", self.nearest),) if self.nearest else ()
        page = "%%durable?" if self.given.startswith("%%") else "%durable?"
        return (*meant, Remedy("see all", page))


@dataclasses.dataclass(kw_only=True, eq=False)
class ReferenceUnknown(DurableError):
    """A step, call or name that a run doesn't have.

    Attributes:
        given: What was typed.
        nearest: The command with the nearest that there is, or "".
        known: What there is.
        run: What people call the run.
    """

    slug: ClassVar[str] = "reference-unknown"
    given: str
    nearest: str = ""
    known: tuple[str, ...] = ()
    run: str = "this run"

    def fact(self) -> str:
        """One line about what was typed."""
        return f"{self.run} has no {self.given}."

    def detail(self) -> str:
        """What the run has."""
        known = ", ".join(self.known)
        return f"Nothing was done. It has: {known}." if known else "Nothing was done."

    def remedies(self) -> tuple[Remedy, ...]:
        """The nearest one, and the list."""
        meant = (Remedy("meant perhaps", self.nearest),) if self.nearest else ()
        return (*meant, Remedy("see all", "%durable"))


@dataclasses.dataclass(kw_only=True, eq=False)
class NothingDurable(DurableError):
    """A command that needs a run, where no durable cell ran yet.

    Attributes:
        command: What was typed.
        elsewhere: What to type to look in another folder, or "".
    """

    slug: ClassVar[str] = "nothing-durable"
    command: str
    elsewhere: str = ""

    def fact(self) -> str:
        """One line about the command."""
        return f"{self.command} needs a run, and no durable cell ran here yet."

    def remedies(self) -> tuple[Remedy, ...]:
        """How to begin, and where else there may be one."""
        begin = Remedy("begin one", "%%durable NAME on a cell's first line")
        elsewhere = Remedy("another folder", self.elsewhere)
        return (begin, elsewhere) if self.elsewhere else (begin,)


@dataclasses.dataclass(kw_only=True, eq=False)
class PackageAbsent(DurableError, ImportError):
    """Something needs a package that nbdurable does not install by itself.

    Attributes:
        command: The command, or the name that was to be imported.
        package: The package.
        undone: What was not done, as a sentence.
    """

    slug: ClassVar[str] = "package-absent"
    command: str
    package: str
    undone: str = "Nothing was executed."

    def fact(self) -> str:
        """Which package is missing for what."""
        return f"{self.command} needs {self.package}, which is not installed here."

    def detail(self) -> str:
        """What was not done."""
        return self.undone

    def remedies(self) -> tuple[Remedy, ...]:
        """Install it."""
        return (Remedy("install it", f'pip install "{self.package}"'),)
