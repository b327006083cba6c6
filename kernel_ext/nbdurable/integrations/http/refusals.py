"""How an exchange fails, in a form that can be kept: plain arguments only.

The exceptions of SDKs hold requests with keys and do not unpickle. So a failure is kept
as what the server or the network said, and the SDK raises its own exception from it,
again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

from nbdurable.errors import DurablePause, Remedy
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
    """Nobody read the answer to its end; it isn't known what it would have been.

    Attributes:
        had: The part that was read.
    """

    def __init__(self, told: str, had: Recording | None = None) -> None:
        super().__init__(told)
        self.had = had


@dataclass(kw_only=True, eq=False)
class StreamEnds(DurablePause):
    """Code reads past the place where a recorded stream was closed.

    Attributes:
        pieces: How many pieces of it are recorded.
    """

    slug: ClassVar[str] = "stream-ends"
    pieces: int

    def fact(self) -> str:
        """One line about the answer."""
        return f"this streamed answer is recorded only up to its piece {self.pieces:,}."

    def detail(self) -> str:
        """Why, and what was not done."""
        return (
            "The code that recorded it closed the stream there, and now it is read on.\n"
            "The model was not asked: no new call is made in frozen mode."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Record the whole of it."""
        return (
            Remedy("record the whole", "nbdurable check NOTEBOOK --update"),
            Remedy("let new calls run", "%durable frozen off"),
        )
