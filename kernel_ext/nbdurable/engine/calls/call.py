"""The protocol of one call: match, decide, execute, record.

Theory of operation. `conduct` gives one generator that knows the protocol and does no
waiting itself: it yields what it needs (`Perform` the call, `Append` records, `Pause`)
and is sent the outcome. Two drivers carry that out: `run_sync` blocks, `run_async`
awaits. So there is one implementation behind a sync and an async door.

The order of writes is the crash story of the product:

1. append ``started``: always *written* before the effect, *synced* before it when the
   effect is ``write``;
2. the effect happens;
3. the result's blob is durable;
4. append ``completed`` with its digest, durable;
5. only now the caller gets the value.

A kernel that dies after 1 and before 4 leaves a call in doubt; one that dies after 4
leaves a call that is served for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from nbdurable.engine.calls import asks, frozen, intents, others, outcomes, serving
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.executing import execute
from nbdurable.engine.calls.going import (
    WAIT_SLICE_S,
    Append,
    Conduct,
    Going,
    Part,
    Pause,
    Perform,
)
from nbdurable.engine.calls.requests import CallRequest, Claim, Outcome
from nbdurable.engine.past.decide import Past, Verdict
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.where.frames import Frame
from nbdurable.errors import NotDone
from nbdurable_store.errors import DurableError
from nbdurable_store.records import Record

_PURE: Final = Effect.PURE
_OTHER_IN_DOUBT: Final = Past.OTHER_IN_DOUBT
"""Looked up once: a member of a class takes ten times as long as a name."""

WAIT_S_MAX = 30.0
"""After this a wait for a living owner becomes `RunBusy`."""


def conduct(frame: Frame[Attempt], request: CallRequest) -> Conduct | Outcome:
    """The protocol of one call, or how it ended, where nothing is left to be done.

    That is so when a recorded call is served and stands here already: nothing is appended
    and nobody waits. The protocol returns how the call ended; whoever drives it raises from
    that.

    An exception is not raised in there: a `StopIteration` can't leave a generator.

    Raises:
        DurablePause: Somebody has to decide first.
        DurableError: The journal can't be written; the call was not made.
    """
    return conduct_claimed(frame, request, frame.attempt.claim(frame, request))


def conduct_claimed(
    frame: Frame[Attempt], request: CallRequest, claim: Claim
) -> Conduct | Outcome:
    """The same, of a call that has its place already."""
    attempt, match = frame.attempt, claim.match
    if request.policy.effect is _PURE and match.past is Past.NOTHING:
        match = attempt.elsewhere(request) or match
    going = Going(frame, request, claim, match)
    kept = attempt.unrecorded(match.call) if match.call else None
    if kept is not None:
        return _settle(going, kept)
    carry_out = _decided(going)
    if carry_out is execute:
        return execute(going)
    begun = carry_out(going)
    return begun if isinstance(begun, Outcome) else _carried_out(going, begun)


_Begun = Outcome | Part | None
"""What becomes of a call that was decided: its outcome, what leads there, or None where
it is to be decided once more."""


def _decided(going: Going) -> Callable[[Going], _Begun]:
    """Who carries out what happens to a call, now."""
    attempt, match = going.frame.attempt, going.match
    verdict = frozen.verdict(attempt, match, going.request)
    if match.past is _OTHER_IN_DOUBT and verdict in _ABOUT_ANOTHER:
        return _ABOUT_ANOTHER[verdict]
    return _CARRY_OUT[verdict]


def _carried_out(going: Going, begun: _Begun) -> Conduct:
    while not isinstance(begun, Outcome):
        done = (yield from begun) if begun else None
        begun = done or _decided(going)(going)
    return begun


def _replay(going: Going) -> _Begun:
    attempt, match = going.frame.attempt, going.match
    served = serving.serve(attempt, going.claim, match, going.request)
    if served is None:
        going.again(Past.UNRECOVERABLE)
        return None
    adopted = intents.adopted(attempt, going.claim, match, going.request)
    return _adopt(going, adopted, served) if adopted else served


def _adopt(going: Going, adopted: tuple[Record, ...], served: Outcome) -> Part:
    assert going.match.call is not None
    yield Append(adopted, going.match.call.effect is Effect.WRITE)
    return served


def _wait(going: Going) -> Part:
    attempt, call = going.frame.attempt, going.match.call
    assert call is not None
    if going.waited_s >= WAIT_S_MAX:
        raise attempt.owners.busy(call, going.waited_s)
    if not going.waited_s:
        attempt.owners.wait_told(call)
        going.request = going.request.as_given()
    yield Pause(WAIT_SLICE_S)
    going.waited_s += WAIT_SLICE_S
    going.match = attempt.look_again(going.claim, going.request)
    return None


def _find_out(going: Going) -> Part:
    assert going.match.call is not None
    frame = Frame(going.frame.attempt, going.match.call.id, covered=True)
    outcome = yield Perform(frame, find_out=True)
    assert isinstance(outcome, Outcome)
    if outcome.raised is None:
        return (yield from _settle(going, outcome))
    if not isinstance(outcome.raised, NotDone):
        return outcome
    going.again(Past.RAISED_NOT_DONE)
    return None


def _settle(going: Going, found: Outcome) -> Conduct:
    attempt, call = going.frame.attempt, going.match.call
    assert call is not None
    try:
        record = outcomes.completed(attempt, call.id, going.request, found.value, 0.0)
        yield Append((record,), True)
    except (DurableError, OSError):
        attempt.keep_unrecorded(call.id, found)
        raise
    attempt.settled(going.claim, call.id)
    return found


def _ask(going: Going) -> Part:
    yield from ()
    raise going.frame.attempt.stop(
        asks.pause(going.frame.attempt, going.claim, going.match, going.request)
    )


_CARRY_OUT: Mapping[Verdict, Callable[[Going], _Begun]] = {
    Verdict.REPLAY: _replay,
    Verdict.REPLAY_EXCEPTION: _replay,
    Verdict.EXECUTE: execute,
    Verdict.WAIT: _wait,
    Verdict.ASK: _ask,
    Verdict.ASK_FUNCTION: _find_out,
    Verdict.REFUSE: _ask,
}
"""Who carries out which verdict."""

_ABOUT_ANOTHER: Mapping[Verdict, Callable[[Going], Part]] = {
    Verdict.EXECUTE: others.drop,
    Verdict.ASK_FUNCTION: others.find_out,
}
"""The same, where the record is of a call with other arguments that is in doubt."""
