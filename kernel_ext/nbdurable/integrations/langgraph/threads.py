"""The fold of a thread's records: its checkpoints, and what was written since each. Pure.

A checkpoint that was removed is no longer told, but may still hold values of others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from nbdurable.integrations.langgraph import facts
from nbdurable.integrations.langgraph.facts import Held, Name, Saved, Written
from nbdurable_store.records import Entry, Kind


class Thread:
    """One life of a thread.

    Attributes:
        ended: Whether it was deleted, or removed from the store.
    """

    def __init__(self) -> None:
        self.ended = False
        self._records: dict[str, Saved] = {}
        self._told: dict[Name, Saved] = {}
        self._writes: dict[Name, list[Written]] = {}

    def apply(self, entries: Iterable[Entry]) -> None:
        """Fold entries, in order."""
        for entry in entries:
            match entry.record.kind:
                case facts.CHECKPOINT:
                    saved = facts.saved(entry)
                    self._records[saved.record] = self._told[saved.name] = saved
                case facts.WRITES:
                    found = self._writes.setdefault(facts.named(entry), [])
                    found += facts.written(entry)
                case facts.REMOVED:
                    self._remove(facts.removed(entry))
                case facts.ENDED | Kind.RUN_REMOVED:
                    self.ended = True
                case _:  # a later version's
                    pass

    def _remove(self, names: Iterable[Name]) -> None:
        for name in names:
            self._told.pop(name, None)
            self._writes.pop(name, None)

    @property
    def begun(self) -> bool:
        """Whether there is anything of it."""
        return bool(self._records or self._writes)

    def namespaces(self) -> set[str]:
        """Those that it has checkpoints in."""
        return {namespace for namespace, _ in self._told}

    def get(self, namespace: str, checkpoint: str = "") -> Saved | None:
        """A checkpoint; without an id the latest of the namespace."""
        if checkpoint:
            return self._told.get((namespace, checkpoint))
        ids = (i for n, i in self._told if n == namespace)
        latest = max(ids, default="")
        return self._told.get((namespace, latest))

    def all(self) -> list[Saved]:
        """Every checkpoint, the newest first."""
        return sorted(self._told.values(), key=lambda s: s.name[::-1], reverse=True)

    def latest(self) -> list[Saved]:
        """The latest checkpoint of each namespace."""
        return [s for n in {n for n, _ in self._told} if (s := self.get(n))]

    def pending(self) -> str:
        """Why its graph has not come to its end, or "".

        LangGraph empties the channel of a node that runs next when that has run.
        """
        for saved in self.latest():
            channels = {written.channel for written in self.writes(saved.name)}
            if facts.INTERRUPT in channels:
                return "its graph waits for an answer"
            if not saved.name[0] and any(map(facts.runs_next, saved.values)):
                return "its graph has not come to its end"
        return ""

    def ancestors(self, saved: Saved) -> Iterator[Saved]:
        """A checkpoint, its parent, and so on, as long as they are told."""
        found: Saved | None = saved
        seen: set[Name] = set()
        while found is not None and found.name not in seen:
            yield found
            seen.add(found.name)
            found = self._told.get((found.name[0], found.parent))

    def record(self, name: str) -> Saved | None:
        """The checkpoint of a record, removed or not."""
        return self._records.get(name)

    def writes(
        self, name: Name, records: Collection[str] | None = None
    ) -> list[Written]:
        """What was written since a checkpoint, in the order in which it is applied.

        Of the same write the first one counts, unless a later one is made anew.

        Args:
            name: The checkpoint.
            records: Those that count, if not all.
        """
        found: dict[tuple[str, int], Written] = {}
        for one in self._writes.get(name, ()):
            if records is not None and one.record not in records:
                continue
            if one.anew or (one.task, one.nth) not in found:
                found[one.task, one.nth] = one
        return sorted(found.values(), key=lambda w: (w.path, w.task, w.nth))

    def parts(self, saved: Saved, channel: str) -> list[tuple[Saved, Held, int]]:
        """The records that a value is put together from, with the number of items of each.

        One for what is no list in parts. Raises `LookupError` where one can't be read.
        """
        found: list[tuple[Saved, Held, int]] = []
        held, most = saved.values[channel], -1
        while True:
            if held.kept < 0 and held.at:
                saved = self._records[held.at]
                held = saved.values[channel]
                continue
            if held.kept < 0:
                return [(saved, held, -1)]
            kept = held.kept if most < 0 else min(held.kept, most)
            own = len(held.items) if most < 0 else max(0, most - held.kept)
            found.append((saved, held, own))
            if not kept:
                return found[::-1]
            most, saved = kept, self._records[held.at]
            held = saved.values[channel]

    def digests(self, saved: Saved, channel: str) -> list[str]:
        """Of a list in parts, the digest of each item; else none."""
        try:
            parts = self.parts(saved, channel)
        except LookupError:
            return []
        return [item for _, held, own in parts for item in held.items[: max(0, own)]]
