"""The order of writes of one call, as the operating system sees it.

What was synced before the effect and before the caller goes on is read from the system
calls of an unmodified process.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.one_call import WORLD

pytestmark = [pytest.mark.slow, pytest.mark.needs("strace")]

REPOSITORY = Path(__file__).parents[2]
SMALL, LARGE = 1_000, 100_000
"""Results that travel in the record, and that get a file of their own."""

CALLS = 5
CALL = re.compile(r"(pwrite64|writev?|fdatasync|fsync|rename)\((.*)")


def watched(folder: Path, effect: str, result_bytes: int) -> str:
    """What a process with some calls did, one letter per system call.

    ``E`` the effect, ``R`` a record is written, ``S`` records are synced, ``B`` a blob
    is written, ``F`` it is synced, ``N`` it gets its name, ``D`` its name is synced.
    """
    log = folder / "calls.log"
    names = "pwrite64,write,writev,fdatasync,fsync,rename"
    script = ["-m", "tests.crash.one_call", str(folder), effect, str(result_bytes)]
    trace = ["-f", "-y", "-qq", "-e", f"trace={names}", "-o", str(log)]
    subprocess.run(  # our own script
        ["strace", *trace, sys.executable, *script, str(CALLS)],
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=100,
    )
    return "".join(filter(None, map(_letter, log.read_text().splitlines())))


def _letter(line: str) -> str:
    found = CALL.search(line)
    if found is None:
        return ""
    name, rest = found.groups()
    first = rest.partition(",")[0]
    if WORLD in first:
        return "E"
    if ".seg>" in first and "/journal/" in first:
        return "R" if name == "pwrite64" else "S"
    if name == "rename":
        return "N" if "/blobs/" in rest else ""
    if "/blobs" in first:
        return "D" if name in {"fsync", "fdatasync"} else "B"
    if "/tmp/" in first.rpartition(".nbdurable")[2]:
        return "F" if name in {"fsync", "fdatasync"} else "B"
    return ""


@pytest.mark.parametrize(
    ("effect", "size", "order"),
    [
        ("write", SMALL, "RSERS"),
        ("read", SMALL, "RERS"),
        ("pure", SMALL, "RERS"),
        ("write", LARGE, "RSED?B+FND+RS"),
        ("read", LARGE, "RED?B+FND+RS"),
    ],
)
def test_every_call_writes_and_syncs_in_order(
    tmp_path: Path, effect: str, size: int, order: str
) -> None:
    """Intent, effect, blob, outcome: each is durable before the next one begins."""
    seen = watched(tmp_path, effect, size)
    steps = re.findall(order, seen)
    assert len(steps) == CALLS, seen
    assert seen.count("E") == CALLS
