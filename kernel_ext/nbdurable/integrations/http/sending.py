"""One journaled exchange, from the library's method to the response that it returns.

A failure that the SDK will retry is an attempt of the call, not the call: the next
sending of the same request by the same task is its next attempt. Replay hands over the
latest outcome at once, without a connection.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.exchange import begin, begin_async
from nbdurable.engine.calls.requests import Outcome
from nbdurable.engine.files import requested
from nbdurable.engine.past.policy import Policy
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.frames import Frame, inside
from nbdurable.integrations.http.asked import asked, name_of
from nbdurable.integrations.http.calls import told
from nbdurable.integrations.http.credentials import secrets_of
from nbdurable.integrations.http.exchange import Exchange
from nbdurable.integrations.http.hosts import Hosts
from nbdurable.integrations.http.journaled import policy_of, worth_a_look
from nbdurable.integrations.http.refusals import Refused, Unanswered
from nbdurable.integrations.http.wires import Response, Wire

FAILED = 400
"""From this status on an answer is a failure."""

NO_HEADERS: Final[Mapping[str, str]] = {}

MCP_TYPES: Final = {"application/json", "text/event-stream"}
"""What a client of MCP over HTTP accepts, both at once, as its standard demands."""

HOSTS: Final = Hosts()
"""The hosts that the user of this process had captured."""


def is_looked_at(frame: Frame[Any] | None, method: str, url: str) -> bool:
    """Whether the rest of a request that is made here is to be looked at."""
    return worth_a_look(method, url, HOSTS, inner=_is_inner(frame))


def promised(wire: Wire, frame: Frame[Any] | None = None) -> Policy | None:
    """What is promised of a request that is made here; None if it is not journaled."""
    inner = _is_inner(frame)
    return policy_of(wire.method, wire.url, wire.headers, wire.body, HOSTS, inner=inner)


def _is_inner(frame: Frame[Any] | None) -> bool:
    return frame is not None and bool(frame.inner[0])


def refuse_outside(wire: Wire) -> None:
    """A request outside of durable cells, where nothing is recorded.

    Raises:
        CallNotRecorded: It would be journaled in one, and frozen mode is on.
    """
    policy = promised(wire)
    if policy is not None:
        facts = asked(wire.method, wire.url, wire.headers, wire.body)
        secrets = secrets_of(wire, Secrets(os.environ))
        name = secrets.scrub(name_of(facts))
        frozen.refuse_outside(name, policy, functools.partial(told, facts, secrets))


@contextlib.contextmanager
def named(
    frame: Frame[Any], method: str, url: str, headers: Mapping[str, str] = NO_HEADERS
) -> Iterator[None]:
    """A request that is not journaled is sent within: the step's line names it.

    One of MCP's protocol isn't named: calls of tools are journaled above it.
    """
    effects = frame.attempt.used.effects
    if frame.covered or effects is None:
        yield
        return
    if not set(headers.get("accept", "").split(", ")) >= MCP_TYPES:
        host = urlsplit(url).netloc.rpartition("@")[2]
        effects.note(requested.request(method, host), sys._getframe(2))  # noqa: SLF001  # whoever sends
    with inside(replace(frame, quiet=True)):
        yield


def send(
    exchange: Exchange,
    sending: Callable[[], Response],
    read: Callable[[Response], object],
) -> Response:
    """The recorded response, or a new one that is recorded while it is read.

    Args:
        exchange: The request.
        sending: Sends it; the body of the response is unread.
        read: Reads the body.
    """
    again = exchange.served_again()
    if again is not None:
        return again
    try:
        begun = begin(exchange.frame, exchange.call)
    except (Refused, Unanswered) as failure:
        return exchange.served_failure(failure)
    if isinstance(begun, Outcome):
        return exchange.served(begun)
    exchange.begun(begun)
    try:
        with inside(begun.frame):
            response = sending()
            failed = exchange.wire.status(response) >= FAILED
            if failed:
                read(response)
    except BaseException as error:
        exchange.end(exchange.broke(error))
        raise
    if failed:
        exchange.end(exchange.refused(response))
        return response
    exchange.listen(response)
    if exchange.at_once(response):
        read(response)
    return response


async def send_async(
    exchange: Exchange,
    sending: Callable[[], Awaitable[Response]],
    read: Callable[[Response], Awaitable[object]],
) -> Response:
    """The same, without blocking the event loop."""
    again = exchange.served_again()
    if again is not None:
        return await _made(again)
    try:
        begun = await begin_async(exchange.frame, exchange.call)
    except (Refused, Unanswered) as failure:
        return await _made(exchange.served_failure(failure))
    if isinstance(begun, Outcome):
        return await _made(exchange.served(begun))
    exchange.begun(begun)
    try:
        with inside(begun.frame):
            response = await sending()
            failed = exchange.wire.status(response) >= FAILED
            if failed:
                await read(response)
    except BaseException as error:
        exchange.end(exchange.broke(error))
        raise
    if failed:
        await exchange.end_async(exchange.refused(response))
        return response
    exchange.listen(response)
    if exchange.at_once(response):
        await read(response)
    return response


async def _made(response: Any) -> Response:
    return await response if inspect.isawaitable(response) else response
