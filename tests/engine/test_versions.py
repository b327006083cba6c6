"""Which version a module has counts for what runs again."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from nbdurable.engine.where import versions
from nbdurable.engine.where.versions import version_of


@pytest.mark.slow
def test_every_module_has_the_version_that_the_standard_library_finds() -> None:
    """The quick way agrees with the slow one, or names the package of that very name."""
    known = metadata.packages_distributions()
    tops = {top for top in known if top.isidentifier()} - sys.stdlib_module_names
    assert len(tops) > 50
    for top in tops:
        found = version_of(top).split(", ")
        slow = {f"{name} {metadata.version(name)}" for name in known[top]}
        assert found == sorted(slow) or found == [f"{top} {metadata.version(top)}"], top


FILES = {
    "one-1.dist-info": {
        "METADATA": "Name: one\nVersion: 1\n",
        "RECORD": "spread/a.py,,\none/__init__.py,,\nsingle.py,,\n",
    },
    "two-2.dist-info": {
        "METADATA": "Name: two\nVersion: 2\n",
        "RECORD": 'spread/b.py,,\n"with, comma/c.py",,\n',
    },
    "spread-3.dist-info": {
        "METADATA": "Name: spread\nVersion: 3\n",
        "RECORD": "spread/c.py,,\n",
    },
    "four-4.egg-info": {
        "PKG-INFO": "Name: four\nVersion: 4\n",
        "top_level.txt": "quattro\n",
    },
}


@pytest.mark.parametrize(
    ("module", "version"),
    [
        ("one", "one 1"),
        ("one.part", "one 1"),
        ("single", "one 1"),
        ("spread.a", "one 1, spread 3, two 2"),
        ("quattro", "four 4"),
        ("json", ""),
        ("nowhere_to_be_found", ""),
    ],
)
def test_versions_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, version: str
) -> None:
    """Shared namespaces name all their owners, single files and old metadata theirs."""
    for folder, files in FILES.items():
        (tmp_path / folder).mkdir()
        for name, text in files.items():
            (tmp_path / folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    versions._version_of.cache_clear()
    versions._everything.cache_clear()
    try:
        assert version_of(module) == version
    finally:
        versions._version_of.cache_clear()
        versions._everything.cache_clear()
