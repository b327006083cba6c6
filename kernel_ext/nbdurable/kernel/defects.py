"""Our own defects stay ours: they are logged, and the user's cell goes on."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Generator

from nbdurable.kernel.errors import BrokenInside

_log = logging.getLogger("nbdurable")
_log.addHandler(logging.NullHandler())  # else Python prints tracebacks into the cell


@contextlib.contextmanager
def contained(what: str, tell: Callable[[str], None] | None = None) -> Generator[None]:
    """Let no exception out of the block, except interrupts and the end of the process.

    Args:
        what: What can't be done if the block raises, for the log and the user.
        tell: Shows a sentence to the user.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a defect
        told = unforeseen(error, what)
        if tell is not None:
            with contextlib.suppress(Exception):
                tell(told)


def unforeseen(error: Exception, what: str) -> str:
    """A defect in words, for who goes on in spite of it; logged.

    Args:
        error: What was raised.
        what: What wasn't done for it.
    """
    _log.error("%s", what, exc_info=error)
    return f"nbdurable has a defect, {what}: {error!r}"


def broken(error: Exception) -> BrokenInside:
    """The error to show for a defect that kept a step from beginning."""
    _log.error("a step could not begin", exc_info=error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"
    return BrokenInside(where=where, error=repr(error))
