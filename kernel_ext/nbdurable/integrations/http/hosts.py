"""Hosts beyond model servers whose requests are journaled because the user said so.

`*.example.com` is every host below `example.com`; a port belongs to a host only if one
is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from nbdurable.errors import DurableError, Remedy

SHAPE = re.compile(
    r"(?:\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?"
)
"""A name or address, with a port or without."""


@dataclass(kw_only=True, eq=False)
class HostUnusable(DurableError):
    """What was given is no host.

    Attributes:
        given: What was typed.
    """

    slug: ClassVar[str] = "host-unusable"
    given: str

    def fact(self) -> str:
        """What is no host."""
        return f"{self.given!r} is no host."

    def detail(self) -> str:
        """What was not done."""
        return "Nothing was changed: no request of another host is journaled because of it."

    def remedies(self) -> tuple[Remedy, ...]:
        """How hosts are written."""
        return (
            Remedy("one host", "%durable capture http api.example.com"),
            Remedy("with its port", "%durable capture http localhost:8000"),
            Remedy("every host below a name", "%durable capture http *.example.com"),
        )


@dataclass(slots=True)
class Hosts:
    """The hosts that are captured.

    Example:
        >>> hosts = Hosts()
        >>> hosts.add("*.Example.com")
        '*.example.com'
        >>> hosts.holds("https://api.example.com:8443/x"), hosts.holds("https://other.org")
        (True, False)
    """

    _hosts: dict[str, None] = field(default_factory=dict)

    def add(self, given: str) -> str:
        """Capture a host; gives its name as it is kept.

        Raises:
            HostUnusable: It is none.
        """
        host = _host(given)
        self._hosts[host] = None
        return host

    def remove(self, given: str) -> str:
        """Capture it no longer; gives its name, or "" if it wasn't captured.

        Raises:
            HostUnusable: It is none.
        """
        host = _host(given)
        known = host in self._hosts
        self._hosts.pop(host, None)
        return host if known else ""

    def clear(self) -> None:
        """Capture none."""
        self._hosts.clear()

    def all(self) -> tuple[str, ...]:
        """The hosts, in the order in which they were added."""
        return tuple(self._hosts)

    def holds(self, url: str) -> bool:
        """Whether requests to this address are captured."""
        if not self._hosts:
            return False
        place = urlsplit(url).netloc.rpartition("@")[2].lower()
        bare = place.rpartition(":")[0] if re.search(r":\d+$", place) else place
        return any(
            _is_below(name, host) for name in (place, bare) for host in self._hosts
        )


def _is_below(name: str, host: str) -> bool:
    return name.endswith(host[1:]) if host.startswith("*.") else name == host


def _host(given: str) -> str:
    host = given.strip().lower()
    if "://" in host:
        host = urlsplit(host).netloc.rpartition("@")[2]
    if not SHAPE.fullmatch(host):
        raise HostUnusable(given=given)
    return host
