"""The digests of all tables of values, as another process makes them.

Each table is a module beside this one with `EQUAL`, `DIFFERENT` and `REFUSED`. Run as a
module with the names of tables, it prints their digests as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator

from nbdurable.engine.identity.canonical import digest

TABLES = (
    "digests_standard",
    "identity_values",
    "digests_objects",
    "digests_numpy",
    "digests_pandas",
    "digests_tables",
    "digests_science",
)

Make = Callable[[], object]


def groups(tables: tuple[str, ...], which: str) -> Iterator[tuple[str, object]]:
    """The groups of some tables, by name."""
    for table in tables:
        module = importlib.import_module(f"tests.engine.{table}")
        for name, makes in getattr(module, which, {}).items():
            yield f"{table}: {name}", makes


def digests(tables: tuple[str, ...] = TABLES) -> dict[str, list[str]]:
    """The digests of each group: one if all its values are equal."""
    found = {}
    for which in ("EQUAL", "DIFFERENT"):
        for name, makes in groups(tables, which):
            made = [digest(make()).hex() for make in makes]
            found[f"{which.lower()} {name}"] = sorted(set(made), key=made.index)
    return found


if __name__ == "__main__":
    print(json.dumps(digests(tuple(sys.argv[1:]) or TABLES)))
