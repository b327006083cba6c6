"""A call whose result is complete only after its function has returned: a stream.

`conduct` is suspended at its effect while the caller reads. `begin` takes the protocol
up to there, `Begun.end` from there to its end: then the result is durable, and the
caller may see that the stream is over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbdurable.engine.calls.call import conduct
from nbdurable.engine.calls.driving import (
    advance,
    advance_async,
    found_out,
    found_out_async,
    returned,
)
from nbdurable.engine.calls.going import Conduct, Perform
from nbdurable.engine.calls.requests import Outcome

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt
    from nbdurable.engine.calls.requests import CallRequest
    from nbdurable.engine.where.frames import Frame


@dataclass(slots=True)
class Begun:
    """A call at its effect: ``started`` is written, the outcome is open.

    Attributes:
        frame: The effect happens within; another seam leaves it alone.
        call_id: Its logical id.
    """

    frame: Frame[Attempt]
    call_id: str
    _steps: Conduct

    def end(self, outcome: Outcome) -> None:
        """Record the outcome; durable on return.

        An exception is recorded, not raised: the caller has it.
        """
        with _but(outcome.raised):
            advance(self.frame, self._steps, outcome)

    async def end_async(self, outcome: Outcome) -> None:
        """The same, without blocking the event loop."""
        with _but(outcome.raised):
            await advance_async(self.frame, self._steps, outcome)


def begin(frame: Frame[Attempt], request: CallRequest) -> Begun | Outcome:
    """Take a call to its effect, or hand over what is recorded of it.

    Raises:
        BaseException: The recorded exception, or what `conduct` raises.
    """
    steps = conduct(frame, request)
    if isinstance(steps, Outcome):
        return returned(steps)
    reached = advance(frame, steps, None)
    while isinstance(reached, Perform) and reached.find_out:
        reached = advance(frame, steps, found_out(reached, request))
    return _begun(steps, reached)


async def begin_async(frame: Frame[Attempt], request: CallRequest) -> Begun | Outcome:
    """The same, without blocking the event loop."""
    steps = conduct(frame, request)
    if isinstance(steps, Outcome):
        return returned(steps)
    reached = await advance_async(frame, steps, None)
    while isinstance(reached, Perform) and reached.find_out:
        found = await found_out_async(reached, request)
        reached = await advance_async(frame, steps, found)
    return _begun(steps, reached)


def _begun(steps: Conduct, reached: Perform | Outcome) -> Begun | Outcome:
    if isinstance(reached, Outcome):
        return reached
    frame = replace(reached.frame, quiet=True)
    return Begun(frame, reached.frame.parent, steps)


@contextlib.contextmanager
def _but(expected: BaseException | None) -> Iterator[None]:
    """Swallow this very exception: the protocol raises what it was told."""
    try:
        yield
    except BaseException as raised:
        if raised is not expected:
            raise
