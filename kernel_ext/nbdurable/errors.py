"""What nbdurable raises: errors a program may catch, and pauses it must not."""

from __future__ import annotations

from nbdurable_store.errors import DurableError, DurablePause, Remedy

__all__ = ["DurableError", "DurablePause", "Remedy"]
