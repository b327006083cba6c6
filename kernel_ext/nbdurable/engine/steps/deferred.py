"""Values that are back in name, and are loaded when a cell first uses them.

A frame of 2 GB, or a model whose library takes two seconds to import, keeps nobody from
working after a restart: its name is known, and the first cell that mentions it waits
for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable, MutableMapping

from nbdurable.engine.calls.home import Home
from nbdurable.engine.codec import JSON, NPY, PICKLE, meeting
from nbdurable.engine.codec.parts import closing
from nbdurable.engine.past.kept import Source, cure_unloaded
from nbdurable.engine.steps.salvaging import salvaged
from nbdurable.engine.steps.snapshot import Group, put_back
from nbdurable_store.errors import DurableError

AT_ONCE_BYTES_MAX = 1_000_000
"""Plain data up to here is loaded at once: it takes 10 ms and imports nothing."""

_AT_ONCE = frozenset({JSON, NPY})

Namespace = MutableMapping[str, object]


def at_once(source: Source) -> bool:
    """Whether loading this value is quick for certain."""
    ref = source.ref
    return ref is not None and ref.codec in _AT_ONCE and ref.size <= AT_ONCE_BYTES_MAX


class Deferred:
    """The names of one kernel that wait to be loaded.

    Attributes:
        waiting: Where the value of each is.
        failed: Names that could not be loaded, and why.
    """

    def __init__(self) -> None:
        self.waiting: dict[str, Source] = {}
        self.failed: dict[str, str] = {}
        self._not_back: dict[str, dict[str, str]] = {}

    def defer(self, name: str, source: Source, not_back: dict[str, str]) -> None:
        """Load a name when it is used; what fails then is added to ``not_back``."""
        self.waiting[name] = source
        self._not_back[name] = not_back

    def load(
        self, home: Home, namespace: Namespace, names: Iterable[str]
    ) -> dict[str, str]:
        """Load those of the names that wait. Gives why, for each that can't be loaded.

        A name that was assigned meanwhile is left alone. What waits for the same value
        is loaded with it: they share an object. So are the classes of what is loaded: it
        brings them as they were when it was kept.
        """
        wanted = {n: s for n in list(names) if (s := self.waiting.get(n))}
        for name, source in self.waiting.items():
            if any(source.beside(other) for other in [*wanted.values()]):
                wanted[name] = source
        mine = {n: self.waiting.pop(n) for n in wanted}
        todo = {n: s for n, s in mine.items() if n not in namespace}
        failed = load(home, namespace, todo)
        self.failed |= failed
        for name in failed:
            self._not_back.pop(name, {})[name] = cure_unloaded(mine[name])
        loaded = [namespace[name] for name in todo if name in namespace]
        if classes := self.waiting.keys() & _classes(loaded):
            failed |= self.load(home, namespace, classes)
        return failed


def _classes(values: Iterable[object]) -> set[str]:
    """Names of the notebook's classes of which there are objects in some values."""
    found = (cls for cls in meeting.kinds(values) if cls.__module__ == "__main__")
    return {cls.__qualname__.partition(".")[0] for cls in found}


def load(
    home: Home, namespace: Namespace, sources: dict[str, Source]
) -> dict[str, str]:
    """Give names their values. Gives why, for each that can't be loaded."""
    failed: dict[str, str] = {}
    left = dict(sources)
    while left:
        name, source = next(iter(left.items()))
        together = [n for n, s in left.items() if s is source or s.beside(source)]
        for each in together:
            del left[each]
        made, lost = _loaded(home, source, name)
        namespace.update((n, made[n]) for n in together if n in made)
        failed.update((n, lost[n]) for n in together if n in lost)
    return failed


def _loaded(
    home: Home, source: Source, name: str
) -> tuple[dict[str, object], dict[str, str]]:
    """The values that can be loaded, and why the others can't."""
    try:
        return _values(home, source, name), {}
    except DurableError as gone:
        why = gone.fact().rstrip(".")
    except Exception as error:  # noqa: BLE001  # a module that can't be imported
        why = f"{type(error).__name__}: {error}"
    names = source.names or (name,)
    if source.ref is not None and source.ref.codec == PICKLE and len(names) > 1:
        try:
            with closing(home.store.get(source.ref, stream=True)) as data:
                return salvaged(names, data, home.secrets)
        except Exception:  # noqa: BLE001  # nothing of it can be had; told is the first reason
            return {}, dict.fromkeys(names, why)
    return {}, dict.fromkeys(names, why)


def _values(home: Home, source: Source, name: str) -> dict[str, object]:
    if source.ref is None:
        return {name: importlib.import_module(source.module)}
    made: dict[str, object] = {}
    data = home.store.get(source.ref, stream=True)
    group = Group(names=source.names, codec=source.ref.codec, data=data)
    put_back([group], made, secrets=home.secrets)
    return made


def reached(
    namespace: Namespace, waiting: Collection[str], names: Iterable[str]
) -> set[str]:
    """The waiting names among these, and among what functions of these names load."""
    found: set[str] = set()
    todo, seen = [*names], set[str]()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in waiting:
            found.add(name)
        todo += _loaded_by(namespace.get(name))
    return found


def _loaded_by(value: object) -> list[str]:
    """Names that the code of a function, or of a class's methods, may load."""
    inner = getattr(value, "__wrapped__", None)
    functions = (
        [value, inner, *vars(value).values()]
        if isinstance(value, type)
        else [value, inner]
    )
    codes = [c for f in functions if (c := getattr(f, "__code__", None)) is not None]
    names: list[str] = []
    while codes:
        code = codes.pop()
        names += code.co_names
        codes += [c for c in code.co_consts if hasattr(c, "co_names")]
    return names
