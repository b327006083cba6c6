"""The route for webhooks: the only one that needs no login, since its address is a key.

A service knows no cookie, so there is nothing that another site could make it send: the
`_xsrf` check of all other routes is left as it is, and left out here. What is wrong with a
request is looked at before the token is, and all wrong tokens are answered alike. The
address stands in no log: it is taken off the request before anything can be logged.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from nbdurable.engine.waits.hooks import PLACE
from nbdurable.server.hooks import Hooks, Rates

BODY_BYTES_MAX: Final = 64_000
"""What services send is a few kB; more belongs behind an address in the value."""


DEPTH_MAX: Final = 64
"""Lists and objects inside each other; services send a few. Deeper ones can't be stored."""


@web.stream_request_body
class Hooked(JupyterHandler):
    """Takes one value."""

    def initialize(self, hooks: Hooks, rates: Rates) -> None:
        """Take what tornado hands over, and the token out of what is logged."""
        self.hooks, self.rates = hooks, rates
        self.request.uri = f"/{PLACE}/…"
        self._said = bytearray()
        self._bytes = 0

    def check_xsrf_cookie(self) -> None:
        """No cookie lets anybody in here, so none can be abused."""

    async def prepare(self, **more: Any) -> None:
        """Refuse whoever asks too often before anything is read."""
        await super().prepare(**more)
        if not self.rates.allow(self.request.remote_ip or ""):
            self.set_header("Retry-After", "1")
            raise web.HTTPError(429)

    def data_received(self, chunk: bytes) -> None:
        """Keep what may be a message; of what is too large nothing."""
        self._bytes += len(chunk)
        if self._bytes <= BODY_BYTES_MAX:
            self._said += chunk

    @allow_unauthenticated
    async def post(self, token: str) -> None:
        """Send the value to what waits for it."""
        value = self._value()
        if not await asyncio.to_thread(self.hooks.take, token, value):
            raise web.HTTPError(404)
        self._answer("received")

    def _value(self) -> object:
        if self._bytes > BODY_BYTES_MAX:
            raise web.HTTPError(413)
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind.lower() != "application/json":
            raise web.HTTPError(415)
        try:
            value = json.loads(self._said, parse_constant=_no_number)
        except (ValueError, RecursionError) as unread:
            raise web.HTTPError(400) from unread
        if not _is_flat(value):
            raise web.HTTPError(400)
        return value

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say what is wrong with the request, and nothing of the token."""
        self._answer(_WHY.get(status_code, "not taken"))

    def _answer(self, told: str) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"message": told}))


_WHY: Final = {
    400: f"this is no JSON of at most {DEPTH_MAX} levels",
    404: "nothing waits for this",
    405: "a value is sent by POST",
    413: f"a value is at most {BODY_BYTES_MAX:,} bytes",
    415: "a value is sent as application/json",
    429: "too many requests",
}


def _is_flat(value: object) -> bool:
    """Whether a value is nested no deeper than is taken."""
    level = [value]
    for _ in range(DEPTH_MAX):
        inside = [v for v in level if isinstance(v, list | dict)]
        level = [
            one for v in inside for one in (v.values() if isinstance(v, dict) else v)
        ]
        if not inside:
            return True
    return False


def _no_number(constant: str) -> object:
    raise ValueError(constant)
