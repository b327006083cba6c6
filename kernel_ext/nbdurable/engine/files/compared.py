"""Files on disk, compared with what a step recorded of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from nbdurable.engine.files.counted import Counted
from nbdurable.engine.files.stamps import Contents, State, by_time, state
from nbdurable.engine.files.watched import CHANGED_MEANWHILE, matching, names_in
from nbdurable.engine.pasts import StepPast


class Compared:
    """Compares, for one step at a time."""

    def __init__(self, counted: Counted, contents: Contents) -> None:
        self._counted = counted
        self._contents = contents

    def changed(self, step: StepPast) -> Mapping[str, str]:
        """The files that a step read and that aren't as they were; what became of them.

        A file that the step itself changed is as it was also in the state it left.
        """
        read, wrote = _texts(step, "files"), _texts(step, "wrote")
        self._learn(step, read)
        told: dict[str, str] = {}
        for name, content in read.items():
            now = self._now(name, content)
            if now is None:
                told[name] = "is gone"
            elif now not in {content, wrote.get(name)} or now == CHANGED_MEANWHILE:
                told[name] = "changed"
        for pattern, digest in _texts(step, "matched").items():
            if matching(self._counted.place(pattern)) != digest:
                told[pattern] = "changed"
        return told

    def lost(self, step: StepPast) -> Iterator[str]:
        """What became of files that a step wrote, one sentence each."""
        for name, content in _texts(step, "wrote").items():
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

    def _learn(self, step: StepPast, read: Mapping[str, str]) -> None:
        states = step.fields.get("states")
        for name, fields in states.items() if isinstance(states, Mapping) else ():
            if name in read and isinstance(fields, list | tuple):
                self._contents.learn(State(*map(int, fields)), read[name])


def _texts(step: StepPast, field: str) -> dict[str, str]:
    found = step.fields.get(field)
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {str(name): str(value) for name, value in pairs}
