"""Whether a request is journaled, and what is promised of it. Pure.

A model call is a `read`: asking again changes nothing but the bill. Of a host that the
user names, what only looks (GET, HEAD, OPTIONS) is a `read`, and everything else a
`write`. So is what a `write` tool asks, of any host, but as a part of its call. Never journaled: upgrades to another protocol, tokens and metadata, whose
answers are secrets, and MCP, whose requests are numbered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.integrations.http import inner as parts
from nbdurable.integrations.http.asked import asks_model, may_ask_model
from nbdurable.integrations.http.hosts import Hosts
from nbdurable.integrations.http.refusals import NOT_DONE

MODEL_CALL = Policy(effect=Effect.READ, model=True)
"""What is promised of every model call."""

LOOK = Policy(effect=Effect.READ)
"""What is promised of a request that only looks."""

CHANGE = Policy(effect=Effect.WRITE, not_done=NOT_DONE)
"""What is promised of any other request to a captured host."""

LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})

SECRET_PATHS = re.compile(
    r"(?i)/(?:oauth2?|token|tokens|login|signin|sts|latest/meta-data"
    r"|computeMetadata)(?:/|$)"
)
"""Paths whose answers are credentials."""


def worth_a_look(method: str, url: str, hosts: Hosts, *, inner: bool = False) -> bool:
    """Whether the rest of a request is to be looked at."""
    return inner or may_ask_model(method, urlsplit(url).path) or hosts.holds(url)


def policy_of(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    hosts: Hosts,
    *,
    inner: bool = False,
) -> Policy | None:
    """What is promised of a request, or None if it is not journaled.

    Args:
        method: HTTP method.
        url: The whole address.
        headers: Looked up by lower-case names.
        body: As it is sent.
        hosts: The hosts that are captured.
        inner: Whether the function of a `write` tool makes it.

    Example:
        >>> hosts = Hosts()
        >>> _ = hosts.add("shop.example")
        >>> policy_of("POST", "https://shop.example/orders", {}, b"{}", hosts).effect.value
        'write'
        >>> policy_of("POST", "https://other.example/orders", {}, b"{}", hosts)
    """
    path = urlsplit(url).path
    if asks_model(method, path, body):
        return MODEL_CALL
    captured = hosts.holds(url)
    if SECRET_PATHS.search(path) or headers.get("upgrade") or _is_rpc(body):
        return None
    looks = method.upper() in LOOKING
    if captured:
        return LOOK if looks else CHANGE
    if not inner or parts.is_secret(url) or parts.is_mcp(headers):
        return None
    return parts.LOOK if looks else parts.CHANGE


def _is_rpc(body: bytes) -> bool:
    if b'"jsonrpc"' not in body:
        return False
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return False
    first = plain[0] if isinstance(plain, list) and plain else plain
    return isinstance(first, dict) and "jsonrpc" in first
