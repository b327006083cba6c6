"""Python environments of their own, for tests of packages that don't go together.

Each is made from a file of pinned, hashed requirements, once per machine: in a cache
folder, under the digest of the file and of the Python that makes it. uv makes one in
seconds where it is installed, pip in a minute or two. The packages of this project are no
part of it: who starts its Python sets the path.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

COMPLETE = "complete"
"""A file that is made last: an environment without it was cut off while it was made."""

INSTALL_S_MAX = 600
"""What a slow line may take for the largest of them."""


def python(requirements: Path) -> Path:
    """The Python of the environment with these requirements, made if it is not there.

    Where it can't be made the test is skipped with the reason, which is an error in CI.

    Args:
        requirements: A file of pinned requirements, each with its hashes.
    """
    what = requirements.read_bytes() + sys.version.encode()
    name = f"{requirements.stem}-{hashlib.sha256(what).hexdigest()[:16]}"
    folder = _cache() / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / COMPLETE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, requirements)
            (folder / COMPLETE).touch()
    return folder / "bin" / "python"


def variables(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables of a process in one: our packages are on its path."""
    paths = [ROOT / "kernel_ext", ROOT / "store", ROOT]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        **(more or {}),
    }


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nbdurable-tests"


def _make(folder: Path, requirements: Path) -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    hashed = ["--quiet", "--require-hashes", "-r", str(requirements)]
    inside = str(folder / "bin" / "python")
    if uv is not None:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        _run([uv, "pip", "install", "--python", inside, *hashed])
    else:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([inside, "-m", "pip", "install", "--disable-pip-version-check", *hashed])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=INSTALL_S_MAX
    )
    if done.returncode:
        pytest.skip(f"{command[0]} {command[1]} ended with {done.stderr[-500:]}")
