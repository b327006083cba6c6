"""The user's signing key, and every MAC of the store. All MACs are made in this file.

A MAC is HMAC-SHA256 over its parts, each preceded by its length as u32 little-endian,
the first part being a tag with a version. So no two different lists of parts have the
same bytes, and a MAC of one kind is never valid as another.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import os
import secrets
import stat
import struct
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from blake3 import blake3

from nbdurable_store.errors import DurableError, KeyUnsafe
from nbdurable_store.files import (
    FOLDER_MODE,
    NO_ROOM,
    create,
    open_to_read,
    sync_folder,
    told,
)
from nbdurable_store.form import Remedy

KEY_BYTES = 32
MAC_BYTES = 32
VARIABLE = "NBDURABLE_KEY_FILE"
OTHERS = 0o077
"""Mode bits that would let another account read or replace a key."""


ANOTHER = Remedy("use another key", f"%env {VARIABLE}=/path/to/a/key")


@dataclass(kw_only=True, eq=False)
class KeyUnusable(DurableError):
    """The file of your signing key is no key, can't be read, or can't be made.

    Attributes:
        path: The key file.
        why: What is wrong with it.
        when: When the first remedy fits.
        command: The first remedy.
    """

    slug: ClassVar[str] = "key-unusable"
    path: str
    why: str
    when: str = "look at it"
    command: str = ""

    def fact(self) -> str:
        """Say which file, and what is wrong."""
        return f"the key file {self.path} can't be used: {self.why}."

    def detail(self) -> str:
        """Say what was not done."""
        return "No store was opened or made, and no file was changed."

    def remedies(self) -> tuple[Remedy, ...]:
        """Mend it, or name another."""
        command = self.command or f'!ls -ld "{self.path}"'
        return (Remedy(self.when, command), ANOTHER)


def framed(*parts: bytes) -> bytes:
    """Join parts, each preceded by its length, so that they can't run together."""
    return b"".join(
        piece for part in parts for piece in (struct.pack("<I", len(part)), part)
    )


def key_id(key: bytes) -> str:
    """A public name for a key: 16 hex digits that say nothing about it."""
    return blake3(framed(b"key-id/v1", key)).hexdigest(length=8)


class Begun:
    """A MAC whose first parts are hashed; more can be put behind them again and again.

    The two hashes of HMAC are spelled out: copying them takes two thirds of the time
    that copying an `hmac.HMAC` does, three times a call. A test compares the two.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, inner: hashlib._Hash, outer: hashlib._Hash) -> None:
        self._inner = inner
        self._outer = outer

    def digest(self, rest: bytes = b"") -> bytes:
        """The MAC with ``rest`` behind the parts; the parts stay as they are."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(rest)
        outer.update(inner.digest())
        return outer.digest()


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
        padded = key.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        self._blobs: dict[str, Begun] = {}

    def _begin(self, *parts: bytes) -> Begun:
        inner = self._inner.copy()
        inner.update(framed(*parts))
        return Begun(inner, self._outer)

    def format(self, version: int, made_us: int, journal: str) -> bytes:
        """The MAC of the ``FORMAT`` file."""
        numbers = struct.pack("<QQ", version, made_us)
        parts = (b"format/v1", self.store.encode(), self.key_id.encode(), numbers)
        return self._begin(*parts, journal.encode()).digest()

    def blob(self, codec: str, digest: bytes, size: int) -> bytes:
        """The MAC of a ref to a blob."""
        begun = self._blobs.get(codec)
        if begun is None:
            parts = b"blob/v1", self.store.encode(), codec.encode()
            begun = self._blobs[codec] = self._begin(*parts)
        return begun.digest(
            b"%b%b\x08\0\0\0%b"
            % (len(digest).to_bytes(4, "little"), digest, size.to_bytes(8, "little"))
        )

    def seal(self, owner: str, index: bytes) -> bytes:
        """The MAC of a sealed segment's index."""
        return self._begin(
            b"seal/v1", self.store.encode(), owner.encode(), index
        ).digest()

    def stamp(self, stamp: bytes) -> bytes:
        """The MAC of how a process left ``store.duckdb``."""
        return self._begin(b"stamp/v1", self.store.encode(), stamp).digest()

    def pepper(self) -> bytes:
        """What marks of secrets are made with, so that nobody else can try values."""
        return self._begin(b"pepper/v1", self.store.encode()).digest()

    def chain(self, owner: str) -> Chain:
        """The MACs of one owner's records."""
        inner = self._inner.copy()
        inner.update(framed(b"record/v1", self.store.encode(), owner.encode()))
        return Chain(inner, self._outer)


_LINK = struct.Struct("<IQI32sI")
"""`framed` of a sequence number and a MAC, and the length of a head."""


class Chain(Begun):
    """The MACs of one owner's records, each over its predecessor's."""

    __slots__ = ()

    def mac(self, seq: int, prev_mac: bytes, head: bytes) -> bytes:
        """The MAC of one record; its inline bytes are under it by their digests."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(_LINK.pack(8, seq, MAC_BYTES, prev_mac, len(head)))
        inner.update(head)
        outer.update(inner.digest())
        return outer.digest()


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
        KeyUnsafe: The file or its folder is open to others.
        KeyUnusable: It is no key, or it can't be read or made.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return named_key() or _make(Path(named).parent, Path(named).name)
    folder = _folder()
    kept = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    return _load(kept[0]) if kept else _make(folder, None)


def find_key(wanted: str) -> bytes | None:
    """The key with this id, or ``None`` when it is not among this user's.

    Raises:
        KeyUnsafe: It is there, and open to others.
        KeyUnusable: The file that ``NBDURABLE_KEY_FILE`` names can't be read.
    """
    named = named_key()
    if named and key_id(named) == wanted:
        return named
    path = _folder() / Path(wanted).name
    if not os.path.lexists(path):
        return None
    key = _load(path)
    if key_id(key) != wanted:
        raise KeyUnsafe(path=str(path), why="it holds another key than its name says")
    return key


def named_key() -> bytes | None:
    """The key in the file that ``NBDURABLE_KEY_FILE`` names; ``None`` if there is none yet.

    Raises:
        KeyUnsafe: The file is open to others.
        KeyUnusable: It is no key, it can't be read, or its folder is gone.
    """
    named = os.environ.get(VARIABLE)
    return _load(Path(named)) if named and _lies(Path(named)) else None


def _lies(path: Path) -> bool:
    """Whether something lies at a path; its folder at least has to be there.

    A folder that is gone (a volume that isn't mounted) would else look like a user
    without a key, whose stores are all foreign.
    """
    if not path.name:
        raise KeyUnusable(path=str(path), why="a folder stands there")
    with _blamed(path):
        path.parent.stat()
        try:
            path.lstat()
        except FileNotFoundError:
            return False
    return True


@contextlib.contextmanager
def _blamed(path: Path) -> Generator[None]:
    """Tell an error of the system as what it is: one of the key file, not of a store."""
    try:
        yield
    except OSError as e:
        if e.errno in NO_ROOM:
            raise told(path.parent, e) from e
        raise _unusable(path, e) from e


def _unusable(path: Path, error: OSError) -> KeyUnusable:
    folder = path.parent
    if error.errno == errno.ENOENT:
        make = f'!mkdir -p -m 700 "{folder}"'
        why = f"there is no folder {folder}"
        return KeyUnusable(path=str(path), why=why, when="make it", command=make)
    if error.errno == errno.ENOTDIR:
        why, look = f"{folder} is not a folder", f'!ls -ld "{folder}"'
        return KeyUnusable(path=str(path), why=why, command=look)
    why = (error.strerror or str(error)).lower()
    look = f'!ls -ld "{folder}" "{path}"'
    return KeyUnusable(path=str(path), why=why, when="look at both", command=look)


def _folder() -> Path:
    folder = data_dir() / "nbdurable" / "keys"
    if not os.path.lexists(folder):
        with _blamed(folder):
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
        with _blamed(path):
            fd = open_to_read(path)
    except KeyUnusable as e:
        if path.is_symlink():
            raise KeyUnsafe(path=str(path), why="it is a link") from e
        raise
    try:
        status = os.fstat(fd)
        _must_be_a_file(path, status)
        _private(path, status, "it")
        key = os.read(fd, KEY_BYTES + 1)
    finally:
        os.close(fd)
    if len(key) != KEY_BYTES:
        held = f"it holds {status.st_size:,} bytes, and a key has {KEY_BYTES}"
        aside = f'!mv "{path}" "{path}.old"'
        when = "make a key in its place"
        raise KeyUnusable(path=str(path), why=held, when=when, command=aside)
    return key


def _must_be_a_file(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        inside = f"%env {VARIABLE}={path / 'key'}"
        why, when = "it is a folder", "keep the key in it"
        raise KeyUnusable(path=str(path), why=why, when=when, command=inside)
    if not stat.S_ISREG(status.st_mode):
        raise KeyUnusable(path=str(path), why="it is not a plain file")


def _private(path: Path, status: os.stat_result, what: str) -> None:
    if status.st_uid not in {os.geteuid(), 0}:
        raise KeyUnsafe(path=str(path), why=f"{what} belongs to another account")
    if status.st_mode & OTHERS:
        raise KeyUnsafe(path=str(path), why=f"{what} is open to other accounts")


def _make(folder: Path, name: str | None) -> bytes:
    """Make a key under a temporary name, so that nobody ever sees half of one."""
    key = secrets.token_bytes(KEY_BYTES)
    final = folder / (name or key_id(key))
    with _blamed(final):
        return _write(folder / f".{secrets.token_hex(8)}.tmp", final, key)


def _write(temp: Path, final: Path, key: bytes) -> bytes:
    fd = create(temp)
    try:
        os.write(fd, key)
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        os.link(temp, final)
    except FileExistsError:
        return _load(final)
    finally:
        temp.unlink()
    sync_folder(final.parent)
    return key
