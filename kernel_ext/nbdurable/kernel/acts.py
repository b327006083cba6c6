"""What a view asks of the kernel itself: another run, variables, an interrupt.

A view is heard in any thread, and variables belong to the main one: what changes them waits
there until no cell is in the way. An interrupt is what the front end's own button sends.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

from nbdurable import api
from nbdurable.engine.past.attempts import StepState
from nbdurable.errors import DurableError
from nbdurable.timeline.acting import refusal
from nbdurable.timeline.previews import line
from nbdurable.timeline.protocol import Refused, Told

Tell = Callable[[Told | Refused], None]

_DOES: Final[dict[str, Callable[[str], object]]] = {
    "fork": lambda at: api.fork(at=at),
    "branch": lambda run: api.fork(of=run),
    "restore": lambda at: api.restore(at=at),
}


def asked(what: str, about: str, tell: Tell) -> None:
    """Do it in this kernel, and tell what it did.

    Args:
        what: ``fork``, ``branch``, ``restore`` or ``cancel``.
        about: The step, the run, or "".
        tell: Takes the answer, in whatever thread it comes.
    """
    from ipykernel.kernelbase import Kernel

    if not Kernel.initialized():
        tell(Refused(about=about, line="there is no kernel here. Nothing was done."))
        return
    if what == "cancel":
        os.kill(os.getpid(), signal.SIGINT)
        tell(Told(about=about, line="interrupted"))
        return
    Kernel.instance().io_loop.add_callback(lambda: _do(what, about, tell))


def _do(what: str, about: str, tell: Tell) -> None:
    try:
        if _busy():
            line_ = "a durable cell is running. Nothing was done: ask again after it."
            tell(Refused(about=about, line=line_))
            return
        told = _DOES[what](about)
    except DurableError as refused:
        tell(refusal(about, refused))
    else:
        tell(Told(about=about, line=line(str(told))))


def _busy() -> bool:
    """Whether a durable cell of this kernel awaits something."""
    session = api.front_of("%durable").session
    own = session.store.owner
    return any(
        step.state is StepState.RUNNING and step.owner == own
        for step in session.history.steps.values()
    )
