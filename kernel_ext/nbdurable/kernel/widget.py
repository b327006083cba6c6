"""`nd.view()`: the run in the notebook, live, with buttons that answer.

Theory of operation. The view talks over its widget's comm. What it says is answered by a
`Source` in whatever thread it arrives: a front end of JupyterLab sends it through a
subshell, so it is answered while a cell blocks. Changes are pushed by a thread that looks
four times a second. Neither goes through the widget's own way of sending: that would be
taken for output of the cell that runs, and since ipykernel 7.4 it would draw the next
message of the view into the shell that is blocked.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from nbdurable.api import attended, front_of, run
from nbdurable.engine.asking.stale import stale
from nbdurable.errors import DurableError, NothingDurable
from nbdurable.timeline import Shown
from nbdurable.timeline.bundle import VIEW
from nbdurable.timeline.protocol import Refused, plain
from nbdurable.timeline.source import Source

if TYPE_CHECKING:
    from nbdurable.timeline.protocol import Message

LOOK_S: Final = 0.25
"""How often is looked for changes: an event is seen within a quarter of a second."""


def view() -> object:
    """The run of this notebook, live: what needs you, what each cell would do, its calls.

    Its buttons answer as `nd.answer` and `nd.resolve` do, also while a cell waits. It needs
    anywidget (``pip install nbdurable[timeline]``); without it, and before the first
    durable cell, it is what `nd.run` shows.
    """
    front = front_of("nd.view")
    if find_spec("anywidget") is None:
        return run()
    try:
        _, history = attended("nd.view")
    except NothingDurable:
        return run()
    session = front.session
    source = Source(
        store=session.store,
        run=history.run,
        secrets=lambda: session.secrets,
        clock=session.clock,
        executing=lambda: session.executing,
        heard=session.parked.heard,
        stale=stale(session, front.here()),
    )
    return _kind()(source, run())


@functools.cache
def _kind() -> Any:
    """The class of the widget; made when it is first needed, since anywidget is heavy."""
    import anywidget

    class Timeline(anywidget.AnyWidget):
        """A run, live."""

        _esm = VIEW.read_text(encoding="utf-8")

        def __init__(self, source: Source, still: Shown) -> None:
            super().__init__()
            self._still = still
            self._line = _Line(self, source)

        def _repr_mimebundle_(self, **kwargs: Any) -> Any:
            """The widget, and beside it what is shown where there are no widgets."""
            data, meta = super()._repr_mimebundle_(**kwargs) or ({}, {})
            return {**data, **self._still._repr_mimebundle_()}, meta

        def close(self) -> None:
            self._line.close()
            super().close()

    return Timeline


class _Line:
    """What goes between a widget and its source."""

    def __init__(self, widget: Any, source: Source) -> None:
        self._widget, self._source = widget, source
        self._over = threading.Event()
        comm = widget.comm
        if hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = None  # noqa: SLF001  # else ipykernel 7.4 reroutes
        widget.on_msg(self._hear)
        looking = threading.Thread(
            target=self._look, name="nbdurable-view", daemon=True
        )
        looking.start()

    def close(self) -> None:
        """Look no longer."""
        self._over.set()

    def _hear(
        self, _widget: object, said: Mapping[str, object], _buffers: object
    ) -> None:
        try:
            answers = self._source.hear(said)
        except DurableError as unreadable:
            answers = [Refused(about="", line=unreadable.fact())]
        self._push(answers)

    def _look(self) -> None:
        while not self._over.wait(LOOK_S):
            try:
                self._push(self._source.poll())
            except DurableError:
                return  # the store is closed, or gone: there is nothing more to see

    def _push(self, messages: list[Message]) -> None:
        comm = self._widget.comm
        if comm is None:
            self.close()
            return
        for message in messages:
            _send(comm.comm_id, {"method": "custom", "content": plain(message)})


def _send(comm_id: str, data: Mapping[str, object]) -> None:
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
