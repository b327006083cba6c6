"""``nbdurable doctor``: does everything here let durable cells work?

Each check is one line: what was looked at, how it stands, and what to do if it isn't
well. Nothing is made and nothing is changed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import re
import shutil
import signal
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nbdurable.cli.answers import Answer, plain
from nbdurable.cli.commands import place
from nbdurable.cli.shell import typed
from nbdurable.engine.where.moments import count, size
from nbdurable.errors import DurableError
from nbdurable_store.folder import format as store_format
from nbdurable_store.folder.places import local_place, network_type
from nbdurable_store.keys import VARIABLE as KEY_VARIABLE
from nbdurable_store.keys import data_dir, named_key

PYTHON: Final = ((3, 11), (3, 13))
"""Oldest and newest Python that the tests run on."""

PACKAGES: Final[Mapping[str, tuple[int, ...]]] = {
    "blake3": (1, 0),
    "cloudpickle": (3, 0),
    "dill": (0, 3, 8),
    "duckdb": (2, 0, 1),
    "ipykernel": (6, 29),
    "ipython": (8, 12),
    "zstandard": (0, 22),
}
"""What durable cells need, and the oldest version of each."""

FREE_BYTES_MIN: Final = 1 << 28
"""Less room than this and a single data frame may fill the disk."""

CONFIG: Final = Path("etc") / "ipython" / "ipython_kernel_config.json"
"""What makes every kernel of an environment load the extension."""

OTHERS: Final = 0o077
DAMAGE: Final = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        ok: Whether it is well.
        says: How it stands.
        do: What to do if it isn't.
    """

    name: str
    ok: bool
    says: str
    do: str = ""

    def __str__(self) -> str:
        mark = "ok    " if self.ok else "not ok"
        advice = f"  → {self.do}" if self.do and not self.ok else ""
        return f"{mark}  {self.name}: {self.says}{advice}"


def doctor(given: argparse.Namespace) -> Answer:
    """Check everything; the code says whether all is well."""
    path, named = place(given)
    checks = [
        _python(),
        _packages(),
        *_store(path, named=named),
        *_keys(),
        _extension(),
        _signals(),
    ]
    well = all(check.ok for check in checks)
    text = "\n".join(map(str, checks))
    return Answer(text, [plain(check) for check in checks], 0 if well else DAMAGE)


def _python() -> Check:
    oldest, newest = PYTHON
    running = sys.version_info[:2]
    says = f"{sys.version.split()[0]} on {sys.platform}"
    do = "use Python 3.11 to 3.13 on Linux or macOS"
    supported = sys.platform in {"linux", "darwin"}
    return Check("Python", oldest <= running <= newest and supported, says, do)


def _packages() -> Check:
    versions = {name: _version(name) for name in PACKAGES}
    bad = [n for n, v in versions.items() if v is None or _numbers(v) < PACKAGES[n]]
    says = ", ".join(f"{n} {v or 'missing'}" for n, v in versions.items())
    wanted = " ".join(f'"{n}>={".".join(map(str, PACKAGES[n]))}"' for n in bad)
    return Check("packages", not bad, says, f"pip install {wanted}")


def _version(name: str) -> str | None:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(
        int(n) for n in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:3]
    )


# ---- the store ---------------------------------------------------------------------------


def _store(path: Path, *, named: bool) -> Iterator[Check]:
    kind = network_type(path)
    there = path if named or kind is None else local_place(path, data_dir())
    yield _file_system(kind, named=named)
    yield _room(there)
    yield _format(there)


def _file_system(kind: str | None, *, named: bool) -> Check:
    if kind is None:
        return Check("file system", ok=True, says="local")
    if named:
        do = "unset NBDURABLE_STORE: the store then goes to a local folder"
        says = f"{kind}, a network file system: its locks can't be relied on"
        return Check("file system", ok=False, says=says, do=do)
    return Check("file system", ok=True, says=f"{kind}: the store goes elsewhere")


def _room(path: Path) -> Check:
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    free = shutil.disk_usage(there).free
    if not os.access(there, os.W_OK):
        do = "set NBDURABLE_STORE to a folder that is yours"
        return Check("room", ok=False, says=f"{there} can't be written", do=do)
    do = "make room, or set NBDURABLE_STORE to another disk"
    return Check("room", free >= FREE_BYTES_MIN, f"{size(free)} free in {there}", do)


def _format(path: Path) -> Check:
    try:
        said = store_format.read(path)
        if said is None:
            store_format.must_be_free(path)
            return Check("store", ok=True, says=f"none yet in {path}")
        if _key_files():
            store_format.signer_of(path, said)
    except DurableError as error:
        return Check("store", ok=False, says=error.fact(), do=_first_remedy(error))
    if not _key_files():
        do = f'nbdurable trust "{path}", if you know where it comes from'
        return Check("store", ok=False, says=f"{path} was not signed by you", do=do)
    return Check("store", ok=True, says=f"{path}, format {said.version}, yours")


def _first_remedy(error: DurableError) -> str:
    remedies = error.remedies()
    return typed(remedies[0].command) if remedies else ""


# ---- the key, the extension, signals -----------------------------------------------------


def _key_files() -> list[Path]:
    named = os.environ.get(KEY_VARIABLE)
    if named:
        return [Path(named)] if Path(named).exists() else []
    folder = data_dir() / "nbdurable" / "keys"
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if not p.name.startswith("."))


def _keys() -> Iterator[Check]:
    try:
        named_key()
    except DurableError as error:
        fact, do = error.fact(), _first_remedy(error)
        yield Check("key", ok=False, says=fact, do=do)
        return
    files = _key_files()
    if not files:
        yield Check("key", ok=True, says="none yet; it is made with the first store")
        return
    named = bool(os.environ.get(KEY_VARIABLE))
    opened = [p for p in ([] if named else [files[0].parent]) + files if _open_to(p)]
    if opened:
        command = f'chmod go-rwx "{opened[0]}"'
        says = f"{opened[0]} is open to other accounts, so it is not used"
        yield Check("key", ok=False, says=says, do=command)
    else:
        says = f"{count(len(files), 'key')} in {files[0].parent}, yours alone"
        yield Check("key", ok=True, says=says)


def _open_to(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & OTHERS)


def _extension() -> Check:
    name = "extension"
    if os.environ.get("NBDURABLE_AUTOLOAD") == "0":
        says = "NBDURABLE_AUTOLOAD=0: it is on after %load_ext nbdurable"
        return Check(name, ok=True, says=says)
    path = Path(sys.prefix) / CONFIG
    if _loads(path):
        return Check(name, ok=True, says=f"every kernel of {sys.prefix} loads it")
    do = "pip install --force-reinstall . in its clone, or begin with %load_ext nbdurable"
    return Check(name, ok=False, says=f"{path} doesn't load it", do=do)


def _loads(path: Path) -> bool:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        extensions = config["IPKernelApp"]["extra_extensions"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    listed = extensions if isinstance(extensions, list) else []
    return any(str(e).partition(".")[0] == "nbdurable" for e in listed)


def _signals() -> Check:
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    says = "SIGINT is ignored here" if ignored else "interrupts reach kernels"
    do = "kernels started from here can't be interrupted; start Jupyter in a shell"
    return Check("signals", not ignored, says, do)
