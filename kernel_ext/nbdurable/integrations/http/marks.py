"""When a stream has said everything, although its connection is still open. Pure.

The end of a connection is not the end of an answer: the OpenAI SDK stops reading at
``[DONE]`` and never sees the end of file. So an answer is complete at the end of file
*or* at a mark that its format defines. A *strong* mark ends the answer; after a *weak*
one more may come (Gemini's usage), so it counts only when the reader stops. An *error*
is an answer too, and one that its SDK raises.

A stream is read line by line as it passes, each byte once: an event of many megabytes,
or one that never ends, costs no more than its length.
"""

from __future__ import annotations

import json
import re
from enum import IntEnum

from nbdurable.integrations.http.limits import EVENT_BYTES_MAX

TERMINAL = frozenset(
    {"message_stop", "response.completed", "response.incomplete", "response.failed"}
)
"""Events after which Anthropic and OpenAI (responses) send nothing."""

EVENTS, LINES = "text/event-stream", "application/x-ndjson"
"""The media types that have marks; others have only an end of file."""

_LINE = re.compile(rb"\r\n|\n|\r")


class Mark(IntEnum):
    """What a stream has shown so far."""

    NONE = 0
    WEAK = 1
    STRONG = 2
    ERROR = 3


class Marks:
    """Reads a stream as it passes; `seen` is the strongest mark of a whole event."""

    def __init__(self, media: str) -> None:
        self.seen = Mark.NONE
        self._media = media
        self._line: list[bytes] = []
        self._event: list[bytes] = []
        self._size = 0
        self._return = False

    def feed(self, chunk: bytes) -> Mark:
        """Read more; gives `seen`."""
        if self._media not in {EVENTS, LINES} or not chunk:
            return self.seen
        text = b"\r" + chunk if self._return else chunk
        self._return = text.endswith(b"\r")  # its other half may come
        *lines, rest = _LINE.split(text[:-1] if self._return else text)
        for line in lines:
            self._keep(line)
            self._line_ended()
        self._keep(rest)
        return self.seen

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if part and self._size <= EVENT_BYTES_MAX:
            self._line.append(part)

    def _line_ended(self) -> None:
        line, self._line = b"".join(self._line), []
        if line and self._media == EVENTS:
            self._event.append(line)
            return
        event, self._event = [*self._event, *([line] if line else [])], []
        if event and self._size <= EVENT_BYTES_MAX:
            self.seen = max(self.seen, _mark(event))
        self._size = 0


def _mark(event: list[bytes]) -> Mark:
    if not any(hint in line for line in event for hint in _HINTS):
        return Mark.NONE
    name, data = _fields(event)
    if name == "error":
        return Mark.ERROR
    if data == b"[DONE]" or name in TERMINAL:
        return Mark.STRONG
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError):
        return Mark.NONE
    return _plain_mark(plain)


_HINTS = (
    b"[DONE]",
    b"message_stop",
    b"message-end",
    b"response.",
    b"finishReason",
    b'"done"',
    b"error",
)


def _plain_mark(plain: object) -> Mark:
    if not isinstance(plain, dict):
        return Mark.NONE
    if plain.get("type") == "error" or plain.get("error"):
        return Mark.ERROR
    if plain.get("type") in TERMINAL or plain.get("done") is True:
        return Mark.STRONG
    if plain.get("type") == "message-end":  # Cohere's
        return Mark.STRONG
    candidates = plain.get("candidates")
    ended = isinstance(candidates, list) and any(
        isinstance(c, dict) and c.get("finishReason") for c in candidates
    )
    return Mark.WEAK if ended else Mark.NONE


def _fields(event: list[bytes]) -> tuple[str, bytes]:
    """Name and data of an event; a line of NDJSON is all data."""
    name, data = "", []
    for line in event:
        field, _, value = line.partition(b":")
        if field == b"event":
            name = value.strip().decode("utf-8", "replace")
        elif field == b"data":
            data.append(value.removeprefix(b" "))
    return name, b"\n".join(data or event).strip()
