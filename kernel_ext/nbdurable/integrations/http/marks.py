"""When a stream has said everything, although its connection is still open. Pure.

The end of a connection is not the end of an answer: the OpenAI SDK stops reading at
``[DONE]`` and never sees the end of file. So an answer is complete at the end of file
*or* at a mark that its format defines. A *strong* mark ends the answer; after a *weak*
one more may come (Gemini's usage), so it counts only when the reader stops. An *error*
is an answer too, and one that its SDK raises.
"""

from __future__ import annotations

import json
from enum import IntEnum

TERMINAL = frozenset(
    {"message_stop", "response.completed", "response.incomplete", "response.failed"}
)
"""Events after which Anthropic and OpenAI (responses) send nothing."""

SEPARATORS = {"text/event-stream": b"\n\n", "application/x-ndjson": b"\n"}
"""What ends an event of a media type; others have no marks, only an end of file."""


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
        self._separator = SEPARATORS.get(media)
        self._rest = b""

    def feed(self, chunk: bytes) -> Mark:
        """Read more; gives `seen`."""
        if self._separator is None:
            return self.seen
        text = (self._rest + chunk).replace(b"\r\n", b"\n")
        *events, self._rest = text.split(self._separator)
        for event in events:
            self.seen = max(self.seen, _mark(event))
        return self.seen


def _mark(event: bytes) -> Mark:
    if not any(hint in event for hint in _HINTS):
        return Mark.NONE
    name, data = _fields(event)
    if name == "error":
        return Mark.ERROR
    if data == b"[DONE]" or name in TERMINAL:
        return Mark.STRONG
    try:
        plain = json.loads(data)
    except ValueError:
        return Mark.NONE
    return _plain_mark(plain)


_HINTS = (
    b"[DONE]",
    b"message_stop",
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
    candidates = plain.get("candidates")
    ended = isinstance(candidates, list) and any(
        isinstance(c, dict) and c.get("finishReason") for c in candidates
    )
    return Mark.WEAK if ended else Mark.NONE


def _fields(event: bytes) -> tuple[str, bytes]:
    """Name and data of an event; a line of NDJSON is all data."""
    name, data = "", []
    for line in event.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"event":
            name = value.strip().decode("utf-8", "replace")
        elif field == b"data":
            data.append(value.removeprefix(b" "))
    return name, (b"\n".join(data) if data else event).strip()
