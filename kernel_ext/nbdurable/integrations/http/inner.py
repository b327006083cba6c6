"""What a `write` tool asks over HTTP: which of it is a part of its call. Pure.

Any host and path: that is what the tool is there for. Not what answers with credentials
or authorises the session that the tool then uses: it is asked again, as it would be in
a tool that runs for the first time. Nor MCP, which is journaled above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.integrations.http.limits import BODY_BYTES_MAX
from nbdurable.integrations.http.recording import Recording
from nbdurable.integrations.http.refusals import NOT_DONE

LOOK: Final = Policy(effect=Effect.READ, inner=True)
"""What is promised of a request of a tool that only looks."""

CHANGE: Final = Policy(effect=Effect.WRITE, inner=True, not_done=NOT_DONE)
"""What is promised of any other request of a tool."""

SECRET_PATHS: Final = re.compile(
    r"(?i)/(?:credentials?|secrets?|federation|auth|authenticate|authorize|jwt|passwords?"
    r"|api[-_]?keys?|sessions?)(?:/|$)"
)
"""Paths, beyond those of a captured host, whose answers may be credentials."""

SECRET_PLACES: Final = re.compile(
    r"(?i)(?:auth|oauth2?|accounts?|login|sso|sts|iam|vault|metadata|secretmanager)\..+"
    r"|(?:.+\.)?(?:sts|sso|kms|secretsmanager|cognito-i[dp][a-z]*)[.-].*amazonaws\.com.*"
    r"|169\.254\.\d+\.\d+"
)
"""Hosts that hand out credentials, or decrypt them."""

SECRET_ANSWER: Final = re.compile(
    rb"(?i)\"[a-z_-]*(?:access|refresh|id|session|auth|bearer)_?token\"\s*:"
    rb"|\"[a-z_-]*(?:client_?secret|secret_?(?:access_?)?key|private_?key|api_?key"
    rb"|password)\"\s*:|<(?:Secret[A-Za-z]*|SessionToken)>"
)
"""Names in an answer by which it gives a credential."""

MCP_HEADERS: Final = ("mcp-session-id", "mcp-protocol-version")

STREAMED: Final = frozenset({"text/event-stream", "application/x-ndjson"})
"""Media types of answers that come for as long as somebody listens."""

PART_CHARS_MAX: Final = 16
"""A part of a path that is as long, and holds a digit, may be a key."""


def is_secret(url: str) -> bool:
    """Whether what an address answers may be a credential.

    Example:
        >>> is_secret("https://sts.eu-west-1.amazonaws.com/")
        True
        >>> is_secret("https://api.example.com/orders")
        False
    """
    parts = urlsplit(url)
    path, host = parts.path, parts.hostname or ""
    return bool(SECRET_PATHS.search(path) or SECRET_PLACES.fullmatch(host))


def is_mcp(headers: Mapping[str, str]) -> bool:
    """Whether a request without a numbered body is MCP's all the same."""
    return any(headers.get(name) for name in MCP_HEADERS)


def why_unkept(
    recording: Recording, headers: Iterable[tuple[str, str]], *, looks: bool
) -> str:
    """Why an answer is not kept, or "".

    Args:
        recording: The answer.
        headers: All headers that came.
        looks: Whether the request only looked. Cookies are never kept, so what gives
            some to the requests that follow is asked again.
    """
    if SECRET_ANSWER.search(recording.body):
        return "its answer holds a credential"
    if looks and any(name.lower() == "set-cookie" for name, _ in headers):
        return "its answer sets cookies"
    return ""


def is_read_at_once(media: str, length: str) -> bool:
    """Whether the answer to a change is read before the tool gets it.

    Args:
        media: Media type of the answer.
        length: Its length as it says it, bytes.
    """
    short = not length.isdigit() or int(length) <= BODY_BYTES_MAX
    return short and media not in STREAMED


def place(address: str) -> str:
    """An address as people read it: parts of a path that may be keys are left out.

    Example:
        >>> place("hooks.example.com/T000/B000/x9K2mQ7wE4rT6yU1")
        'hooks.example.com/T000/B000/…'
    """
    host, *parts = address.split("/")
    return "/".join([host, *("…" if _may_be_key(part) else part for part in parts)])


def _may_be_key(part: str) -> bool:
    return len(part) >= PART_CHARS_MAX and any(char.isdigit() for char in part)
