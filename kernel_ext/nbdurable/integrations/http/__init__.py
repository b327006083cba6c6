"""Model calls over HTTP, journaled where httpx sends them; see `seam`."""

from __future__ import annotations

from nbdurable.integrations.http.seam import install, remove

__all__ = ["install", "remove"]
