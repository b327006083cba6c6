"""Where requests sends: ``HTTPAdapter.send``, the documented place of a transport."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from nbdurable.integrations.http import urllib3_bodies
from nbdurable.integrations.http.prepared import PreparedWire, door
from nbdurable.integrations.http.recording import Recording
from nbdurable.integrations.http.switch import replace


def open_doors(module: ModuleType) -> None:
    """Reach every session of requests."""
    opened = functools.partial(door, wire_of=RequestsWire)
    replace(module.HTTPAdapter, "send", opened)


class RequestsWire(PreparedWire):
    """A request of requests; an adapter sends it."""

    def is_loss(self, error: BaseException) -> bool:
        """Whether there was no whole answer."""
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        return isinstance(error, (RequestException, HTTPError))

    def loss(self, kind: str, message: str) -> Exception:
        """The library's exception, about this request."""
        from requests import exceptions

        cls = getattr(exceptions, kind, exceptions.ConnectionError)
        error: Exception = cls(message, request=self.request)
        return error

    def rebuilt(self, recording: Recording) -> Any:
        """The response again, unread."""
        raw = urllib3_bodies.playing(recording)
        return self.sender.build_response(self.request, raw)
