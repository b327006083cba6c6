"""Requests over HTTP, journaled where their libraries send them; see `seam`."""

from __future__ import annotations

from nbdurable.integrations.http.seam import install, remove

__all__ = ["install", "remove"]
