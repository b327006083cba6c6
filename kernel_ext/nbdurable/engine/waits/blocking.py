"""The doors that wait by blocking: `nd.approve`, `nd.ask`, `nd.wait_for`, `nd.sleep`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from nbdurable.engine.waits import doors
from nbdurable.engine.waits.doors import UNSAID


def approve(
    text: str, *, show: object = None, timeout: float | timedelta | None = None
) -> bool:
    """Ask a person for a yes or a no, and wait for it, over restarts if need be.

    The answer is bound to what was shown: a changed report asks again.

    Args:
        text: The question.
        show: What is shown with it, and decided about.
        timeout: How long to wait at most: seconds, or a length of time.

    Returns:
        Whether they said yes.

    Raises:
        NoAnswer: None came in time.
        WaitingForAnswer: The notebook runs without a person.
        OutsideDurable: This is no durable cell.
    """
    answer: bool = doors.approval(text, show, timeout).block()
    return answer


def ask(
    text: str,
    answer: type | Sequence[str] | Mapping[str, type] = str,
    *,
    show: object = None,
    timeout: float | timedelta | None = None,
    default: object = UNSAID,
) -> Any:
    """Ask a person something, and wait for the answer, over restarts if need be.

    Args:
        text: The question.
        answer: What the answer has to be: `str`, `int`, `float` or `bool`, a list of
            texts to choose from, or a form, such as ``{"amount": float, "to": str}``.
        show: What is shown with it.
        timeout: How long to wait at most: seconds, or a length of time.
        default: What it gives when no answer came in time.

    Returns:
        The answer: a text, a number, true or false, or a dict with the form's fields.

    Raises:
        NoAnswer: None came in time, and there is no default.
        WaitingForAnswer: The notebook runs without a person.
        OutsideDurable: This is no durable cell.
    """
    return doors.question(text, answer, show, timeout, default).block()


def wait_for(
    name: str, *, timeout: float | timedelta | None = None, default: object = UNSAID
) -> Any:
    """Wait for a value that somebody sends into the run under this name.

    Values that were sent before are kept, and are taken in the order they were sent in.

    Args:
        name: The name.
        timeout: How long to wait at most: seconds, or a length of time.
        default: What it gives when nothing came in time.

    Raises:
        NoAnswer: Nothing came in time, and there is no default.
        WaitingForAnswer: The notebook runs without a person.
        OutsideDurable: This is no durable cell.
    """
    return doors.signal(name, timeout, default).block()


def sleep(span: float | timedelta) -> None:
    """Wait for a length of time, counted from when it first began, over restarts.

    Args:
        span: Seconds, or a length of time.

    Raises:
        SpanRefused: It can't be waited for.
        OutsideDurable: This is no durable cell.
    """
    doors.pause(span).block()


def sleep_until(moment: datetime | str) -> None:
    """Wait for a moment of the calendar, over restarts.

    Args:
        moment: A `datetime`, or one as ISO 8601 has it; without a zone it is local time.

    Raises:
        SpanRefused: It is no moment.
        OutsideDurable: This is no durable cell.
    """
    doors.moment(moment).block()
