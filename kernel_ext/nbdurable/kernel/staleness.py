"""Which cells would run again, told to views while the variables change.

Theory of operation. Variables belong to the main thread, so the comparing is done there:
after a cell ended, when the loop has nothing else to do, and only if a view asked lately. A
view asks ten times a second and is handed what was found last; until the first look that
is None: nobody knows. A hidden or closed view asks no more, and then nothing is compared.
Many or large variables are compared in several looks, and the loop goes on between them.
Nothing here keeps a session: what nobody uses any more is let go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, ref

from nbdurable import api
from nbdurable.engine.asking.stale import look
from nbdurable.engine.past.fates import is_executing
from nbdurable.errors import NothingDurable
from nbdurable.kernel.defects import contained

if TYPE_CHECKING:
    from nbdurable.engine.steps.session import Session

LATELY_S: Final = 3.0
"""Who asked longer ago looks no more."""

LATER_S: Final = 0.05
"""How long after a cell is looked: its answer is on its way by then."""

TAKES_S: Final = 0.25
"""How long one look may hold the kernel up; the next goes on where it stopped."""


class Staleness:
    """Looks for one session, in the kernel's main thread.

    Args:
        session: The session.
        kernel: The running kernel.
    """

    def __init__(self, session: Session, kernel: Any) -> None:
        self._of, self._kernel = ref(session), kernel
        self._clock = session.clock
        self._asked_s: float | None = None
        self._found: Mapping[str, str] | None = None
        self._left: Sequence[str] = ()
        kernel.shell.events.register("post_run_cell", self._ran)

    def latest(self) -> Mapping[str, str] | None:
        """What was found last; any thread may ask."""
        first, self._asked_s = self._asked_s is None, self._clock.monotonic_s()
        if first:
            self._kernel.io_loop.add_callback(self._look)
        return self._found

    def _ran(self, _result: object) -> None:
        asked_s = self._asked_s
        if self._of() is None:  # nbdurable was unloaded meanwhile
            self._kernel.shell.events.unregister("post_run_cell", self._ran)
            return
        if asked_s is None:
            return
        if self._clock.monotonic_s() - asked_s > LATELY_S:
            self._asked_s = None  # the next one who asks lets it look at once
            return
        self._kernel.io_loop.call_later(LATER_S, self._look)

    def _look(self) -> None:
        """Look at all steps anew, also where an earlier look has not come to its end."""
        session = self._of()
        if session is None:
            return
        going_on, self._left = bool(self._left), tuple(session.history.slots)
        if not going_on:
            self._go_on()

    def _go_on(self) -> None:
        slots, self._left = self._left, ()
        with contained("stale cells are not looked for"):
            try:
                front = api.front_of("%durable")
            except NothingDurable:  # nbdurable was unloaded meanwhile
                return
            session = self._of()
            if session is None or front.session is not session:
                return
            own = session.store.owner
            if is_executing(session.history, own):
                return
            here = front.here()
            told, self._left = look(session, here, slots, seconds=TAKES_S)
            left = {*self._left}
            before = self._found or {}
            kept = {slot: why for slot, why in before.items() if slot in left}
            self._found = {**kept, **told}
            if left:
                self._kernel.io_loop.call_later(LATER_S, self._go_on)


_LOOKING: WeakKeyDictionary[Session, Staleness] = WeakKeyDictionary()


def staleness_of(session: Session) -> Callable[[], Mapping[str, str] | None] | None:
    """What tells which cells of a session's run are stale; None outside a kernel."""
    from ipykernel.kernelbase import Kernel

    if not Kernel.initialized():
        return None
    if session not in _LOOKING:
        _LOOKING[session] = Staleness(session, Kernel.instance())
    return _LOOKING[session].latest
