"""What this process has appended to its run and nobody has folded yet.

Theory of operation. A call waits for no fold, so its records are kept as they were
appended; whoever looks at the history folds them first. A cell that makes calls all day
may have nobody who looks: after `PENDING_MAX` records they are folded in any case, since a
record takes twice the memory of what is kept of it. Who holds one holds the session's lock.
"""

from __future__ import annotations

from typing import Final

from nbdurable_store.records import Entry

PENDING_MAX: Final = 1_000
"""Records, some 1 MB; to fold them takes less time than one call to a model."""


class Seqs:
    """Sequence numbers that come nearly in order: a stretch, and those outside it.

    Example:
        >>> seqs = Seqs()
        >>> for seq in (4, 5, 7, 6):
        ...     seqs.add(seq)
        >>> [seq for seq in range(10) if seq in seqs]
        [4, 5, 6, 7]
    """

    def __init__(self) -> None:
        self._from = self._until = 0
        self._more: set[int] = set()

    def add(self, seq: int) -> None:
        """Take a number."""
        if self._from == self._until:
            self._from = self._until = seq
        if seq != self._until:
            self._more.add(seq)
            return
        self._until += 1
        while self._more and self._until in self._more:
            self._more.remove(self._until)
            self._until += 1

    def clear(self) -> None:
        """Forget all."""
        self._from = self._until = 0
        self._more.clear()

    def __contains__(self, seq: int) -> bool:
        return self._from <= seq < self._until or seq in self._more


class Pending:
    """Entries that wait to be folded, and the numbers of all that came this way.

    Attributes:
        steps: Ids of the attempts that the waiting entries belong to.
        seen: Sequence numbers of all since the last look at the store.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self.steps: set[str] = set()
        self.seen = Seqs()

    def __bool__(self) -> bool:
        return bool(self._entries)

    @property
    def enough(self) -> bool:
        """Whether they are to be folded, though nobody looks."""
        return len(self._entries) >= PENDING_MAX

    def add(self, entry: Entry, run: str) -> None:
        """An entry was appended.

        Args:
            entry: The entry.
            run: The run that is folded: a call of the run before may end in it.
        """
        if entry.record.run == run:
            self._entries.append(entry)
            self.steps.add(entry.record.step)
        self.seen.add(entry.seq)

    def take(self) -> list[Entry]:
        """The entries, which wait no more."""
        taken, self._entries = self._entries, []
        self.steps.clear()
        return taken

    def clear(self) -> None:
        """Forget all: everything is read again."""
        self.take()
        self.seen.clear()
