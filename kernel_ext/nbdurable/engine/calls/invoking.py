"""From a call of a wrapped function to a call of the journal."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any, Final

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.driving import run_async, run_sync
from nbdurable.engine.calls.findout import FindOut
from nbdurable.engine.calls.given import Given
from nbdurable.engine.calls.marks import Marking
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.calls.requests import NO_CODES, CallRequest, no_marks
from nbdurable.engine.past.pasts import STEP_KIND, CallPast
from nbdurable.engine.past.wanted import Under
from nbdurable.engine.values import named, previews
from nbdurable.engine.where.frames import Frame, current_frame, undecided


def invoke(made: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a tool; journaled if the code belongs to a durable cell."""
    frame = current_frame()
    if frame is not None and (request := requested(frame, made, args, kwargs)):
        return run_sync(frame, request, functools.partial(made.fn, *args, **kwargs))
    may_run_outside(made, args, kwargs)
    return made.fn(*args, **kwargs)


async def invoke_async(
    made: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Await a tool; journaled if the code belongs to a durable cell."""
    frame = current_frame()
    if frame is not None and (request := requested(frame, made, args, kwargs)):
        perform = functools.partial(made.fn, *args, **kwargs)
        return await run_async(frame, request, perform)
    may_run_outside(made, args, kwargs)
    return await made.fn(*args, **kwargs)


_NO_CELL: Final = (
    "{name} is not recorded: its thread belongs to none of the cells that run now ·"
    " give it the cell's: pool.submit(contextvars.copy_context().run, {name}, …)"
)


def may_run_outside(
    made: Tool, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    """A tool is called where nothing is recorded.

    Raises:
        CallNotRecorded: Frozen mode is on, and it is no `pure` one.
    """
    if frozen.is_on() and made.kind != STEP_KIND:
        told = functools.partial(previews.call_text, made.name, args, kwargs)
        frozen.refuse_outside(made.name, made.policy, told)
    for frame in undecided():
        frame.attempt.home.tell_once(_NO_CELL.format(name=made.name))


def requested(
    frame: Frame[Attempt], made: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> CallRequest | None:
    """The call as the journal sees it; None if it sees none, or they don't fit."""
    attempt, arguments = frame.attempt, made.bind(args, kwargs)
    if arguments is None or (made.kind == STEP_KIND and frozen.served_only(attempt)):
        return None
    home, cls = attempt.home, made.owner(arguments)
    counted = made.counted if made.stands_in or cls is not None else None
    given = Given(made.keyed, arguments, counted, home.secrets, home.sources)
    given.within = frame.holders
    if made.gives_way and attempt.gives_way(always=made.yields):
        given.shared()
    code = made.code(attempt)
    met = given.met if cls is None else (*given.met, cls)
    digest, codes = code.digest, NO_CODES
    if met or code.reads:
        digest, codes = attempt.code.with_given(digest, made.fn, met, made.ignore)
    on_doubt, pepper = made.policy.on_doubt, attempt.store.pepper
    marks = made.is_marked and Marking(made, given, args, kwargs, pepper)
    asked = _Asked(attempt, made, given, arguments, args, kwargs)
    return CallRequest(
        name=made.name,
        key=given.key,
        policy=made.policy,
        kind=made.kind,
        code=digest,
        codes=codes,
        text=asked.text,
        arguments=given.begin,
        marks=marks or no_marks,
        changes=marks.changes if marks else tuple,
        under=asked.under,
        loads=asked.loads,
        undigestible=given.undigestible or code.undigestible,
        keep=made.keeping(attempt, given, code),
        changed=given.changed,
        release=given.release,
        holder=given,
        whose=given.whose,
        decode=given.decode,
        find_out=FindOut(on_doubt, made.signature, args, kwargs)
        if callable(on_doubt)
        else None,
    )


class _Asked:
    """What is seldom asked of a call.

    No closures: those take three times as many objects, and as long as the call lives
    each collection of Python's garbage looks at all of them.
    """

    __slots__ = ("_args", "_arguments", "_attempt", "_given", "_kwargs", "_made")

    def __init__(
        self,
        attempt: Attempt,
        made: Tool,
        given: Given,
        arguments: Mapping[str, object],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self._attempt, self._made, self._given = attempt, made, given
        self._arguments, self._args, self._kwargs = arguments, args, kwargs

    def text(self) -> str:
        """As people read it, without what is secret by the name of its parameter."""
        home = self._attempt.home
        found = named.marked(self._arguments, home.store.pepper)
        masked = home.secrets.also(found) if found else home.secrets
        told = previews.call_text(self._made.name, self._args, self._kwargs)
        return masked.scrub(told)

    def under(self, call: CallPast) -> Under:
        """What it would be recorded by if its tool had the name of a recorded call."""
        codes = self._attempt.code.under(self._made.fn, call, self._made.ignore)
        return Under(self._given.under(call.name), codes)

    def loads(self) -> Collection[str]:
        """The names of the notebook that its tool's code loads."""
        return self._attempt.code.loads(self._made.fn)
