"""The protocol of one call: match, decide, execute, record.

Theory of operation. `conduct` is one generator that knows the protocol and does no
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

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from nbdurable.engine.calls import asks
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.requests import CallRequest, Claim, Outcome
from nbdurable.engine.past.decide import Past, Verdict, decide
from nbdurable.engine.past.matching import Match
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.where.frames import Frame, inside
from nbdurable.errors import NotDone
from nbdurable_store.errors import DurableError
from nbdurable_store.killpoints import reach
from nbdurable_store.records import Record

WAIT_SLICE_S = 0.2
"""How often a waiting call looks whether its owner has ended; also the latency of an
interrupt while it waits."""

WAIT_S_MAX = 30.0
"""After this a wait for a living owner becomes `RunBusy`."""


class Append(NamedTuple):
    """Append records, and fold them."""

    records: tuple[Record, ...]
    sync: bool


class Perform(NamedTuple):
    """Execute something of the user's within a frame; the driver sends `Outcome`."""

    frame: Frame[Attempt]
    find_out: bool = False


class Pause(NamedTuple):
    """Let others go on for this long, in seconds."""

    seconds: float


Command = Append | Perform | Pause
Sent = Outcome | None
Conduct = Generator[Command, Sent, Outcome]


def conduct(frame: Frame[Attempt], request: CallRequest) -> Conduct:
    """The protocol of one call. Returns how it ended; `next_command` raises from it.

    An exception is not raised in here: a `StopIteration` can't leave a generator.

    Raises:
        DurablePause: Somebody has to decide first.
        DurableError: The journal can't be written; the call was not made.
    """
    attempt = frame.attempt
    claim = attempt.claim(frame, request)
    match = claim.match
    if match.past is Past.NOTHING and request.policy.effect is Effect.PURE:
        match = attempt.elsewhere(request) or match
    going = Going(frame, request, claim, match)
    kept = attempt.unrecorded(match.call) if match.call else None
    done = None if kept is None else (yield from _settle(going, kept))
    while done is None:
        alive = attempt.executing(going.match.call)
        verdict = decide(going.match.past, request.policy, owner_alive=alive)
        done = yield from _CARRY_OUT[verdict](going)
    return done


@dataclass(slots=True)
class Going:
    """A call under way: what it is, and what the journal holds of it now."""

    frame: Frame[Attempt]
    request: CallRequest
    claim: Claim
    match: Match
    waited_s: float = 0.0

    def again(self, past: Past) -> None:
        """Decide once more, with another past."""
        self.match = Match(past, self.match.call, self.match.standing)


Part = Generator[Command, Sent, Outcome | None]


def _execute(going: Going) -> Part:
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
        outcome = yield Perform(Frame(attempt, call_id))
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


def _replay(going: Going) -> Part:
    attempt, match = going.frame.attempt, going.match
    served = attempt.serve(going.claim, match, going.request)
    if served is None:
        going.again(Past.UNRECOVERABLE)
        return None
    adopted = attempt.adopted(going.claim, match)
    if adopted:
        assert match.call is not None
        yield Append(adopted, match.call.effect is Effect.WRITE)
    return served


def _wait(going: Going) -> Part:
    attempt, call = going.frame.attempt, going.match.call
    assert call is not None
    if going.waited_s >= WAIT_S_MAX:
        raise attempt.busy(call, going.waited_s)
    if not going.waited_s:
        attempt.wait_told(call)
    yield Pause(WAIT_SLICE_S)
    going.waited_s += WAIT_SLICE_S
    going.match = attempt.look_again(going.claim, going.request)
    return None


def _find_out(going: Going) -> Part:
    assert going.match.call is not None
    frame = Frame(going.frame.attempt, going.match.call.id)
    outcome = yield Perform(frame, find_out=True)
    assert isinstance(outcome, Outcome)
    if outcome.raised is None:
        return (yield from _settle(going, outcome))
    if not isinstance(outcome.raised, NotDone):
        return outcome
    going.again(Past.RAISED_NOT_DONE)
    return None


def _settle(going: Going, found: Outcome) -> Generator[Command, Sent, Outcome]:
    attempt, call = going.frame.attempt, going.match.call
    assert call is not None
    completed = attempt.completed(call.id, going.request, found.value, 0.0)
    yield Append((completed,), True)
    attempt.settled(going.claim, call.id)
    return found


def _ask(going: Going) -> Part:
    yield from ()
    raise going.frame.attempt.stop(
        asks.question(going.frame.attempt, going.claim, going.match, going.request)
    )


_CARRY_OUT: Mapping[Verdict, Callable[[Going], Part]] = {
    Verdict.REPLAY: _replay,
    Verdict.REPLAY_EXCEPTION: _replay,
    Verdict.EXECUTE: _execute,
    Verdict.WAIT: _wait,
    Verdict.ASK: _ask,
    Verdict.ASK_FUNCTION: _find_out,
    Verdict.REFUSE: _ask,
}
"""Who carries out which verdict; None means that it is to be decided once more."""


INTERRUPTIONS = (DurableError, OSError, KeyboardInterrupt, asyncio.CancelledError)
"""What the protocol is told of instead of being left in the middle."""


def advance(
    frame: Frame[Attempt], steps: Conduct, sent: Outcome | None
) -> Perform | Returned:
    """Carry the protocol on to its next effect, or to its end, by blocking."""
    home = frame.attempt.home
    command = next_command(steps, sent, None)
    while isinstance(command, (Append, Pause)):
        error: BaseException | None = None
        try:
            if isinstance(command, Append):
                home.append(command.records, sync=command.sync)
            else:
                home.clock.sleep(command.seconds)
        except INTERRUPTIONS as raised:
            error = raised
        command = next_command(steps, None, error)
    return command


async def advance_async(
    frame: Frame[Attempt], steps: Conduct, sent: Outcome | None
) -> Perform | Returned:
    """The same, without blocking the event loop."""
    command = next_command(steps, sent, None)
    while isinstance(command, (Append, Pause)):
        error: BaseException | None = None
        try:
            if isinstance(command, Append):
                await _appended(frame, command)
            else:
                await asyncio.sleep(command.seconds)
        except INTERRUPTIONS as raised:
            error = raised
        command = next_command(steps, None, error)
    return command


async def _appended(frame: Frame[Attempt], command: Append) -> None:
    home = frame.attempt.home
    append = functools.partial(home.append, command.records, sync=command.sync)
    if command.sync:
        loop = asyncio.get_running_loop()
        appending = loop.run_in_executor(home.appenders, append)
        try:
            await asyncio.shield(appending)
        except asyncio.CancelledError:
            # It happens all the same, and what comes next is appended behind it.
            await asyncio.wait([appending])
            raise
    else:
        append()


def run_sync(
    frame: Frame[Attempt], request: CallRequest, perform: Callable[[], object]
) -> object:
    """Conduct a call whose function blocks."""
    steps = conduct(frame, request)
    try:
        reached = advance(frame, steps, None)
        while isinstance(reached, Perform):
            reached = advance(frame, steps, _performed(reached, request, perform))
        return reached.value
    finally:  # an interrupt in here leaves the protocol in the middle
        steps.close()


async def run_async(
    frame: Frame[Attempt],
    request: CallRequest,
    perform: Callable[[], Awaitable[object]],
) -> object:
    """Conduct a call whose function is awaited."""
    steps = conduct(frame, request)
    try:
        reached = await advance_async(frame, steps, None)
        while isinstance(reached, Perform):
            outcome = await _awaited(reached, request, perform)
            reached = await advance_async(frame, steps, outcome)
        return reached.value
    finally:
        steps.close()


def _performed(
    command: Perform, request: CallRequest, perform: Callable[[], object]
) -> Outcome:
    function = request.find_out if command.find_out else perform
    assert function is not None
    with inside(command.frame):
        try:
            return Outcome(function())
        except BaseException as raised:  # noqa: BLE001  # journaled, then raised again
            return Outcome(raised=raised)


async def _awaited(
    command: Perform, request: CallRequest, perform: Callable[[], Awaitable[object]]
) -> Outcome:
    with inside(command.frame):
        try:
            if command.find_out:
                assert request.find_out is not None
                found = request.find_out()
                return Outcome(await found if inspect.isawaitable(found) else found)
            return Outcome(await perform())
        except BaseException as raised:  # noqa: BLE001  # journaled, then raised again
            return Outcome(raised=raised)


class Returned(NamedTuple):
    """The protocol is over, with this value."""

    value: object


def next_command(
    steps: Conduct, sent: Sent, error: BaseException | None
) -> Command | Returned:
    """Advance the protocol by one step."""
    try:
        return steps.throw(error) if error is not None else steps.send(sent)
    except StopIteration as stop:
        done: Outcome = stop.value
    if done.raised is not None:
        raise done.raised
    return Returned(done.value)


__all__ = [
    "Append",
    "CallRequest",
    "Claim",
    "Outcome",
    "Pause",
    "Perform",
    "conduct",
    "run_async",
    "run_sync",
]
