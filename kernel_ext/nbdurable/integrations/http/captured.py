"""`%durable capture http HOST`: journal what a host of the user's choice is asked.

It holds for this kernel, until the extension is unloaded, so it belongs into the cell
with the imports.
"""

from __future__ import annotations

from nbdurable.engine.asking.told import Told
from nbdurable.errors import OptionUnknown
from nbdurable.integrations.http.sending import HOSTS

KINDS = ("http",)
"""What can be captured."""


def capture(kind: str = "http", host: str = "", *, off: bool = False) -> Told:
    """Journal requests to a host beyond model servers; `capture_http` by its kind.

    Args:
        kind: ``http``.
        host: See `capture_http`; without one the captured hosts are told.
        off: Journal them no longer.

    Raises:
        OptionUnknown: Another kind.
        HostUnusable: It is no host.
    """
    if kind not in KINDS:
        raise OptionUnknown(
            given=f"%durable capture {kind}",
            nearest=f"%durable capture http {kind}",
            known=KINDS,
        )
    return capture_http(host, off=off) if host else Told(_all())


def capture_http(host: str, *, off: bool = False) -> Told:
    """Journal what durable cells ask of a host: GET as `read`, other methods as `write`.

    Args:
        host: Such as ``api.example.com``, ``localhost:8000`` or ``*.example.com``.
        off: Journal it no longer.

    Raises:
        HostUnusable: It is no host.

    Example:
        >>> capture_http("api.example.com")
        requests to api.example.com are calls of durable cells in this kernel: GET reads, others write
        >>> capture_http("api.example.com", off=True)
        requests to api.example.com are no calls any more
    """
    if off:
        known = HOSTS.remove(host)
        if not known:
            return Told(f"{host} was not captured · {_all()}")
        return Told(f"requests to {known} are no calls any more")
    name = HOSTS.add(host)
    return Told(
        f"requests to {name} are calls of durable cells in this kernel:"
        " GET reads, others write"
    )


def line() -> str:
    """A line for `%durable status`, or ""."""
    return f"\ncaptured: {', '.join(HOSTS.all())}" if HOSTS.all() else ""


def _all() -> str:
    return f"captured: {', '.join(HOSTS.all()) or 'no host'}"
