"""How an exchange fails, in a form that can be kept: plain arguments only.

The exceptions of SDKs hold requests with keys and do not unpickle. So a failure is kept
as what the server or the network said, and the SDK raises its own exception from it,
again and again.

Some failures say that nothing happened: the request was not sent, or the server did not
take it. For a request that changes the world that is the difference between «runs again»
and «may have happened».
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nbdurable.errors import DurablePause, Remedy
from nbdurable.integrations.http.recording import Recording, from_plain, to_plain

TOLD_CHARS_MAX = 200
"""How much of a refusal's body stands in its message."""

DECLINED = frozenset({400, 401, 402, 403, 404, 405, 406, 411, 413, 414, 415, 422, 429})
"""Statuses by which a server says that it did not do what it was asked."""

UNSENT = frozenset(
    {
        "ClientConnectorCertificateError", "ClientConnectorDNSError",
        "ClientConnectorError", "ClientConnectorSSLError", "ConnectError",
        "ConnectTimeout", "ConnectTimeoutError", "ConnectionTimeoutError",
        "EndpointConnectionError", "InvalidURL", "LocalProtocolError", "PoolTimeout",
        "ProxyConnectionError", "ProxyError", "SSLError", "UnsupportedProtocol",
    }
)  # fmt: skip
"""Exceptions of the libraries that say that there was no connection."""


class Refused(Exception):  # a fact about an exchange, not an error of ours
    """The server answered with a status from 400, or with what is no answer."""

    def __init__(self, plain: dict[str, object]) -> None:
        super().__init__(plain)

    @property
    def recording(self) -> Recording:
        """What the server said."""
        return from_plain(self.args[0])

    def __str__(self) -> str:
        was = self.recording
        text = was.body[:TOLD_CHARS_MAX].decode("utf-8", "replace")
        return f"HTTP {was.status}: {' '.join(text.split())}"


class Declined(Refused):
    """The server did not do what it was asked."""


class Unanswered(Exception):  # a fact about an exchange, not an error of ours
    """There was no whole answer: class name and message of the library's exception."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)

    def __str__(self) -> str:
        kind, message = self.args
        return f"{kind}: {message}"


class Unsent(Unanswered):
    """The server was not asked."""


NOT_DONE = (Declined, Unsent)
"""Failures after which a request that changes the world may be sent again."""


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


def refused(recording: Recording) -> Refused:
    """The failure that a recorded answer is."""
    kind = Declined if recording.status in DECLINED else Refused
    return kind(to_plain(recording))


def unanswered(kind: str, message: str) -> Unanswered:
    """The failure that a library told by an exception of this class."""
    return (Unsent if kind in UNSENT else Unanswered)(kind, message)
