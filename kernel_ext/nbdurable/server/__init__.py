"""The Jupyter server's half of the sidebar: it answers where no kernel does."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbdurable.server"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Add the routes."""
    from nbdurable.server.route import install

    install(app)
