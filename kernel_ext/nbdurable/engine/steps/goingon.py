"""The lines of a step that goes on after its cell. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from nbdurable.engine.past.tally import Tally
from nbdurable.engine.telling.wording import calls_told, line, stop
from nbdurable.engine.where.moments import count


def goes_on(
    name: str,
    tally: Tally,
    left: Mapping[str, int],
    *,
    because: str = "",
    stopped: str = "",
) -> str:
    """A cell ended and left something running; its step has not ended.

    Args:
        name: What people call the step.
        tally: What it did with its calls so far.
        left: How many of each sort run, as in ``{"task": 2}``.
        because: Why it ran again.
        stopped: How the cell stopped, if it did.

    Example:
        >>> print(goes_on("findings", Tally(ran=3), {"task": 2, "thread": 1}))
        findings · 3 calls ran · still running: 2 tasks, 1 thread
    """
    return line(
        name,
        f"ran again because {because}" if because else "",
        stop(stopped, "the error above") if stopped else "",
        calls_told(tally) if tally.calls else "",
        f"still running: {running(left)}",
    )


def running(left: Mapping[str, int]) -> str:
    """What a cell left running.

    Example:
        >>> running({"task": 2, "thread": 1})
        '2 tasks, 1 thread'
    """
    return ", ".join(count(many, sort) for sort, many in left.items() if many)


def overtaken(name: str, left: str) -> str:
    """A cell runs again while its last execution goes on.

    Example:
        >>> print(overtaken("findings", "2 tasks"))
        findings · still running from before: 2 tasks · they make no further calls, this execution takes over
    """
    return line(
        name,
        f"still running from before: {left}",
        "they make no further calls, this execution takes over",
    )
