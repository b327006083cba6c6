"""One exchange of a durable cell: served from the journal, or sent and recorded.

A failure that the SDK will retry is an attempt of the call, not the call: the next
sending of the same request by the same task is its next attempt. Replay hands over the
latest outcome at once; a failure is marked so that the SDK does not wait and try again.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nbdurable.engine.calls.exchange import Begun
from nbdurable.engine.calls.requests import Outcome
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.where.frames import Frame, running_task
from nbdurable.integrations.http import inner as parts
from nbdurable.integrations.http.answers import TooMuch, Unkept, malformed, record
from nbdurable.integrations.http.asked import asked, key_of
from nbdurable.integrations.http.calls import call_of
from nbdurable.integrations.http.credentials import secrets_of
from nbdurable.integrations.http.limits import BODY_BYTES_MAX
from nbdurable.integrations.http.marks import Mark, Marks
from nbdurable.integrations.http.recording import (
    Recording,
    kept_headers,
    retryable,
    without,
)
from nbdurable.integrations.http.refusals import (
    Refused,
    StreamCut,
    Unanswered,
    refused,
    unanswered,
)
from nbdurable.integrations.http.streams import Ending, Heard
from nbdurable.integrations.http.wires import Wire
from nbdurable.integrations.prices import PRICES
from nbdurable.integrations.spans import mark_replayed, mark_sent

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt

RETRY_COUNT = "x-stainless-retry-count"
"""How the SDKs of OpenAI and Anthropic number the sendings of one request."""

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

    latest: dict[tuple[bytes, int, int, tuple[str, int]], Latest] = field(
        default_factory=dict
    )


_sent: weakref.WeakKeyDictionary[Attempt, Sent] = weakref.WeakKeyDictionary()


class Exchange:
    """A request that is journaled, on its way.

    Args:
        wire: The request, as its library sends it.
        policy: What is promised of it.
        frame: Where the code is.
    """

    def __init__(self, wire: Wire, policy: Policy, frame: Frame[Attempt]) -> None:
        self.wire, self.frame = wire, frame
        attempt = frame.attempt
        self._secrets = secrets = secrets_of(wire, attempt.home.secrets)
        facts = asked(
            wire.method,
            wire.url,
            wire.headers,
            wire.body,
            model=policy.model,
            inner=policy.inner,
        )
        key = key_of(facts, secrets.scrub, attempt.home.secrets.scrub)
        self._latest = _latest_of(frame, key)
        again, pepper = self._continued(), attempt.store.pepper
        made = call_of(facts, key, policy, secrets, again, pepper)
        self.call = replace(made, inner=frame.inner[0])
        self._began_s = attempt.clock.monotonic_s()
        self._begun: Begun | None = None
        self._listening: Callable[[], None] = _nothing

    def at_once(self, response: Any) -> bool:
        """Whether the answer is read before it is handed out.

        An answer to what changed the world says that it happened, and nobody may ever
        read it.
        """
        policy = self.call.policy
        if policy.effect is not Effect.WRITE or not policy.inner:
            return policy.effect is Effect.WRITE
        length = self._header(response, "content-length")
        return parts.is_read_at_once(self._media(response), length)

    @property
    def _model(self) -> bool:
        return self.call.policy.model

    def served_again(self) -> Any | None:
        """The answer to an SDK that sends again what failed from the journal."""
        failure, served = self._latest.failure, not self._latest.call_id
        if failure is None or not served or not self._is_retry():
            return None
        return self._failed(failure)

    def served(self, outcome: Outcome) -> Any:
        """The response that was recorded."""
        assert isinstance(outcome.value, Recording)
        self._latest.call_id, self._latest.failure = "", None
        mark_replayed(outcome.value.body)
        return self.wire.rebuilt(outcome.value)

    def served_failure(self, failure: Exception) -> Any:
        """The response that a recorded failure is; raises the library's exception.

        Raises:
            Exception: The library's own, if there was no whole answer.
        """
        self._latest.call_id, self._latest.failure = "", failure
        mark_replayed()
        return self._failed(failure)

    def begun(self, begun: Begun) -> None:
        """The request is about to be sent."""
        if self._model:
            PRICES.prepare()
        self._begun = begun
        self._latest.call_id, self._latest.failure = begun.call_id, None

    def broke(self, error: BaseException) -> Outcome:
        """There was no whole answer."""
        if not self.wire.is_loss(error):
            return Outcome(raised=error)
        failure = unanswered(type(error).__name__, self._secrets.scrub(str(error)))
        self._latest.failure = failure
        self._blame(error)
        return Outcome(raised=failure)

    def refused(self, response: Any) -> Outcome:
        """The server answered with a failure, and its body was read."""
        status = self.wire.status(response)
        failure = self._refused(
            Recording(
                status=status,
                headers=kept_headers(self.wire.said(response), model=self._model),
                body=self.wire.content(response)[:BODY_BYTES_MAX],
                ms=(self.elapsed_ms(),),
            )
        )
        self._latest.failure = failure if retryable(status) else None
        self._blame(response)
        return Outcome(raised=failure)

    def _refused(self, recording: Recording) -> Refused:
        """The failure, without secrets: an exception that holds one isn't stored."""
        return refused(without(self._secrets.scrub, recording))

    def answered(self, response: Any, heard: Heard) -> Outcome:
        """The server answered, and the answer was read."""
        try:
            recording = record(self.wire, response, heard, model=self._model)
        except TooMuch as much:
            return Outcome(much)
        except Exception as undecodable:  # noqa: BLE001  # whatever a decoder raises
            return self.broke(undecodable)
        mark_sent(recording.body)
        unkept = self._unkept(response, recording)
        if unkept:
            return Outcome(Unkept(unkept))
        if heard.marks.seen is Mark.ERROR:
            self._blame(response)
            return Outcome(raised=self._refused(recording))
        if self.call.policy.effect is Effect.READ and malformed(recording):
            assert self._begun is not None
            self.frame.attempt.blame.suspect(self._begun.call_id)
            return Outcome(raised=self._refused(recording))
        return Outcome(recording)

    def _unkept(self, response: Any, recording: Recording) -> str:
        policy = self.call.policy
        if not policy.inner:
            return ""
        looks = policy.effect is Effect.READ
        return parts.why_unkept(recording, self.wire.said(response), looks=looks)

    def part(self, response: Any, heard: Heard) -> Recording | None:
        """What was read, unless it is too much or its encoding says nothing of a part."""
        try:
            return record(self.wire, response, heard, model=self._model)
        except Exception:  # noqa: BLE001  # whatever a decoder raises
            return None

    def listen(self, response: Any) -> None:
        """Record the body while it is read."""
        heard = Heard(marks=Marks(self._media(response)), elapsed_ms=self.elapsed_ms)
        ending = Ending(heard, _Recorder(self, response))
        self.wire.listen(response, ending)
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

    def elapsed_ms(self) -> float:
        """Milliseconds since the request."""
        now_s: float = self.frame.attempt.clock.monotonic_s()
        return (now_s - self._began_s) * 1000

    def _media(self, response: Any) -> str:
        value = self._header(response, "content-type")
        return value.partition(";")[0].strip().lower()

    def _header(self, response: Any, sought: str) -> str:
        said = ((name.lower(), value) for name, value in self.wire.said(response))
        return next((value for name, value in said if name == sought), "")

    def _blame(self, what: object) -> None:
        assert self._begun is not None
        blame, call_id = self.frame.attempt.blame, self._begun.call_id
        for held in (what, self.wire.request):
            blame.add(call_id, held)
        if self.wire.anonymous:
            blame.suspect(call_id)

    def _failed(self, failure: Exception) -> Any:
        blame = self.frame.attempt.blame
        blame.also(self.wire.request, failure)
        if self.wire.anonymous or _is_unusable(failure):
            blame.suspect_for(failure)
        if isinstance(failure, Refused):
            response = self.wire.rebuilt(failure.recording)
            blame.also(response, failure)
            return response
        if isinstance(failure, Unanswered):
            raise self.wire.loss(*failure.args) from None
        raise failure

    def _is_retry(self) -> bool:
        count = self.wire.headers.get(RETRY_COUNT)
        return self._latest.failure is not None if count is None else count != "0"

    def _continued(self) -> str:
        return self._latest.call_id if self._is_retry() else ""


def _is_unusable(failure: Exception) -> bool:
    """Whether it is an answer that can't be read, over which a library raises."""
    return isinstance(failure, Refused) and malformed(failure.recording)


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
        if heard.whole():
            return self._exchange.answered(self._response, heard)
        told = "the stream was closed before its end"
        return Outcome(
            raised=StreamCut(told, self._exchange.part(self._response, heard))
        )


def _latest_of(frame: Frame[Attempt], key: bytes) -> Latest:
    sent = _sent.setdefault(frame.attempt, Sent())
    task = running_task()
    place = key, threading.get_ident(), id(task) if task is not None else 0, frame.inner
    return sent.latest.setdefault(place, Latest())
