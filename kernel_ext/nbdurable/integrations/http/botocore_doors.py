"""Where botocore sends: ``URLLib3Session.send``, below signing and retries.

A request is signed anew each time; what signs it is no part of its identity. The event
``before-send`` would do for one service and one client; this reaches all of them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from nbdurable.integrations.http import urllib3_bodies
from nbdurable.integrations.http.prepared import PreparedWire, door
from nbdurable.integrations.http.recording import Recording
from nbdurable.integrations.http.streams import Ending
from nbdurable.integrations.http.switch import replace


def open_doors(module: ModuleType) -> None:
    """Reach every client of botocore."""
    opened = functools.partial(door, wire_of=BotocoreWire)
    replace(module.URLLib3Session, "send", opened)


class BotocoreWire(PreparedWire):
    """A request of botocore; a session of urllib3 sends it."""

    anonymous = True

    def __init__(self, sender: Any, request: Any, body: bytes) -> None:
        super().__init__(sender, request, body)
        self.headers = _Headers(request.headers)

    def is_loss(self, error: BaseException) -> bool:
        """Whether there was no whole answer."""
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        return isinstance(error, (BotoCoreError, HTTPError))

    def loss(self, kind: str, message: str) -> Exception:
        """The library's exception, about this request."""
        from botocore import exceptions

        cls = getattr(exceptions, kind, exceptions.HTTPClientError)
        facts = {"error": message, "endpoint_url": self.url, "proxy_url": self.url}
        error: Exception = cls(**facts, request=self.request)
        return error

    def rebuilt(self, recording: Recording) -> Any:
        """The response again, unread."""
        from botocore.awsrequest import AWSResponse

        raw = urllib3_bodies.playing(recording)
        return AWSResponse(self.url, recording.status, raw.headers, raw)

    def listen(self, response: Any, ending: Ending) -> None:
        """Tell of the body while it is read, or of what was read in one piece."""
        if self.request.stream_output:
            super().listen(response, ending)
            return
        ending.heard.hear(response.content)
        ending.all_said()

    def arrived(self, response: Any) -> None:
        """A response that isn't streamed was read when botocore hands it out."""
        if not self.request.stream_output:
            _ = response.content


class _Headers(dict[str, str]):
    """Headers by lower-case names, as text: some of a signed request are bytes."""

    def __init__(self, headers: Mapping[str, str | bytes]) -> None:
        super().__init__(
            (name.lower(), v.decode("latin-1") if isinstance(v, bytes) else v)
            for name, v in headers.items()
        )
