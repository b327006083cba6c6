"""What a run keeps of each name by now, as far as this kernel knows.

By it a step knows which of its inputs are kept already, and which names are kept in one
graph: those are kept anew together, or one of them would come back without the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType

from nbdurable.engine.past.kept import Source
from nbdurable.engine.steps.cells import Places
from nbdurable.engine.steps.snapshot import Kept
from nbdurable_store.records import BlobRef

Groups = Iterable[tuple[tuple[str, ...], BlobRef]]


@dataclass(frozen=True, slots=True)
class Maker:
    """A durable cell that made or changed a name.

    Attributes:
        name: What people call the step.
        count: Its execution count in this kernel.
    """

    name: str
    count: int


@dataclass(slots=True)
class Keeping:
    """What a run keeps by now, as far as this kernel knows.

    Attributes:
        digests: Of the values that are kept, by name.
        code: The functions and classes that are kept, and the values without a digest
            that were tried, by name.
        modules: The names of modules, by name.
        blobs: The latest blob that holds a name, with the names that it holds.
        makers: The durable cell that made or changed each name last in this kernel.
    """

    digests: dict[str, bytes] = field(default_factory=dict)
    code: dict[str, object] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, tuple[bytes, tuple[str, ...]]] = field(default_factory=dict)
    makers: dict[str, Maker] = field(default_factory=dict)

    def made(
        self,
        groups: Groups,
        digests: Mapping[str, bytes],
        values: Mapping[str, object],
        by: Maker,
    ) -> None:
        """A step made or changed these: what was known of them is of an earlier value.

        Args:
            groups: Where they are kept, with some that only hang together with them.
            digests: Of what is kept, where it has one.
            values: The variables.
            by: The cell.
        """
        for names, ref in groups:
            for name in names:
                digest = digests.get(name)
                if digest is None or digest != self.digests.get(name):
                    self.makers[name] = by
                self.forget([name])
                self.blobs[name] = ref.id, names
                if digest is not None:
                    self.digests[name] = digest
                if is_code(values.get(name)):
                    self.code[name] = values[name]

    def changed_in(self, names: Collection[str], places: Places) -> dict[str, str]:
        """Where each name got its value: a durable cell's name, or ``cell 2``.

        Args:
            names: Which names.
            places: Where the shell saw them assigned.
        """
        counts = places(names)
        found = {name: f"cell {count}" for name, count in counts.items()}
        for name in names:
            maker = self.makers.get(name)
            if maker is not None and maker.count >= counts.get(name, 0):
                found[name] = maker.name
        return found

    def restored(self, sources: Mapping[str, Source]) -> None:
        """These names have, or get when they are used, their latest kept values."""
        for name, source in sources.items():
            if source.ref is None:
                self.modules[name] = source.module
                continue
            self.blobs[name] = source.ref.id, source.names
            if name in source.digests:
                self.digests[name] = source.digests[name]

    def set_back(self, sources: Mapping[str, Source]) -> None:
        """These names have a value that is not the latest, and is to be kept anew.

        Together: one of them alone would be parted from those that share an object.
        """
        self.forget(sources)
        self.blobs |= {name: (b"", source.names) for name, source in sources.items()}

    def forget(self, names: Collection[str]) -> None:
        """Know nothing of these: they have other values than those kept last."""
        for name in names:
            self.digests.pop(name, None)
            self.code.pop(name, None)
            self.blobs.pop(name, None)

    def new(self, groups: Iterable[Kept]) -> list[Kept]:
        """Those groups that aren't kept as they are."""
        return [g for g in groups if self._blob(g.names[0]) != (g.ref.id, g.names)]

    def beside(self, name: str) -> tuple[str, ...]:
        """The names that are kept in one graph with this one."""
        return self._blob(name)[1]

    def _blob(self, name: str) -> tuple[bytes, tuple[str, ...]]:
        return self.blobs.get(name, (b"", ()))


def is_code(value: object) -> bool:
    """Whether a value is a function or a class."""
    return isinstance(value, FunctionType | type)
