"""One exchange of a durable cell: served from the journal, or sent and recorded.

A failure that the SDK will retry is an attempt of the call, not the call: the next
sending of the same request by the same task is its next attempt. Replay hands over the
latest outcome at once; a failure is marked so that the SDK does not wait and try again.
"""

from __future__ import annotations

import functools
import json
import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.driving import Returned
from nbdurable.engine.calls.exchange import Begun
from nbdurable.engine.calls.requests import CallRequest, Outcome
from nbdurable.engine.codec import Encoded, Unstorable, decode, encode
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.values import previews
from nbdurable.engine.values.redact import LENGTH_MIN, Secrets
from nbdurable.engine.where.frames import Frame, running_task
from nbdurable.integrations.http.answers import decoder, rebuild, record
from nbdurable.integrations.http.asked import Asked, asked, asks_model, key_of, name_of
from nbdurable.integrations.http.marks import Mark, Marks
from nbdurable.integrations.http.recording import (
    Recording,
    from_plain,
    kept_headers,
    retryable,
    to_plain,
)
from nbdurable.integrations.http.refusals import Refused, StreamCut, Unanswered
from nbdurable.integrations.http.streams import Ending, Heard, listening
from nbdurable.integrations.http.usage import measure

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt

MODEL_CALL = Policy(effect=Effect.READ, model=True)
"""What is promised of every model call: asking again changes nothing but the bill."""

AUTH_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
"""Headers whose values must not be found in anything that is stored."""

RETRY_COUNT = "x-stainless-retry-count"
"""How the SDKs of OpenAI and Anthropic number the sendings of one request."""

TEXT_CHARS_MAX = 200
"""Enough of a message to tell one call of an agent from the next."""

FAILED = 400
"""From this status on an answer is a failure."""


@dataclass(slots=True)
class Latest:
    """How the latest sending of a request by a task ended.

    Attributes:
        call_id: Logical id of the call, or "" if it was served.
        failure: What was served or recorded, if an SDK would send it again.
    """

    call_id: str = ""
    failure: Exception | None = None


@dataclass(slots=True)
class Sent:
    """What an attempt of a step has sent, so that a retry finds its call."""

    latest: dict[tuple[bytes, int, int], Latest] = field(default_factory=dict)


_sent: weakref.WeakKeyDictionary[Attempt, Sent] = weakref.WeakKeyDictionary()


class Exchange:
    """A request that asks a model, on its way.

    Args:
        library: httpx or httpx2.
        client: The client that sends.
        request: The library's request; its body is read.
        frame: Where the code is.
    """

    def __init__(
        self, library: ModuleType, client: Any, request: Any, frame: Frame[Attempt]
    ) -> None:
        self.library, self._client, self._request = library, client, request
        self.frame = frame
        attempt = frame.attempt
        self._secrets = secrets_of(request, attempt.home.secrets)
        facts = asked(
            request.method, str(request.url), request.headers, request.content
        )
        key = key_of(facts, self._secrets.scrub)
        self._latest = _latest_of(attempt, key)
        self.call = _call(facts, key, self._secrets, self._continued())
        self._began_s = attempt.clock.monotonic_s()
        self._begun: Begun | None = None
        self._listening: Callable[[], None] = _nothing

    def served_again(self) -> Any | None:
        """The answer to an SDK that sends again what failed from the journal."""
        failure, served = self._latest.failure, not self._latest.call_id
        if failure is None or not served or not self._is_retry():
            return None
        return self._failed(failure)

    def served(self, returned: Returned) -> Any:
        """The response that was recorded."""
        assert isinstance(returned.value, Recording)
        self._latest.call_id, self._latest.failure = "", None
        return self._rebuilt(returned.value)

    def served_failure(self, failure: Exception) -> Any:
        """The response that a recorded failure is; raises the library's exception.

        Raises:
            Exception: The library's own, if there was no whole answer.
        """
        self._latest.call_id, self._latest.failure = "", failure
        return self._failed(failure)

    def begun(self, begun: Begun) -> None:
        """The request is about to be sent."""
        self._begun = begun
        self._latest.call_id, self._latest.failure = begun.call_id, None

    def broke(self, error: BaseException) -> Outcome:
        """There was no whole answer."""
        assert self._begun is not None
        if not isinstance(error, self.library.RequestError):
            return Outcome(raised=error)
        failure = Unanswered(type(error).__name__, str(error))
        self._latest.failure = failure
        self._blame(error)
        return Outcome(raised=failure)

    def refused(self, response: Any) -> Outcome:
        """The server answered with a failure, and its body was read."""
        assert self._begun is not None
        body: bytes = response.content
        failure = Refused.of(
            Recording(
                status=response.status_code,
                headers=kept_headers(response.headers.multi_items()),
                body=body,
                cuts=(len(body),),
                ms=(self._elapsed_ms(),),
            )
        )
        self._latest.failure = failure if retryable(response.status_code) else None
        self._blame(response)
        return Outcome(raised=failure)

    def gone_wrong(self, response: Any, heard: Heard) -> Outcome:
        """The server began to answer, and then said that it failed."""
        self._blame(response)
        return Outcome(raised=Refused.of(record(response, heard)))

    def listen(self, response: Any) -> None:
        """Record the body while it is read."""
        heard = Heard(
            marks=Marks(_media(response)),
            decode=decoder(self.library, response),
            elapsed_ms=self._elapsed_ms,
        )
        ending = Ending(heard, _Recorder(self, response))
        response.stream = listening(self.library, response.stream, ending)
        self._listening = ending.tell
        self.frame.attempt.at_end(ending.tell)

    def end(self, outcome: Outcome) -> None:
        """Record how it ended; durable on return."""
        assert self._begun is not None
        self.frame.attempt.closed(self._listening)
        self._begun.end(outcome)

    async def end_async(self, outcome: Outcome) -> None:
        """The same, without blocking the event loop."""
        assert self._begun is not None
        self.frame.attempt.closed(self._listening)
        await self._begun.end_async(outcome)

    def _blame(self, what: object) -> None:
        assert self._begun is not None
        for held in (what, self._request):
            self.frame.attempt.blame.add(self._begun.call_id, held)

    def _failed(self, failure: Exception) -> Any:
        blame = self.frame.attempt.blame
        blame.also(self._request, failure)
        if isinstance(failure, Refused):
            response = self._rebuilt(failure.recording)
            blame.also(response, failure)
            return response
        if isinstance(failure, Unanswered):
            raise failure.again(self.library, self._request) from None
        raise failure

    def _rebuilt(self, recording: Recording) -> Any:
        return rebuild(self.library, self._client, self._request, recording)

    def _elapsed_ms(self) -> float:
        now_s: float = self.frame.attempt.clock.monotonic_s()
        return (now_s - self._began_s) * 1000

    def _is_retry(self) -> bool:
        count = self._request.headers.get(RETRY_COUNT)
        return self._latest.failure is not None if count is None else count != "0"

    def _continued(self) -> str:
        return self._latest.call_id if self._is_retry() else ""


def _nothing() -> None:
    """Nobody listens yet."""


class _Recorder:
    """Records an answer when its reading has ended."""

    def __init__(self, exchange: Exchange, response: Any) -> None:
        self._exchange, self._response = exchange, response

    def ended(self, heard: Heard, error: BaseException | None) -> None:
        self._exchange.end(self._outcome(heard, error))

    async def ended_async(self, heard: Heard, error: BaseException | None) -> None:
        await self._exchange.end_async(self._outcome(heard, error))

    def _outcome(self, heard: Heard, error: BaseException | None) -> Outcome:
        if error is not None:
            return self._exchange.broke(error)
        if heard.marks.seen is Mark.ERROR:
            return self._exchange.gone_wrong(self._response, heard)
        if heard.whole():
            return Outcome(record(self._response, heard))
        told = "the stream was closed before its end"
        return Outcome(raised=StreamCut(told, self._part(heard)))

    def _part(self, heard: Heard) -> Recording | None:
        """What was read, unless its encoding says nothing of a part."""
        try:
            return record(self._response, heard)
        except self._exchange.library.DecodingError:
            return None


def secrets_of(request: Any, secrets: Secrets) -> Secrets:
    """The known secrets and what this request authorises itself with."""
    extra = []
    for name in AUTH_HEADERS:
        token = request.headers.get(name, "").rpartition(" ")[2]
        if len(token) >= LENGTH_MIN and secrets.parts(token) is None:
            extra.append((name, token))
    return _also(secrets, tuple(extra)) if extra else secrets


@functools.lru_cache(maxsize=8)
def _also(secrets: Secrets, extra: tuple[tuple[str, str], ...]) -> Secrets:
    """One set per client, since all forms of a secret are made for it."""
    return secrets.also(dict(extra))


def refuse_outside(request: Any, body: bytes) -> None:
    """A request outside of durable cells, where nothing is recorded.

    Raises:
        CallNotRecorded: It asks a model, and frozen mode is on.
    """
    if asks_model(request.method, request.url.path, body):
        facts = asked(request.method, str(request.url), request.headers, body)
        secrets = secrets_of(request, Secrets(os.environ))
        told = functools.partial(_told, facts, secrets)
        frozen.refuse_outside(secrets.scrub(name_of(facts)), MODEL_CALL, told)


def _told(facts: Asked, secrets: Secrets) -> str:
    return secrets.scrub(_text(facts))


def _latest_of(attempt: Attempt, key: bytes) -> Latest:
    sent = _sent.setdefault(attempt, Sent())
    task = running_task()
    place = key, threading.get_ident(), id(task) if task is not None else 0
    return sent.latest.setdefault(place, Latest())


def _call(facts: Asked, key: bytes, secrets: Secrets, again: str) -> CallRequest:
    return CallRequest(
        name=secrets.scrub(name_of(facts)),
        key=key,
        policy=MODEL_CALL,
        kind="http",
        text=functools.partial(_told, facts, secrets),
        arguments=lambda: _arguments(facts, secrets),
        encode=lambda value: encode(to_plain(_recording(value)), secrets=secrets),
        decode=functools.partial(_decoded, secrets),
        had=lambda error: _had(error, secrets),
        measure=lambda value: measure(_recording(value)),
        again=again,
    )


def _had(error: BaseException, secrets: Secrets) -> Encoded | None:
    """The part of an answer that was read; for frozen mode, where it is served."""
    if not isinstance(error, StreamCut) or error.had is None:
        return None
    try:
        return encode(to_plain(error.had), secrets=secrets)
    except Unstorable:
        return None


def _recording(value: object) -> Recording:
    assert isinstance(value, Recording)
    return value


def _decoded(secrets: Secrets, codec: str, data: bytes) -> object:
    return from_plain(decode(codec, data, secrets=secrets))


def _text(facts: Asked) -> str:
    """The model and what was said to it last, as people read it."""
    body = _body(facts)
    said = body.get("messages") or body.get("input") or body.get("contents") or ""
    latest = said[-1] if isinstance(said, list) and said else said
    parts = [str(body["model"])] if "model" in body else []
    parts.append(" ".join(_plain_text(latest).split()) or name_of(facts))
    return previews.shorten(" ← ".join(parts), TEXT_CHARS_MAX)


def _plain_text(said: object) -> str:
    if isinstance(said, list):
        return " ".join(_plain_text(part) for part in said)
    if isinstance(said, dict):
        found = (said.get(name) for name in ("content", "parts", "text", "output"))
        return next((_plain_text(value) for value in found if value), "")
    return str(said)


def _body(facts: Asked) -> dict[str, Any]:
    try:
        plain = json.loads(facts.body)
    except ValueError:
        return {}
    return plain if isinstance(plain, dict) else {}


def _arguments(facts: Asked, secrets: Secrets) -> Encoded | None:
    body = _body(facts)
    if not body:  # its address says all
        return None
    try:
        encoded = encode(body, secrets=secrets)
    except Unstorable:
        return None
    return encoded if encoded.codec == "json" else None


def _media(response: Any) -> str:
    value: str = response.headers.get("content-type", "")
    return value.partition(";")[0].strip().lower()
