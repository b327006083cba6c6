"""The kernel's half of the sidebar: a comm that any front end may open.

Theory of operation. The comm's messages are those of docs/protocol.md. It may be opened
before anything durable happened here, so the run is looked for again and again: where the
session has one it is taken from there, in whatever thread asks; else the main thread looks
in the store, once for each time that a view asks, when no cell runs.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nbdurable.kernel.defects import contained

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbdurable.kernel.port import Port
    from nbdurable.kernel.talk import Talk
    from nbdurable.timeline.once import Once

TARGET: Final = "nbdurable"
"""What front ends call the comm."""

TALKS_MAX: Final = 32
"""Views that are answered at a time: each has a thread. Whoever was silent longest rests."""

RESTING_MAX: Final = 500
"""Views that rest and are known; those of pages that are gone are among them."""

RESTS: Final = (
    "so many views of this kernel were opened since that this one rests."
    " It goes on when you ask it for something, or load the page again."
)


@dataclass(frozen=True, slots=True)
class _Heard:
    talk: Talk
    comm: Any
    page: str


class Sidebar:
    """Listens on a kernel until `close`; in a plain IPython there is nobody to hear.

    Args:
        shell: The running IPython.
        port: Its engine.
    """

    def __init__(self, shell: InteractiveShell, port: Port) -> None:
        self._kernel: Any = getattr(shell, "kernel", None)
        self._port = port
        self._over = False
        self._once: Once | None = None
        self._talks: OrderedDict[str, _Heard] = OrderedDict()
        self._resting: OrderedDict[str, _Heard] = OrderedDict()
        self._asked = False
        # Each subshell is a thread, and a page that isn't answered soon opens another comm.
        self._turn = threading.Lock()
        comms = getattr(self._kernel, "comm_manager", None)
        if comms is not None:
            comms.register_target(TARGET, self._open)

    def close(self) -> None:
        """Hear nothing any more. Idempotent."""
        comms = getattr(self._kernel, "comm_manager", None)
        if comms is not None and TARGET in comms.targets:
            comms.unregister_target(TARGET, self._open)
        self._over = True
        for name in (*self._resting, *self._talks):
            self._leave(name)

    def _open(self, comm: Any, opened: Mapping[str, Any]) -> None:
        with contained("a sidebar is not answered"):
            from nbdurable.kernel.talk import heard_in_any_thread

            heard_in_any_thread(comm)
            name: str = comm.comm_id
            page = str((opened["content"].get("data") or {}).get("page") or "")
            self._begin(comm, page)
            comm.on_msg(lambda said: self._hear(name, said["content"]["data"]))
            comm.on_close(lambda _said: self._end(name))
            if self._over:  # it came while the main thread was closing
                self._leave(name)

    def _begin(self, comm: Any, page: str) -> _Heard:
        """Answer a view from now on."""
        from nbdurable.kernel.found import Found
        from nbdurable.kernel.talk import Talk, send
        from nbdurable.timeline.once import Once

        self._once = self._once or Once()  # for all comms: a view may open another
        name, port = comm.comm_id, self._port
        found = Found(lambda: port.made, self._ask, self._once, lambda: port.greeting)
        talk = Talk(found, lambda said: send(name, said))
        with self._turn:
            self._make_room(page)
            self._talks[name] = heard = _Heard(talk, comm, page)
        return heard

    def _make_room(self, page: str) -> None:
        """End what a page left that was loaded anew since; let rest what is too much.

        A page that is gone closes nothing, so its comm would be answered for ever.
        """
        for name, heard in [*self._resting.items(), *self._talks.items()]:
            if page and heard.page == page:
                self._leave(name)
        more = list(self._talks)
        for name in more[: max(0, len(more) - TALKS_MAX + 1)]:
            self._rest(name)
        while len(self._resting) > RESTING_MAX:
            self._leave(next(iter(self._resting)))

    def _rest(self, name: str) -> None:
        from nbdurable.timeline.protocol import Refused

        heard = self._talks.pop(name, None)
        if heard is not None:
            self._resting[name] = heard
            heard.talk.close(Refused(about="", line=RESTS))

    def _hear(self, name: str, said: object) -> None:
        rested = self._resting.pop(name, None)
        if rested is not None:
            self._begin(rested.comm, rested.page)
        heard = self._talks.get(name)
        if heard is not None:
            with contextlib.suppress(KeyError):  # it was ended by another thread
                self._talks.move_to_end(name)
            heard.talk.hear(said)

    def _end(self, name: str) -> None:
        heard = self._talks.pop(name, None) or self._resting.pop(name, None)
        if heard is not None:
            heard.talk.close()

    def _leave(self, name: str) -> None:
        heard = self._talks.pop(name, None) or self._resting.pop(name, None)
        if heard is not None:
            heard.talk.close()
            heard.comm.close()  # so the front end knows

    def _ask(self) -> None:
        """Look for the run in the main thread, as soon as no cell is in the way."""
        if not self._asked:  # one look is for all who ask until then
            self._asked = True
            self._kernel.io_loop.add_callback(self._look)

    def _look(self) -> None:
        self._asked = False
        self._port.look()
