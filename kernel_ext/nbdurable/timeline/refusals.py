"""What a source says where it has not what a view asks for."""

from __future__ import annotations

from typing import Final

from nbdurable.errors import DurableError
from nbdurable.timeline.previews import line
from nbdurable.timeline.protocol import Refused

NO_RUN: Final = Refused(
    about="",
    line="the store has no such run any more.",
    remedies=("nbdurable runs",),
)

AGAIN: Final = Refused(
    about="", line="this view is not known here any more.", again=True
)

GONE: Final = Refused(about="", line="this call is not in the run any more")

TOO_LARGE: Final = Refused(
    about="",
    line="this value is too large to be shown as text, or it is no plain data.",
    remedies=("load it in a cell: %durable restore NAME",),
)


def why(error: DurableError | OSError) -> str:
    """What was in the way, in one line.

    Args:
        error: What was raised.

    Example:
        >>> why(OSError(24, "Too many open files"))
        '[Errno 24] Too many open files.'
    """
    return line(error.fact() if isinstance(error, DurableError) else f"{error}.")


def refused(error: DurableError | OSError, to: str = "") -> Refused:
    """What was in the way, and what to type then.

    Args:
        error: What was raised.
        to: What tells the request from others that this answers, or "".

    Example:
        >>> refused(OSError(24, "Too many open files")).remedies
        ()
    """
    ways = error.remedies() if isinstance(error, DurableError) else ()
    commands = tuple(line(remedy.command) for remedy in ways)
    return Refused(about="", line=why(error), remedies=commands, to=to)
