"""Files on disk, compared with what a step recorded of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

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


class Compared:
    """Compares, for one step or call at a time, by the fields of its record."""

    def __init__(self, counted: Counted, contents: Contents) -> None:
        self._counted = counted
        self._contents = contents

    def changed(self, fields: Mapping[str, Plain]) -> Mapping[str, str]:
        """What became of the files that were read and that aren't as they were.

        A file that was changed by the reader itself is as it was also in the state it left.
        """
        read, wrote = texts(fields, "files"), texts(fields, "wrote")
        self._learn(fields, read)
        told: dict[str, str] = {}
        for name, content in read.items():
            now = self._now(name, content)
            if now is None:
                told[name] = "is gone"
            elif now not in {content, wrote.get(name)} or now == CHANGED_MEANWHILE:
                told[name] = "changed"
        for pattern, digest in texts(fields, "matched").items():
            if matching(self._counted.place(pattern)) != digest:
                told[pattern] = "changed"
        return told

    def lost(self, fields: Mapping[str, Plain]) -> Iterator[str]:
        """What became of files that a step wrote, one sentence each."""
        for name, content in texts(fields, "wrote").items():
            now = self._now(name, content)
            if now is None:
                yield f"{name}, which it wrote, is gone"
            elif now != content:
                yield f"{name}, which it wrote, has changed"

    def _now(self, name: str, content: str) -> str | None:
        path = self._counted.place(name)
        if name.endswith("/"):
            return names_in(path) if Path(path).is_dir() else None
        found = state(path)
        if found is None:
            return None
        return by_time(found) if ":" in content else self._contents.of(path, found)

    def _learn(self, fields: Mapping[str, Plain], read: Mapping[str, str]) -> None:
        states = fields.get("states")
        for name, numbers in states.items() if isinstance(states, Mapping) else ():
            if name in read and isinstance(numbers, list | tuple):
                self._contents.learn(State(*map(int, numbers)), read[name])


def texts(fields: Mapping[str, Plain], field: str) -> dict[str, str]:
    """A field that maps names to texts."""
    found = fields.get(field)
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {str(name): str(value) for name, value in pairs}
