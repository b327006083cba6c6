"""The interface of blake3 with a hash that every Python has.

Digests differ from the real ones, but they differ exactly where the real ones do.
"""

from __future__ import annotations

import hashlib


class blake3:  # the name is the other one's
    """A hasher."""

    AUTO = -1

    def __init__(self, data: bytes = b"", *, max_threads: int = 1) -> None:
        self._hash = hashlib.blake2b(data, digest_size=32)

    def copy(self) -> blake3:
        """A hasher that has taken the same."""
        other = blake3()
        other._hash = self._hash.copy()
        return other

    def update(self, data: bytes) -> blake3:
        """Take more bytes."""
        self._hash.update(data)
        return self

    def digest(self) -> bytes:
        """The digest of all bytes."""
        return self._hash.digest()
