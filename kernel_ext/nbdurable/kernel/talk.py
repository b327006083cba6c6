"""What goes between a view and its source, over a comm.

Theory of operation. What the view says is answered in whatever thread it arrives: a front
end of JupyterLab sends it through a subshell, so it is answered while a cell blocks.
Changes are pushed by a thread that looks ten times a second. Neither goes through the
comm's own way of sending: since ipykernel 7.4 that would draw the next message of the view
into the shell that is blocked.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from weakref import WeakKeyDictionary

from nbdurable.errors import DurableError
from nbdurable.kernel import acts
from nbdurable.kernel.defects import unforeseen
from nbdurable.kernel.staleness import staleness_of
from nbdurable.timeline.once import Once
from nbdurable.timeline.protocol import Message, Refused, plain
from nbdurable.timeline.reading import Common
from nbdurable.timeline.refusals import AGAIN, refused, why
from nbdurable.timeline.requests import named
from nbdurable.timeline.source import Source

if TYPE_CHECKING:
    from nbdurable.engine.steps.session import Session

LOOK_S: Final = 0.1
"""How often is looked for changes: an event is to be on the screen within a quarter of a
second, and the browser takes its part of that."""

AFTER_ERROR_S: Final = 2.0
"""How soon is looked again where that failed: a disk or a count of files may recover."""

Say = Callable[[Mapping[str, object]], None]
"""Sends one message, as JSON has it."""


class Answering(Protocol):
    """What answers a view: a source, or what finds one."""

    def hear(self, said: object) -> Sequence[Message]:
        """What to answer to what a view says."""

    def poll(self) -> Sequence[Message]:
        """What changed since the view heard last."""


class _Over:
    """What answers a view that is not followed any more."""

    def __init__(self, last: Sequence[Refused]) -> None:
        self._last = last

    def hear(self, said: object) -> Sequence[Message]:
        """The same to whatever is asked."""
        return [dataclasses.replace(told, to=named(said)) for told in self._last]

    def poll(self) -> Sequence[Message]:
        """Nothing."""
        return ()


class Talk:
    """One view and its source, until `close`.

    Args:
        source: What answers the view.
        say: Sends one message, as JSON has it, to the view.
    """

    def __init__(self, source: Answering, say: Say) -> None:
        self._source: Answering = source
        self._say = say
        self._over = threading.Event()
        looking = threading.Thread(
            target=self._look, name="nbdurable-view", daemon=True
        )
        looking.start()

    def close(self, *last: Refused) -> None:
        """Look no longer, and let go of the run. Idempotent.

        Args:
            last: What the view is told last, and again when it asks for something.
        """
        self._over.set()
        self._source = _Over(last)
        self._push(last)

    def hear(self, said: object) -> None:
        """Answer what the view says."""
        try:
            answers = self._source.hear(said)
        except Exception as error:  # noqa: BLE001  # who asked waits for an answer
            answers = [_refused(error, named(said))]
        self._push(answers)

    def _look(self) -> None:
        failed = ""
        while not self._over.wait(AFTER_ERROR_S if failed else LOOK_S):
            try:
                found = self._source.poll()
            except Exception as error:  # noqa: BLE001  # a view must not stand still
                now = _why(error)
                if now != failed:
                    told = f"The run can't be read now: {now} It is tried again."
                    self._push([Refused(about="", line=told)])
                failed = now
            else:
                self._push([*found, AGAIN] if failed else found)
                failed = ""

    def _push(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._say(cast("Mapping[str, object]", plain(message)))


def _why(error: Exception) -> str:
    if isinstance(error, DurableError | OSError):
        return why(error)
    return f"{unforeseen(error, 'the run is not read')}."


def _refused(error: Exception, to: str) -> Refused:
    if isinstance(error, DurableError | OSError):
        return refused(error, to)
    return Refused(about="", line=_why(error), to=to)


def source_of(session: Session, run: str, once: Once) -> Source:
    """What answers a view of a run that this kernel is in."""
    return Source(
        store=session.store,
        run=run,
        secrets=lambda: session.secrets,
        clock=session.clock,
        executing=lambda: session.executing,
        heard=session.parked.heard,
        kernel=acts.asked,
        staleness=staleness_of(session),
        once=once,
        common=_common_of(session),
    )


def _common_of(session: Session) -> Common:
    """What all views of a kernel share: what they show is read once."""
    known = _COMMON.get(session)
    if known is None or known.store is not session.store:
        known = _COMMON[session] = Common(session.store, session.clock)
    return known


_COMMON: Final[WeakKeyDictionary[Session, Common]] = WeakKeyDictionary()


def heard_in_any_thread(comm: Any) -> None:
    """Let a comm be heard where its front end sends to; ipykernel 7.4 reroutes it else."""
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = None  # noqa: SLF001  # there is no other way


def send(comm_id: str, data: Mapping[str, object]) -> None:
    """To the front end, as output of no cell."""
    from ipykernel.kernelbase import Kernel

    if not Kernel.initialized():
        return
    kernel = Kernel.instance()
    kernel.session.send(
        kernel.iopub_socket,
        "comm_msg",
        {"comm_id": comm_id, "data": data},
        parent={},
        ident=f"comm-{comm_id}".encode(),
    )
