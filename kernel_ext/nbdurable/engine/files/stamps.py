"""What a file holds, as a digest that is made once per state of the file.

A state is what the file system says: device, inode, size and the two times that a
program can't set both. A file written a moment ago may be written once more within the
grain of the clock, so the digest of such a state is made again when it is asked for.
"""

from __future__ import annotations

import glob
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nbdurable.engine.identity import keys
from nbdurable_store.clock import Clock

CONTENT_BYTES_MAX = 1 << 31
"""Above this a file counts by size and time: hashing 2 GiB takes 0.5 s, and seconds if
the disk has to be read."""

GRAIN_NS = 2_000_000_000
"""The coarsest clock of a file system that is in use, FAT's."""

CHANGED_MEANWHILE = ""
"""Stands for the content of a file that somebody changed while the step read it."""

KNOWN_MAX = 20_000
"""Digests remembered; a few hundred bytes each."""

_CHUNK_BYTES = 1 << 20


class State(NamedTuple):
    """A regular file as the file system describes it; times in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


def state(path: str) -> State | None:
    """The state of a regular file; ``None`` if there is none at this path."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return State(
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def by_time(found: State) -> str:
    """What stands for the content of a file that is too big to be hashed."""
    return f"{found.size}:{found.mtime_ns}"


class Contents:
    """Digests of files, by their state."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[State, str] = {}

    def of(self, path: str, found: State) -> str:
        """The digest of a file in hex, or size and time; "" if it can't be read."""
        if found.size > CONTENT_BYTES_MAX:
            return by_time(found)
        known = self._known.get(found)
        if known is not None:
            return known
        try:
            digest = keys.file_digest(_chunks(path)).hex()
        except OSError:
            return ""
        if state(path) == found and self._settled(found):
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[found] = digest
        return digest

    def settled(self, found: State) -> bool:
        """Whether the digest of this state is remembered."""
        return found in self._known

    def learn(self, found: State, digest: str) -> None:
        """Take a digest that was made in another process."""
        self._known.setdefault(found, digest)

    def _settled(self, found: State) -> bool:
        latest = max(found.mtime_ns, found.ctime_ns)
        return self._clock.now_us() * 1000 - latest > GRAIN_NS


def _chunks(path: str) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with Path(path).open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            yield buffer[:count]


def matching(pattern: str) -> str:
    """A digest of the names of the files that an absolute pattern matches."""
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # knows ``**`` as users write it
    top = pattern[: pattern.rfind("/", 0, re.search(r"[*?\[]|$", pattern).start()) + 1]  # type: ignore[union-attr]  # the end always matches
    return keys.names_digest(name.removeprefix(top) for name in names).hex()


def names_in(folder: str) -> str:
    """A digest of the names in a folder, hidden ones left out."""
    try:
        found = [path.name for path in Path(folder).iterdir()]
    except OSError:
        return CHANGED_MEANWHILE
    names = sorted(n for n in found if n[:1] != "." and n[:2] != "__")
    return keys.names_digest(names).hex()
