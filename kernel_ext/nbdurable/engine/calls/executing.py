"""Executing a call: the intent, the effect, the outcome."""

from __future__ import annotations

from collections.abc import Generator

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.going import Append, Command, Going, Part, Perform, Sent
from nbdurable.engine.calls.requests import CallRequest, Outcome
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.where.frames import Frame
from nbdurable_store.errors import DurableError
from nbdurable_store.killpoints import reach


def execute(going: Going) -> Part:
    """Execute a call, in the order of writes that `call` tells."""
    attempt, request = going.frame.attempt, going.request
    write = request.policy.effect is Effect.WRITE
    attempt.may_execute(request)
    call_id, started = attempt.started(
        going.frame, going.claim, request, going.match.call
    )
    # 1. The intent, before the effect.
    reach("started.before")
    try:
        yield Append(started, write)
    except BaseException:
        attempt.not_begun(call_id, request)
        raise
    reach("started.synced" if write else "started.written")
    executing = attempt.home.executing
    try:
        executing.add(call_id)
        _still_ours(attempt, call_id, request)
        # 2. The effect.
        began_s = attempt.clock.monotonic_s()
        covered = going.frame.covered or not request.is_step
        outcome = yield Perform(Frame(attempt, call_id, covered=covered))
        reach("effect.done")
        assert isinstance(outcome, Outcome)
        ms = round((attempt.clock.monotonic_s() - began_s) * 1000, 3)
        if outcome.raised is not None:
            yield from _record_raised(going, call_id, outcome.raised, ms)
            return outcome
        yield from _record_completed(going, call_id, outcome, ms)
    finally:
        executing.discard(call_id)
    # 5. Only now the caller gets the value.
    return outcome


def _still_ours(attempt: Attempt, call_id: str, request: CallRequest) -> None:
    """Look once more, now that whoever takes over sees this call executing."""
    try:
        attempt.leftovers.may_go_on(attempt.step.name, request.name)
    except BaseException:
        attempt.not_begun(call_id, request)
        raise


def _record_completed(
    going: Going, call_id: str, outcome: Outcome, ms: float
) -> Generator[Command, Sent, None]:
    attempt = going.frame.attempt
    try:
        # 3. The result's blob, durable.
        completed = attempt.completed(call_id, going.request, outcome.value, ms)
        reach("result.durable")
        # 4. The outcome, durable.
        yield Append((completed,), True)
    except (DurableError, OSError):
        attempt.keep_unrecorded(call_id, outcome)
        raise
    reach("completed.synced")


def _record_raised(
    going: Going, call_id: str, error: BaseException, ms: float
) -> Generator[Command, Sent, None]:
    attempt = going.frame.attempt
    attempt.blame.add(call_id, error)
    try:
        record = attempt.raised(call_id, going.request, error, ms)
        yield Append((record,), True)
        reach("raised.synced")
    except (DurableError, OSError) as unrecorded:
        error.add_note(f"nbdurable: this was not recorded ({unrecorded})")
