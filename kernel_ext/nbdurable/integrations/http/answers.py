"""From what was heard of an answer to what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from nbdurable.integrations.http.limits import BODY_BYTES_MAX
from nbdurable.integrations.http.recording import Recording, kept_headers
from nbdurable.integrations.http.streams import Heard
from nbdurable.integrations.http.wires import Wire


class Unkept(Exception):  # a fact about an answer, not an error of ours
    """Why an answer is passed on and not kept."""


class TooMuch(Unkept):  # a fact about an answer, not an error of ours
    """The answer is too large to be kept."""

    def __str__(self) -> str:
        return f"an answer of more than {BODY_BYTES_MAX >> 20} MB"


def record(wire: Wire, response: Any, heard: Heard, *, model: bool = True) -> Recording:
    """What was heard of a response, decoded.

    Args:
        wire: The request.
        response: The response, read.
        heard: What was heard of it.
        model: Whether a model answered.

    Raises:
        TooMuch: It is too large, as it came or decoded.
    """
    if heard.size > BODY_BYTES_MAX:
        raise TooMuch
    status = wire.status(response)
    headers = kept_headers(wire.said(response), model=model)
    body = b"".join(heard.chunks)
    decode = wire.decoder(response)
    if decode is not None:
        decoded = b"".join(_bounded(decode(body)))
        return Recording(
            status=status,
            headers=headers,
            body=decoded,
            ms=tuple(heard.ms[-1:]),
            whole=heard.whole(),
        )
    cuts, at = [], 0
    for chunk in heard.chunks:
        at += len(chunk)
        cuts.append(at)
    return Recording(
        status=status,
        headers=headers,
        body=body,
        cuts=tuple(cuts),
        ms=tuple(heard.ms),
        whole=heard.whole(),
    )


def malformed(recording: Recording) -> bool:
    """Whether an answer isn't what it says it is: JSON that can't be read."""
    if recording.media != "application/json" or not recording.body:
        return False
    try:
        json.loads(recording.body)
    except (ValueError, RecursionError):
        return True
    return False


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > BODY_BYTES_MAX:
            raise TooMuch
        yield piece
