"""The tables of ``store.duckdb``, made step by step; ``docs/format.md`` §6.

A migration is a small function, applied in one transaction together with its own record
in ``migrations``, so a file stands at exactly one version however often this is killed.
Released migrations never change. There is no down: a file that an older version can't
use is made anew from the journal.

The catalogue that is expected of a file is not written down a second time: it is read
from an empty database that the same migrations have made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol


class Cursor(Protocol):
    """What is used of a DuckDB cursor."""

    def execute(self, query: str, parameters: object = None, /) -> Any:
        """Run one statement; the answer has to be fetched whole."""
        ...

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Every row of the answer."""
        ...

    def appender(self, table: str, /) -> Any:
        """A context that adds rows to a table, many times faster than inserts."""
        ...

    def begin(self) -> Any:
        """Begin a transaction."""
        ...

    def commit(self) -> Any:
        """Make it count."""
        ...

    def rollback(self) -> Any:
        """Undo it."""
        ...


@contextmanager
def transaction(at: Cursor) -> Iterator[None]:
    """All of the block or nothing.

    Never a commit after an exception: DuckDB reports success and has rolled back.
    """
    at.begin()
    try:
        yield
    except BaseException:
        at.rollback()
        raise
    at.commit()


def entries_and_watermarks(at: Cursor, facts: Mapping[str, str]) -> None:
    """Version 1: what was appended, how far it was taken over, and whose it is.

    No keys and no indexes: they double the file, have to be loaded at open, and a scan
    of ``key8`` takes 3 ms at a million rows. Digests don't shrink, and DuckDB's default
    coder spends 70 ns a byte to find that out, so they stay as they are; heads and
    bodies are text, and zstd does best with it. A burst costs a quarter of the default,
    and the file is smaller (measured).
    """
    at.execute(
        """
        create table store.main.migrations (
            version uinteger, name varchar, at_us bigint
        )
        """
    )
    at.execute(
        """
        create table store.main.entries (
            owner varchar, seq ubigint, tick ubigint, at_us bigint,
            kind varchar, run varchar, step varchar, subject varchar,
            key8 ubigint, key blob using compression uncompressed,
            name varchar, effect varchar, attempt bigint, ms double,
            tokens_in bigint, tokens_out bigint, model varchar,
            byte ubigint,
            prev_mac blob using compression uncompressed,
            mac blob using compression uncompressed,
            head blob using compression zstd,
            body blob using compression zstd
        )
        """
    )
    at.execute(
        """
        create table store.main.watermarks (
            owner varchar, byte ubigint, next_seq ubigint, prev_mac blob, rows ubigint
        )
        """
    )
    at.execute("create table store.main.meta (name varchar, value varchar)")
    for name, value in facts.items():
        at.execute("insert into store.main.meta values (?, ?)", [name, value])


Migration = Callable[[Cursor, Mapping[str, str]], None]
MIGRATIONS: Sequence[Migration] = (entries_and_watermarks,)
VERSION = len(MIGRATIONS)

Catalogue = frozenset[tuple[Any, ...]]
RECORDS: Catalogue = frozenset(
    {
        ("table", "main", "migrations", "", "false 0 0"),
        ("column", "main", "migrations", "version", "1 UINTEGER true false"),
        ("column", "main", "migrations", "name", "2 VARCHAR true false"),
        ("column", "main", "migrations", "at_us", "3 BIGINT true false"),
    }
)
"""What every version has of `catalogue`, so that a later one is known for what it is."""
ACTIVE = frozenset({"view", "trigger"})
"""Kinds of things in a catalogue that act when a table is read or written."""


def migrate(at: Cursor, facts: Mapping[str, str], now_us: int) -> None:
    """Bring a new file to the newest version.

    Args:
        at: A cursor with the file attached as ``store``.
        facts: What ``meta`` has to say: whose records these are.
        now_us: For the records of the migrations, microseconds since 1970 UTC.
    """
    for version, change in enumerate(MIGRATIONS, 1):
        with transaction(at):
            change(at, facts)
            record = [version, change.__name__, now_us]
            at.execute("insert into store.main.migrations values (?, ?, ?)", record)


def version_of(at: Cursor, found: Catalogue) -> int:
    """The version at which a file with this catalogue says it stands; 0 for none.

    A later version's file is left to who wrote it. It is asked only where nothing in
    it can run code of its own.
    """
    if RECORDS - found or any(kind in ACTIVE for kind, *_ in found):
        return 0
    at.execute("select coalesce(max(version), 0) from store.main.migrations")
    return int(at.fetchall()[0][0])


CATALOGUE = """
    select 'table', schema_name, table_name, '',
           concat_ws(' ', has_primary_key, index_count, check_constraint_count)
      from duckdb_tables() where database_name = 'store' and not internal
    union all
    select 'column', schema_name, table_name, column_name,
           concat_ws(' ', column_index, data_type, is_nullable, column_default,
                     is_generated)
      from duckdb_columns() where database_name = 'store' and not internal
    union all
    select 'view', schema_name, view_name, '', ''
      from duckdb_views() where database_name = 'store' and not internal
    union all
    select 'trigger', schema_name, table_name, trigger_name, ''
      from duckdb_triggers() where database_name = 'store'
    union all
    select 'index', schema_name, table_name, index_name, ''
      from duckdb_indexes() where database_name = 'store'
    union all
    select 'sequence', schema_name, sequence_name, '', ''
      from duckdb_sequences() where database_name = 'store'
    union all
    select 'type', schema_name, type_name, '', ''
      from duckdb_types() where database_name = 'store' and not internal
    union all
    select 'schema', schema_name, '', '', ''
      from duckdb_schemas() where database_name = 'store' and not internal
    union all
    select 'macro', schema_name, function_name, '', ''
      from duckdb_functions() where database_name = 'store' and not internal
"""
"""Everything a file can hold. 16 ms of CPU, 12 of them for macros, because DuckDB counts
through its own functions for those."""


def catalogue(at: Cursor) -> Catalogue:
    """What the attached file holds."""
    at.execute(CATALOGUE)
    return frozenset(at.fetchall())


_catalogues: dict[int, Catalogue] = {}
"""The catalogue of each version that this process has asked for: to make a database takes
as long as to open one."""


def expected(cursor: Callable[[], Cursor]) -> Catalogue:
    """The catalogue of a file at the newest version.

    Args:
        cursor: Gives a cursor with nothing attached.
    """
    if VERSION not in _catalogues:
        _catalogues[VERSION] = _made(cursor())
    return _catalogues[VERSION]


def _made(at: Cursor) -> Catalogue:
    at.execute("attach ':memory:' as store")
    migrate(at, {}, 0)
    found = catalogue(at)
    at.execute("detach store")
    return found
