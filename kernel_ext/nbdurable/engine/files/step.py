"""The files of a step, as `begin` and the end of an attempt ask for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nbdurable.engine.files import audit
from nbdurable.engine.files.compared import Compared
from nbdurable.engine.files.counted import Counted
from nbdurable.engine.files.effects import Effects
from nbdurable.engine.files.named import paths, patterns
from nbdurable.engine.files.stamps import Contents, State, state
from nbdurable.engine.files.watched import Files, Watched
from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.past.attempts import StepPast


@dataclass(slots=True)
class StepFiles:
    """The files of one execution of a cell.

    Attributes:
        watched: What it does with files; ``None`` if files don't count.
        effects: What it does to the world beside its calls.
    """

    watched: Watched | None
    effects: Effects
    _named: dict[str, State | None] = field(default_factory=dict)

    @classmethod
    def of(cls, root: str, store: str, contents: Contents, *, on: bool) -> StepFiles:
        """For a kernel that started in ``root`` and a store's folder."""
        counted = Counted(root, store)
        return cls(Watched(counted, contents) if on else None, Effects(counted))

    @property
    def _compared(self) -> Compared | None:
        watched = self.watched
        return Compared(watched.counted, watched.contents) if watched else None

    def changed(self, step: StepPast) -> Mapping[str, str]:
        """The files that a step read and that aren't as they were."""
        return self._compared.changed(step.fields) if self._compared else {}

    def lost(self, step: StepPast) -> tuple[str, ...]:
        """What became of the files that a step wrote."""
        return tuple(self._compared.lost(step.fields)) if self._compared else ()

    @contextlib.contextmanager
    def watching(
        self, inputs: Inputs, namespace: Mapping[str, object]
    ) -> Iterator[None]:
        """The cell's code runs within."""
        if self.watched is not None:
            with contextlib.suppress(OSError):  # the folder may be gone
                self._look_at_names(self.watched, inputs, namespace)
        with audit.watching():
            yield

    def _look_at_names(
        self, watched: Watched, inputs: Inputs, namespace: Mapping[str, object]
    ) -> None:
        values = [namespace[name] for name in inputs.given if name in namespace]
        found = paths(inputs.texts, values)
        self._named = {path: state(path) for path in found}
        for pattern in patterns(inputs.texts):
            watched.match(pattern)

    def close(self) -> Files:
        """What the step read and wrote."""
        if self.watched is None:
            return Files()
        for path, before in self._named.items():
            if not self.watched.knows(path) and state(path) != before:
                self.effects.wrote(path)
        return self.watched.close(self._named.items())
