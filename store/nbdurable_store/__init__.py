"""A journal and its content-addressed blobs; usable without Jupyter."""

from __future__ import annotations

from nbdurable_store.copying import copy
from nbdurable_store.opening import (
    look,
    may_stand,
    open,  # noqa: A004  # read as nbdurable_store.open
    trust,
)
from nbdurable_store.protocol import (
    START,
    Checked,
    Cursor,
    Fill,
    Finding,
    Lease,
    Owner,
    Removed,
    Sink,
    Store,
    Stored,
    Trusted,
)
from nbdurable_store.records import NO_KEY, BlobRef, Entry, Kind, Place, Plain, Record
from nbdurable_store.removing import remove, usage

__all__ = [
    "NO_KEY",
    "START",
    "BlobRef",
    "Checked",
    "Cursor",
    "Entry",
    "Fill",
    "Finding",
    "Kind",
    "Lease",
    "Owner",
    "Place",
    "Plain",
    "Record",
    "Removed",
    "Sink",
    "Store",
    "Stored",
    "Trusted",
    "copy",
    "look",
    "may_stand",
    "open",
    "remove",
    "trust",
    "usage",
]
