"""The supported Pythons, and where this machine has them."""

from __future__ import annotations

import sys
from pathlib import Path

SUPPORTED = [(3, 11), (3, 12), (3, 13)]


def pythons() -> dict[tuple[int, int], str]:
    """The supported Pythons on this machine, oldest first: version to program."""
    roots = [Path.home() / ".pyenv" / "versions", Path("/opt"), Path("/usr")]
    found = {sys.version_info[:2]: sys.executable}
    for root in roots:
        for python in sorted(
            [*root.glob("*/bin/python3.1[123]"), *root.glob("bin/python3.1[123]")]
        ):
            version = (3, int(python.name.rpartition(".")[2]))
            found.setdefault(version, str(python))
    return {version: found[version] for version in SUPPORTED if version in found}


def absent() -> list[str]:
    """The supported Pythons that this machine lacks, by name."""
    return [f"3.{minor}" for _, minor in SUPPORTED if (3, minor) not in pythons()]
