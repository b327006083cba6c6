"""The parts of a `write` tool's call: what its function asked over HTTP. Pure.

Theory of operation. A tool that failed after its POST is run again, and the POST is not
made again: it is served what was answered. That holds within one logical call, for as
long as that has no result: a second call of the tool, and one that is made anew after
the first one has completed, ask anew.

What only looks (GET) is served if the tool went on to change something with it: then it
leads to the same POST again. If not, nothing hangs on the old answer, and the tool may
be run again just because that is another one by now.
"""

from __future__ import annotations

from nbdurable.engine.past.history import CallPast, CallState, History
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.wanted import Wanted


def offered(history: History, call: CallPast, wanted: Wanted) -> bool:
    """Whether a recorded exchange may be this one: the same call is run once more."""
    if (call.inner or call.parent) != (wanted.inner or wanted.parent):
        return False
    outer = history.calls.get(wanted.inner)
    if outer is None:
        return False
    done = [e.ended_order for e in outer.earlier if e.state is CallState.COMPLETED]
    return not done or call.ended_order > max(done)


def led_on(history: History, call: CallPast) -> bool:
    """Whether something that changes the world came of it, as far as is known."""
    if call.effect is Effect.WRITE:
        return True
    return any(
        other.inner == call.inner
        and other.effect is Effect.WRITE
        and other.order > call.order
        and other.state is not CallState.RAISED
        for other in history.calls.values()
    )
