"""What the machine can do without us: the floors that stand beside our numbers."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

PAYLOAD = b"x" * 1024
"""The result of one call in every benchmark, in bytes as in reference runs: 1 kB."""

PREALLOCATED_BYTES = 4 << 20


class Sqlite:
    """A bare sqlite3 table; every insert is one WAL commit with synchronous=FULL."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE calls (n INTEGER, value BLOB)")

    def insert(self, number: int) -> None:
        """Insert one row, synced on return."""
        self._connection.execute("INSERT INTO calls VALUES (?, ?)", (number, PAYLOAD))

    def insert_twice(self, number: int) -> None:
        """What a call with an intent and a result costs: two such inserts."""
        self.insert(number)
        self.insert(number)

    def select(self, number: int) -> bytes:
        """The value of one row, unverified."""
        query = "SELECT value FROM calls WHERE rowid = ?"
        (value,) = self._connection.execute(query, (number + 1,)).fetchone()
        assert isinstance(value, bytes)
        return value


class Append:
    """One file; every append is written and synced. No format, no checksum."""

    def __init__(self, folder: Path, *, preallocated: bool) -> None:
        self._file = os.open(folder / f"bare-{preallocated}", os.O_RDWR | os.O_CREAT)
        self._at = 0
        if preallocated:
            os.pwrite(self._file, bytes(PREALLOCATED_BYTES), 0)
            os.fsync(self._file)

    def append(self, number: int) -> None:
        """Append one payload, synced on return."""
        del number
        self._at += os.pwrite(self._file, PAYLOAD, self._at)
        getattr(os, "fdatasync", os.fsync)(self._file)
