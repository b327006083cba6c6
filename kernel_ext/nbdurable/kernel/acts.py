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
from nbdurable.engine.past.fates import is_executing
from nbdurable.errors import DurableError
from nbdurable.kernel.defects import contained
from nbdurable.timeline.acting import refusal
from nbdurable.timeline.handed import Wanted
from nbdurable.timeline.previews import line
from nbdurable.timeline.protocol import Refused, Told

Tell = Callable[[Told | Refused], None]

BUSY: Final = "a durable cell is running. Nothing was done: ask again after it."

ELSEWHERE: Final = (
    "the kernel went on in another run before it came to this. Nothing was done."
)

_DOES: Final[dict[str, Callable[[str], object]]] = {
    "fork": lambda at: api.fork(at=at),
    "branch": lambda run: api.fork(of=run),
    "restore": lambda at: api.restore(at=at),
}


def asked(wanted: Wanted, tell: Tell) -> None:
    """Do it in this kernel, and tell what it did.

    Args:
        wanted: What is to be done: ``fork``, ``branch``, ``restore`` or ``cancel``.
        tell: Takes the answer, in whatever thread it comes.
    """
    from ipykernel.kernelbase import Kernel

    if not Kernel.initialized():
        refused = "there is no kernel here. Nothing was done."
        tell(Refused(about=wanted.about, line=refused))
        return
    if wanted.what == "cancel":
        os.kill(os.getpid(), signal.SIGINT)
        tell(Told(about=wanted.about, line="interrupted"))
        return
    Kernel.instance().io_loop.add_callback(lambda: _do(wanted, tell))


def _do(wanted: Wanted, tell: Tell) -> None:
    """Do it in the main thread, where no cell is in the way by now."""
    about = wanted.about

    def refuse(why: str) -> None:
        tell(Refused(about=about, line=why))

    with contained(f"{wanted.what} is not done", refuse):
        try:
            session = api.front_of("%durable").session
            if session.run_id != wanted.run:
                refuse(ELSEWHERE)
            elif is_executing(session.history, session.store.owner):
                refuse(BUSY)
            else:
                told = _DOES[wanted.what](about)
                tell(Told(about=about, line=line(str(told))))
        except DurableError as refused:
            tell(refusal(about, refused))
