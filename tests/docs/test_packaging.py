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
USED = ("demo", "lab", "timeline", "build")
"""What `make demo` and `make lab` need; requirements-dev.lock has the rest as well."""
EXTRAS = PROJECT["optional-dependencies"]
WANTED = {
    "requirements.lock": [
        *PROJECT["dependencies"],
        *(line for extra in USED for line in EXTRAS[extra]),
    ],
    "requirements-dev.lock": [
        *PROJECT["dependencies"],
        *dict.fromkeys(line for lines in EXTRAS.values() for line in lines),
    ],
}


def _locked(name: str) -> dict[str, list[Version]]:
    text = (ROOT / name).read_text()
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE)
    locked: dict[str, list[Version]] = {}
    for package, version in pins:
        locked.setdefault(canonicalize_name(package), []).append(Version(version))
    return locked


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name in WANTED for line in WANTED[name]]
)
def test_lock_satisfies(name: str, line: str) -> None:
    """A lock pins every requirement that it is for to a version that it allows."""
    wanted = Requirement(line)
    pinned = _locked(name).get(canonicalize_name(wanted.name), [])
    assert pinned, f"{wanted.name} is not in {name}: make lock"
    assert all(wanted.specifier.contains(version) for version in pinned), "make lock"


def test_the_locks_agree() -> None:
    """What both locks pin has the same version in both, so nothing is installed twice."""
    used, developing = (_locked(name) for name in WANTED)
    assert {name: developing[name] for name in used} == used


@pytest.mark.parametrize("name", WANTED)
def test_lock_is_hashed_and_names_no_place(name: str) -> None:
    """Each pin of a lock has hashes, and no line says where packages come from."""
    text = (ROOT / name).read_text()
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
