"""A private DuckDB that opens one file at a time. Nobody else imports duckdb.

Theory of operation. The instance lives in memory and is kept; the file is attached to
it for one *burst* and detached again, which costs under a millisecond, where connecting
to the file costs twenty. It sees the store's folder and nothing else: no extension is
loaded, no other file can be named, and after `lock_configuration` no statement changes
that. Names are fully qualified (``store.main.entries``), so macros and views in a file
can't stand in for ours.

`no_wal_writes` and a checkpoint per burst: DuckDB's own log would be a second journal,
replayed at each open. What is not checkpointed is not in the file, and that is all
right, because the watermark isn't either.

Whatever goes wrong in a burst ends the instance. A connection that met an error is in
states that aren't worth knowing; a new one costs 20 ms.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbdurable_store.backends.migrations import Catalogue, Cursor, expected

if TYPE_CHECKING:
    import duckdb

MEMORY = "512MB"
"""A limit and no reservation; a full bulk batch and its checkpoint stay under it."""
ATTACH = """
    attach ? as store (
        recovery_mode no_wal_writes, storage_version 'v1.5.0',
        block_size 16384, row_group_size 20480
    )
"""
"""Small blocks: a burst writes 50 kB and not 500. Small row groups: a checkpoint merges
the last ones of a table, which takes up to 10 s for groups of the default size."""
ATTACH_TO_READ = "attach ? as store (read_only)"
DETACH = "detach store"
LOCKED = "Could not set lock on file"
HOLDER = re.compile(r"PID (\d+)")
PASSING = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EMFILE,
    errno.ENFILE,
)
"""What says nothing about the file itself. DuckDB gives errno as its text only."""


class Away(Exception):  # never reaches a user
    """The file can't be used now, and nothing is known to be wrong with it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Unusable(Exception):  # never reaches a user
    """The file has to be made anew."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Instance:
    """DuckDB in memory, seeing one folder. For one thread at a time.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._main: duckdb.DuckDBPyConnection | None = None
        self._pid = 0

    @contextmanager
    def attached(self, path: Path, *, write: bool) -> Iterator[Cursor]:
        """The file, for one burst; a cursor that goes with it.

        Raises:
            Away: It can't be opened now.
            Unusable: It is damaged, or no DuckDB file.
        """
        at, meaning = self._cursor(), "did not open"
        try:
            at.execute(ATTACH if write else ATTACH_TO_READ, [str(path)])
            meaning = "was damaged"
            yield at
            at.execute(DETACH)
            at.close()
        except BaseException as e:
            # The cursor too: as long as it is open, the file stays attached and locked.
            with contextlib.suppress(_error()):
                at.close()
            self.close()
            told = _told(e, meaning)
            if told is None:
                raise
            raise told from e

    def expected(self) -> Catalogue:
        """The catalogue of a file that our migrations made; nothing may be attached."""
        return expected(self._cursor)

    @property
    def loaded(self) -> bool:
        """Whether it runs."""
        return self._main is not None

    def close(self) -> None:
        """End the instance; the next burst makes a new one. Idempotent."""
        main, self._main = self._main, None
        if main is None:
            return
        if self._pid != os.getpid():
            _inherited.append(main)
            return
        with contextlib.suppress(_error()):
            main.close()

    def _cursor(self) -> Any:
        if self._main is not None and self._pid != os.getpid():
            self.close()
        if self._main is None:
            self._main, self._pid = _connect(self._root), os.getpid()
        return self._main.cursor()


_inherited: list[object] = []
"""Instances of a parent process, kept so that nothing here tears them down: their
threads don't exist in this process, and waiting for them would never end."""


def _connect(root: Path) -> duckdb.DuckDBPyConnection:
    """An instance that can do nothing but what `Instance` is for.

    The order counts: the folder has to be allowed before external access is switched
    off, or the next attach is refused.
    """
    import duckdb  # 300 ms of CPU; not needed before the first burst

    main = duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "async_threads": 1,
            "memory_limit": MEMORY,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    main.execute("set allowed_directories = ?", [[f"{root}/"]])
    main.execute("set enable_external_access = false")
    main.execute("set checkpoint_on_detach = 'DISABLED'")
    main.execute("pragma disable_checkpoint_on_shutdown")
    main.execute("set lock_configuration = true")
    return main


def _error() -> type[Exception]:
    import duckdb  # see above

    return duckdb.Error


def _told(error: BaseException, meaning: str) -> Exception | None:
    """What an error of a burst means, or ``None`` for what isn't DuckDB's.

    Args:
        error: What was raised.
        meaning: What it means unless it says something better.
    """
    import duckdb  # see above

    if not isinstance(error, duckdb.Error):
        return None
    text = str(error)
    if LOCKED in text or isinstance(error, duckdb.ResourceInUseException):
        holder = HOLDER.search(text)
        who = f" (process {holder[1]})" if holder else ""
        return Away(f"is open in another program{who}")
    for code in PASSING:
        if os.strerror(code) in text:
            return Away(f"can't be used ({os.strerror(code).lower()})")
    if isinstance(error, duckdb.OutOfMemoryException | duckdb.PermissionException):
        return Away(f"can't be used ({text.splitlines()[0]})")
    if isinstance(error, duckdb.InterruptException):
        return Away("was left when you interrupted")
    return Unusable(meaning)
