"""Which distribution a module belongs to, and its version.

`importlib.metadata.packages_distributions` knows it too, but parses the metadata of all
that is installed: half a second of a kernel's first step. Here the distribution of the
module's own name is looked at first, and else the bare lists of files.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.metadata import distributions as installed


def version_of(module: str) -> str:
    """Distribution and version that a module belongs to, or "".

    Args:
        module: Its full name; the standard library has no version of its own.

    Example:
        >>> version_of("duckdb.typing").partition(" ")[0]
        'duckdb'
        >>> version_of("json.decoder")
        ''
    """
    return _version_of(module.partition(".")[0])


@functools.cache
def _version_of(top: str) -> str:
    # Once per process: what was imported stays what it was when a package is upgraded.
    if top in sys.stdlib_module_names:
        return ""
    owners: dict[str, str] = {}
    for owner in _owners(top):
        owners.setdefault(owner.name, owner.version)  # the first on the path counts
    return ", ".join(f"{name} {owners[name]}" for name in sorted(owners))


def _owners(top: str) -> list[Distribution]:
    try:
        named = distribution(top)
    except (PackageNotFoundError, ValueError):
        return _everything().get(top, [])
    # Several may share a namespace, but not a package with a file of its own.
    whole = any(line.startswith(f"{top}/__init__.py") for line in _files(named))
    return [named] if whole else _everything().get(top, [])


@functools.cache
def _everything() -> Mapping[str, list[Distribution]]:
    found: dict[str, list[Distribution]] = defaultdict(list)
    for one in installed():
        for top in _tops(one):
            found[top].append(one)
    return found


def _tops(one: Distribution) -> set[str]:
    """The names that can be imported of a distribution."""
    listed = one.read_text("top_level.txt")
    return set(listed.split()) if listed else {*_names(one)}


def _names(one: Distribution) -> Iterator[str]:
    for file in _files(one):
        head, inside, _ = file.partition("/")
        name = head if inside else inspect.getmodulename(head) or ""
        if name.isidentifier():
            yield name


def _files(one: Distribution) -> list[str]:
    """Its files, as its own list has them."""
    record = one.read_text("RECORD")
    if record is None:
        return [str(file) for file in one.files or ()]
    return [line.partition(",")[0].strip('"') for line in record.splitlines()]
