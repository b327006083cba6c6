"""The segments of a journal as bytes, plain or sealed, and who wrote them."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path

from nbdurable_store.journal.frames import Opening
from nbdurable_store.journal.sealed import SealBroken, SealedFile, salvage
from nbdurable_store.journal.segments import (
    PlainFile,
    Source,
    alive,
    listing,
    opening_of,
)
from nbdurable_store.keys import Signer
from nbdurable_store.protocol import Owner


def open_segment(journal: Path, owner: str, signer: Signer) -> Source | None:
    """The bytes of an owner's segment, plain or sealed; ``None`` if there is none."""
    found = listing(journal)
    if owner in found.plain:
        # It may have been sealed since, and be gone.
        with contextlib.suppress(FileNotFoundError):
            return PlainFile(found.plain[owner])
        found = listing(journal)
    if owner not in found.sealed:
        return None
    try:
        return SealedFile(found.sealed[owner], owner, signer)
    except SealBroken:
        return salvage(found.sealed[owner])


class Sources:
    """The bytes of every segment that this process reads, each opened once.

    Of its own, so that a value is read while somebody else waits for DuckDB.

    Args:
        journal: The folder of segments.
        signer: Checks the index of sealed ones.
    """

    def __init__(self, journal: Path, signer: Signer) -> None:
        self._journal = journal
        self._signer = signer
        self._lock = threading.Lock()
        self._open: dict[str, Source] = {}
        self._openings: dict[str, Opening] = {}

    def of(self, owner: str) -> Source | None:
        """An owner's segment, or ``None`` if there is none."""
        source = self._open.get(owner)  # all but the first time: no lock is needed
        if source is None:
            with self._lock:
                source = self._open.get(owner)
                if source is None:
                    source = open_segment(self._journal, owner, self._signer)
                    if source is not None:
                        self._open[owner] = source
        return source

    def read(self, owner: str, offset: int, size: int) -> bytes | None:
        """Bytes of an owner's segment, or ``None`` if there is none."""
        source = self._open.get(owner) or self.of(owner)
        return None if source is None else source.read(offset, size)

    def sealed_until(self, owner: str) -> int:
        """Sequence number after the last frame of a sealed segment; 0 if there is none.

        A seal that is broken may hold anything, so it has no end.
        """
        source = open_segment(self._journal, owner, self._signer)
        if source is None:
            return 0
        source.close()
        return source.index.next_seq if isinstance(source, SealedFile) else sys.maxsize

    def opening(self, owner: str) -> Opening | None:
        """What an owner's segment says of its owner, if it begins as one."""
        known = self._openings.get(owner)
        if known is None:
            source = open_segment(self._journal, owner, self._signer)
            if source is None:
                return None
            known = opening_of(source, self._signer.chain(owner))
            source.close()
            if known is not None:
                self._openings[owner] = known
        return known

    def owners(self) -> tuple[Owner, ...]:
        """Everyone who ever appended, and who of them is alive now."""
        plain, sealed = listing(self._journal)
        found = []
        for owner in sorted(plain.keys() | sealed.keys()):
            said = self.opening(owner)
            if said is not None:
                lives = owner in plain and alive(plain[owner])
                found.append(
                    Owner(
                        id=owner,
                        pid=said.pid,
                        since_us=said.since_us,
                        alive=lives,
                    )
                )
        return tuple(found)

    def close(self) -> None:
        """Give all descriptors back."""
        with self._lock:
            for source in self._open.values():
                source.close()
            self._open.clear()
