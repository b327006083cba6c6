"""The two drivers of a call's protocol: one blocks, one awaits."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.call import conduct
from nbdurable.engine.calls.going import Append, Conduct, Perform
from nbdurable.engine.calls.late import Late
from nbdurable.engine.calls.requests import CallRequest, Outcome
from nbdurable.engine.calls.whose import awaited
from nbdurable.engine.where.frames import Frame, enter, inside, leave
from nbdurable_store.errors import DurableError

INTERRUPTIONS = (DurableError, OSError, KeyboardInterrupt, asyncio.CancelledError)
"""What the protocol is told of instead of being left in the middle."""


def advance(
    frame: Frame[Attempt], steps: Conduct, sent: Outcome | None
) -> Perform | Outcome:
    """Carry the protocol on to its next effect, or to its end, by blocking."""
    home = frame.attempt.home
    try:
        command = steps.send(sent)
        while not isinstance(command, Perform):
            try:
                if isinstance(command, Append):
                    home.append(command.records, sync=command.sync)
                else:
                    home.clock.sleep(command.seconds)
            except INTERRUPTIONS as raised:
                command = steps.throw(raised)
            else:
                command = steps.send(None)
    except StopIteration as stop:
        done: Outcome = stop.value
    else:
        return command
    return returned(done)


async def advance_async(
    frame: Frame[Attempt], steps: Conduct, sent: Outcome | None
) -> Perform | Outcome:
    """The same, without blocking the event loop."""
    try:
        command = steps.send(sent)
        while not isinstance(command, Perform):
            try:
                if isinstance(command, Append):
                    await _appended(frame, command)
                else:
                    await frame.attempt.clock.pause(command.seconds)
            except INTERRUPTIONS as raised:
                command = steps.throw(raised)
            else:
                command = steps.send(None)
    except StopIteration as stop:
        done: Outcome = stop.value
    else:
        return command
    return returned(done)


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
    if isinstance(steps, Outcome):
        return returned(steps).value
    try:
        reached = advance(frame, steps, None)
        while isinstance(reached, Perform):
            outcome = performed(reached, request, perform)
            reached = advance(frame, steps, outcome)
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
    if isinstance(steps, Outcome):
        return returned(steps).value
    try:
        reached = await advance_async(frame, steps, None)
        while isinstance(reached, Perform):
            outcome = await _awaited(reached, request, perform)
            reached = await advance_async(frame, steps, outcome)
        return reached.value
    finally:
        steps.close()


def performed(
    command: Perform, request: CallRequest, perform: Callable[[], object]
) -> Outcome:
    """How the function of a call ended, which runs here."""
    if command.find_out:
        return found_out(command, request)
    token = enter(command.frame)
    try:
        if command.limit_s is not None:
            late = Late(command.frame.parent, perform)
            return late.perform(command.frame.attempt.clock, command.limit_s)
        return Outcome(perform())
    except BaseException as raised:  # noqa: BLE001  # journaled, then raised again
        return Outcome(raised=raised)
    finally:
        leave(token)


async def _awaited(
    command: Perform, request: CallRequest, perform: Callable[[], Awaitable[object]]
) -> Outcome:
    if command.find_out:
        return await found_out_async(command, request)
    with inside(command.frame):
        try:
            if request.whose is not None:
                perform = functools.partial(awaited, perform, request.whose)
            return await _in_time(perform, command.limit_s)
        except BaseException as raised:  # noqa: BLE001  # journaled, then raised again
            return Outcome(raised=raised)


async def _in_time(
    perform: Callable[[], Awaitable[object]], limit_s: float | None
) -> Outcome:
    """Await, and cancel what takes too long."""
    try:
        async with asyncio.timeout(limit_s) as timer:
            return Outcome(await perform())
    except TimeoutError as raised:
        if not timer.expired():
            raise
        return Outcome(raised=raised, expired=True)


def found_out(command: Perform, request: CallRequest) -> Outcome:
    """What the tool's `on_doubt` function says."""
    assert request.find_out is not None
    with inside(command.frame):
        try:
            return Outcome(request.find_out())
        except BaseException as raised:  # noqa: BLE001  # `NotDone` is an answer
            return Outcome(raised=raised)


async def found_out_async(command: Perform, request: CallRequest) -> Outcome:
    """The same; it is awaited if it can be."""
    outcome = found_out(command, request)
    if not inspect.isawaitable(outcome.value):
        return outcome
    with inside(command.frame):
        try:
            return Outcome(await outcome.value)
        except BaseException as raised:  # noqa: BLE001  # `NotDone` is an answer
            return Outcome(raised=raised)


def returned(done: Outcome) -> Outcome:
    """How a call ended, if it ended well; else what it raised is raised."""
    if done.raised is not None:
        raise done.raised
    return done
