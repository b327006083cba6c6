"""What a request authorises itself with: none of it may be stored, wherever it stands."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from nbdurable.engine.values.redact import LENGTH_MIN, Secrets
from nbdurable.integrations.http.asked import CREDENTIALS
from nbdurable.integrations.http.wires import Wire

AUTH_HEADERS = (
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-amz-security-token",
    "x-auth-token",
    "x-subscription-token",
    "cookie",
)
"""Headers whose values must not be found in anything that is stored."""


def secrets_of(wire: Wire, secrets: Secrets) -> Secrets:
    """The known secrets and what this request authorises itself with."""
    extra = tuple(
        (name, value)
        for name, value in _credentials(wire)
        if len(value) >= LENGTH_MIN and secrets.parts(value) is None
    )
    return _also(secrets, extra) if extra else secrets


def _credentials(wire: Wire) -> Iterator[tuple[str, str]]:
    for name in AUTH_HEADERS:
        value = _text(wire.headers.get(name, ""))
        if name == "cookie":
            pairs = (part.partition("=") for part in value.split(";"))
            yield from ((f"cookie {n.strip()}", v.strip()) for n, _, v in pairs)
            continue
        scheme, _, token = value.rpartition(" ")
        yield name, token
        if scheme.lower() == "basic":
            yield "password", _password(token)
    parts = urlsplit(wire.url)
    yield "url password", unquote(parts.password or "")
    for name, value in parse_qsl(parts.query):
        if CREDENTIALS.fullmatch(name):
            yield f"query {name}", value


def _password(token: str) -> str:
    try:
        text = base64.b64decode(token, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[2]


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@functools.lru_cache(maxsize=8)
def _also(secrets: Secrets, extra: tuple[tuple[str, str], ...]) -> Secrets:
    """One set per client, since all forms of a secret are made for it."""
    return secrets.also(dict(extra))
