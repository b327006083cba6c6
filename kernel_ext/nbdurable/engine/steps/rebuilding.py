"""The code of a completed step runs again for variables that could not be kept.

Theory of operation. The code runs where it ran: in the user's namespace, since functions
of the notebook see no other one. Before, every binding is remembered; afterwards all are
as they were, and only the missing names are taken out of what it made. Then the variables
that were kept get their values. Objects that the step was given and that its code changed
again are filled with what was kept of them, so they are changed once, however far the
code came.

Nothing happens twice: a call is served or the code is stopped there, and an effect of the
code itself (a file, a process, a connection) is prevented, unless it was allowed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.requests import CallRequest, Claim, Outcome
from nbdurable.engine.files import audit
from nbdurable.engine.files.effects import TEXT_CHARS_MAX
from nbdurable.engine.past.decide import Verdict
from nbdurable.engine.past.history import CallPast
from nbdurable.engine.past.wanted import Match
from nbdurable.engine.steps import starting
from nbdurable.engine.steps.cells import Replayed
from nbdurable.engine.steps.running import Namespace
from nbdurable.engine.telling.wording import both, listed
from nbdurable.engine.values import randomness
from nbdurable.engine.where.frames import Frame
from nbdurable.errors import DurablePause, Remedy
from nbdurable_store.records import Record


@dataclass(kw_only=True, eq=False)
class RebuildStopped(DurablePause):
    """The code of a step ran again for a variable, and could not go on.

    Attributes:
        names: The variables.
        step: The step that makes them.
        why: What stopped it, as a sentence without its end.
        effect: What its code was about to do to the world, if that is why.
    """

    slug: ClassVar[str] = "rebuild-stopped"
    names: tuple[str, ...]
    step: str
    why: str
    effect: bool = False

    def fact(self) -> str:
        """One line about the variables."""
        return f"{both(self.names)} of {self.step} could not be made again: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return (
            "Its code was stopped there. No call was made and nothing was recorded;"
            f"\nthe other variables of {self.step} are as they were kept."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Let it happen, or begin afresh."""
        allow = Remedy("let that happen", f"%durable rebuild {self.step}")
        return (
            *([allow] if self.effect else []),
            Remedy("see what is recorded", f"%durable why {self.step}"),
            Remedy("all of it afresh", f"%durable rerun {self.step}"),
        )


class Served(Attempt):
    """An attempt whose calls are served and never made; nothing of it is recorded."""

    serves_only = True
    names: tuple[str, ...] = ()

    def refuse(self, why: str, *, effect: bool = False) -> DurablePause:
        """Stop the code here; the first reason is the one that is told."""
        stopped = RebuildStopped(
            names=self.names, step=self.step.name, why=why, effect=effect
        )
        return super().stop(stopped)

    def prevent(self, effect: str) -> None:
        """The code is about to do something to the world.

        Raises:
            RebuildStopped: Always.
        """
        told = self.home.secrets.scrub(effect)[:TEXT_CHARS_MAX]
        why = f"this time its code does what it did not do before ({told})"
        raise self.refuse(why, effect=True)

    def claim(self, frame: Frame[Any], request: CallRequest) -> Claim:
        """Give a call its place, if it can be served.

        Raises:
            RebuildStopped: It can't.
        """
        claim = super().claim(frame, request)
        if frozen.verdict(self, claim.match, request) is Verdict.WAIT:
            raise self.refuse(f"{request.text()} has no result yet")
        return claim

    def may_execute(self, request: CallRequest) -> None:
        """No call is made.

        Raises:
            RebuildStopped: Always.
        """
        raise self.refuse(f"{request.text()} is not in the journal")

    def stop(self, pause: DurablePause) -> DurablePause:
        """A question about a call: nobody is asked."""
        return self.refuse(pause.fact().rstrip("."))

    def adopted(
        self, claim: Claim, match: Match, request: CallRequest | None = None
    ) -> tuple[Record, ...]:
        """Calls are adopted by the replay of the step, not by this."""
        del claim, match, request
        return ()

    def unrecorded(self, call: CallPast | None) -> Outcome | None:
        """What the journal couldn't take stays where it is."""
        del call
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of the variables that were not kept.

    Attributes:
        values: Those that the code made again.
        served: How many calls it was served.
        lost: Those that are not back.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    served: int = 0
    lost: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Rebuilding:
    """Code that is about to run again. `end` ends it, once.

    Attributes:
        names: The variables it is to make.
        attempt: What serves its calls.
        namespace: The user's variables.
        source: The code, as plain Python.
        filename: The file name to compile it under.
        allowed: Whether its effects may happen again.
        finish: Replays the step.
        release: Lets others execute in the run.
    """

    names: tuple[str, ...]
    attempt: Served
    namespace: Namespace
    source: str
    filename: str
    allowed: bool
    finish: Callable[[Made], Replayed]
    release: Callable[[], None]
    made: dict[str, object] = field(default_factory=dict)

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """The code runs within; afterwards all names are what they were before."""
        starting.watch()
        attempt, effects = self.attempt, self.attempt.used.effects
        attempt.names = self.names
        if effects is not None and not self.allowed:
            effects.refuse = attempt.prevent
        before, random = dict(self.namespace), randomness.state()
        try:
            with audit.watching(), attempt.active():
                yield
        finally:
            self.made = {
                n: self.namespace[n] for n in self.names if n in self.namespace
            }
            bind(self.namespace, before)
            randomness.restore(random)

    def end(self, error: BaseException | None = None) -> Replayed:
        """The code ended: replay the step, with the variables that it made.

        Args:
            error: What it raised.

        Raises:
            RebuildStopped: It did not make them; the others are back all the same.
            KeyboardInterrupt: It was interrupted; the others are back all the same.
        """
        stopped = self._stopped(error)
        served = self.attempt.used.served
        try:
            replayed = self.finish(
                Made(lost=self.names)
                if stopped is not None
                else Made(values=self.made, served=served)
            )
        finally:
            self.release()
        if stopped is not None:
            raise stopped
        return replayed

    def _stopped(self, error: BaseException | None) -> BaseException | None:
        refused = self.attempt.paused  # also where the code swallowed it
        if refused is not None or error is None:
            return refused or self._not_made()
        if isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
            return error
        text = next(iter(self.attempt.home.secrets.scrub(str(error)).splitlines()), "")
        raised = f"{type(error).__name__}: {text}" if text else type(error).__name__
        return self.attempt.refuse(f"its code raised {raised.rstrip('.')}")

    def _not_made(self) -> BaseException | None:
        absent = [name for name in self.names if name not in self.made]
        return self.attempt.refuse("its code ended without it") if absent else None


def bind(namespace: Namespace, names: Mapping[str, object]) -> None:
    """Make a namespace these names and no others, touching only what differs."""
    for name in [*namespace]:
        if name not in names:
            namespace.pop(name, None)
    for name, value in names.items():
        if name not in namespace or namespace[name] is not value:
            namespace[name] = value


def made_again(names: Sequence[str], served: int) -> str:
    """The code of a step ran again for variables that could not be kept.

    Example:
        >>> made_again(["stream"], 3)
        'stream made again (its code ran, its 3 calls were served)'
        >>> made_again(["stream"], 0)
        'stream made again (its code ran)'
    """
    calls = f"its {f'{served:,} calls were' if served > 1 else 'call was'} served"
    told = f", {calls}" if served else ""
    return f"{both(names)} made again (its code ran{told})"


def not_back(name: str, lost: Sequence[str], effects: Sequence[str]) -> str:
    """Variables that are not back, and what making them would repeat.

    Example:
        >>> not_back("load", ["stream"], ["wrote out.csv"])
        'not back: stream → %durable rebuild load (repeats: wrote out.csv)'
    """
    repeats = f" (repeats: {listed(effects)})" if effects else ""
    return f"not back: {listed(lost)} → %durable rebuild {name}{repeats}"


__all__ = [
    "Made",
    "RebuildStopped",
    "Rebuilding",
    "Served",
    "bind",
    "made_again",
    "not_back",
]
