"""A question under the cell that waits: a line, and what a person answers it with.

The line with the commands is always there, as text. Beside it stand, in this order of
preference, a widget, or a prompt for input; an answer from elsewhere takes either away.
In its place comes one line that says how it ended. All of it is marked as ours, so it is
never recorded as the cell's output.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from nbdurable.engine.telling import lines
from nbdurable.engine.telling.waits import unanswered
from nbdurable.engine.values.plainly import visible
from nbdurable.kernel import panel, prompts
from nbdurable.kernel.collapse import OURS
from nbdurable.kernel.lines import noted

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbdurable.engine.calls.parked import Asked
    from nbdurable.engine.past.waits import Waiting
    from nbdurable.engine.steps.session import Session

ASK: Final = "NBDURABLE_ASK"
"""How a question is shown: ``input`` prompts for it, ``line`` shows the commands alone."""

PARKED: Final = "parked: run this cell again and it goes on waiting"
"""What stands in the place of a question whose cell was interrupted as it was shown."""

Reply = Callable[[object, str], str]
"""Takes an answer and from where it comes; gives what is to be said of it."""


class Questions:
    """Shows the questions of a shell.

    Args:
        shell: Where cells run.
        session: The session whose calls wait.
    """

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self._shell, self._session = shell, session

    def __call__(self, asked: Asked) -> Callable[[str], None] | None:
        """Show a question; what is given puts a line in its place."""
        # what can't be shown is no reason not to ask
        with contextlib.suppress(Exception):
            self._show_subject(asked.shown)
        closing: list[Callable[[str], None]] = []

        def dismiss(line: str) -> None:
            for close in closing:
                with contextlib.suppress(Exception):
                    close(line)

        try:
            self._show(asked.waiting, closing)
        except BaseException:  # interrupted while it was shown
            dismiss(unanswered(asked.waiting.wait, PARKED))
            raise
        return dismiss

    def _show(self, asked: Waiting, closing: list[Callable[[str], None]]) -> None:
        name = f"nbdurable-{uuid.uuid4().hex}"
        told = lines.asks(asked)
        reply = partial(self._reply, asked)
        how = os.environ.get(ASK, "")
        found: panel.Panel | None = None
        with contextlib.suppress(Exception):
            if how == "":
                found = panel.panel(self._shell, asked.wait, told, reply)
        if found is not None:
            closing.append(found.close)
        closing.append(partial(self._close, name))
        self._publish(name, told, found.view() if found else {}, update=False)
        if found is None and how in {"", "input"}:
            forced = how == "input"
            prompt = prompts.prompt(self._shell, asked.wait, reply, forced=forced)
            closing += [prompt] if prompt else []

    def _reply(self, asked: Waiting, value: object, via: str) -> str:
        """Record an answer; what is wrong with it is said, and the question stays."""
        from nbdurable.engine.asking.replying import reply
        from nbdurable.errors import DurableError

        try:
            reply(self._session, asked, value, via)
        except DurableError as refused:
            return refused.fact()
        return ""

    def _show_subject(self, shown: object) -> None:
        """What is decided about, as richly as the front end can."""
        if shown is None:
            return
        if isinstance(shown, str):
            plain = visible(shown)
            data, metadata = {"text/plain": plain, "text/markdown": shown}, {}
        else:
            formatter: Any = self._shell.display_formatter
            data, metadata = formatter.format(shown)
        if data:
            marked = {**metadata, OURS: {"kind": "shown"}}
            self._shell.display_pub.publish(data=data, metadata=marked)

    def _publish(
        self, name: str, line: str, view: dict[str, Any], *, update: bool
    ) -> None:
        bundle = noted(line, "waiting")
        self._shell.display_pub.publish(
            data={**bundle["data"], **view},
            metadata=bundle["metadata"],
            transient={"display_id": name},
            update=update,
        )

    def _close(self, name: str, line: str) -> None:
        self._publish(name, line, {}, update=True)
