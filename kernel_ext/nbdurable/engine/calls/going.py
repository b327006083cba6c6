"""A call under way, and what its protocol asks of whoever drives it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.requests import CallRequest, Claim, Outcome
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.wanted import Match
from nbdurable.engine.where.frames import Frame
from nbdurable_store.records import Record
from nbdurable_store.sharing.turns import Turn

WAIT_SLICE_S = 0.2
"""How often a waiting call looks whether its owner has ended; also the latency of an
interrupt while it waits."""


@dataclass(slots=True)
class Append:
    """Append records, and fold them."""

    records: tuple[Record, ...]
    sync: bool


@dataclass(slots=True)
class Perform:
    """Execute something of the user's within a frame; the driver sends `Outcome`."""

    frame: Frame[Attempt]
    find_out: bool = False
    limit_s: float | None = None


class Pause(NamedTuple):
    """Let others go on for this long, in seconds."""

    seconds: float


Command = Append | Perform | Pause
Sent = Outcome | None
Conduct = Generator[Command, Sent, Outcome]


@dataclass(slots=True)
class Going:
    """A call under way: what it is, and what the journal holds of it now.

    Attributes:
        frame: Where it is made.
        request: What it is.
        claim: Its place.
        match: The record that it is, by now.
        waited_s: How long it has waited for a living owner, seconds.
        call_id: Its logical id, once it is executed.
        number: Which of its attempts that is, from 1.
        tries: Which one of the series that its tool's `Retry` makes, from 1.
        turn: The place that it holds, of a tool that has limits.
    """

    frame: Frame[Attempt]
    request: CallRequest
    claim: Claim
    match: Match
    waited_s: float = 0.0
    call_id: str = ""
    number: int = 1
    tries: int = 1
    turn: Turn | None = None

    def again(self, past: Past) -> None:
        """Decide once more, with another past."""
        self.match = Match(past, self.match.call, self.match.standing)

    def end_turn(self) -> None:
        """Give back the place that it holds, if it holds one."""
        if self.turn is not None:
            self.turn.release()
            self.turn = None


Part = Generator[Command, Sent, Outcome | None]
