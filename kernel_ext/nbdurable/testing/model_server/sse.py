"""Server-sent events, and the one date that every answer bears. Pure."""

from __future__ import annotations

import json

from nbdurable.testing.model_server.conversation import Json

CREATED_S = 1_700_000_000
"""Every answer is of this second: the same request gets the same bytes."""


def data(value: Json) -> bytes:
    """An event without a name."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def event(value: Json) -> bytes:
    """An event named by the ``type`` of its data."""
    return b"event: " + str(value["type"]).encode() + b"\n" + data(value)
