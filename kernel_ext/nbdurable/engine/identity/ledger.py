"""What a cell takes from the notebook and leaves in it, kept in the order it happens.

A function that a cell defines reads nothing by being defined. Its needs are kept under
its name, and count from the moment the name is loaded; a function nobody loads reads
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Needs:
    """What a body needs from the module around it when it runs, in whatever order.

    Attributes:
        loads: Global names it loads.
        stores: Global names it binds or deletes.
        guesses: Names in texts that may be variables; they count where one is bound.
        frames: Names that stand where SQL has tables; they count where a frame is.
        dynamic: Builtins through which it may read any name.
        imports: Modules it imports; with leading dots as in ``from ..a import b``.
        texts: Texts that may name files.
        star: It may bind names that nobody can foresee.
    """

    loads: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    guesses: set[str] = field(default_factory=set)
    frames: set[str] = field(default_factory=set)
    dynamic: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    star: bool = False

    def add(self, more: Needs) -> None:
        """Need all that another body needs, too."""
        for name in ("loads", "stores"):
            getattr(self, name).update(getattr(more, name))
        self.add_texts(more)

    def add_texts(self, more: Needs, bound: Collection[str] = ()) -> None:
        """What another body needs besides loads; names that are bound aside."""
        for name in ("guesses", "frames", "dynamic"):
            getattr(self, name).update(getattr(more, name).difference(bound))
        self.imports |= more.imports
        self.texts |= more.texts
        self.star |= more.star


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a cell reads and binds, as far as its text says.

    Attributes:
        source: Digest of the normalised source.
        reads: Names whose value the cell may use from before it ran.
        writes: Names it may bind.
        stores: Those of them that its functions may bind when they run.
        deletes: Names it may delete.
        guesses: Names in texts of magics; read where a variable is bound to them.
        frames: Names in SQL texts; read where a frame is bound to them.
        dynamic: Builtins through which it may read any name; empty if it can't.
        star: It may bind names that nobody can foresee.
        imports: Modules it imports.
        texts: Texts in it that may name files.
        read_at: Per read name, when it is read first.
        bound_at: Per name bound for certain, when it is bound first.
    """

    source: bytes
    reads: frozenset[str]
    writes: frozenset[str]
    stores: frozenset[str]
    deletes: frozenset[str]
    guesses: frozenset[str]
    frames: frozenset[str]
    dynamic: frozenset[str]
    star: bool
    imports: frozenset[str]
    texts: frozenset[str]
    read_at: Mapping[str, int]
    bound_at: Mapping[str, int]

    def bound_before(self, name: str) -> frozenset[str]:
        """The names that the cell has bound when it first reads a name."""
        then = self.read_at.get(name, 0)
        return frozenset(n for n, at in self.bound_at.items() if at < then)


@dataclass(slots=True)
class _Deferred:
    """The needs of a definition, and what was bound when it was made."""

    needs: Needs
    bound: frozenset[str]


class Ledger:
    """The reads and writes of one cell, entered while its statements are walked."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        """Names bound for certain at the point that the walk has reached."""
        self.sums = Needs()
        """Guesses, frames and dynamic reads of all that ran."""
        self.writes: set[str] = set()
        self.stores: set[str] = set()
        self.deletes: set[str] = set()
        self._read_at: dict[str, int] = {}
        self._bound_at: dict[str, int] = {}
        self._deferred: dict[str, list[_Deferred]] = {}
        self._ran: list[Needs] = []
        self._now = 0

    def load(self, name: str, bound: Iterable[str] | None = None) -> None:
        """A name is loaded now; ``bound`` replaces what is bound, for late finds."""
        self._now += 1
        if name not in (self.bound if bound is None else bound):
            self._read_at.setdefault(name, self._now)
        for deferred in self._deferred.pop(name, ()):
            self.run(deferred.needs, None if bound is None else deferred.bound)

    def run(self, needs: Needs, bound: Iterable[str] | None = None) -> None:
        """A body may run now."""
        self._ran.append(needs)
        self.writes |= needs.stores
        self.stores |= needs.stores
        for name in sorted(needs.loads):
            self.load(name, bound)
        known = self.bound if bound is None else set(bound)
        self.sums.add_texts(needs, known)

    def defer(self, name: str, needs: Needs) -> None:
        """A body may run once its name is loaded."""
        entry = _Deferred(needs, frozenset(self.bound))
        self._deferred.setdefault(name, []).append(entry)

    def bind(self, name: str) -> None:
        """A name is bound now, for certain; a branch takes that back at its end."""
        self._now += 1
        self.writes.add(name)
        self.bound.add(name)
        self._bound_at.setdefault(name, self._now)

    def delete(self, name: str) -> None:
        """A name is deleted now."""
        self.load(name)
        self.deletes.add(name)
        self.bound.discard(name)

    def close(self, source: bytes) -> Analysis:
        """The analysis, once all statements were walked."""
        for needs in self._ran:  # grows while it is walked
            for name in sorted(needs.loads & self._deferred.keys()):
                self.load(name, ())
        bound_at = {n: at for n, at in self._bound_at.items() if n in self.bound}
        return Analysis(
            source=source,
            reads=frozenset(self._read_at),
            writes=frozenset(self.writes),
            stores=frozenset(self.stores),
            deletes=frozenset(self.deletes),
            guesses=frozenset(self.sums.guesses) - frozenset(self._read_at),
            frames=frozenset(self.sums.frames) - frozenset(self._read_at),
            dynamic=frozenset(self.sums.dynamic),
            star=self.sums.star,
            imports=frozenset(self.sums.imports),
            texts=frozenset(self.sums.texts),
            read_at=self._read_at,
            bound_at=bound_at,
        )
