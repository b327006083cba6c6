"""The inputs of a step: the digest of everything that can change what its cell does."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType

from nbdurable.engine.identity import keys, plain, registry, texts
from nbdurable.engine.identity.canonical import Contents, Hasher, Redact, hashed
from nbdurable.engine.identity.codes import (
    Codes,
    is_shell_name,
)
from nbdurable.engine.identity.forms import Undigestible, qualified
from nbdurable.engine.identity.ledger import Analysis
from nbdurable.engine.identity.puts import SHOWN_BY, only_put_into
from nbdurable.engine.identity.reads import analyse
from nbdurable.engine.identity.sources import Sources
from nbdurable.engine.identity.states import States, class_name, states

_FRAMES = frozenset(
    {
        "pandas.DataFrame",
        "pandas.core.frame.DataFrame",
        "pandas.Series",
        "pandas.core.series.Series",
        "polars.dataframe.frame.DataFrame",
        "polars.lazyframe.frame.LazyFrame",
        "pyarrow.lib.Table",
        "pyarrow.lib.RecordBatchReader",
        "pyarrow._dataset.Dataset",
        "duckdb.DuckDBPyRelation",
        "_duckdb.DuckDBPyRelation",
        "numpy.ndarray",
    }
)
"""Types that SQL engines find by the name of a variable."""


_DATA_MODULES = frozenset({"numpy", "pandas", "polars", "pyarrow", "scipy"})

_KEEPING = _DATA_MODULES | {
    "array", "builtins", "collections", "datetime", "decimal", "fractions", "types"
}  # fmt: skip
"""Modules whose values only keep what is put into them. A method of another class may
call a tool, with what the object held before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a cell reads, as digests, and what it may write.

    Attributes:
        source: Digest of the normalised source.
        digests: Per name read, the digest of its value; `keys.MISSING` for a name that
            isn't bound, ``None`` for a value without a digest.
        codes: Per notebook class whose instances are read, its code digest; and per
            module that the cell imports.
        undigestible: Per name without a digest, what refused it and where.
        writes: Names it may bind, by itself or through the code it reaches.
        binds: Those of them that its own text may bind.
        stores: Those of them that functions may bind, whenever they run.
        deletes: Names it may delete.
        star: It may bind names that nobody can foresee.
        dynamic: Builtins through which any name may be read; then every variable of
            the user counts. Empty if that can't happen.
        reached: Per name that the code it reaches loads, and that isn't read by itself,
            the digest of its value. They are in the digests of that code already.
        states: Per function and class among them, a digest of what it keeps for itself.
        texts: Texts in it and in code it reaches that may name files.
        outdated: Local modules among them whose file was edited since the import.
        unbound: Names that the code it reaches loads and that aren't bound.
        tools: The functions that stand for tools in what it reads, and in code it reaches.
        outputs: Names read of which the cell makes no use but to put something into them.
    """

    source: bytes
    digests: Mapping[str, bytes | None]
    codes: Mapping[str, bytes] = field(default_factory=dict)
    undigestible: Mapping[str, Undigestible] = field(default_factory=dict)
    writes: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    star: bool = False
    dynamic: frozenset[str] = frozenset()
    reached: Mapping[str, bytes | None] = field(default_factory=dict)
    states: Mapping[str, bytes] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()
    outdated: frozenset[str] = frozenset()
    unbound: frozenset[str] = frozenset()
    tools: frozenset[FunctionType] = frozenset()
    outputs: frozenset[str] = frozenset()
    reader: Callable[[], _Gather] = field(repr=False, compare=False)

    @property
    def key(self) -> bytes:
        """The step key; of no use to look a step up if something is undigestible."""
        return keys.step_key(self.source, self.digests.items(), self.codes.items())

    def mutated(
        self, namespace: Mapping[str, object], skip: Collection[str] = ()
    ) -> dict[str, bytes]:
        """The names read whose value was changed in place, or rebound, by now.

        With the digest that each has now, where it has one; else ``b""``.
        """
        both = {**self.digests, **self.reached}
        before = {n: d for n, d in both.items() if d and n not in skip}
        suspects = [n for n in before if n in namespace and _can_change(namespace[n])]
        now = self.reader()
        now.read(sorted(suspects))
        changed = {n: now.digests[n] for n in suspects if now.digests[n] != before[n]}
        return {name: digest or b"" for name, digest in changed.items()}

    def changed(self, values: Mapping[str, object]) -> set[str]:
        """The names among these whose values, those that were read, are others by now."""
        before, now = {**self.digests, **self.reached}, self.reader()
        known = {n: v for n, v in values.items() if before.get(n) and _can_change(v)}
        for name, value in known.items():
            now.take(name, value)
        return {name for name in known if now.digests[name] != before[name]}

    def now(self, names: Collection[str]) -> dict[str, bytes]:
        """The digests by now of some variables, read or not, where they have one."""
        reader = self.reader()
        reader.read(sorted(names))
        return {n: d for n, d in reader.digests.items() if d}

    def left(self, digests: Mapping[str, bytes]) -> dict[str, bytes]:
        """The digests, of the names among these that the cell reads and that changed."""
        mine = {n: d for n, d in digests.items() if n in self.digests}
        return {n: d for n, d in mine.items() if d != self.digests[n]}

    @property
    def given(self) -> tuple[str, ...]:
        """The names whose values the cell and the code it reaches were given."""
        return (*self.digests, *self.reached)

    def kept_inside(self, namespace: Mapping[str, object]) -> list[str]:
        """The functions and classes that keep something else by now."""
        now = self.reader().states_of(self.given, namespace)
        return sorted(n for n, d in self.states.items() if now.get(n, d) != d)


def read_inputs(
    source: str,
    namespace: Mapping[str, object],
    sources: Sources,
    *,
    hidden: Collection[str] = (),
    redact: Redact | None = None,
    contents: Contents = hashed,
) -> Inputs:
    """The digests of what a cell reads, at this moment.

    Args:
        source: The cell as IPython transformed it: plain Python.
        namespace: The variables of the notebook: the very dict its functions see.
        sources: Where the code of the notebook is found.
        hidden: Names of the namespace that are not the user's.
        redact: Replaces the secrets in a string.
        contents: Gives big buffers their digest.

    Raises:
        SyntaxError: The source is no Python.
    """
    sources.refresh()
    analysis = analyse(source, sources.transform)
    reader = partial(_Gather, analysis, namespace, sources, redact, contents)
    gather = reader()
    gather.read(sorted(analysis.reads - {*hidden}))
    gather.read(sorted(n for n in analysis.guesses - {*hidden} if n in namespace))
    gather.read(sorted(n for n in analysis.frames if _is_frame(namespace.get(n))))
    gather.read(sorted(n for n in gather.tables() if _is_frame(namespace.get(n))))
    dynamic = {n for n in analysis.dynamic if n not in namespace} | gather.dynamic
    if dynamic:
        own = {n for n in namespace if not n.startswith("__")} - {*hidden}
        gather.read(sorted(own - analysis.bound_at.keys()))
    gather.read_classes()
    gather.read_imports()
    return Inputs(
        source=analysis.source,
        digests=gather.digests,
        codes=gather.codes,
        undigestible=gather.undigestible,
        writes=analysis.writes | gather.stores,
        binds=analysis.writes,
        stores=analysis.stores | gather.stores,
        deletes=analysis.deletes,
        star=analysis.star,
        dynamic=frozenset(dynamic),
        reached=gather.read_reached(),
        states=gather.states_of((*gather.digests, *gather.reached), namespace),
        texts=analysis.texts | gather.texts,
        outdated=gather.outdated,
        unbound=gather.unbound,
        tools=gather.tools,
        outputs=gather.outputs(source) if not dynamic else frozenset(),
        reader=reader,
    )


class _Gather:
    """Digests names one after the other, sharing what they share.

    Names that the cell has bound before it first reads a value are an effect of its
    source, not an input: ``LIMIT = 5; search()`` has one key whatever LIMIT was before.
    They are *hidden* from the code that this value reaches.
    """

    def __init__(
        self,
        analysis: Analysis,
        namespace: Mapping[str, object],
        sources: Sources,
        redact: Redact | None,
        contents: Contents,
    ) -> None:
        self._given = analysis, namespace, sources, redact, contents
        self._analysis = analysis
        self._namespace = namespace
        self._redact = redact
        self._contents = contents
        self._made: list[Codes] = []
        self._codes_of = partial(Codes, sources, namespace)
        self._shared = self._hasher()
        self.digests: dict[str, bytes | None] = {}
        self.codes: dict[str, bytes] = {}
        self.undigestible: dict[str, Undigestible] = {}

    @property
    def dynamic(self) -> set[str]:
        """Builtins through which reached code may read any name."""
        return set().union(*(codes.dynamic for codes in self._made))

    @property
    def stores(self) -> set[str]:
        """Names that reached code may bind."""
        return set().union(*(codes.stores for codes in self._made))

    @property
    def reached(self) -> set[str]:
        """Names that reached code loads, and that aren't read by themselves."""
        return (self._touched & self._namespace.keys()) - self.digests.keys()

    @property
    def _touched(self) -> set[str]:
        return set().union(*(codes.touched for codes in self._made))

    def outputs(self, source: str) -> frozenset[str]:
        """Names that the cell only puts into, and that no code it reaches loads."""
        if SHOWN_BY & self._namespace.keys():  # they are somebody else's functions
            return frozenset()
        names = only_put_into(source) - self._touched
        return frozenset(n for n in names if _only_keeps(self._namespace.get(n)))

    @property
    def outdated(self) -> frozenset[str]:
        """Local modules met whose file was edited since they were imported."""
        return frozenset().union(*(codes.outdated for codes in self._made))

    @property
    def unbound(self) -> frozenset[str]:
        """Names that reached code loads, and that the notebook doesn't have."""
        return frozenset(self._touched - self._namespace.keys())

    @property
    def tools(self) -> frozenset[FunctionType]:
        """The functions met that stand for tools."""
        return frozenset().union(*(codes.tools for codes in self._made))

    def read_reached(self) -> Mapping[str, bytes | None]:
        """The values that reached code loads; most were hashed with that code."""
        other = _Gather(*self._given)
        other._shared = self._shared  # its memo knows them
        other.read(sorted(self.reached - self._analysis.bound_at.keys()))
        return other.digests

    def states_of(
        self, names: Iterable[str], namespace: Mapping[str, object]
    ) -> Mapping[str, bytes]:
        """What functions and classes keep for themselves, those of instances too."""
        values = {name: namespace[name] for name in names if name in namespace}
        codes = States(self._given[2], namespace, [*values.values()])
        local = (c for c in self._shared.types if codes.is_local(c))
        values |= {class_name(c): c for c in local if class_name(c) not in namespace}
        return states(codes, values)

    @property
    def texts(self) -> set[str]:
        """Texts in reached code that may name files."""
        return set().union(*(codes.texts for codes in self._made))

    def tables(self) -> set[str]:
        """Names in texts among the inputs, and in reached code, where SQL has tables."""
        values = (self._namespace.get(name) for name in self.digests)
        found = {t for v in values if isinstance(v, str) for t in texts.tables(v)}
        found |= set().union(*(codes.tables for codes in self._made))
        return found - self._analysis.bound_at.keys()

    def _hasher(self, hidden: Collection[str] = ()) -> Hasher:
        codes = self._codes_of(hidden)
        self._made.append(codes)
        return Hasher(codes=codes, redact=self._redact, contents=self._contents)

    def read(self, names: Collection[str]) -> None:
        """Take the values of some names."""
        for name in names:
            if name in self.digests or not self._counts(name):
                continue
            if name not in self._namespace:
                self.digests[name] = keys.MISSING
                continue
            self.take(name, self._namespace[name])

    def take(self, name: str, value: object) -> None:
        """Take a value as that of a name."""
        try:
            self.digests[name] = self._digest(name, value)
        except Undigestible as refusal:
            self.digests[name] = None
            self.undigestible[name] = refusal

    def _counts(self, name: str) -> bool:
        if is_shell_name(name):
            return False
        return name in self._namespace or not hasattr(builtins, name)

    def _digest(self, name: str, value: object) -> bytes:
        found = self._shared.digest(value)
        # What a value touches is known by now, or was when an earlier one touched it.
        hidden = self._analysis.bound_before(name) & self._made[0].touched
        if not hidden or _is_data(value):
            return found
        hasher = self._hasher(hidden)
        found = hasher.digest(value)
        self._shared.types |= hasher.types
        return found

    def read_classes(self) -> None:
        """Take the code of the notebook classes met, and of those met in theirs."""
        hidden = self._hidden_from_classes()
        hasher = self._hasher(hidden) if hidden else self._shared
        local, done = self._made[0].is_local, set[type]()
        while todo := {c for c in self._shared.types | hasher.types if local(c)} - done:
            done |= todo
            for cls in sorted(todo, key=qualified):
                self._read_class(cls, hasher)

    def _hidden_from_classes(self) -> frozenset[str]:
        """What was bound before any value was read that may hold an instance."""
        holders = [
            self._analysis.bound_before(name)
            for name in self.digests.keys() & self._namespace.keys()
            if not _is_data(self._namespace[name])
        ]
        return frozenset.intersection(*holders) if holders else frozenset()

    def _read_class(self, cls: type, hasher: Hasher) -> None:
        name = qualified(cls)
        try:
            self.codes[name] = hasher.digest(cls)
        except Undigestible as refusal:
            self.codes[name] = keys.UNKNOWN
            self.undigestible[name] = refusal

    def read_imports(self) -> None:
        """Take the modules that the cell itself imports."""
        hasher = self._hasher()
        for module in self._made[0].imports(self._analysis.imports):
            self.codes[f"import {module.name}"] = hasher.digest(module)


def _can_change(value: object) -> bool:
    """Whether a value can be changed in place so that it is another value then."""
    code = registry.kind_of(type(value)) is registry.CODE
    return not code and type(value) not in plain.ATOMS


def _is_data(value: object) -> bool:
    """Whether a value surely holds no code: the big ones are not hashed twice."""
    module = str(type(value).__module__).partition(".")[0]
    return module in _DATA_MODULES or plain.census(value) is not None


def _only_keeps(value: object) -> bool:
    """Whether what is put into a value is kept there, and no more: no code of a class."""
    return str(type(value).__module__).partition(".")[0] in _KEEPING


def _is_frame(value: object) -> bool:
    return any(qualified(base) in _FRAMES for base in type(value).__mro__)
