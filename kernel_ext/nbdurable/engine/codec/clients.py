"""Clients of model SDKs and of httpx as recipes: how they were configured, not the key.

A recipe is plain data. A credential is named by the environment variable that holds it
and is read from the environment on load; a client whose key came from elsewhere, or
that was given its own transport, can't be described and is made again by its cell.
"""

from __future__ import annotations

import importlib
import ssl
from typing import Any, Final

from nbdurable.engine.codec import plain
from nbdurable.engine.codec.errors import Unstorable
from nbdurable.engine.values.redact import Secrets

_SDK: Final = {
    "openai.OpenAI": "OPENAI_BASE_URL",
    "openai.AsyncOpenAI": "OPENAI_BASE_URL",
    "openai.AzureOpenAI": "",
    "openai.AsyncAzureOpenAI": "",
    "anthropic.Anthropic": "ANTHROPIC_BASE_URL",
    "anthropic.AsyncAnthropic": "ANTHROPIC_BASE_URL",
}
"""Classes by public name, and the variable that can give their base URL."""

_HTTPX: Final = (
    "httpx.Client",
    "httpx.AsyncClient",
    "httpx2.Client",
    "httpx2.AsyncClient",
)
_PRIVATE: Final = {
    "openai._client.OpenAI": "openai.OpenAI",
    "openai._client.AsyncOpenAI": "openai.AsyncOpenAI",
    "openai.lib.azure.AzureOpenAI": "openai.AzureOpenAI",
    "openai.lib.azure.AsyncAzureOpenAI": "openai.AsyncAzureOpenAI",
    "anthropic._client.Anthropic": "anthropic.Anthropic",
    "anthropic._client.AsyncAnthropic": "anthropic.AsyncAnthropic",
    **{name: name for name in (*_SDK, *_HTTPX)},
}
NAMES: Final = tuple(_PRIVATE)
"""Qualified names of the classes that have a recipe."""

_CREDENTIALS: Final = (
    "api_key",
    "auth_token",
    "admin_api_key",
    "webhook_secret",
    "webhook_key",
)
_UNDESCRIBED: Final = {
    "_api_key_provider": "its key comes from a function",
    "workload_identity": "its identity comes from elsewhere",
    "credentials": "its credentials come from elsewhere",
    "_custom_auth": "it has its own authentication",
    "_azure_ad_token": "it has an access token",
    "_azure_ad_token_provider": "its token comes from a function",
    "_provider": "it has its own provider",
    "_middleware": "it has middleware",
}
_WRAPPERS: Final = ("SyncHttpxClientWrapper", "AsyncHttpxClientWrapper")


def recipe(client: Any, secrets: Secrets) -> bytes:
    """What a client is made of.

    Raises:
        Unstorable: It can't be described, and this is why.
    """
    cls = type(client)
    name = _PRIVATE.get(f"{cls.__module__}.{cls.__qualname__}")
    if name is None:
        raise Unstorable(why=f"{cls.__qualname__} is a client class of its own")
    made = _httpx(client) if name in _HTTPX else _sdk(name, client, secrets)
    return plain.encode({"class": name, **made}, secrets)


def rebuild(data: bytes, secrets: Secrets) -> Any:
    """The client that a recipe describes.

    Raises:
        SecretAbsent: The variable that holds its key is not set.
    """
    made: Any = plain.decode(data, secrets)
    if made["class"] not in _SDK and made["class"] not in _HTTPX:
        raise ValueError(made["class"])
    package, name = made["class"].split(".")
    module = importlib.import_module(package)
    arguments = dict(made["arguments"])
    arguments |= {k: secrets.lookup(v) for k, v in made["credentials"].items()}
    if isinstance(arguments.get("timeout"), dict):
        arguments["timeout"] = module.Timeout(**arguments["timeout"])
    if limits := made.get("limits"):
        arguments["limits"] = module.Limits(**limits)
    client = getattr(module, name)(**arguments)
    for attribute, value in made.get("attributes", {}).items():
        setattr(client, attribute, value)
    return client


def _sdk(name: str, client: Any, secrets: Secrets) -> dict[str, Any]:
    for attribute, why in _UNDESCRIBED.items():
        if vars(client).get(attribute):
            raise Unstorable(why=f"{why}, which can't be described")
    if type(client._client).__name__ not in _WRAPPERS:  # noqa: SLF001  # no public way
        raise Unstorable(why="it has its own http_client, which can't be described")
    credentials = {
        attribute: _variable(attribute, vars(client)[attribute], secrets)
        for attribute in _CREDENTIALS
        if vars(client).get(attribute)
    }
    arguments = {
        "max_retries": client.max_retries,
        "timeout": _timeout(client.timeout),
        "default_headers": dict(client._custom_headers),  # noqa: SLF001
        "default_query": dict(client._custom_query),  # noqa: SLF001
    }
    for attribute in ("organization", "project"):
        if isinstance(vars(client).get(attribute), str):
            arguments[attribute] = vars(client)[attribute]
    if "Azure" in name:
        _azure(client, arguments)
        return {"arguments": arguments, "credentials": credentials}
    if not _default_url(name, client, secrets):
        arguments["base_url"] = str(client.base_url)
    return {"arguments": arguments, "credentials": credentials}


def _azure(client: Any, arguments: dict[str, Any]) -> None:
    arguments["api_version"] = client._api_version  # noqa: SLF001
    arguments["default_query"].pop("api-version", None)
    if client._azure_endpoint is None:  # noqa: SLF001
        arguments["base_url"] = str(client.base_url)
    else:
        arguments["azure_endpoint"] = str(client._azure_endpoint)  # noqa: SLF001
        arguments["azure_deployment"] = client._azure_deployment  # noqa: SLF001


def _default_url(name: str, client: Any, secrets: Secrets) -> bool:
    """Whether a new client of this environment would get the same base URL."""
    if getattr(client, "_base_url_was_default", False):
        return True
    given = str(client.base_url).rstrip("/")
    if given == secrets.environment.get(_SDK[name], "").rstrip("/"):
        return True
    return name.startswith("anthropic.") and given == "https://api.anthropic.com"


def _variable(attribute: str, value: object, secrets: Secrets) -> str:
    name = secrets.variable(value) if isinstance(value, str) else None
    if name is None:
        why = f"its {attribute} is in no environment variable, and keys are not stored"
        raise Unstorable(path=f".{attribute}", why=why)
    return name


def _timeout(timeout: Any) -> Any:
    return timeout.as_dict() if hasattr(timeout, "as_dict") else timeout


def _httpx(client: Any) -> dict[str, Any]:
    transport = client._transport  # noqa: SLF001  # httpx has no public way to ask
    pool: Any = getattr(transport, "_pool", None)
    hooks = client.event_hooks
    undescribed = {
        "it is closed": client.is_closed,
        "it has its own authentication": client.auth is not None,
        "it has cookies": bool(client.cookies),
        "it has event hooks": bool(hooks["request"] or hooks["response"]),
        "it has its own transport": type(transport).__name__
        not in ("HTTPTransport", "AsyncHTTPTransport")
        or type(pool).__name__ not in ("ConnectionPool", "AsyncConnectionPool"),
        "it has its own mounts": bool(client._mounts) and not client.trust_env,  # noqa: SLF001
    }
    for why, so in undescribed.items():
        if so:
            raise Unstorable(why=f"{why}, which can't be described")
    context: Any = getattr(pool, "_ssl_context", None)
    if context is None or context.verify_mode != ssl.CERT_REQUIRED:
        raise Unstorable(why="it has its own certificate check")
    return {
        "arguments": {
            "base_url": str(client.base_url),
            "params": [list(pair) for pair in client.params.multi_items()],
            "headers": _custom_headers(client.headers),
            "timeout": client.timeout.as_dict(),
            "follow_redirects": client.follow_redirects,
            "max_redirects": client.max_redirects,
            "trust_env": client.trust_env,
            "http1": pool._http1,  # noqa: SLF001
            "http2": pool._http2,  # noqa: SLF001
        },
        "limits": {
            "max_connections": pool._max_connections,  # noqa: SLF001
            "max_keepalive_connections": pool._max_keepalive_connections,  # noqa: SLF001
            "keepalive_expiry": pool._keepalive_expiry,  # noqa: SLF001
        },
        "credentials": {},
    }


def _custom_headers(headers: Any) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name != "accept-encoding"  # it names the decoders that are installed
        and not (name == "user-agent" and value.startswith("python-httpx"))
    }
