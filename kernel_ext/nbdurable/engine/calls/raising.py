"""How a call ended that raised, as facts for its record. Pure."""

from __future__ import annotations

from typing import Final

from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import TimedOut
from nbdurable_store.errors import DurablePause
from nbdurable_store.records import Plain

INTERRUPTS: Final = (KeyboardInterrupt, GeneratorExit, DurablePause)
"""What ends a call from outside: whether it happened isn't known."""

MESSAGE_CHARS_MAX: Final = 1_000
"""Characters of an exception's message: it is for lists, the whole of it is a blob."""


def fields(
    error: BaseException, secrets: Secrets, ms: float, *, not_done: bool
) -> dict[str, Plain]:
    """What is recorded of an exception beside the exception itself.

    Args:
        error: What the call raised.
        secrets: What must not be in its message.
        ms: How long the call took, milliseconds.
        not_done: Whether it says that nothing happened.
    """
    kind = type(error)
    found: dict[str, Plain] = {
        "ms": ms,
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "message": secrets.scrub(str(error))[:MESSAGE_CHARS_MAX],
    }
    if status := _status(error):
        found["status"] = status
    if isinstance(error, INTERRUPTS) or kind.__name__ == "CancelledError":
        found["interrupted"] = True
    elif isinstance(error, TimedOut):
        found["timed_out"] = True
    if not_done and "interrupted" not in found:
        found["not_done"] = True
    return found


def _status(error: BaseException) -> int:
    """The HTTP status behind an exception of a client library, or 0."""
    try:
        response: object = getattr(error, "response", None)
        status: object = getattr(response, "status_code", None)
    except Exception:  # noqa: BLE001  # whatever an exception of somebody else's does
        return 0
    return status if type(status) is int else 0
