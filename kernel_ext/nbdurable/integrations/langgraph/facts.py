"""What is journaled of a thread, and under which run; ``docs/format.md`` §7 has the fields.

A thread is a run of its own, which no `run.opened` begins, so that nobody lists it among
those of notebooks. One that was deleted and begun again is another run: so the old one
can be removed as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from blake3 import blake3

from nbdurable.integrations.langgraph.packing import Packed
from nbdurable_store.records import Entry, Plain

CHECKPOINT: Final = "graph.checkpoint"
WRITES: Final = "graph.writes"
REMOVED: Final = "graph.removed"
ENDED: Final = "graph.ended"

INTERRUPT: Final = "__interrupt__"
"""LangGraph's channel for what a task asks."""

RUN_BYTES: Final = 16
"""Length of a thread's run id: no two threads of a store share one."""

Name = tuple[str, str]
"""Namespace and id of a checkpoint."""


def run_of(thread: str, life: int) -> str:
    """The run of a thread, in its n-th life.

    Example:
        >>> run_of("a", 0) == run_of("a", 0), run_of("a", 0) == run_of("a", 1)
        (True, False)
    """
    said = f"nbdurable/graph/{life}/{thread}".encode("utf-8", "surrogatepass")
    return f"graph-{blake3(said).hexdigest(length=RUN_BYTES)}"


def runs_next(channel: str) -> bool:
    """Whether a channel that has a value says that a node of the graph is to run.

    Example:
        >>> runs_next("branch:to:bot"), runs_next("messages")
        (True, False)
    """
    return channel.startswith("branch:to:") or channel in {
        "__start__",
        "__pregel_tasks",
    }


_ABSENT: Final[tuple[Any, ...]] = ("", -1, ())
"""What a record leaves out of a `Held`, from its end."""


class Held(NamedTuple):
    """Where the value of a channel stands.

    Attributes:
        version: The channel's version.
        at: Name of the record that has the value, or, of a list, its beginning; "" if
            this one has all of it.
        kept: How many items of that list it begins with; -1 for what is no list in parts.
        items: Of such a list: the digest of each item that this record has.
    """

    version: Plain
    at: str = ""
    kept: int = -1
    items: tuple[str, ...] = ()

    def plain(self) -> list[Plain]:
        """As it stands in a record's field."""
        if self.kept >= 0:
            return [self.version, self.at, self.kept, list(self.items)]
        return [self.version, self.at] if self.at else [self.version]

    @classmethod
    def read(cls, said: Sequence[Any]) -> Held:
        """From a record's field."""
        version, at, kept, items = (*said, *_ABSENT[len(said) - 1 :])
        return cls(version, at, kept, tuple(items))


class Saved(NamedTuple):
    """A checkpoint in the journal.

    Attributes:
        thread: The thread's id.
        name: Its namespace and id.
        parent: Id of the checkpoint before it, or "".
        record: What other checkpoints call its record.
        run: LangGraph's own id of the run that made it, or "".
        values: Where the value of each of its channels stands.
        packed: Itself and its metadata, and the values that it has.
    """

    thread: str
    name: Name
    parent: str
    record: str
    run: str
    values: Mapping[str, Held]
    packed: Packed

    def fields(self) -> dict[str, Plain]:
        """Of its record."""
        namespace, checkpoint = self.name
        return {
            "thread": self.thread,
            "ns": namespace,
            "id": checkpoint,
            "parent": self.parent,
            "record": self.record,
            "run_id": self.run,
            "values": {channel: held.plain() for channel, held in self.values.items()},
            **self.packed.field(),
        }


class Written(NamedTuple):
    """What a task wrote to one channel, before the next checkpoint.

    Attributes:
        path: Where in the graph the task is.
        task: Its id.
        nth: Which of its writes; below zero for LangGraph's own channels.
        channel: The channel.
        at: Which value of those of the record it is.
        record: What pinned reads call its record.
        packed: The values of all writes of the record.
        anew: Whether it takes the place of the same write of an earlier execution.
    """

    path: str
    task: str
    nth: int
    channel: str
    at: int
    record: str
    packed: Packed
    anew: bool


def saved(entry: Entry) -> Saved:
    """The checkpoint of a record."""
    fields: Mapping[str, Any] = entry.record.fields
    return Saved(
        thread=fields["thread"],
        name=named(entry),
        parent=fields["parent"],
        record=fields["record"],
        run=fields["run_id"],
        values={c: Held.read(said) for c, said in fields["values"].items()},
        packed=Packed.read(entry.record.blobs, fields.get("cuts")),
    )


def written(entry: Entry) -> list[Written]:
    """The writes of a record."""
    fields: Mapping[str, Any] = entry.record.fields
    packed = Packed.read(entry.record.blobs, fields.get("cuts"))
    return [
        Written(
            path=fields["path"],
            task=fields["task"],
            nth=nth,
            channel=channel,
            at=at,
            record=fields["record"],
            packed=packed,
            anew=nth < 0 or bool(fields.get("anew")),
        )
        for at, (nth, channel) in enumerate(fields["writes"])
    ]


def removed(entry: Entry) -> list[Name]:
    """The checkpoints that a record takes back."""
    fields: Mapping[str, Any] = entry.record.fields
    return [(namespace, checkpoint) for namespace, checkpoint in fields["checkpoints"]]


def named(entry: Entry) -> Name:
    """The checkpoint that a record speaks of."""
    fields: Mapping[str, Any] = entry.record.fields
    return fields["ns"], fields["id"]
