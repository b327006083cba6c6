"""What is known of the threads of a store: read on, each time somebody asks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from nbdurable.integrations.langgraph import facts
from nbdurable.integrations.langgraph.threads import Thread
from nbdurable_store.clock import SYSTEM_CLOCK
from nbdurable_store.protocol import START, Cursor, Store
from nbdurable_store.records import BlobRef, Plain, Record

THREADS_MAX: Final = 64
"""Threads that are remembered; one that is asked for after that is read again."""

BYTES_MAX: Final = 32 << 20
"""Bytes that are remembered: those of a chat are read again each turn."""

CHECKPOINTS: Final = frozenset({facts.CHECKPOINT})


@dataclass(slots=True)
class _Life:
    """A thread as far as it was read.

    Attributes:
        number: Which of its lives it is.
        fold: Its records so far.
        cursor: How far those go.
    """

    number: int = 0
    fold: Thread = field(default_factory=Thread)
    cursor: Cursor = START


class Threads:
    """The threads of one store.

    Args:
        store: Where they are.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lives: OrderedDict[str, _Life] = OrderedDict()
        self._bytes: OrderedDict[BlobRef, bytes] = OrderedDict()
        self._size = 0

    def get(self, thread: str) -> Thread:
        """A thread as it is now; one that nobody began is empty."""
        life = self._lives.setdefault(thread, _Life())
        self._lives.move_to_end(thread)
        if len(self._lives) > THREADS_MAX:
            self._lives.popitem(last=False)
        while True:
            run = facts.run_of(thread, life.number)
            entries, life.cursor = self.store.read(run, life.cursor)
            life.fold.apply(entries)
            if not life.fold.ended:
                return life.fold
            life.number, life.fold, life.cursor = life.number + 1, Thread(), START

    def bytes(self, ref: BlobRef) -> bytes:
        """`Store.get`, remembering what was verified."""
        if ref not in self._bytes:
            self._bytes[ref] = self.store.get(ref)
            self._size += ref.size
        self._bytes.move_to_end(ref)
        found = self._bytes[ref]
        while self._size > BYTES_MAX:
            self._size -= self._bytes.popitem(last=False)[0].size
        return found

    def append(
        self, thread: str, kind: str, fields: Mapping[str, Plain], *blobs: BlobRef
    ) -> None:
        """Journal a fact of a thread; durable on return."""
        self.append_all(thread, [(kind, fields, blobs)])

    def append_all(
        self,
        thread: str,
        records: Iterable[tuple[str, Mapping[str, Plain], tuple[BlobRef, ...]]],
    ) -> None:
        """Journal several facts of a thread, all or none."""
        run, at_us = self._run(thread), SYSTEM_CLOCK.now_us()
        made = [
            Record(kind=k, run=run, at_us=at_us, subject=run, fields=f, blobs=b)
            for k, f, b in records
        ]
        self.store.append(made, sync=True)

    def copy(self, source: str, target: str) -> None:
        """Journal the facts of a thread for another one."""
        self.get(source)
        entries, _ = self.store.read(self._run(source))
        copied = [
            (
                entry.record.kind,
                {**entry.record.fields, "thread": target},
                tuple(self._again(ref) for ref in entry.record.blobs),
            )
            for entry in entries
        ]
        self.get(target)
        self.append_all(target, copied)

    def known(self) -> list[str]:
        """Every thread that was begun, deleted ones among them."""
        entries, _ = self.store.scan(CHECKPOINTS)
        return list(dict.fromkeys(str(e.record.fields["thread"]) for e in entries))

    def _run(self, thread: str) -> str:
        life = self._lives.get(thread)
        return facts.run_of(thread, life.number if life else 0)

    def _again(self, ref: BlobRef) -> BlobRef:
        """Bytes that stand in a record have to stand in the other one, too."""
        if ref.place is None:
            return ref
        return self.store.put(ref.codec, self.store.get(ref))
