"""The account of the outside world: what really arrived, counted where it arrived.

One JSON object per line, appended and synced before the caller gets an answer. So
the account outlives the kernel, the server and the test, and a request that isn't in
it did not arrive.

    {"n": 3, "at_us": …, "method": "POST", "path": "/v1/responses", "digest": "9f…", …}
    {"answered": 3, "at_us": …, "status": 200, …}
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from nbdurable_store.clock import SYSTEM_CLOCK, Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One request as the outside world saw it.

    Attributes:
        n: Its number at this server, from 1, in order of arrival.
        at_us: When it was counted, microseconds since 1970 UTC.
        method: HTTP method.
        path: Path with its query.
        digest: SHA-256 of the canonical body, in hex.
        more: What else the server noted about it.
        status: HTTP status of the answer, None while there is none.
    """

    n: int
    at_us: int
    method: str
    path: str
    digest: str
    more: Mapping[str, object] = field(default_factory=dict)
    status: int | None = None


def body_digest(body: bytes) -> str:
    """SHA-256 of a body; equal JSON has an equal digest whatever its spelling."""
    try:
        plain = json.loads(body)
    except ValueError:
        return hashlib.sha256(body).hexdigest()
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Account:
    """Appends to one file; numbering goes on where the file ends."""

    def __init__(self, path: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._last = max((a.n for a in read(path)), default=0)
        self._file: IO[bytes] = path.open("ab")

    @property
    def last(self) -> int:
        """Number of the latest request, 0 before the first."""
        return self._last

    def arrived(self, method: str, path: str, digest: str, **more: object) -> int:
        """Count a request; durable on return. Gives its number."""
        with self._lock:
            self._last += 1
            line = {"n": self._last, "at_us": self._clock.now_us(), "method": method}
            self._write({**line, "path": path, "digest": digest, **more}, sync=True)
            return self._last

    def answered(self, n: int, status: int) -> None:
        """Note that request ``n`` was answered to its last byte."""
        with self._lock:
            line = {"answered": n, "at_us": self._clock.now_us(), "status": status}
            self._write(line, sync=False)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _write(self, line: Mapping[str, object], *, sync: bool) -> None:
        if self._file.closed:
            return
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        if sync:
            os.fsync(self._file.fileno())


def read(path: Path) -> tuple[Arrived, ...]:
    """Everything in an account, in order; a file that isn't there is empty.

    A last line without its end is left out: its writer died in the middle of it, so
    nobody was answered because of it.
    """
    if not path.exists():
        return ()
    lines = [json.loads(line) for line in _whole_lines(path.read_bytes())]
    status = {line["answered"]: line["status"] for line in lines if "answered" in line}
    named = ("n", "at_us", "method", "path", "digest")
    return tuple(
        Arrived(
            **{name: line[name] for name in named},
            more={k: v for k, v in line.items() if k not in named},
            status=status.get(line["n"]),
        )
        for line in lines
        if "n" in line
    )


def by_digest(arrived: tuple[Arrived, ...]) -> Counter[str]:
    """How often each body arrived."""
    return Counter(a.digest for a in arrived)


def _whole_lines(data: bytes) -> list[bytes]:
    return data[: data.rfind(b"\n") + 1].splitlines()
