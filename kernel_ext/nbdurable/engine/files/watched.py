"""What one step read and wrote, as it goes.

Theory of operation. The first access to a file decides: one that the step wrote first
is no input, whatever it reads from it later. What it reads is remembered as it stood
then; at the end of the step its content gets a digest. A file that the step reads and
then writes has two: it counts as unchanged as it was, and as the step has left it.
A file that somebody else changed meanwhile has none, and the step runs again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nbdurable.engine.files.compared import Compared, texts
from nbdurable.engine.files.counted import Counted
from nbdurable.engine.files.stamps import (
    CHANGED_MEANWHILE,
    Contents,
    State,
    by_time,
    matching,
    names_in,
    state,
)
from nbdurable_store.records import Plain

FILES_MAX = 10_000
"""Files and folders remembered per step; a hundred bytes each in the journal."""

STEP_BYTES_MAX = 1 << 33
"""Bytes hashed per step; files beyond that count by size and time. 8 GiB take 2 s, and
up to a minute if the disk has to be read."""

_OF_FILES = frozenset({"files", "wrote", "matched"})
"""Fields of a call that say something of files."""

KEPT_STATE_BYTES = 1 << 24
"""From this size on the state is kept too: another kernel then needs no digest."""


@dataclass(slots=True)
class Access:
    """How a step uses a file.

    Attributes:
        found: The file's state at the first access; ``None`` if it wasn't there.
        reads: Whether the step may have read what was there before.
        writes: Whether the step wrote it.
        before: What it held before the step's first write, if it had been read.
    """

    found: State | None
    reads: bool
    writes: bool = False
    before: str | None = None


@dataclass(slots=True)
class Files:
    """What a step read and wrote, for its record.

    Attributes:
        read: Per name the digest in hex, or size and time, or `CHANGED_MEANWHILE`.
        wrote: The same as the step left them.
        matched: Per pattern a digest of the names it matched.
        states: The states of big files that were read.
        big: Names of those that count by size and time.
        left_off: How many are not remembered.
    """

    read: dict[str, str] = field(default_factory=dict)
    wrote: dict[str, str] = field(default_factory=dict)
    matched: dict[str, str] = field(default_factory=dict)
    states: dict[str, list[int]] = field(default_factory=dict)
    big: list[str] = field(default_factory=list)
    left_off: int = 0

    def fields(self) -> dict[str, Plain]:
        """Plain data for the record of the step's end, without what is empty."""
        found: dict[str, Plain] = {
            "files": self.read,
            "wrote": self.wrote,
            "matched": self.matched,
            "states": self.states,
        }
        return {name: value for name, value in found.items() if value}


class Watched:
    """The files of one step. Called from any thread of it; never raises for a disk.

    Attributes:
        outer: Per logical call made inside another one, the id of that one.
    """

    def __init__(self, counted: Counted, contents: Contents) -> None:
        self.counted = counted
        self.contents = contents
        self._accesses: dict[str, Access] = {}
        self._folders: dict[str, None] = {}
        self._patterns: dict[str, None] = {}
        self.outer: dict[str, str] = {}
        self._by_call: dict[str, dict[str, None]] = {}
        self._carried = Files()
        self._left_off = 0
        self._hashed = 0

    # --- while the step runs

    def read(self, path: str, call: str = "") -> None:
        """The step opens a file to read it, inside a call or not."""
        if path not in self._accesses and self._takes(path):
            found = state(path)
            if found is not None:
                self._accesses[path] = Access(found, reads=True)
        if call and path in self._accesses and self._accesses[path].reads:
            self._note(call, path)

    def write(self, path: str) -> None:
        """The step opens a file to write it; nothing is written yet."""
        access = self._accesses.get(path)
        if access is None:
            if self._takes(path):
                self._accesses[path] = Access(state(path), reads=False, writes=True)
            return
        if access.reads and not access.writes and access.found is not None:
            same = state(path) == access.found
            access.before = self._content(path, access.found) if same else None
        access.writes = True

    def update(self, path: str, call: str = "") -> None:
        """The step may read a file and write it: a database."""
        self.read(path, call)
        self.write(path)

    def rename(self, old: str, new: str) -> None:
        """The step puts one file in the place of another."""
        self._accesses.pop(old, None)
        self.write(new)

    def knows(self, path: str) -> bool:
        """Whether the step was seen to open a file."""
        return path in self._accesses

    def list(self, path: str, call: str = "") -> None:
        """The step lists a folder."""
        if path not in self._folders and self._takes(f"{path}/"):
            self._folders[path] = None
        if call and path in self._folders:
            self._note(call, f"{path}/")

    def match(self, pattern: str, call: str = "") -> None:
        """The step looks for files by a pattern."""
        if pattern not in self._patterns and self._takes(pattern):
            self._patterns[pattern] = None
        if call and pattern in self._patterns:
            self._note(call, pattern)

    def _note(self, call: str, path: str) -> None:
        while call:
            self._by_call.setdefault(call, {})[path] = None
            call = self.outer.get(call, "")

    def _takes(self, path: str) -> bool:
        if not self.counted(path):
            return False
        if len(self._accesses) + len(self._folders) >= FILES_MAX:
            self._left_off += 1
            return False
        return True

    # --- calls

    def of_call(self, call: str) -> dict[str, Plain]:
        """What a call has read by now, for its record."""
        paths = self._by_call.get(call)
        if paths is None:
            return {}
        files = Files()
        for path in paths:
            if path in self._patterns:
                files.matched[self.counted.named(path)] = matching(path)
            elif path.endswith("/"):
                files.read[f"{self.counted.named(path[:-1])}/"] = names_in(path)
            elif (now := state(path)) is not None:
                self._close(files, path, self._accesses[path], now)
        return {n: v for n, v in files.fields().items() if n != "states"}

    def differ(self, fields: Mapping[str, Plain]) -> bool:
        """Whether a file that a recorded call read isn't as it was."""
        if "files" not in fields and "matched" not in fields:
            return False
        return bool(Compared(self.counted, self.contents).changed(fields))

    def carry(self, fields: Mapping[str, Plain]) -> None:
        """A recorded call is served: what it had read is read by this step, too.

        A call that is served although a file has changed doesn't depend on it.
        """
        if _OF_FILES.isdisjoint(fields) or self.differ(fields):
            return
        self._carried.read |= texts(fields, "files")
        self._carried.wrote |= texts(fields, "wrote")
        self._carried.matched |= texts(fields, "matched")

    # --- at its end

    def close(self, named: Iterable[tuple[str, State | None]] = ()) -> Files:
        """What the step read and wrote.

        Args:
            named: Files that it names, with their state before it ran; readers that
                don't go through Python show themselves in no other way.
        """
        for path, before in named:
            if path not in self._accesses and self._takes(path):
                same = state(path) == before
                self._accesses[path] = Access(before, reads=same, writes=not same)
        files = self._carried
        files.left_off = self._left_off
        for path, access in self._accesses.items():
            now = state(path)
            if now is not None:  # else nobody can read it, nor miss it
                self._close(files, path, access, now)
        for folder in self._folders:
            files.read[f"{self.counted.named(folder)}/"] = names_in(folder)
        for pattern in self._patterns:
            files.matched[self.counted.named(pattern)] = matching(pattern)
        return files

    def _close(self, files: Files, path: str, access: Access, now: State) -> None:
        name = self.counted.named(path)
        unchanged = access.found == now
        if access.reads and unchanged:
            files.read[name] = self._content(path, now)
            self._describe(files, name, files.read[name], now)
        elif access.reads:
            files.read[name] = access.before or CHANGED_MEANWHILE
        if access.writes and not (access.reads and unchanged):
            files.wrote[name] = self._content(path, now)

    def _describe(self, files: Files, name: str, content: str, now: State) -> None:
        if content == by_time(now):
            files.big.append(name)
        elif now.size >= KEPT_STATE_BYTES and self.contents.settled(now):
            files.states[name] = [*now]

    def _content(self, path: str, found: State) -> str:
        if self._hashed + found.size > STEP_BYTES_MAX:
            return by_time(found)
        self._hashed += found.size
        return self.contents.of(path, found)
