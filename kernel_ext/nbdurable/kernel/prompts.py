"""Asking at a prompt: at a terminal, and in a kernel where a setting says so.

A thread waits for the line, so the cell that asks can be interrupted and is released by
an answer from elsewhere; what is typed after that is for whoever asks next.
"""

from __future__ import annotations

import select
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from nbdurable.engine.past.waits import AnswerKind, Wait, WaitKind
from nbdurable.engine.values.plainly import visible

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

SLICE_S: Final = 0.2
"""How soon the prompt is taken back when somebody answers elsewhere."""

Reply = Callable[[object, str], str]
Read = Callable[[str, threading.Event], str | None]
"""Reads a line behind a prompt; None when the event is set first, or nobody types."""


def prompt(
    shell: InteractiveShell, wait: Wait, reply: Reply, *, forced: bool
) -> Callable[[str], None] | None:
    """Ask for a question's answer; what is given takes the prompt back.

    Args:
        shell: Where the cell runs.
        wait: The question.
        reply: Takes the answer.
        forced: Whether a setting asks for it; else only at a terminal.
    """
    kernel = getattr(shell, "kernel", None)
    read: Read | None = None
    if kernel is None and sys.stdin.isatty():
        read = _at_a_terminal
    elif kernel is not None and forced and kernel._allow_stdin:  # noqa: SLF001  # as input() looks
        read = _front_end(kernel)
    if read is None or wait.kind is WaitKind.SIGNAL:
        return None
    over = threading.Event()
    work = (read, wait, reply, over)
    threading.Thread(target=_ask, args=work, name="nbdurable-ask", daemon=True).start()
    return lambda _: over.set()


def _ask(read: Read, wait: Wait, reply: Reply, over: threading.Event) -> None:
    from nbdurable.engine.asking.answering import typed

    told = f"{visible(wait.text, lines=False)}{_offer(wait)} "
    while not over.is_set():
        line = read(told, over)
        if line is None:
            return
        wrong = reply(typed(wait, line.strip()), "input")
        if not wrong:
            return
        told = f"{wrong} {_offer(wait).strip()} "


def _offer(wait: Wait) -> str:
    if wait.choices:
        return f" ({', '.join(wait.choices)})"
    if wait.form:
        return f" ({', '.join(wait.form)}, as a dict)"
    return " (yes or no)" if wait.answer is AnswerKind.YES_NO else ""


def _at_a_terminal(told: str, over: threading.Event) -> str | None:
    sys.stdout.write(told)
    sys.stdout.flush()
    while not over.is_set():
        if select.select([sys.stdin], [], [], SLICE_S)[0]:
            return sys.stdin.readline() or None  # "": the terminal is gone
    return None


def _front_end(kernel: Any) -> Read:
    """A reader for a kernel's front end; made in the cell, whose request asks."""
    parent, ident = kernel.get_parent("shell"), kernel._parent_ident["shell"]  # noqa: SLF001

    def read(told: str, over: threading.Event) -> str | None:
        import zmq  # lazy: only kernels have it

        session, socket = kernel.session, kernel.stdin_socket
        while socket.poll(0):  # a reply to somebody who doesn't wait any more
            socket.recv_multipart()
        content = {"prompt": told, "password": False}
        session.send(socket, "input_request", content, parent, ident=ident)
        while not over.is_set():
            if zmq.select([socket], [], [], SLICE_S)[0]:
                reply = session.recv(socket)[1]
                return str(reply["content"]["value"]) if reply else None
        return None

    return read
