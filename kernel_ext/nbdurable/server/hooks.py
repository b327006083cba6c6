"""What comes in by webhooks: one value for one wait, by whoever has the address.

Theory of operation. A token leads to a file beside the user's keys, that to a store and a
run, and the journal of the run says whether the value is still waited for. Whatever is
wrong with a token is one answer, `False`. Two requests with one token at once are one value:
the first one's signal is in the journal before the second one looks. That a token
was used its signal says, which is found without the run's calls. Of one that is good no more
for another reason it is remembered until where the journal was read. So who asks again makes
nobody read a long run, and learns nothing from how long that takes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from nbdurable.engine.asking import answering
from nbdurable.engine.asking.commands import OpenRun
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.waits import hooks
from nbdurable.engine.waits.hooks import Hook
from nbdurable.errors import DurableError
from nbdurable.timeline import history_until
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.protocol import START, Cursor, Store
from nbdurable_store.records import Kind

BURST: Final = 30
"""Requests that one sender may make at once: a service that retries after an outage."""

PER_S: Final = 5.0
"""Requests that one sender may make in the long run, each second."""

OVER_MAX: Final = 10_000
"""Addresses that are remembered to be good no more: as many as a user has at a time."""

SENDERS_MAX: Final = 1_024
"""Senders that are remembered; whoever is forgotten begins anew."""


class Hooks:
    """Takes values into the runs of a server.

    Args:
        store_at: Opens the store in a folder; None where the server has no business.
        environ: The server's environment: its secrets aren't stored.
        clock: What time it is.
    """

    def __init__(
        self,
        store_at: Callable[[Path], Store | None],
        environ: Mapping[str, str],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._store_at, self._environ, self._clock = store_at, environ, clock
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._over: OrderedDict[Hook, Cursor | None] = OrderedDict()

    def take(self, token: str, value: object) -> bool:
        """Send a value to what a token is for; False if it is for nothing any more.

        Args:
            token: What stood in the address.
            value: Plain data.
        """
        hook = hooks.find(token)
        if hook is None:
            return False
        with self._turn(hook.run):
            try:
                return self._sent(hook, value)
            except (DurableError, OSError):  # a store that is gone, foreign or full
                return False

    def _sent(self, hook: Hook, value: object) -> bool:
        store = self._store_at(Path(hook.store))
        if store is None:
            return False
        if self._is_over(hook, store) or self._is_used(hook, store):
            return False
        history, cursor = history_until(store, hook.run)
        now_us = self._clock.now_us()
        if history.opened is None or hooks.over(hook, history, now_us):
            self._remember(hook, cursor)
            return False
        secrets = Secrets(self._environ)
        run = OpenRun(store=store, history=history, clock=self._clock, secrets=secrets)
        said = {"by": "", "via": "webhook", "signal": hook.signal}
        _, records = answering.send(run, hook.name, value, **said)
        store.append(records, sync=True)
        self._remember(hook, None)
        return True

    def _turn(self, run: str) -> threading.Lock:
        """One at a time for each run: a long one holds up no other."""
        with self._lock:
            return self._turns.setdefault(run, threading.Lock())

    def _is_over(self, hook: Hook, store: Store) -> bool:
        """Whether an address was good no more, and nothing has happened since."""
        known = self._over.get(hook, START)
        if known is None:
            return True
        return known != START and not store.read(hook.run, known)[0]

    def _is_used(self, hook: Hook, store: Store) -> bool:
        """Whether it has sent its value, as the signals of the store alone say."""
        sent = (e.record for e in store.scan({Kind.SIGNAL_SENT})[0])
        used = any((r.run, r.subject) == (hook.run, hook.signal) for r in sent)
        if used:
            self._remember(hook, None)
        return used

    def _remember(self, hook: Hook, cursor: Cursor | None) -> None:
        """It is good no more: for ever, or until something comes after the cursor."""
        with self._lock:
            self._over[hook] = cursor
            while len(self._over) > OVER_MAX:
                self._over.popitem(last=False)


class Rates:
    """How often somebody may ask: so many at once, and so many each second.

    Args:
        clock: What time it is.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allow(self, sender: str) -> bool:
        """Count a request; False if it is one too many.

        Args:
            sender: Who asks, such as an address.
        """
        now_s = self._clock.monotonic_s()
        left, since_s = self._left.pop(sender, (float(BURST), now_s))
        left = min(float(BURST), left + (now_s - since_s) * PER_S)
        allowed = left >= 1.0
        self._left[sender] = (left - 1.0 if allowed else left), now_s
        while len(self._left) > SENDERS_MAX:
            self._left.popitem(last=False)
        return allowed
