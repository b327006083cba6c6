"""`nd.approve`, `nd.ask`, `nd.wait_for`, `nd.sleep`: each a call that waits.

What is common to the doors that block and those that are awaited is made here; `nd.aio`
has the latter. Both are conducted like any other call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.driving import run_async, run_sync
from nbdurable.engine.calls.given import Given
from nbdurable.engine.calls.requests import CallRequest
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.past.waits import AnswerKind, Wait, WaitKind
from nbdurable.engine.values import previews
from nbdurable.engine.waits.pauses import NoAnswer, OutsideDurable
from nbdurable.engine.waits.spans import moment_us, seconds_of
from nbdurable.engine.waits.waiter import Waiter
from nbdurable.engine.where.frames import Frame, current_frame
from nbdurable.errors import ToolRefused

PREVIEW_MAX: Final = 2000
"""Characters of what is shown that are kept beside a question, for other front ends."""

WAITS: Final = Policy(effect=Effect.READ, stable=True)
"""A wait changes nothing in the world, and what was answered is not asked again."""

OURS: Final = bytes(32).hex()
"""Stands for our own code in that of a question: a new version of it is no edit."""

UNSAID: Final = object()
"""No default was given; None is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A wait as it was called for.

    Attributes:
        name: The function, such as ``nd.approve``.
        arguments: What identifies it.
        wait: What it waits for.
        seconds: How long at most, or None.
        shown: What is shown with it.
        default: What it gives when the time is over, or `UNSAID`.
    """

    name: str
    arguments: dict[str, Any]
    wait: Wait
    seconds: float | None = None
    shown: object = None
    default: object = UNSAID

    def block(self) -> Any:
        """Wait by blocking."""
        frame, waiter, request = self._begun()
        try:
            return run_sync(frame, request, waiter.sit)
        except NoAnswer:
            if self.default is UNSAID:
                raise
            return self.default

    async def wait_for(self) -> Any:
        """Wait without blocking the event loop."""
        frame, waiter, request = self._begun()
        try:
            return await run_async(frame, request, waiter.sit_async)
        except NoAnswer:
            if self.default is UNSAID:
                raise
            return self.default

    def _begun(self) -> tuple[Frame[Attempt], Waiter, CallRequest]:
        frame = current_frame()
        if frame is None:
            raise OutsideDurable(call=self.name)
        scrub = frame.attempt.home.secrets.scrub
        wait = replace(
            self.wait,
            text=scrub(self.wait.text),
            choices=tuple(map(scrub, self.wait.choices)),
            preview=scrub(self.wait.preview),
        )
        waiter = Waiter(frame.attempt, wait, self.seconds, self.shown)
        return frame, waiter, self._request(frame, waiter)

    def _request(self, frame: Frame[Attempt], waiter: Waiter) -> CallRequest:
        home = frame.attempt.home
        given = Given(
            self.name, self.arguments, lambda a: a, home.secrets, home.sources
        )
        given.only_shown()
        code, codes = frame.attempt.code.with_given(OURS, Call, given.met)
        text = previews.call_text(self.name, tuple(self.arguments.values()), {})
        return CallRequest(
            name=self.name,
            key=given.key,
            policy=WAITS,
            kind=self.wait.kind.value,
            code=code if codes else "",
            codes=codes,
            text=lambda: home.secrets.scrub(text),
            arguments=given.begin,
            undigestible=given.undigestible,
            keep=given.keep,
            decode=given.decode,
            changed=given.changed,
            measure=waiter.ended,
            waits=waiter.begins,
        )


def approval(text: str, show: object, timeout: float | timedelta | None) -> Call:
    """A question that is answered by yes or no, bound to what was shown."""
    return Call(
        name="nd.approve",
        arguments={"text": text, "show": show},
        wait=Wait(
            kind=WaitKind.APPROVAL,
            text=text,
            answer=AnswerKind.YES_NO,
            preview=_preview(show),
        ),
        seconds=_seconds(timeout),
        shown=show,
    )


_KINDS: Final[Mapping[object, AnswerKind]] = {
    str: AnswerKind.TEXT,
    int: AnswerKind.INTEGER,
    float: AnswerKind.NUMBER,
    bool: AnswerKind.YES_NO,
}


def question(
    text: str,
    answer: type | Sequence[str] | Mapping[str, type],
    show: object,
    timeout: float | timedelta | None,
    default: object,
) -> Call:
    """A question with a free answer, one of a few, or a form.

    Raises:
        ToolRefused: `answer` names no kind of answer.
    """
    form: dict[str, AnswerKind] = {}
    choices: tuple[str, ...] = ()
    kind = AnswerKind.ANY
    if isinstance(answer, Mapping):
        form = {str(name): _kind(of) for name, of in answer.items()}
    elif isinstance(answer, (list, tuple)):
        choices = tuple(map(str, answer))
    else:
        kind = _kind(answer)
    told = choices or {name: k.value for name, k in form.items()} or kind.value
    return Call(
        name="nd.ask",
        arguments={"text": text, "answer": told, "show": show},
        wait=Wait(
            kind=WaitKind.QUESTION,
            text=text,
            answer=kind,
            choices=choices,
            form=form,
            preview=_preview(show),
        ),
        seconds=_seconds(timeout),
        shown=show,
        default=default,
    )


def _kind(of: object) -> AnswerKind:
    if of not in _KINDS:
        told = previews.value_text(of)
        raise ToolRefused(what=f"{told} is no kind of answer: str, int, float or bool")
    return _KINDS[of]


def signal(name: str, timeout: float | timedelta | None, default: object) -> Call:
    """A value that somebody sends under a name."""
    return Call(
        name="nd.wait_for",
        arguments={"name": name},
        wait=Wait(kind=WaitKind.SIGNAL, text=name),
        seconds=_seconds(timeout),
        default=default,
    )


def pause(span: float | timedelta) -> Call:
    """A length of time, from when it first began."""
    seconds = seconds_of(span)
    return Call(
        name="nd.sleep",
        arguments={"seconds": seconds},
        wait=Wait(kind=WaitKind.TIMER, text=f"{seconds:g} s"),
        seconds=seconds,
    )


def moment(then: datetime | str) -> Call:
    """A moment of the calendar."""
    deadline_us = moment_us(then)
    return Call(
        name="nd.sleep_until",
        arguments={"moment": deadline_us},
        wait=Wait(kind=WaitKind.TIMER, text=str(then), deadline_us=max(1, deadline_us)),
    )


def _seconds(timeout: float | timedelta | None) -> float | None:
    return None if timeout is None else seconds_of(timeout)


def _preview(show: object) -> str:
    if show is None:
        return ""
    told = show if isinstance(show, str) else previews.value_text(show)
    if str(type(show).__module__).partition(".")[0] in _TABLES:
        told = repr(show)
    return previews.shorten(told, PREVIEW_MAX)


_TABLES: Final = frozenset({"pandas", "polars"})
"""Libraries whose values print themselves as a table of a few rows."""
