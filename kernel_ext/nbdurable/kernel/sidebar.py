"""The kernel's half of the sidebar: a comm that any front end may open.

Theory of operation. The comm's messages are those of docs/protocol.md. It may be opened
before anything durable happened here, so the run is looked for again and again: where the
session has one it is taken from there, in whatever thread asks; else the main thread looks
in the store, once for each time that a view asks, when no cell runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nbdurable.kernel.defects import contained

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbdurable.kernel.port import Port
    from nbdurable.kernel.talk import Talk
    from nbdurable.timeline.once import Once

TARGET: Final = "nbdurable"
"""What front ends call the comm."""


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
        self._talks: dict[str, tuple[Talk, Any]] = {}
        comms = getattr(self._kernel, "comm_manager", None)
        if comms is not None:
            comms.register_target(TARGET, self._open)

    def close(self) -> None:
        """Hear nothing any more. Idempotent."""
        comms = getattr(self._kernel, "comm_manager", None)
        if comms is not None and TARGET in comms.targets:
            comms.unregister_target(TARGET, self._open)
        self._over = True
        for name in list(self._talks):
            self._leave(name)

    def _open(self, comm: Any, _opened: object) -> None:
        with contained("a sidebar is not answered"):
            from nbdurable.kernel.found import Found
            from nbdurable.kernel.talk import Talk, heard_in_any_thread, send
            from nbdurable.timeline.once import Once

            self._once = self._once or Once()  # for all comms: a view may open another
            heard_in_any_thread(comm)
            name: str = comm.comm_id
            port = self._port
            found = Found(
                lambda: port.made, self._ask, self._once, lambda: port.greeting
            )
            talk = Talk(found, lambda said: send(name, said))
            self._talks[name] = talk, comm
            comm.on_msg(lambda said: talk.hear(said["content"]["data"]))
            comm.on_close(lambda _said: self._end(name))
            if self._over:  # it came while the main thread was closing
                self._leave(name)

    def _end(self, name: str) -> None:
        talk, _ = self._talks.pop(name, (None, None))
        if talk is not None:
            talk.close()

    def _leave(self, name: str) -> None:
        talk, comm = self._talks.pop(name, (None, None))
        if talk is not None:
            talk.close()
        if comm is not None:
            comm.close()  # so the front end knows

    def _ask(self) -> None:
        """Look for the run in the main thread, as soon as no cell is in the way."""
        self._kernel.io_loop.add_callback(self._port.look)
