"""A request as its identity sees it, and whether it asks a model. Pure.

Only requests of known shapes are journaled: their answers depend on what was asked and
on nothing else, and asking costs money. Everything else passes: tokens and metadata
(their answers are secrets), websockets, MCP, and the user's own services.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from nbdurable.engine.identity.keys import http_key
from nbdurable.integrations.http.canonical import canonical_body

CREDENTIALS = re.compile(
    r"key|api_key|access_token|token|sig|signature|x-amz-.*|x-goog-.*", re.IGNORECASE
)
"""Names in a query that authorise a request and say nothing of what a model is asked."""

SIGNED = re.compile(
    r"api_key|access_token|sig|signature|x-amz-.*|x-goog-.*", re.IGNORECASE
)
"""Those that mean nothing else anywhere: ``?key=`` may name what a service deletes."""

BETAS = ("anthropic-beta", "openai-beta")
"""The only headers, beside the media type, that change the answer of a model."""

UNSAID = re.compile(
    r"(?:proxy-)?authorization|x-api-key|api-key|x-goog-api-.*|x-auth-token"
    r"|x-subscription-token|cookie|amz-sdk-.*|x-stainless-.*|(?:.*-)?user-agent"
    r"|x-amz-(?:security-token|content-sha256)"
    r"|host|connection|keep-alive|te|trailer|transfer-encoding|expect|content-length"
    r"|content-type|content-md5|accept-encoding|cache-control|pragma|referer|origin"
    r"|priority|sec-.*|via|(?:x-)?forwarded(?:-.*)?|baggage|(?:x-)?b3(?:-.*)?"
    r"|(?:.*-)?(?:trace|traceparent|tracestate|span|nonce|date|timestamp|signature"
    r"|digest|idempotency|csrf|xsrf)(?:-.*)?"
    r"|(?:.*-)?(?:request|correlation)-id",
    re.IGNORECASE,
)
"""Headers that say nothing of what any service is asked: who asks, how it is sent, and
what is drawn anew for each request. All others may (``Range``, ``Stripe-Account``)."""

BOUNDARY = re.compile(
    r"\s*multipart/[^;]+;(?:.*;)?\s*boundary=(?P<quote>\"?)(?P<text>[^\";]{1,70})(?P=quote)",
    re.IGNORECASE,
)
"""Where a request names the text between the parts of its body."""

SELF_EVIDENT = re.compile(
    r"/(?:chat/completions|responses|moderations|messages/count_tokens)$"
    r"|:(?:generateContent|streamGenerateContent|embedContent|batchEmbedContents)$"
    r"|/model/[^/]+/(?:converse|converse-stream|invoke|invoke-with-response-stream)$"
)
"""Paths that nothing but a model server has, on any host."""

WITH_MODEL = re.compile(
    r"/(?:completions|embeddings|messages|v2/chat|api/(?:chat|generate|embed))$"
)
"""Paths that a chat room or a mail service could have too: the body must name a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The facts of a request that its identity is made of.

    Attributes:
        method: HTTP method, upper case.
        place: Scheme, host, port and path, without user, password and query.
        query: Names and values in their order, credentials left out.
        headers: Media type of the body without parameters, and of a captured host all
            but the `UNSAID`, else the `BETAS` with their values as sorted sets.
        body: The body as sent, but for the text between the parts of a form.
        model: Whether a model is asked.
    """

    method: str
    place: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes
    model: bool = True


def asked(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    model: bool = True,
    inner: bool = False,
) -> Asked:
    """Read a request.

    Args:
        method: HTTP method.
        url: The whole address.
        headers: Looked up by lower-case names.
        body: As it is sent.
        model: Whether a model is asked.
        inner: Whether it is a part of a tool's call. It is looked for in that call
            only, so order tells more than a header that may be drawn for each request.
    """
    left_out = CREDENTIALS if model else SIGNED
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    return Asked(
        method=method.upper(),
        place=f"{parts.scheme}://{host}{parts.path}",
        query=tuple(p for p in pairs if not left_out.fullmatch(p[0])),
        headers=tuple(_headers(headers, all_that_say=not (model or inner))),
        body=_without_boundary(headers.get("content-type", ""), body),
        model=model,
    )


def asks_model(method: str, path: str, body: bytes) -> bool:
    """Whether a request is a model call: known path, and its body where that is vague.

    Example:
        >>> asks_model("POST", "/v1/chat/completions", b"{}")
        True
        >>> asks_model("POST", "/rooms/7/messages", b'{"text": "hi"}')
        False
    """
    if method.upper() != "POST":
        return False
    if SELF_EVIDENT.search(path):
        return True
    return bool(WITH_MODEL.search(path)) and isinstance(_member(body, "model"), str)


def may_ask_model(method: str, path: str) -> bool:
    """Whether the body is worth a look."""
    known = SELF_EVIDENT.search(path) or WITH_MODEL.search(path)
    return method.upper() == "POST" and bool(known)


def name_of(request: Asked) -> str:
    """What people call it: method and address.

    Example:
        >>> name_of(asked("POST", "https://api.openai.com/v1/responses", {}, b""))
        'POST api.openai.com/v1/responses'
    """
    return f"{request.method} {request.place.partition('://')[2]}"


def key_of(
    request: Asked,
    redact: Callable[[str], str] = str,
    redact_named: Callable[[str], str] | None = None,
) -> bytes:
    """What the request is matched by.

    Args:
        request: Its facts.
        redact: Replaces secrets in text.
        redact_named: Replaces only those that are known by name; the query and the
            headers of a service that is no model may hold others as what is asked.
    """
    given = redact if request.model or redact_named is None else redact_named
    return http_key(
        method=request.method,
        url=redact(request.place),
        query=[(name, given(value)) for name, value in request.query],
        headers=[(name, given(value)) for name, value in request.headers],
        body=canonical_body(request.body, redact, links=request.model),
    )


def _without_boundary(media: str, body: bytes) -> bytes:
    """The body of a form whose parts are set apart by a text drawn for each request."""
    found = BOUNDARY.match(media)
    if found is None:
        return body
    return body.replace(found["text"].strip().encode("latin-1"), b"boundary")


def _headers(
    headers: Mapping[str, str], *, all_that_say: bool
) -> Iterator[tuple[str, str]]:
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media:
        yield "content-type", media
    if all_that_say:
        for name, value in headers.items():
            if not UNSAID.fullmatch(name):
                yield name.lower(), value.strip()
        return
    for name in BETAS:
        values = {part.strip() for part in headers.get(name, "").split(",")} - {""}
        if values:
            yield name, ",".join(sorted(values))


def _member(body: bytes, name: str) -> object:
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return plain.get(name) if isinstance(plain, dict) else None
