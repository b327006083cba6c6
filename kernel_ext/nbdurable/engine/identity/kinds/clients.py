"""Clients of model providers and HTTP libraries, by their configuration.

A client is where it points and how it behaves, never what it carries: the same client
with another key has the same digest. Default headers name versions and decoders of
the environment, so only custom ones count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    Named,
    named_form,
    no_label,
    qualified,
)
from nbdurable.engine.identity.keys import Tag

_CREDENTIAL_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "api-key",
        "x-api-key",
        "x-goog-api-key",
        "x-auth-token",
    }
)
_DEFAULT_HEADERS = frozenset({"accept", "accept-encoding", "connection"})
_SDK_OPTIONS = (
    "max_retries",
    "organization",
    "project",
    "_custom_query",
    "_middleware",
    "_api_version",
    "_azure_deployment",
    "_strict_response_validation",
)
_POOL_OPTIONS = ("_retries", "_http1", "_http2")
_HTTP_OPTIONS = ("follow_redirects", "max_redirects", "_event_hooks")


def _sdk(value: Any) -> Form:
    """A client of openai or anthropic, and of SDKs generated alike."""
    own = vars(value)
    options: dict[str, object] = {k: own[k] for k in _SDK_OPTIONS if k in own}
    options["base_url"] = _place(own.get("_base_url"))
    options["timeout"] = _timeout(own.get("timeout", own.get("_timeout")))
    options["headers"] = _headers(own.get("_custom_headers") or {})
    inner = own.get("_client")
    if not type(inner).__name__.endswith("HttpxClientWrapper"):
        options["http_client"] = inner
    return named_form(Tag.CLIENT, (qualified(type(value)).encode(),), options)


def _http(value: Any) -> Form:
    """A client of httpx or httpx2."""
    own = vars(value)
    options: dict[str, object] = {k: own[k] for k in _HTTP_OPTIONS if k in own}
    options["base_url"] = _place(own.get("_base_url"))
    options["timeout"] = _timeout(own.get("_timeout"))
    options["headers"] = _headers(own.get("_headers") or {})
    options["params"] = str(own.get("_params", ""))
    options["transport"] = _transport(own.get("_transport"))
    return named_form(Tag.CLIENT, (qualified(type(value)).encode(),), options)


def _transport(transport: Any) -> object:
    """How the library's own transport connects; of another one, what it is."""
    name = qualified(type(transport))
    pool = getattr(transport, "_pool", None)
    if pool is None:
        return name
    context = getattr(pool, "_ssl_context", None)
    checks = int(getattr(context, "verify_mode", -1))
    return [name, checks, *(getattr(pool, option, None) for option in _POOL_OPTIONS)]


def _request(value: Any) -> Form:
    """What is asked, without the credentials of who asks."""
    return _message(value, value.method.encode(), value.url)


def _response(value: Any) -> Form:
    """What was answered; how long it took doesn't count."""
    return _message(value, str(value.status_code).encode(), None)


def _message(value: Any, line: bytes, url: Any) -> Form:
    # A body that nobody has read raises here: it has no digest.
    query = None if url is None else url.query
    children = (_place(url), query, _headers(value.headers), value.content)
    fields = (qualified(type(value)).encode(), line)
    return Form(Tag.CLIENT, fields, children, no_label)


def _place(url: Any) -> object:
    """Where a URL points, without the credentials it may carry."""
    if url is None or isinstance(url, str):
        return url
    return [url.scheme, url.host, url.port, url.path]


def _timeout(timeout: Any) -> object:
    return Named(timeout.as_dict()) if hasattr(timeout, "as_dict") else timeout


def _headers(headers: Mapping[str, Any]) -> Named:
    custom: dict[str, object] = {}
    for name, text in headers.items():
        key = name.lower()
        default = key in _DEFAULT_HEADERS or (
            key == "user-agent" and str(text).startswith("python-httpx")
        )
        if not default:
            custom[key] = None if key in _CREDENTIAL_HEADERS else str(text)
    return Named(custom)


KINDS: Kinds = {
    "openai._base_client.BaseClient": _sdk,
    "anthropic._base_client.BaseClient": _sdk,
    "groq._base_client.BaseClient": _sdk,
    "together._base_client.BaseClient": _sdk,
    "httpx.Request": _request,
    "httpx.Response": _response,
    "httpx2.Request": _request,
    "httpx2.Response": _response,
    "httpx._client.BaseClient": _http,
    "httpx2._client.BaseClient": _http,
}
