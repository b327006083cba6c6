"""The user's signing key, and every MAC of the store. All MACs are made in this file.

A MAC is HMAC-SHA256 over its parts, each preceded by its length as u32 little-endian,
the first part being a tag with a version. So no two different lists of parts have the
same bytes, and a MAC of one kind is never valid as another.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
import struct
import sys
from pathlib import Path

from blake3 import blake3

from nbdurable_store.errors import KeyUnsafe
from nbdurable_store.files import FOLDER_MODE, create, open_to_read, sync_folder

KEY_BYTES = 32
MAC_BYTES = 32
VARIABLE = "NBDURABLE_KEY_FILE"
OTHERS = 0o077
"""Mode bits that would let another account read or replace a key."""


def framed(*parts: bytes) -> bytes:
    """Join parts, each preceded by its length, so that they can't run together."""
    return b"".join(
        piece for part in parts for piece in (struct.pack("<I", len(part)), part)
    )


def key_id(key: bytes) -> str:
    """A public name for a key: 16 hex digits that say nothing about it."""
    return blake3(framed(b"key-id/v1", key)).hexdigest(length=8)


class Signer:
    """Makes and checks the MACs of one store.

    Args:
        key: The user's key, 32 bytes.
        store: Id of the store.
    """

    def __init__(self, key: bytes, store: str) -> None:
        assert len(key) == KEY_BYTES
        self.key_id = key_id(key)
        self.store = store
        self._empty = hmac.new(key, digestmod="sha256")
        self._blob = self._begin(b"blob/v1", store.encode())

    def _begin(self, *parts: bytes) -> hmac.HMAC:
        mac = self._empty.copy()
        mac.update(framed(*parts))
        return mac

    def format(self, version: int, made_us: int, journal: str) -> bytes:
        """The MAC of the ``FORMAT`` file."""
        numbers = struct.pack("<QQ", version, made_us)
        parts = (b"format/v1", self.store.encode(), self.key_id.encode(), numbers)
        return self._begin(*parts, journal.encode()).digest()

    def blob(self, codec: str, digest: bytes, size: int) -> bytes:
        """The MAC of a ref to a blob."""
        mac = self._blob.copy()
        name = codec.encode()
        mac.update(
            b"%b%b%b%b\x08\0\0\0%b"
            % (
                len(name).to_bytes(4, "little"),
                name,
                len(digest).to_bytes(4, "little"),
                digest,
                size.to_bytes(8, "little"),
            )
        )
        return mac.digest()

    def seal(self, owner: str, index: bytes) -> bytes:
        """The MAC of a sealed segment's index."""
        return self._begin(
            b"seal/v1", self.store.encode(), owner.encode(), index
        ).digest()

    def stamp(self, stamp: bytes) -> bytes:
        """The MAC of how a process left ``store.duckdb``."""
        return self._begin(b"stamp/v1", self.store.encode(), stamp).digest()

    def chain(self, owner: str) -> Chain:
        """The MACs of one owner's records."""
        return Chain(self._begin(b"record/v1", self.store.encode(), owner.encode()))


class Chain:
    """The MACs of one owner's records, each over its predecessor's."""

    __slots__ = ("_begun",)

    def __init__(self, begun: hmac.HMAC) -> None:
        self._begun = begun

    def mac(self, seq: int, prev_mac: bytes, head: bytes) -> bytes:
        """The MAC of one record; its inline bytes are under it by their digests."""
        mac = self._begun.copy()
        mac.update(
            b"\x08\0\0\0%b\x20\0\0\0%b%b%b"
            % (
                seq.to_bytes(8, "little"),
                prev_mac,
                len(head).to_bytes(4, "little"),
                head,
            )
        )
        return mac.digest()


def same(one: bytes, other: bytes) -> bool:
    """Compare two MACs in constant time."""
    return hmac.compare_digest(one, other)


def data_dir() -> Path:
    """Jupyter's folder for data of this user, by Jupyter's own rules.

    Computed here because importing jupyter_core costs more than the store itself, and
    the store is usable without it; a test compares the two.
    """
    named = os.environ.get("JUPYTER_DATA_DIR")
    if named:
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Jupyter"
    shared = os.environ.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home() / ".local" / "share") / "jupyter"


def own_key() -> bytes:
    """The key that signs new stores; made at first use.

    Raises:
        KeyUnsafe: The file or its folder is open to others, or no key.
    """
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named)
        return _load(path) if os.path.lexists(path) else _make(path.parent, path.name)
    folder = _folder()
    kept = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    return _load(kept[0]) if kept else _make(folder, None)


def find_key(wanted: str) -> bytes | None:
    """The key with this id, or ``None`` when it is not among this user's.

    Raises:
        KeyUnsafe: It is there, and open to others.
    """
    named = os.environ.get(VARIABLE)
    if named and os.path.lexists(named):
        key = _load(Path(named))
        if key_id(key) == wanted:
            return key
    path = _folder() / Path(wanted).name
    if not os.path.lexists(path):
        return None
    key = _load(path)
    if key_id(key) != wanted:
        raise KeyUnsafe(path=str(path), why="it holds another key than its name says")
    return key


def _folder() -> Path:
    folder = data_dir() / "nbdurable" / "keys"
    if not os.path.lexists(folder):
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        folder.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise KeyUnsafe(path=str(folder), why="its folder is not a folder")
    _private(folder, status, "its folder")
    return folder


def _load(path: Path) -> bytes:
    try:
        fd = open_to_read(path)
    except OSError as e:
        raise KeyUnsafe(path=str(path), why=f"it can't be opened ({e.strerror})") from e
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise KeyUnsafe(path=str(path), why="it is not a plain file")
        _private(path, status, "it")
        key = os.read(fd, KEY_BYTES + 1)
    finally:
        os.close(fd)
    if len(key) != KEY_BYTES:
        raise KeyUnsafe(path=str(path), why=f"it doesn't hold {KEY_BYTES} bytes")
    return key


def _private(path: Path, status: os.stat_result, what: str) -> None:
    if status.st_uid not in {os.geteuid(), 0}:
        raise KeyUnsafe(path=str(path), why=f"{what} belongs to another account")
    if status.st_mode & OTHERS:
        raise KeyUnsafe(path=str(path), why=f"{what} is open to other accounts")


def _make(folder: Path, name: str | None) -> bytes:
    """Make a key under a temporary name, so that nobody ever sees half of one."""
    key = secrets.token_bytes(KEY_BYTES)
    temp = folder / f".{secrets.token_hex(8)}.tmp"
    fd = create(temp)
    try:
        os.write(fd, key)
        os.fsync(fd)
    finally:
        os.close(fd)
    final = folder / (name or key_id(key))
    try:
        os.link(temp, final)
    except FileExistsError:
        return _load(final)
    finally:
        temp.unlink()
    sync_folder(folder)
    return key
