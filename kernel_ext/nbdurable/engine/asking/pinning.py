"""Keeping a run whatever is cleared away, as the record that says so. Pure."""

from __future__ import annotations

from nbdurable_store.records import Kind, Record


def pin(run: str, at_us: int, *, pinned: bool) -> tuple[str, Record]:
    """What to tell after the run, and the record.

    Args:
        run: Id of the run.
        at_us: When it is asked for, microseconds since 1970 UTC.
        pinned: Whether it is kept from now on.
    """
    record = Record(
        kind=Kind.RUN_PINNED,
        run=run,
        subject=run,
        at_us=at_us,
        fields={"pinned": pinned},
    )
    told = "stays until it is unpinned" if pinned else "is no longer pinned"
    return told, record
