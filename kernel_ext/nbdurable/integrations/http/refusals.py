"""How an exchange fails, in a form that can be kept: plain arguments only.

The exceptions of SDKs hold requests with keys and do not unpickle. So a failure is kept
as what the server or the network said, and the SDK raises its own exception from it,
again and again.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from nbdurable.integrations.http.recording import Recording, from_plain, to_plain

TOLD_CHARS_MAX = 200
"""How much of a refusal's body stands in its message."""


class Refused(Exception):  # a fact about an exchange, not an error of ours
    """The server answered with a status from 400."""

    def __init__(self, plain: dict[str, object]) -> None:
        super().__init__(plain)

    @classmethod
    def of(cls, recording: Recording) -> Refused:
        """The failure that a recorded answer is."""
        return cls(to_plain(recording))

    @property
    def recording(self) -> Recording:
        """What the server said."""
        return from_plain(self.args[0])

    def __str__(self) -> str:
        was = self.recording
        text = was.body[:TOLD_CHARS_MAX].decode("utf-8", "replace")
        return f"HTTP {was.status}: {' '.join(text.split())}"


class Unanswered(Exception):  # a fact about an exchange, not an error of ours
    """There was no whole answer: class name and message of the library's exception."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)

    def again(self, library: ModuleType, request: Any) -> Exception:
        """The library's exception, about a new request."""
        kind, message = self.args
        cls = getattr(library, kind, library.RequestError)
        error: Exception = cls(message, request=request)
        return error

    def __str__(self) -> str:
        kind, message = self.args
        return f"{kind}: {message}"


class StreamCut(GeneratorExit):  # an end from outside, like its base
    """Nobody read the answer to its end; it isn't known what it would have been."""
