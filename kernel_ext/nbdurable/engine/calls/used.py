"""What an attempt did with its calls, as it goes."""

from __future__ import annotations

from dataclasses import dataclass, field

from nbdurable.engine.files.effects import Effects
from nbdurable.engine.past.decide import Past
from nbdurable.engine.telling import wording
from nbdurable_store.records import Plain


@dataclass(slots=True)
class Used:
    """What an attempt did with its calls, as it goes.

    Attributes:
        calls: Logical ids in order.
        ran: How many the cell made itself were executed.
        served: How many of those were replayed.
        elsewhere: How many of those belong to another run of the store.
        adopted: Logical ids of those taken over from other slots.
        asked: Call number to logical id and past, of those to be decided.
        unstorable: Results that were not kept or not recovered, told.
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
    unstorable: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)
    effects: Effects | None = None

    def fields(self) -> dict[str, Plain]:
        """Plain data for the record of the step's end."""
        return {
            "used": self.calls,
            "ran": self.ran,
            "replayed": self.served,
            "elsewhere": self.elsewhere,
        }

    def notes(self) -> tuple[str, ...]:
        """Parts for the end of the step's line."""
        return (*(f"not kept: {told}" for told in self.unstorable), *self.told)

    def lines(self) -> tuple[str, ...]:
        """Lines of their own."""
        return tuple(wording.assumed_write(t) for t in dict.fromkeys(self.undeclared))
