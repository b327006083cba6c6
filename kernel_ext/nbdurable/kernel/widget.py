"""`nd.view()`: the run in the notebook, live, with buttons that answer.

The view talks over its widget's comm. It doesn't send as widgets do: that would be taken
for output of the cell that runs.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final

from nbdurable.api import attended, front_of, run
from nbdurable.errors import NothingDurable
from nbdurable.kernel.found import Found
from nbdurable.kernel.talk import Answering, Talk, heard_in_any_thread, send
from nbdurable.timeline import Shown
from nbdurable.timeline.bundle import VIEW
from nbdurable.timeline.once import Once
from nbdurable.timeline.protocol import Refused

SHOWN_MAX: Final = 8
"""Views that follow the run at a time: a cell that is run again leaves one behind, and each
holds a run and has a thread."""

RESTS: Final = (
    f"{SHOWN_MAX} newer views of this run were made, so this one follows it no more."
    " Run nd.view() again."
)

_TALKS: Final[deque[Talk]] = deque()


def _follow(talk: Talk) -> None:
    """One more view follows the run; those that are too many rest, the oldest first."""
    _TALKS.append(talk)
    while len(_TALKS) > SHOWN_MAX:
        _TALKS.popleft().close(Refused(about="", line=RESTS))


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
        attended("nd.view")
    except NothingDurable:
        return run()
    session = front.session
    return _kind()(Found(lambda: session, lambda: None, Once()), run())


@functools.cache
def _kind() -> Any:
    """The class of the widget; made when it is first needed, since anywidget is heavy."""
    import anywidget

    class Timeline(anywidget.AnyWidget):
        """A run, live."""

        _esm = VIEW.read_text(encoding="utf-8")

        def __init__(self, source: Answering, still: Shown) -> None:
            super().__init__()
            self._still = still
            self._talk = Talk(source, self._say)
            heard_in_any_thread(self.comm)
            _follow(self._talk)
            self.on_msg(lambda _widget, said, _buffers: self._talk.hear(said))

        def _repr_mimebundle_(self, **kwargs: Any) -> Any:
            """The widget, and beside it what is shown where there are no widgets."""
            data, meta = super()._repr_mimebundle_(**kwargs) or ({}, {})
            return {**data, **self._still._repr_mimebundle_()}, meta

        def close(self) -> None:
            self._talk.close()
            super().close()

        def _say(self, said: Mapping[str, object]) -> None:
            comm: Any = self.comm
            if comm is None:
                self._talk.close()
            else:
                send(comm.comm_id, {"method": "custom", "content": said})

    return Timeline
