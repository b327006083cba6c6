"""`nd.send` inside a durable cell: a write that is journaled, so a replay sends nothing."""

from __future__ import annotations

import getpass

from nbdurable.engine.calls.invoking import invoke
from nbdurable.engine.calls.promised import Ours
from nbdurable.engine.codec import encode
from nbdurable.engine.past.policy import Effect, OnDoubt, Policy
from nbdurable.engine.where.frames import current_frame
from nbdurable_store.records import Kind, Record


def account() -> str:
    """Who sends: the account of this process, or "" where it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _send(name: str, value: object) -> None:
    """The signal has the id of the call that sends it: sent twice, it is one."""
    frame = current_frame()
    assert frame is not None, "invoked within its call"
    attempt = frame.attempt
    encoded = encode(value, secrets=attempt.home.secrets)
    record = Record(
        kind=Kind.SIGNAL_SENT,
        run=attempt.run,
        subject=f"{frame.parent}.sent",
        at_us=attempt.clock.now_us(),
        fields={
            "to": "",
            "name": attempt.home.secrets.scrub(name),
            "by": account(),
            "via": "cell",
        },
        blobs=(attempt.store.put(encoded.codec, encoded.data),),
    )
    attempt.home.append((record,), sync=True)
    attempt.home.parked.heard()


SEND = Ours(
    fn=_send,
    name="nd.send",
    policy=Policy(effect=Effect.WRITE, on_doubt=OnDoubt.RETRY),
)


def send_from_step(name: str, value: object) -> None:
    """Send a value from a durable cell into its run."""
    invoke(SEND, (name, value), {})
