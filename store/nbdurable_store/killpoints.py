"""Named moments at which a test may kill the process or make the next step fail.

``NBDURABLE_KILLPOINTS="started.synced#2=kill,blob.written=error:ENOSPC"`` acts the
second time ``started.synced`` is reached and the first time ``blob.written`` is. Unset,
a point costs one test of an empty dict. Every name is listed in `POINTS`; a test
asserts that each is reached.
"""

from __future__ import annotations

import errno
import os
import signal
import threading

VARIABLE = "NBDURABLE_KILLPOINTS"

STORE_POINTS = frozenset(
    {
        "store.created",
        "format.written",
        "segment.created",
        "segment.header",
        "record.written",
        "record.synced",
        "seal.written",
        "seal.renamed",
        "seal.done",
        "trust.written",
        "trust.signed",
        "blob.temp",
        "blob.synced",
        "blob.renamed",
        "blob.durable",
        "ingest.attached",
        "ingest.appended",
        "ingest.committed",
        "ingest.checkpointed",
        "rebuild.temp",
        "rebuild.renamed",
        "remove.said",
        "remove.erased",
        "remove.renewed",
        "remove.unlinked",
        "collect.written",
        "collect.renamed",
        "collect.removed",
    }
)
"""Moments of the store itself."""

STEP_POINTS = frozenset(
    {
        "step.started.before",
        "step.started.written",
        "step.values.durable",
        "step.ended.before",
        "step.ended.synced",
    }
)
"""Moments of a step, reached once per attempt."""

CALL_POINTS = frozenset(
    {
        "started.before",
        "started.written",
        "started.synced",
        "effect.done",
        "raised.synced",
        "result.durable",
        "completed.synced",
    }
)
"""Moments of a call, in the order of its writes."""

POINTS: frozenset[str] = STORE_POINTS | STEP_POINTS | CALL_POINTS
"""Every name that the code reaches."""

_armed: dict[str, list[tuple[int, str]]] = {}
_counts: dict[str, int] = {}
_lock = threading.Lock()


def arm(spec: str) -> None:
    """Read a specification; replaces what was armed before.

    Raises:
        ValueError: A point or an action that doesn't exist.
    """
    armed: dict[str, list[tuple[int, str]]] = {}
    for part in filter(None, (p.strip() for p in spec.split(","))):
        point, _, action = part.partition("=")
        name, _, nth = point.partition("#")
        if name not in POINTS or action.partition(":")[0] not in {"kill", "error"}:
            raise ValueError(f"no such kill point or action: {part!r}")
        armed.setdefault(name, []).append((int(nth or 1), action))
    with _lock:
        _armed.clear()
        _counts.clear()
        _armed.update(armed)


def reach(name: str) -> None:
    """Say that the code is at this point; acts only if it is armed."""
    if not _armed:
        return
    with _lock:
        count = _counts[name] = _counts.get(name, 0) + 1
        actions = [a for n, a in _armed.get(name, ()) if n == count]
    for action in actions:
        _act(action)


def _act(action: str) -> None:
    verb, _, detail = action.partition(":")
    if verb == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    code = getattr(errno, detail or "EIO")
    raise OSError(code, os.strerror(code))


arm(os.environ.get(VARIABLE, "")) if os.environ.get(VARIABLE) else None
