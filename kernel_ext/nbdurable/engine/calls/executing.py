"""Executing a call: the intent, the effect, the outcome; and once more, where told.

A call whose tool has a `Retry` is executed in a series of attempts. Each has its own
``started`` and its outcome, and the outcome of one that is followed by another says how
long the wait in between is (``again_ms``). So a kernel that is restarted in the middle
knows which attempt is next and how much of the wait is left.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Final

from nbdurable.engine.calls import intents, late, outcomes, waits
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.budgets import reserved
from nbdurable.engine.calls.going import (
    WAIT_SLICE_S,
    Append,
    Command,
    Conduct,
    Going,
    Part,
    Pause,
    Perform,
    Sent,
)
from nbdurable.engine.calls.requests import TOOL_KIND, CallRequest, Outcome
from nbdurable.engine.calls.settling import settling
from nbdurable.engine.calls.turns import turn
from nbdurable.engine.past import fields, settle
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.history import CallPast
from nbdurable.engine.past.pasts import STEP_KIND
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.wanted import Match
from nbdurable.engine.telling import lines
from nbdurable.engine.where.frames import Frame
from nbdurable.errors import TimedOut
from nbdurable_store.errors import DurableError
from nbdurable_store.killpoints import reach

_WRITE: Final = Effect.WRITE
_RETRYING: Final = Past.RETRYING
"""Looked up once: a member of a class takes ten times as long as a name."""

TOLD_S_MIN = 3.0
"""A wait that is longer than this is told: below, nobody has begun to wonder."""


def execute(going: Going) -> Conduct:
    """Execute a call, in the order of writes that `call` tells."""
    attempt, policy = going.frame.attempt, going.request.policy
    done: Outcome | None = None
    try:
        while done is None:
            if going.match.past is _RETRYING:
                yield from _wait_again(going)
            if attempt.paused is not None:
                attempt.may_execute(going.request)
            if policy.limit is not None or policy.rate is not None:
                going.request = going.request.as_given()
                going.turn = yield from turn(going)
            paid = going.request.costs is not None
            yield from _begin_paid(going) if paid else _begin(going)
            # 2. The effect.
            began_s = attempt.clock.monotonic_s()
            outcome = yield Perform(_frame(going), limit_s=policy.timeout_s)
            reach("effect.done")
            assert isinstance(outcome, Outcome)
            ms = _took_ms(attempt, outcome, began_s)
            if outcome.raised is None and not outcome.expired:
                yield from _record_completed(going, outcome, ms)
                done = outcome
            else:
                done = yield from _after_raised(going, outcome, ms, began_s)
    finally:
        if going.turn is not None:
            going.end_turn()
        attempt.home.executing.discard(going.call_id)
        going.request.release()
    # 5. Only now the caller gets the value.
    return done


def _took_ms(attempt: Attempt, outcome: Outcome, began_s: float) -> float:
    if outcome.ms is not None:
        return outcome.ms
    return round((attempt.clock.monotonic_s() - began_s) * 1000, 3)


def _after_raised(going: Going, outcome: Outcome, ms: float, began_s: float) -> Part:
    """Record it. None if the call is tried again."""
    if outcome.expired:
        outcome = replace(outcome, raised=_timed_out(going, outcome))
    assert outcome.raised is not None
    again_s = _again_s(going, outcome.raised)
    again = yield from _record_raised(going, outcome.raised, ms, again_s)
    if outcome.leave is not None:
        outcome.leave(settling(going, began_s))
    if not again:
        return outcome
    going.end_turn()
    began = going.frame.attempt.begin_again(going.call_id)
    going.match = Match(Past.RETRYING, began)
    going.request = replace(going.request, again=going.call_id, estimate="")
    return None


def _frame(going: Going) -> Frame[Attempt]:
    """Where the function of a call runs."""
    request, around = going.request, going.frame
    if request.kind == STEP_KIND:
        covered, inner = around.covered, around.inner
    else:
        write = request.kind == TOOL_KIND and request.policy.effect is _WRITE
        covered, inner = True, (going.call_id, going.number) if write else ("", 0)
    holders = (*around.holders, request.holder)
    return Frame(
        around.attempt, going.call_id, covered=covered, inner=inner, holders=holders
    )


def _begin(going: Going) -> Generator[Command, Sent, None]:
    """1. The intent, before the effect."""
    attempt, request = going.frame.attempt, going.request
    # What is a part of another call is in doubt with it, and that one's start is synced.
    write = request.policy.effect is _WRITE and not request.policy.inner
    call_id, started = intents.started(
        attempt, going.frame, going.claim, request, going.match.call
    )
    reach("started.before")
    going.call_id = call_id
    attempt.home.executing.add(call_id)  # nobody settles what he sees beginning
    try:
        yield Append(started, write)
    except BaseException:
        outcomes.not_begun(attempt, call_id, request)
        raise
    reach("started.synced" if write else "started.written")
    if attempt.leftovers.overtaken:
        _no_longer_ours(attempt, call_id, request)
    if going.match.call is not None:  # else nobody has executed it before
        about = started[-1].fields
        going.number = fields.number(about, "attempt", 1)
        going.tries = fields.number(about, "tries", 1)
        late.overtake(call_id)


def _begin_paid(going: Going) -> Generator[Command, Sent, None]:
    """The same, if the run may spend what the call may cost."""
    with reserved(going):
        yield from _begin(going)


def _timed_out(going: Going, outcome: Outcome) -> TimedOut:
    request, attempt = going.request, going.frame.attempt
    assert request.policy.timeout_s is not None
    with attempt.home.lock:
        call = attempt.home.history.calls[going.call_id]
        shown = settle.shown(attempt.run, attempt.step.slot, call)
    return TimedOut(
        call=request.text(),
        reference=f"{attempt.step.name}.{going.claim.number}@{shown}",
        seconds=request.policy.timeout_s,
        write=request.policy.effect is Effect.WRITE,
        goes_on=outcome.leave is not None,
    )


def _no_longer_ours(attempt: Attempt, call_id: str, request: CallRequest) -> None:
    """Somebody took over before he could see this call executing: don't execute it."""
    try:
        attempt.leftovers.may_go_on(attempt.step.name, request.name)
    except BaseException:
        outcomes.not_begun(attempt, call_id, request)
        raise


def _record_completed(
    going: Going, outcome: Outcome, ms: float
) -> Generator[Command, Sent, None]:
    attempt, call_id = going.frame.attempt, going.call_id
    try:
        # 3. The result's blob, durable.
        completed = outcomes.completed(
            attempt, call_id, going.request, outcome.value, ms
        )
        reach("result.durable")
        # 4. The outcome, durable.
        yield Append((completed,), True)
    except (DurableError, OSError):
        attempt.keep_unrecorded(call_id, outcome)
        raise
    reach("completed.synced")


def _record_raised(
    going: Going, error: BaseException, ms: float, again_s: float | None
) -> Generator[Command, Sent, bool]:
    """Whether it is tried again: not if that isn't in the journal."""
    attempt, call_id, request = going.frame.attempt, going.call_id, going.request
    try:
        record = outcomes.raised(attempt, call_id, request, error, ms, again_s)
        if again_s is None:
            attempt.blame.add(call_id, error)
        yield Append((record,), True)
        reach("raised.synced")
    except (DurableError, OSError) as unrecorded:
        attempt.blame.add(call_id, error)
        error.add_note(f"nbdurable: this was not recorded ({unrecorded})")
        return False
    return again_s is not None


# ---- once more -----------------------------------------------------------------------


def _again_s(going: Going, error: BaseException) -> float | None:
    """How long to wait before the next attempt; None if there is none."""
    attempt, policy = going.frame.attempt, going.request.policy
    not_done = outcomes.nothing_happened(attempt, going.request, error)
    if policy.retry is None or not policy.tries_again(error, not_done=not_done):
        return None
    if attempt.home.history.run != attempt.run:  # a new one was begun meanwhile
        return None
    asked_s = waits.asked_s(error, attempt.clock.now_us())
    return waits.wait_s(
        policy.retry, going.tries, attempt.home.chance.fraction(), asked_s
    )


def _wait_again(going: Going) -> Generator[Command, Sent, None]:
    """What is left of the wait between two attempts."""
    attempt, call, retry = going.frame.attempt, going.match.call, going.request.policy
    assert call is not None
    if retry.retry is None:
        return
    going.call_id = call.id
    attempt.home.executing.add(call.id)
    left_s = _left_s(call, attempt.clock.now_us())
    parked = attempt.home.parked
    if left_s > TOLD_S_MIN and not parked.maps:
        of = retry.retry.next_number(call.tries), retry.retry.attempts
        attempt.home.notify(lines.trying_again(call, of, left_s))
    until_s = attempt.clock.monotonic_s() + left_s
    parked.again[call.id] = _why(call), until_s
    try:
        while (left_s := until_s - attempt.clock.monotonic_s()) > 0:
            yield Pause(min(left_s, WAIT_SLICE_S))
            attempt.leftovers.may_go_on(attempt.step.name, going.request.name)
    finally:
        del parked.again[call.id]


def _why(call: CallPast) -> str:
    """What the other side answered, else what was raised, in a word."""
    status = fields.number(call.fields, "status")
    return str(status or fields.text(call.fields, "type").rpartition(".")[2])


def _left_s(call: CallPast, now_us: int) -> float:
    """By the wall clock, which may jump: never more than the whole wait."""
    whole_s = fields.number(call.fields, "again_ms") / 1000
    gone_s = (now_us - call.ended_us) / 1_000_000
    return min(max(whole_s - gone_s, 0.0), whole_s)
