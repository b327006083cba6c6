"""A call waits for its turn: limits of its tool that hold for all kernels on the store.

It waits before its intent is written, so a kernel that dies while it waits leaves nothing
in doubt.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator
from pathlib import Path
from typing import Final

from nbdurable.engine.calls.going import WAIT_SLICE_S, Command, Going, Pause, Sent
from nbdurable.engine.telling import lines
from nbdurable_store.protocol import Store
from nbdurable_store.sharing.turns import Turn, Turns

TOLD_S_MIN: Final = 3.0
"""A wait that is shorter needs no explanation."""

_lock: Final = threading.Lock()

_of: Final[weakref.WeakKeyDictionary[Store, Turns]] = weakref.WeakKeyDictionary()


def turn(going: Going) -> Generator[Command, Sent, Turn]:
    """Wait for a turn of a tool that has limits."""
    policy, attempt = going.request.policy, going.frame.attempt
    turns, name = _turns(going), going.request.name
    began_s = attempt.clock.monotonic_s()
    while isinstance(taken := turns.take(name, policy.limit, policy.rate), int | float):
        if attempt.clock.monotonic_s() - began_s > TOLD_S_MIN:
            attempt.home.tell_once(lines.waits_for_turn(name, policy.limits()))
        yield Pause(min(taken, WAIT_SLICE_S))
    return taken


def _turns(going: Going) -> Turns:
    home = going.frame.attempt.home
    with _lock:
        found = _of.get(home.store)
        if found is None:
            place = Path(home.store.place)
            found = Turns(place if place.is_dir() else None, home.clock)
            _of[home.store] = found
        return found
