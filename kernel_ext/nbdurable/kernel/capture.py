"""What a cell shows, seen where it leaves the process.

In a kernel that is `iopub_thread.send_multipart`: every message of every thread passes
it, also streams, errors and display updates. IPython's own hooks were rejected: those of
display_pub and displayhook are thread-local, streams and errors have none. A plain
IPython has no messages; there, stdout, stderr, display_pub and displayhook are watched
while a durable cell runs.

A message belongs to a cell when its parent is the cell's request. Watching costs one
test of an empty dict while no durable cell runs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from nbdurable.kernel.collapse import Collapsing, Message

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

DELIMITER = b"<IDS|MSG>"
"""Frame before the signature; header, parent, metadata and content follow it."""


class Recording:
    """The outputs of one cell so far. Filled from any thread."""

    def __init__(self) -> None:
        self._collapsing = Collapsing()
        self._lock = threading.Lock()

    def add(self, kind: str, content: Mapping[str, Any]) -> None:
        """One message."""
        with self._lock:
            self._collapsing.add(kind, content)

    @property
    def takes_lines(self) -> bool:
        """Whether a line of ours may be shown below.

        After `clear_output(wait=True)` it would be the output that clears the user's.
        """
        return not self._collapsing.clear_before_next

    def outputs(self) -> list[Message]:
        """What is left of them, collapsed."""
        with self._lock:
            return self._collapsing.outputs()


class Tap(Protocol):
    """A place where outputs pass."""

    def recording(self) -> AbstractContextManager[Recording]:
        """Record what the running cell shows, until the block ends."""
        ...

    def close(self) -> None:
        """Put back what was there before."""
        ...


def tap(shell: InteractiveShell) -> Tap:
    """The tap that fits: a kernel's messages, else the terminal's streams."""
    kernel = getattr(shell, "kernel", None)
    if getattr(kernel, "iopub_thread", None) is not None:
        return MessageTap(kernel)
    return StreamTap(shell)


def flush(shell: InteractiveShell) -> None:
    """Bring out what was written but not sent: streams, and inline figures.

    The inline backend shows figures after the cell, when its outputs are already
    recorded; showing them now changes nothing else.
    """
    inline = sys.modules.get("matplotlib_inline.backend_inline")
    events = getattr(shell, "events", None)
    callbacks = getattr(events, "callbacks", {}).get("post_execute", ())
    if inline is not None and inline.flush_figures in callbacks:
        inline.flush_figures()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


class MessageTap:
    """Looks at each message that a kernel sends to its front ends."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self._thread = kernel.iopub_thread
        self._send = self._thread.send_multipart
        self._recordings: dict[bytes, Recording] = {}
        self._thread.send_multipart = self.send_multipart

    def send_multipart(self, message: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        """Send as before, after a look."""
        if self._recordings:
            with contextlib.suppress(Exception):  # what we can't read is still sent
                self._look(message)
        return self._send(message, *args, **kwargs)

    @contextlib.contextmanager
    def recording(self) -> Generator[Recording]:
        """Record the messages whose parent is the current request."""
        request = self._kernel.get_parent("shell").get("header", {}).get("msg_id", "")
        key, recording = str(request).encode(), Recording()
        self._recordings[key] = recording
        try:
            yield recording
        finally:
            self._recordings.pop(key, None)

    def close(self) -> None:
        """Put the kernel's own method back, unless somebody wrapped ours."""
        self._recordings.clear()
        if vars(self._thread).get("send_multipart") == self.send_multipart:
            del self._thread.send_multipart

    def _look(self, message: Sequence[Any]) -> None:
        start = next(i for i, frame in enumerate(message) if frame == DELIMITER)
        header, parent, _, content = message[start + 2 : start + 6]
        for request, recording in list(self._recordings.items()):
            if request in parent:
                unpack = self._kernel.session.unpack
                recording.add(unpack(header)["msg_type"], unpack(content))


class StreamTap:
    """Watches the streams and display functions of a plain IPython."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    @contextlib.contextmanager
    def recording(self) -> Generator[Recording]:
        """Record what is written and displayed by any thread."""
        recording, silence = Recording(), threading.local()
        with contextlib.ExitStack() as stack:
            for name in ("stdout", "stderr"):
                stack.enter_context(_tee(name, recording, silence))
            stack.enter_context(_displays(self._shell.display_pub, recording, silence))
            stack.enter_context(_results(self._shell.displayhook, recording, silence))
            yield recording

    def close(self) -> None:
        """Nothing is changed while no cell is recorded."""


class _Tee:
    """A text stream that also records; everything else is the real stream's."""

    def __init__(
        self, real: TextIO, name: str, recording: Recording, silence: threading.local
    ) -> None:
        self._real, self._name = real, name
        self._recording, self._silence = recording, silence

    def write(self, text: str) -> int:
        """Write and record."""
        written = self._real.write(text)
        if not getattr(self._silence, "on", False):
            self._recording.add("stream", {"name": self._name, "text": str(text)})
        return written

    def writelines(self, lines: Sequence[str]) -> None:
        """Write and record each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@contextlib.contextmanager
def _tee(name: str, recording: Recording, silence: threading.local) -> Generator[None]:
    real = getattr(sys, name)
    tee = _Tee(real, name, recording, silence)
    setattr(sys, name, tee)
    try:
        yield
    finally:
        if getattr(sys, name) is tee:
            setattr(sys, name, real)


@contextlib.contextmanager
def _displays(
    publisher: Any, recording: Recording, silence: threading.local
) -> Generator[None]:
    def publish(
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        kind = "update_display_data" if kwargs.get("update") else "display_data"
        content = {
            "data": _plain(data),
            "metadata": _plain(metadata or {}),
            "transient": _plain(kwargs.get("transient") or {}),
        }
        recording.add(kind, content)
        with _silent(silence):
            real_publish(data, metadata, *args, **kwargs)

    def clear_output(*args: Any, **kwargs: Any) -> None:
        recording.add("clear_output", {"wait": bool(kwargs.get("wait") or any(args))})
        with _silent(silence):
            real_clear(*args, **kwargs)

    real_publish, real_clear = publisher.publish, publisher.clear_output
    with _replaced(publisher, publish=publish, clear_output=clear_output):
        yield


@contextlib.contextmanager
def _results(
    hook: Any, recording: Recording, silence: threading.local
) -> Generator[None]:
    """The prompt before a result and the line end after it are no stream of the cell."""

    def write_prompt() -> None:
        with _silent(silence):
            real_prompt()

    def write_format_data(
        data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
    ) -> None:
        content = {"data": _plain(data), "metadata": _plain(metadata or {})}
        recording.add("execute_result", content)
        with _silent(silence):
            real_write(data, metadata)

    def finish() -> None:
        with _silent(silence):
            real_finish()

    real_prompt, real_write = hook.write_output_prompt, hook.write_format_data
    real_finish = hook.finish_displayhook
    with _replaced(
        hook,
        write_output_prompt=write_prompt,
        write_format_data=write_format_data,
        finish_displayhook=finish,
    ):
        yield


@contextlib.contextmanager
def _silent(silence: threading.local) -> Generator[None]:
    before, silence.on = getattr(silence, "on", False), True
    try:
        yield
    finally:
        silence.on = before


@contextlib.contextmanager
def _replaced(owner: Any, **functions: Callable[..., Any]) -> Generator[None]:
    """Set attributes on an instance, and put back what the instance had."""
    before = {name: vars(owner)[name] for name in functions if name in vars(owner)}
    for name, function in functions.items():
        setattr(owner, name, function)
    try:
        yield
    finally:
        for name in functions:
            if name in before:
                setattr(owner, name, before[name])
            else:
                delattr(owner, name)


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data as a kernel would send it: bytes in base64, the rest as JSON."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(value), default=_as_text))
    return plain


def _as_text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    return str(value)
