"""The command ``nbdurable``: look at stores and act on them, with or without a kernel."""

from __future__ import annotations

from nbdurable.cli.main import main

__all__ = ["main"]
