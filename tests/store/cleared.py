"""A store whose runs come and go, what it must still hold, and where to look for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
from blake3 import blake3

import nbdurable_store
from nbdurable_store.killpoints import VARIABLE
from nbdurable_store.protocol import Fill, Store
from nbdurable_store.records import Kind, Record

REMOVE = """
import sys
import nbdurable_store
store = nbdurable_store.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
nbdurable_store.remove(store, sys.argv[2:])
store.close()
"""

LARGE = 300_000
"""Bytes of a value that is kept in chunks."""


def value(text: str, size: int = LARGE) -> bytes:
    """Bytes that nothing compresses away, the same for the same text."""
    return blake3(text.encode()).digest(length=size)


def write(store: Store, run: str, values: Sequence[bytes | Fill]) -> None:
    """Append one call of a run for each value; the run is opened by the first."""
    known = store.read(run)[0]
    if not known:
        opened = Record(
            kind=Kind.RUN_OPENED,
            run=run,
            subject=run,
            at_us=1,
            fields={"notebook": "n.ipynb", "number": 1},
        )
        store.append([opened], sync=False)
    for nth, data in enumerate(values):
        ref = store.put("raw", data)
        record = Record(
            kind=Kind.CALL_COMPLETED,
            run=run,
            subject=f"{run}.{len(known) + nth}",
            at_us=1,
            fields={"ms": 1.0},
            blobs=(ref,),
        )
        store.append([record], sync=True)


def values(store: Store, run: str) -> list[bytes] | None:
    """The values of a run in order, verified; None of one that is removed."""
    entries, _ = store.read(run)
    if any(entry.record.kind == Kind.RUN_REMOVED for entry in entries):
        return None
    return [store.get(ref) for entry in entries for ref in entry.record.blobs]


def holds(root: Path, data: bytes) -> list[str]:
    """The files of a folder in which some bytes stand, packed or not."""
    import zstandard

    found = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        raw = path.read_bytes()
        if path.name.endswith(".zst"):
            unpacker = zstandard.ZstdDecompressor()
            raw = unpacker.stream_reader(raw, read_across_frames=True).read()
        if data in raw:
            found.append(path.name)
    return found


def aged(root: Path) -> None:
    """Let all files of chunks be an hour old."""
    for path in (root / "blobs").glob("*"):
        then = path.stat().st_mtime - 3_600
        os.utime(path, (then, then))


def runs_of_rows(root: Path) -> set[str]:
    """The runs of which DuckDB has more than the word that they are removed."""
    asked = "select distinct run from entries where kind <> 'run.removed'"
    with duckdb.connect(str(root / "store.duckdb"), read_only=True) as at:
        return {run for (run,) in at.execute(asked).fetchall()}


class Remover:
    """A process that removes runs, killed at a named moment.

    Args:
        root: The store's folder.
        runs: What it removes.
        kill: Where it dies, or "".
    """

    def __init__(self, root: Path, *runs: str, kill: str = "") -> None:
        env = os.environ | ({VARIABLE: f"{kill}=kill"} if kill else {})
        self._process = subprocess.Popen(
            [sys.executable, "-c", REMOVE, str(root), *runs],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def ends(self) -> int:
        """Let it go on; its exit code."""
        self._process.communicate("\n", timeout=60)
        return self._process.returncode

    def is_killed(self) -> bool:
        """Let it go on; whether the moment was reached."""
        return self.ends() == -signal.SIGKILL


def opened(root: Path) -> Store:
    """A fresh view of the store."""
    return nbdurable_store.open(root)
