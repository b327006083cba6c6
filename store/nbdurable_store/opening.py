"""From a path to a store: what stands there, whose it is, and whether it may lie there."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.errors import NotAStore, PlatformUnsupported
from nbdurable_store.protocol import Store, Trusted

if TYPE_CHECKING:
    from nbdurable_store.folder.foreign import ForeignStore


def open(  # noqa: A001  # read as nbdurable_store.open
    path: str | os.PathLike[str], *, named: bool = False, clock: Clock = SYSTEM_CLOCK
) -> Store:
    """Open the store in a folder; a new or empty folder becomes one.

    Args:
        path: The store's folder, such as ``.nbdurable``.
        named: The user named this very place, so it is used even where the store would
            go elsewhere by itself (a network file system).
        clock: The machine's clock, or a test's.

    Raises:
        NotAStore: A file or somebody else's folder stands there.
        StoreForeign: Another user's key signed it.
        StoreNewer: A later version wrote it.
        StoreFull: No room to make it.
        StoreUnwritable: No permission to make it.
        KeyUnsafe: The signing key is open to others.
        PlatformUnsupported: Windows.
    """
    if sys.platform == "win32":
        raise PlatformUnsupported(system="Windows")
    from nbdurable_store.backends.local import LocalStore
    from nbdurable_store.folder.format import open_or_make
    from nbdurable_store.folder.places import local_place, moved, network_type
    from nbdurable_store.keys import data_dir

    root, notices = Path(path).absolute(), []
    kind = None if named else network_type(root)
    if kind is not None:
        place = local_place(root, data_dir())
        notices.append(moved(root, kind, place))
        root = place
    said = open_or_make(root, clock)
    return LocalStore(root, said, clock=clock, notices=notices)


def may_stand(path: str | os.PathLike[str], *, named: bool = False) -> None:
    """A store is in a folder, or could be made there; nothing is made or changed.

    Args:
        path: The store's folder, such as ``.nbdurable``.
        named: The user named this very place; see `open`.

    Raises:
        NotAStore: A file or somebody else's folder stands there.
        StoreNewer: A later version wrote it.
        StoreUnwritable: No permission to make it.

    Example:
        >>> may_stand("no-such-folder")
    """
    from nbdurable_store.folder import format as formats
    from nbdurable_store.folder.places import network_type

    root = Path(path).absolute()
    if formats.read(root) is None and (named or network_type(root) is None):
        formats.must_be_free(root)
        formats.must_be_writable(root)


def look(path: str | os.PathLike[str], *, plain: Collection[str] = ()) -> ForeignStore:
    """Somebody else's store, to look at: unverified, and nothing in it is changed.

    Args:
        path: The store's folder.
        plain: Codecs whose bytes may be handed out: those that are read without
            running anything.

    Raises:
        NotAStore: No store is there.
        StoreNewer: A later version wrote it.
    """
    if sys.platform == "win32":
        raise PlatformUnsupported(system="Windows")
    from nbdurable_store.folder.foreign import ForeignStore
    from nbdurable_store.folder.format import read

    root = Path(path).absolute()
    said = read(root)
    if said is None:
        raise NotAStore(place=str(root), why="it has no FORMAT file")
    return ForeignStore(root, said, plain)


def trust(path: str | os.PathLike[str], *, clock: Clock = SYSTEM_CLOCK) -> Trusted:
    """Sign a store with one's own key; see `nbdurable_store.folder.trusting.trust`."""
    if sys.platform == "win32":
        raise PlatformUnsupported(system="Windows")
    from nbdurable_store.folder import trusting

    return trusting.trust(path, clock=clock)
