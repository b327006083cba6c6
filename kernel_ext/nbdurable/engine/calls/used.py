"""What an attempt did with its calls, as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbdurable.engine.calls.requests import CallRequest, Claim
from nbdurable.engine.files.effects import Effects
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.fields import number
from nbdurable.engine.past.kinds import WAITS
from nbdurable.engine.past.pasts import HELD, STEP_KIND, CallPast
from nbdurable.engine.telling import wording
from nbdurable_store.records import Plain


@dataclass(slots=True)
class Used:
    """What an attempt did with its calls, as it goes.

    Attributes:
        calls: Logical ids in order.
        ran: How many of the cell's calls were executed.
        served: How many of those were replayed.
        elsewhere: How many of those belong to another run of the store.
        adopted: Logical ids of those taken over from other slots.
        asked: Call number to logical id and past, of those to be decided.
        doubted: By the number of a call that was asked about beside another one the
            marks of its arguments.
        edited: Numbers of those asked about whose tool was edited as well.
        alike: Logical ids of those that share an argument with the call that asked.
        unstorable: Results that were not kept or not recovered, told.
        gone: By logical id why a recorded result could not be recovered.
        told: More parts for the end of the step's line.
        undeclared: Names of tools without ``effect=``.
        effects: What its code does beside its calls.
    """

    calls: list[str] = field(default_factory=list)
    ran: int = 0
    served: int = 0
    elsewhere: int = 0
    adopted: list[str] = field(default_factory=list)
    asked: dict[str, tuple[str, Past]] = field(default_factory=dict)
    doubted: dict[str, Mapping[str, Plain] | None] = field(default_factory=dict)
    edited: list[str] = field(default_factory=list)
    alike: list[str] = field(default_factory=list)
    unstorable: list[str] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)
    effects: Effects | None = None
    _within: dict[str, tuple[str, int]] = field(default_factory=dict)

    def count_ran(self, claim: Claim, request: CallRequest, call_id: str) -> None:
        """A call is executed; of a step, those that it holds are counted."""
        if request.kind == STEP_KIND:
            self._within[call_id] = claim.parent, 0
        elif request.kind in WAITS:
            return
        elif claim.parent in self._within:
            self.ran += self._count(claim.parent, int(claim.counts))
        else:
            self.ran += claim.counts

    def count_served(self, claim: Claim, call: CallPast, *, here: bool = True) -> None:
        """A call was served; a step, with the calls that it holds.

        Args:
            claim: Its place.
            call: The record.
            here: Whether that belongs to this run.
        """
        step = call.kind == STEP_KIND
        many = number(call.fields, HELD) if step else int(call.kind not in WAITS)
        if not claim.counts:
            many = 0
        if claim.parent:
            many = self._count(claim.parent, many)
        self.served += many
        self.elsewhere += 0 if here else many

    def _count(self, parent: str, many: int) -> int:
        while parent in self._within:
            outer, so_far = self._within[parent]
            self._within[parent] = outer, so_far + many
            parent = outer
        return many

    def held(self, call_id: str) -> dict[str, Plain]:
        """How many calls an `nd.step` held, for its record; nothing for another call."""
        found = self._within.get(call_id)
        return {} if found is None else {HELD: found[1]}

    def fields(self) -> dict[str, Plain]:
        """Plain data for the record of the step's end."""
        return {
            "used": self.calls,
            "ran": self.ran,
            "replayed": self.served,
            "elsewhere": self.elsewhere,
            **({"alike": self.alike} if self.alike else {}),
            **({"edited": self.edited} if self.edited else {}),
            **({"doubted": self.doubted} if self.doubted else {}),
        }

    def notes(self) -> tuple[str, ...]:
        """Parts for the end of the step's line."""
        return (*(f"not kept: {told}" for told in self.unstorable), *self.told)

    def lines(self) -> tuple[str, ...]:
        """Lines of their own."""
        return tuple(wording.assumed_write(t) for t in dict.fromkeys(self.undeclared))
