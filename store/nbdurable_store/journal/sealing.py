"""Putting away what dead processes left: their segments, and files without a name.

Only what DuckDB has wholly is sealed, so that readers need not look into sealed segments.
Two processes may do this at once: both write the same, under names of their own, and a
segment that is gone has been put away by the other.

Order of writes of one segment: 1 the sealed copy under a temporary name, synced; 2 the
rename; 3 a sync of the folder; 4 the plain segment is removed. A process that dies
between 3 and 4 leaves both; the next one does 4.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from nbdurable_store.clock import Clock
from nbdurable_store.journal.sealed import SealBroken, SealedFile, seal
from nbdurable_store.journal.segments import (
    SEALED_SUFFIX,
    PlainFile,
    Scan,
    alive,
    listing,
    opening_of,
)
from nbdurable_store.keys import Signer
from nbdurable_store.killpoints import reach

LEFT_AFTER_US = 3600 * 1_000_000
"""A file that nobody renamed for an hour was left by a process that died."""


class Sealer:
    """Puts away what is left in one store.

    Args:
        root: The store's folder.
        journal: Its folder of segments.
        signer: Checks segments, signs seals.
        owner: Id of this process; names its temporary files.
    """

    def __init__(self, root: Path, journal: Path, signer: Signer, owner: str) -> None:
        self._root = root
        self._journal = journal
        self._signer = signer
        self.owner = owner
        """Id of this process; names its temporary files."""

    def left(self) -> list[str]:
        """Owners that are dead and whose segment isn't sealed."""
        plain = listing(self._journal).plain
        return [
            owner
            for owner, path in sorted(plain.items())
            if owner != self.owner and not alive(path)
        ]

    def seal(self, ends: Mapping[str, int]) -> int:
        """Seal the segments of dead owners; how many were.

        Args:
            ends: Per owner, the sequence number up to which DuckDB has its segment.

        Raises:
            OSError: The disk is full or can't be written; nothing is lost.
        """
        return sum(self._seal(owner, ends.get(owner, 0)) for owner in self.left())

    def sweep(self, clock: Clock) -> None:
        """Remove temporary files that nobody will rename any more.

        What belongs to a blob or to a segment that is sealed is named ``<owner>-<n>``;
        who makes it is an owner before, or holds ``tidy.lock`` as the caller does.
        """
        before_us = clock.now_us() - LEFT_AFTER_US
        with contextlib.suppress(OSError):
            there = list((self._root / "tmp").iterdir())
            living = self._living()  # after the look: who began in between is in it
            for path in there:
                owner, numbered, _ = path.name.partition("-")
                old = path.lstat().st_mtime_ns // 1000 < before_us
                if (old or numbered) and owner.partition(".")[0] not in living:
                    path.unlink()

    def _living(self) -> set[str]:
        plain = listing(self._journal).plain
        return {owner for owner, path in plain.items() if alive(path)}

    def _seal(self, owner: str, end: int) -> bool:
        plain = self._journal / f"{owner}.seg"
        final = plain.with_name(owner + SEALED_SUFFIX)
        try:
            source = PlainFile(plain)
        except FileNotFoundError:
            return False
        try:
            chain = self._signer.chain(owner)
            if not self._sealed(final, owner):
                scan = Scan(source, chain)
                if opening_of(source, chain) is None:
                    return False
                for _ in scan.walk():
                    pass
                if scan.mark.next_seq != end:
                    return False
                temp = self._root / "tmp" / f"{self.owner}-{owner}"
                seal(source, scan.mark, final, temp, self._signer)
        finally:
            source.close()
        plain.unlink(missing_ok=True)
        reach("seal.done")
        return True

    def _sealed(self, final: Path, owner: str) -> bool:
        """Whether the sealed copy is there, whole and ours."""
        try:
            SealedFile(final, owner, self._signer).close()
        except (FileNotFoundError, SealBroken):
            return False
        return True
