"""What an attempt needs of the session it belongs to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Protocol

from nbdurable.engine.calls.ancestors import Ancestors
from nbdurable.engine.calls.parked import Parked
from nbdurable.engine.calls.requests import CallRequest, Outcome
from nbdurable.engine.identity.sources import Sources
from nbdurable.engine.past.history import CallPast, History
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.chance import Chance
from nbdurable.engine.where.ids import Ids
from nbdurable_store.clock import Clock
from nbdurable_store.protocol import Store
from nbdurable_store.records import Record


class Home(Protocol):
    """What an attempt needs of the session it belongs to."""

    clock: Clock
    ids: Ids
    secrets: Secrets
    sources: Sources
    lock: threading.RLock
    chance: Chance
    notify: Callable[[str], None]
    executing: set[str]
    kept_results: dict[str, Outcome]
    parked: Parked
    ancestors: Ancestors

    @property
    def history(self) -> History:
        """The fold of the run, as of now."""
        ...

    def catch_up(self, step: str) -> None:
        """Fold what other attempts than this one have appended."""
        ...

    def refresh(self) -> None:
        """Fold what other processes have appended."""
        ...

    def tell_once(self, line: str) -> None:
        """Show a line to the user unless it was shown before."""
        ...

    @property
    def appenders(self) -> Executor:
        """Threads that append for awaiting calls, so that the loop goes on."""
        ...

    @property
    def store(self) -> Store:
        """The open store."""
        ...

    def append(self, records: Sequence[Record], *, sync: bool) -> None:
        """Append records of the run; they are folded when somebody looks."""
        ...

    def pure(self, request: CallRequest) -> CallPast | None:
        """A completed `pure` call of another run of the store with this key."""
        ...

    def known(self) -> Mapping[str, str]:
        """Slots known to exist, with the digest of their present source."""
        ...
