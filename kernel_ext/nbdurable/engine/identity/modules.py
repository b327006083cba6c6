"""What modules are: local ones their source, others their version.

A module is also what it imports: whatever a local module names in an import, in
whatever place, belongs to it, transitively. That is read from its text, not from what
is loaded, so that a cell has one key before and after the module was imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, ModuleType

from nbdurable.engine.identity.forms import Form, Imported, no_label
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.sources import Facts, Sources


class Modules:
    """The forms of modules, and the modules that imports name.

    Args:
        sources: Where local modules are found.
        source: What counts of a source.
        version: From a module's name to the version that counts.

    Attributes:
        outdated: Names of those met whose file was edited since they were imported.
    """

    def __init__(
        self,
        sources: Sources,
        source: Callable[[Facts], bytes],
        version: Callable[[str], bytes],
    ) -> None:
        self._sources = sources
        self._source = source
        self._version = version
        self.outdated: set[str] = set()
        self._known: dict[str, Imported] = {}

    def form(self, module: ModuleType) -> Form:
        """The form of a module that is the value of a name."""
        name = module.__name__.encode()
        file = getattr(module, "__file__", None)
        if not self._sources.holds(file):
            return Form(Tag.MODULE, (name, self._version(module.__name__)))
        facts = self._sources.facts(self._sources.module(str(file)))
        fields = (name, self._source(facts), b"outdated" * self._is_outdated(module))
        others = sorted(self._local_modules(module), key=lambda m: m.__name__)
        package = str(getattr(module, "__package__", "") or "")
        imported = self.imports(facts.needs.imports, package)
        return Form(Tag.LOCAL_MODULE, fields, [*others, *imported], no_label)

    def imported(self, module: Imported) -> Form:
        """The form of a module that an import names."""
        name, file = module.name, self._sources.find(module.name)
        if file is None or not self._sources.holds(file):
            return Form(Tag.IMPORTED, (name.encode(), self._version(name)))
        facts = self._sources.facts(self._sources.module(file))
        loaded = sys.modules.get(name)
        outdated = isinstance(loaded, ModuleType) and self._is_outdated(loaded)
        fields = (name.encode(), self._source(facts), b"outdated" * outdated)
        inside = file.endswith("__init__.py")
        package = name if inside else name.rpartition(".")[0]
        others = self.imports(facts.needs.imports, package)
        return Form(Tag.IMPORTED, fields, others, no_label)

    def imports(self, names: Iterable[str], package: str = "") -> list[Imported]:
        """The modules that imports name, as far as they can change: not Python's own.

        Args:
            names: Full names, or with leading dots.
            package: Where names with leading dots start.
        """
        full = {_full(name, package) for name in names} - {""}
        every = sorted({part for name in full for part in _parents(name)})
        found = [self._known.setdefault(name, Imported(name)) for name in every]
        return [module for module in found if self._may_change(module.name)]

    def _may_change(self, name: str) -> bool:
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top == "__main__":
            return False
        versioned = top == name and bool(self._version(name))
        return versioned or self._sources.holds(self._sources.find(name))

    def _is_outdated(self, module: ModuleType) -> bool:
        """Whether the file was edited since the module was imported."""
        own = [f for f in [*vars(module).values()] if isinstance(f, FunctionType)]
        codes = [f.__code__ for f in own if f.__globals__ is vars(module)]
        outdated = any(
            code.co_filename == module.__file__ and self._sources.function(code) is None
            for code in codes
        )
        self.outdated.update({module.__name__} if outdated else ())
        return outdated

    def _local_modules(self, module: ModuleType) -> set[ModuleType]:
        """The local modules that a module's names come from."""
        found = set()
        for value in [*vars(module).values()]:  # a thread may import it just now
            owner = sys.modules.get(str(getattr(value, "__module__", None)))
            other = value if isinstance(value, ModuleType) else owner
            if other is not None and other is not module:
                found.add(other)
        return {m for m in found if self._sources.holds(getattr(m, "__file__", None))}


def _full(name: str, package: str) -> str:
    """The full name of a module; "" if it starts above the top.

    Example:
        >>> _full("..a", "top.middle"), _full("a.b", ""), _full(".a", "")
        ('top.a', 'a.b', '')
    """
    bare = name.lstrip(".")
    up = len(name) - len(bare)
    if not up:
        return name
    parts = package.split(".") if package else []
    kept = parts[: max(0, len(parts) - up + 1)]
    return ".".join([*kept, *([bare] if bare else [])]) if kept else ""


def _parents(name: str) -> Iterator[str]:
    """A module and the packages it is in, whose code an import runs as well."""
    parts = name.split(".")
    yield from (".".join(parts[: n + 1]) for n in range(len(parts)))
