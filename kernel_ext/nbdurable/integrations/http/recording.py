"""What is kept of an answer. Pure.

The body is kept decoded, because decoders differ from machine to machine, with the
places where its pieces ended and when they came. Of the headers only those that SDKs
read; cookies never.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from nbdurable.integrations.http.limits import HEADER_CHARS_MAX

DROPPED = re.compile(
    r"set-cookie2?|.*authenticat.*|.*authorization|connection|keep-alive|server-timing"
    r"|.*(?:token|secret|passw|credential|api-?key)"
    r"|content-(?:encoding|length)|transfer-encoding|trailer|upgrade|alt-svc|date"
)
"""Names of the headers that are dropped of any other answer: secrets, the connection's
own, and what no longer fits the decoded body."""

KEPT = re.compile(
    r"content-type|(?:x-)?request-id|(?:openai|anthropic|x-ratelimit|retry-after).*"
)
"""Names of the headers that are kept, lower case."""

NO_RETRY = ("x-should-retry", "false")
"""Tells an SDK not to send a replayed failure again."""

RETRYABLE = frozenset({408, 409, 429})
"""Statuses that SDKs send again, beside every one from 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One answer.

    Attributes:
        status: HTTP status.
        headers: The headers that are kept, in order.
        body: The decoded body.
        cuts: Where each piece of the body ended, in bytes.
        ms: When each piece came, milliseconds since the request.
        whole: False for the part of a stream that was read before it was closed.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cuts: tuple[int, ...] = ()
    ms: tuple[float, ...] = ()
    whole: bool = True

    @property
    def media(self) -> str:
        """Media type of the body, without parameters."""
        found = next((v for k, v in self.headers if k == "content-type"), "")
        return found.partition(";")[0].strip().lower()

    @property
    def took_ms(self) -> float:
        """From the request to the last piece, in milliseconds."""
        return self.ms[-1] if self.ms else 0.0

    def pieces(self) -> list[bytes]:
        """The body as it came. Cuts beyond its end are left out."""
        inner = [cut for cut in self.cuts if 0 < cut < len(self.body)]
        edges = [0, *sorted(set(inner)), len(self.body)]
        return [self.body[a:b] for a, b in itertools.pairwise(edges) if b > a]


def kept_headers(
    headers: Iterable[tuple[str, str]], *, model: bool = True
) -> tuple[tuple[str, str], ...]:
    """The headers to keep, names in lower case.

    Args:
        headers: All that came.
        model: Of a model's answer only those that SDKs read; of others what isn't
            dropped, such as `location` and `etag`.
    """
    pairs = ((name.lower(), value) for name, value in headers)
    return tuple(
        (name, value)
        for name, value in pairs
        if _is_kept(name, model=model) and len(value) <= HEADER_CHARS_MAX
    )


def without(scrub: Callable[[str], str], recording: Recording) -> Recording:
    """The same with what ``scrub`` leaves of its body, without headers that it changes."""
    headers = tuple(pair for pair in recording.headers if scrub(pair[1]) == pair[1])
    text = recording.body.decode("utf-8", "surrogateescape")
    body = scrub(text).encode("utf-8", "surrogateescape")
    cuts = recording.cuts if body == recording.body else ()
    return replace(recording, headers=headers, body=body, cuts=cuts)


def _is_kept(name: str, *, model: bool) -> bool:
    return bool(KEPT.fullmatch(name) if model else not DROPPED.fullmatch(name))


def handed_out(recording: Recording) -> list[tuple[str, str]]:
    """The headers of a replayed answer; a failure says that it is not to be repeated."""
    failed = [NO_RETRY] if retryable(recording.status) else []
    return [*recording.headers, *failed]


def retryable(status: int) -> bool:
    """Whether SDKs send the request again after this status."""
    return status in RETRYABLE or status >= 500


def to_plain(recording: Recording) -> dict[str, object]:
    """Plain data for a codec; the body is text where it is UTF-8."""
    try:
        body: str | bytes = recording.body.decode()
    except UnicodeDecodeError:
        body = recording.body
    return {
        "status": recording.status,
        "headers": [list(pair) for pair in recording.headers],
        "body": body,
        "cuts": list(recording.cuts),
        "ms": list(recording.ms),
        **({} if recording.whole else {"whole": False}),
    }


def from_plain(plain: object) -> Recording:
    """Read what `to_plain` made.

    Raises:
        ValueError: It is something else.
    """
    match plain:
        case {
            "status": int(status),
            "headers": list(headers),
            "body": str() | bytes() as body,
            "cuts": list(cuts),
            "ms": list(ms),
            **rest,
        }:
            return Recording(
                status=status,
                headers=tuple((str(name), str(value)) for name, value in headers),
                body=body.encode() if isinstance(body, str) else body,
                cuts=tuple(_ints(cuts)),
                ms=tuple(float(m) for m in ms),
                whole=rest.get("whole") is not False,
            )
        case _:
            raise ValueError(f"no recorded answer: {type(plain).__name__}")


def _ints(values: Sequence[object]) -> Iterable[int]:
    return (value for value in values if isinstance(value, int))
