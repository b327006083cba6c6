"""What is installed is what pyproject.toml asks for, wherever it comes from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WANTED = [
    *PROJECT["dependencies"],
    *(line for lines in PROJECT["optional-dependencies"].values() for line in lines),
]


def _locked() -> dict[str, list[Version]]:
    text = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE)
    locked: dict[str, list[Version]] = {}
    for name, version in pins:
        locked.setdefault(canonicalize_name(name), []).append(Version(version))
    return locked


@pytest.mark.parametrize("line", WANTED)
def test_lock_satisfies(line: str) -> None:
    """The lock pins every requirement of the project to a version that it allows."""
    wanted = Requirement(line)
    pinned = _locked().get(canonicalize_name(wanted.name), [])
    assert pinned, f"{wanted.name} is not in requirements.lock: make lock"
    assert all(wanted.specifier.contains(version) for version in pinned), "make lock"


def test_lock_is_hashed_and_names_no_place() -> None:
    """Each pin of the lock has hashes, and no line says where packages come from."""
    text = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"index-url|find-links|://|@ ", text)


def test_readme_names_the_debian_packages_of_ci() -> None:
    """CI installs the Debian packages that README tells people to install."""
    script = (ROOT / ".ci" / "run").read_text()
    packages = re.search(r"^packages=\((.*)\)$", script, re.MULTILINE)
    assert packages is not None
    told = re.search(r"apt-get install ([a-z0-9 -]+)", (ROOT / "README.md").read_text())
    assert told is not None
    assert told.group(1).split() == packages.group(1).split()
