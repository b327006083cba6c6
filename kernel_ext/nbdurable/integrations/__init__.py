"""What is journaled of other libraries; each part is optional, and none knows another."""

from __future__ import annotations


def install() -> None:
    """Journal the calls of libraries from now on, whenever they are imported. Idempotent."""
    from nbdurable.integrations import http, mcp

    http.install()
    mcp.install()


def remove() -> None:
    """Journal nothing any more, and put everything back where nobody replaced it."""
    from nbdurable.integrations import http, mcp

    http.remove()
    mcp.remove()
