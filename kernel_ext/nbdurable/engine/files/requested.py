"""A request that no journal holds, as people name it: method and host. Pure."""

from __future__ import annotations

import re
from typing import Final

DEFAULT_PORTS: Final = frozenset({"80", "443"})

_HEAD: Final = re.compile(rb"(?P<method>[A-Z]{3,10}) (?P<target>\S+) HTTP/1\.[01]\r\n")
_HOST: Final = re.compile(rb"\r\nhost:[ \t]*(?P<host>[^\r\n]*)", re.IGNORECASE)

HEAD_BYTES_MAX: Final = 65_536
"""Of what is sent, as much as is searched for the host."""


def request(method: str, host: str) -> str:
    """What people read of a request.

    Example:
        >>> request("post", "hooks.slack.com:443"), request("GET", "127.0.0.1:8080")
        ('POST hooks.slack.com', 'GET 127.0.0.1:8080')
    """
    name, _, port = host.rpartition(":")
    bare = name if name and port in DEFAULT_PORTS else host
    return f"{method.upper()} {bare.lower()}"


def sent(data: object) -> str:
    r"""The request whose head this is, or "": bodies are sent the same way.

    Example:
        >>> sent(b"POST /a HTTP/1.1\r\nAccept: *\r\nHost: hooks.slack.com\r\n\r\n")
        'POST hooks.slack.com'
        >>> sent(b'{"a": 1}'), sent(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
        ('', '')
    """
    if not isinstance(data, (bytes, bytearray)):
        return ""
    head = bytes(data[:HEAD_BYTES_MAX])
    line, host = _HEAD.match(head), _HOST.search(head)
    if line is None or host is None or line["method"] == b"CONNECT":
        return ""
    return request(line["method"].decode(), host["host"].decode("latin-1").strip())
