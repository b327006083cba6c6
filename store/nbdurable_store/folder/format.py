"""The ``FORMAT`` file: what makes a folder a store, and whose store it is."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from nbdurable_store import files
from nbdurable_store.clock import Clock
from nbdurable_store.errors import (
    NotAStore,
    StoreForeign,
    StoreNewer,
)
from nbdurable_store.journal.frames import encode_json
from nbdurable_store.keys import Signer, find_key, own_key, same
from nbdurable_store.killpoints import reach
from nbdurable_store.records import Plain

VERSION = 1
NAME = "FORMAT"
LOCK_NAME = "store.lock"
FORMAT_BYTES_MAX = 4096
JOURNAL = re.compile(r"journal(-[0-9a-f]{8})?")
STORE = re.compile(r"[0-9a-f]{16}")
KEY = re.compile(r"[0-9a-f]{16}")
BEFORE_FORMAT = frozenset({LOCK_NAME, "FORMAT.tmp", ".gitignore"})
"""What a creation that was cut short may have left; such a folder counts as empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What a ``FORMAT`` file says.

    Attributes:
        version: Version of the format.
        store: Id of the store.
        key: Id of the key that signs it.
        made_us: When it was made, microseconds since 1970 UTC.
        journal: Name of the folder that holds its segments.
        mac: Its MAC.
    """

    version: int
    store: str
    key: str
    made_us: int
    journal: str
    mac: bytes

    def encode(self) -> bytes:
        """The bytes of the file."""
        said = {
            "version": self.version,
            "store": self.store,
            "key": self.key,
            "made": self.made_us,
            "journal": self.journal,
            "mac": self.mac.hex(),
        }
        return encode_json(said) + b"\n"


def sign(store: str, key: bytes, made_us: int, journal: str) -> Format:
    """A ``FORMAT`` under a key."""
    signer = Signer(key, store)
    mac = signer.format(VERSION, made_us, journal)
    return Format(
        version=VERSION,
        store=store,
        key=signer.key_id,
        made_us=made_us,
        journal=journal,
        mac=mac,
    )


def read(root: Path) -> Format | None:
    """What the folder's ``FORMAT`` says, unverified; ``None`` if there is no file.

    Raises:
        NotAStore: The file is there and says something else.
        StoreNewer: It is of a later version.
    """
    try:
        raw = _bytes_of(root / NAME)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as e:
        why = f"its FORMAT file can't be read ({e.strerror})"
        raise NotAStore(place=str(root), why=why) from e
    try:
        return _parse(root, json.loads(raw))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as e:
        raise NotAStore(place=str(root), why="its FORMAT file is damaged") from e


def _bytes_of(path: Path) -> bytes:
    fd = files.open_to_read(path)
    try:
        return files.read_all(fd, FORMAT_BYTES_MAX, 0)
    finally:
        os.close(fd)


def _parse(root: Path, said: dict[str, Plain]) -> Format:
    version = said["version"]
    if not isinstance(version, int):
        raise TypeError(version)
    if version > VERSION:
        raise StoreNewer(place=str(root), version=version, ours=VERSION)
    texts = [said[name] for name in ("store", "key", "journal", "mac")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(texts)
    store, key, journal, mac = cast("list[str]", texts)
    if not (JOURNAL.fullmatch(journal) and STORE.fullmatch(store)):
        raise ValueError(said)
    if not KEY.fullmatch(key):  # it is shown: it must not act on a terminal
        raise ValueError(key)
    return Format(
        version=version,
        store=store,
        key=key,
        made_us=int(cast("int", said["made"])),
        journal=journal,
        mac=bytes.fromhex(mac),
    )


def signer_of(root: Path, said: Format) -> Signer:
    """The signer of a store, once its ``FORMAT`` is known to be ours.

    Raises:
        StoreForeign: The key isn't ours, or the MAC doesn't fit.
        KeyUnsafe: The key is ours and open to others.
    """
    key = find_key(said.key)
    if key is None:
        raise StoreForeign(place=str(root), key=said.key)
    if not is_ours(said, key):
        why = "its FORMAT was changed after it was signed"
        raise StoreForeign(place=str(root), key=said.key, why=why)
    return Signer(key, said.store)


def is_ours(said: Format, key: bytes) -> bool:
    """Whether this key signed it."""
    mac = Signer(key, said.store).format(said.version, said.made_us, said.journal)
    return same(mac, said.mac)


def open_or_make(root: Path, clock: Clock) -> Format:
    """The ``FORMAT`` of a folder; an empty or new folder becomes a store.

    Raises:
        NotAStore: Something else stands there.
        StoreFull: No room for a new store.
        StoreUnwritable: No permission for a new store.
    """
    said = read(root)
    if said is not None:
        return said
    must_be_free(root)
    try:
        return _make(root, clock)
    except OSError as e:
        raise files.told(root, e) from e


def must_be_free(root: Path) -> None:
    """A store may be made of this folder: it is new or empty.

    Raises:
        NotAStore: Something else stands there.
        StoreUnwritable: It can't be looked at.
    """
    try:
        names = {path.name for path in root.iterdir()}
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise NotAStore(place=str(root), why="a file stands there") from None
    except OSError as e:
        raise files.told(root, e) from e
    if names - BEFORE_FORMAT:
        why = "it holds other things and no FORMAT file"
        raise NotAStore(place=str(root), why=why)


def must_be_writable(root: Path) -> None:
    """A store may be made here, as far as the system says before it is tried.

    Raises:
        StoreUnwritable: The folder, or the one that it would be made in, is read-only.
    """
    there = root
    while not there.exists() and there != there.parent:
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK):
        read_only = os.statvfs(there).f_flag & os.ST_RDONLY
        number = errno.EROFS if read_only else errno.EACCES
        raise files.told(root, OSError(number, os.strerror(number)))


def _make(root: Path, clock: Clock) -> Format:
    """Make a store; of two processes that try, the second finds the first one's.

    Order of writes: 1 the folder; 2 its lock; 3 .gitignore; 4 FORMAT under a temporary
    name, synced, renamed. Until 4 the folder counts as empty, whenever we die.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    files.make_folder(root)
    reach("store.created")
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(root / LOCK_NAME, flags, files.FILE_MODE)
    try:
        files.lock(fd, wait=True)
        said = read(root)
        if said is not None:
            return said
        files.publish(root / ".gitignore", b"*\n", root / "FORMAT.tmp")
        made = sign(secrets.token_hex(8), own_key(), clock.now_us(), "journal")
        files.publish(root / NAME, made.encode(), root / "FORMAT.tmp")
        reach("format.written")
        return made
    finally:
        os.close(fd)
