"""Which threads of a store may be removed, and why the others stay.

A thread that was deleted is needed by nobody. One that wasn't is a person's, and goes only
if it is asked for, and never while its graph has not come to its end: it waits for an
answer, or stopped on its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nbdurable.engine.past.removal import Reason
from nbdurable.engine.values.plainly import visible
from nbdurable.integrations.langgraph import facts
from nbdurable.integrations.langgraph.threads import Thread
from nbdurable_store.protocol import Store

KINDS: Final = frozenset({facts.CHECKPOINT, facts.WRITES, facts.REMOVED, facts.ENDED})

PREFIX: Final = "thread:"
"""What a thread's id stands behind where a run may be named, too."""


@dataclass(slots=True)
class Life:
    """One life of a thread: from its first checkpoint until it was deleted.

    Attributes:
        run: Id of the run that it is in the store.
        thread: The thread's id.
        active_us: When it was last written to, microseconds since 1970 UTC.
        owners: Who wrote to it.
        fold: What stands in it.
    """

    run: str
    thread: str = ""
    active_us: int = 0
    owners: set[str] = field(default_factory=set)
    fold: Thread = field(default_factory=Thread)

    @property
    def called(self) -> str:
        """What people call it."""
        name = visible(self.thread, lines=False)
        deleted = ", which was deleted" if self.fold.ended else ""
        return f"the thread {name}{deleted}"

    @property
    def named(self) -> str:
        """What to type for it."""
        return f"{PREFIX}{visible(self.thread, lines=False)}"

    def keeps(self, living: Mapping[str, int]) -> Reason | None:
        """Why it has to stay, or None.

        Args:
            living: Owners that live, this process aside, and their process ids.
        """
        for owner in self.owners & living.keys():
            told = f"process {living[owner]} has worked in it since it started"
            return Reason(told, "restart or shut down its kernel", "then it can go")
        if self.fold.ended or not (why := self.fold.pending()):
            return None
        command = f"DurableSaver().delete_thread({self.thread!r})"
        return Reason(why, command, "give it up")


def lives(store: Store) -> list[Life]:
    """Every thread that is there, the one that is unused for longest first.

    Args:
        store: A store; what was removed from it isn't there.
    """
    found: dict[str, Life] = {}
    for entry in store.scan(KINDS)[0]:
        record = entry.record
        life = found.setdefault(record.run, Life(record.run))
        life.thread = str(record.fields.get("thread", life.thread))
        life.active_us = max(life.active_us, record.at_us)
        life.owners.add(entry.owner)
        life.fold.apply((entry,))
    return sorted(found.values(), key=lambda life: life.active_us)
