"""`nd.webhook`: an address by which a service answers a wait."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from typing import Final

from nbdurable.engine.calls.draws import DRAWS, Draw
from nbdurable.engine.calls.invoking import invoke
from nbdurable.engine.identity import keys
from nbdurable.engine.waits import hooks
from nbdurable.engine.waits.pauses import OutsideDurable
from nbdurable.engine.waits.spans import seconds_of
from nbdurable.engine.where.frames import current_frame

BASE: Final = "NBDURABLE_HOOKS"
"""Variable that says what an address begins with, where somebody set it."""

SERVED: Final = "NBDURABLE_SERVER_BASE"
"""Variable by which our server tells its kernels its base path. Not `BASE`: a server that
was started in a kernel or a terminal of another one inherits both, and sets this one."""

LIFE: Final = timedelta(days=30)
"""How long an address is good for: a payment or a review is over by then."""


def webhook(name: str, *, timeout: float | timedelta = LIFE) -> str:
    """An address by which a service sends the value that `wait_for` waits for, once.

    Whoever has it can send one JSON value to that name in this run, without an account,
    by POST. It begins with ``NBDURABLE_HOOKS``; unless that says where services reach the
    Jupyter server, it is the path at its host, with the server's base path.

    Args:
        name: The name, as `wait_for` has it.
        timeout: How long it is good for: seconds, or a length of time.

    Returns:
        The address. It counts as a key: it stands in no record, and in no line that we show.

    Raises:
        OutsideDurable: This is no durable cell.
        SpanRefused: `timeout` is no length of time.
        AddressUnkept: What it is for can't be written beside the user's keys.
    """
    frame = current_frame()
    if frame is None:
        raise OutsideDurable(call="nd.webhook")
    span_us = round(seconds_of(timeout) * 1_000_000)
    made = Draw(fn=_drawn, name="nd.webhook", policy=DRAWS, place=name)
    draw: str = invoke(made, (name,), {})
    attempt = frame.attempt
    token = keys.hook_token(attempt.store.pepper, attempt.run, draw)
    now_us = attempt.clock.now_us()
    hook = hooks.Hook(
        store=attempt.store.place,
        run=attempt.run,
        name=attempt.home.secrets.scrub(name),
        draw=draw,
        made_us=now_us,
        until_us=now_us + span_us,
        base=hooks.base(os.environ.get(BASE, os.environ.get(SERVED, ""))),
    )
    return hooks.keep(hook, token).address(token)


def _drawn(name: str) -> str:
    del name
    return secrets.token_hex(16)
