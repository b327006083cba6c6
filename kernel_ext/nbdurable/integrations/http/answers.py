"""Between the response objects of httpx and httpx2, and recordings."""

from __future__ import annotations

import datetime as dt
from types import ModuleType
from typing import Any

from nbdurable.integrations.http.recording import (
    Recording,
    kept_headers,
    retryable,
)
from nbdurable.integrations.http.streams import Heard, playing

NO_RETRY = ("x-should-retry", "false")
"""Tells an SDK not to send a replayed failure again."""


def record(response: Any, heard: Heard) -> Recording:
    """What was heard of a response, decoded."""
    body = b"".join(heard.chunks)
    encoded = bool(response.headers.get("content-encoding"))
    cuts, at = [], 0
    for chunk in heard.chunks:
        at += len(chunk)
        cuts.append(at)
    return Recording(
        status=response.status_code,
        headers=kept_headers(response.headers.multi_items()),
        body=heard.decode(body) if encoded else body,
        cuts=() if encoded else tuple(cuts),
        ms=tuple(heard.ms[-1:] if encoded else heard.ms),
        whole=heard.whole(),
    )


def decoder(library: ModuleType, response: Any) -> Any:
    """A function that removes the response's content encoding from a whole body."""
    encoding = response.headers.get("content-encoding", "")

    def decode(body: bytes) -> bytes:
        headers = {"content-encoding": encoding}
        content: bytes = library.Response(200, headers=headers, content=body).content
        return content

    return decode


def rebuild(library: ModuleType, client: Any, request: Any, was: Recording) -> Any:
    """The response again, as a client of ``library`` hands it out, unread."""
    headers = list(was.headers)
    if retryable(was.status):
        headers.append(NO_RETRY)
    response = library.Response(
        was.status,
        headers=headers,
        stream=playing(library, was.pieces(), whole=was.whole),
        request=request,
        extensions={"http_version": b"HTTP/1.1"},
    )
    response.elapsed = dt.timedelta(milliseconds=was.ms[-1] if was.ms else 0)
    encoding = getattr(client, "_default_encoding", None)
    if encoding is not None:
        response.default_encoding = encoding
    return response
