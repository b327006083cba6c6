"""Stored tables and arrays as rows. Only layers that need no trust are read."""

from __future__ import annotations

from typing import Final

from nbdurable.engine import codec as codecs
from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import DurableError
from nbdurable.timeline.tables import Table, frame

READ: Final = frozenset({"arrow", "npy"})
"""The layers that are read: neither runs code that is stored."""


def rows_of(codec: str, data: bytes) -> tuple[Table, str]:
    """The rows of a stored table, and what is not shown; () where it can't be shown.

    Args:
        codec: The layer that wrote it.
        data: Its bytes.
    """
    if codec not in READ:
        return (), ""
    try:
        return frame(codecs.decode(codec, data, secrets=Secrets({})))
    except (DurableError, ImportError):
        return (), ""
