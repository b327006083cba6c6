"""What a store holds, and removing runs from it: for stores in a folder.

Not part of `nbdurable_store.protocol.Store`: whoever keeps a store elsewhere has the
means of that place.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from nbdurable_store.protocol import Removed, Store

if TYPE_CHECKING:
    from nbdurable_store.backends.local import LocalStore
    from nbdurable_store.folder.survey import Usage


def usage(store: Store, giving_up: Collection[str] = ()) -> Usage:
    """What takes how much room in a store; changes nothing.

    Args:
        store: A store in a folder.
        giving_up: Runs that are to go, so that their values may be damaged.

    Raises:
        StoreDamaged: What a value consists of can't be read.
    """
    return _local(store).usage(giving_up)


def remove(store: Store, runs: Collection[str] = ()) -> Removed:
    """Remove runs, and everything that no run needs.

    It is done or, if the process dies, either not begun or finished by the next call.
    What a living process may rely on is left.

    Args:
        store: A store in a folder.
        runs: Ids of runs; nobody asks whether they are still needed.

    Raises:
        RunBusy: A process executes in one of them; nothing was removed.
        RunInUse: A living process has records of one of them; nothing was removed.
        StoreDamaged: What a value consists of can't be read; nothing was removed.
        StoreInUse: Another process is busy with it.
        StoreFull: No room for what is written before the old is removed.
        StoreUnwritable: No permission.
    """
    return _local(store).remove(runs)


def _local(store: Store) -> LocalStore:
    from nbdurable_store.backends.local import LocalStore

    assert isinstance(store, LocalStore), "only a store in a folder can be cleared"
    return store
