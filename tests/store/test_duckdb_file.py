"""``store.duckdb`` is never precious: what isn't as we left it is made anew."""

from __future__ import annotations

import fcntl
import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from nbdurable_store.backends.duckdb import Away, Instance, Unusable
from nbdurable_store.backends.projection import Turn
from nbdurable_store.killpoints import arm
from tests.store.projected import RUN, Projected

READ_INSTEAD = "the journal is read instead. Nothing is lost."
ANEW = "and was made anew from the journal: 12 records."


def _delete(projected: Projected) -> None:
    projected.file.unlink()


def _cut(projected: Projected) -> None:
    os.truncate(projected.file, projected.file.stat().st_size // 2)


def _empty(projected: Projected) -> None:
    projected.file.write_bytes(b"")


def _flip_header(projected: Projected) -> None:
    _flip(projected.file, 5000)


def _link(projected: Projected) -> None:
    projected.file.rename(projected.root / "elsewhere.duckdb")
    projected.file.symlink_to("elsewhere.duckdb")


def _flip(file: Path, offset: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(offset)
        byte = opened.read(1)
        opened.seek(offset)
        opened.write(bytes([byte[0] ^ 0x10]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (_delete, "was gone"),
        (_cut, "was damaged"),
        (_empty, "did not open"),
        (_flip_header, "did not open"),
        (_link, "was no plain file"),
    ],
)
def test_a_harmed_file_is_made_anew(
    projected: Projected, harm: Callable[[Projected], None], what: str
) -> None:
    """A deleted, cut, emptied or flipped file comes back, with one sentence."""
    projected.append(12)
    projected.ingest()
    harm(projected)
    projected.ingest()
    projected.ingest()
    assert projected.notices() == [f"store.duckdb {what} {ANEW}"]
    assert projected.held() == projected.expected()
    assert not projected.file.is_symlink()


@pytest.mark.slow
def test_every_flipped_page_is_found_or_harmless(projected: Projected) -> None:
    """A flip in any 4 kB page is answered from the segments or not seen at all."""
    projected.append(12)
    projected.ingest()
    sound = projected.file.read_bytes()
    for offset in range(0, len(sound), 4096):
        projected.file.write_bytes(sound)
        _flip(projected.file, offset + 1234)
        part = projected.projection.of_run(RUN, {})
        assert len(part.entries) in ({12} if part.upto else {0})
        projected.append(1)
        projected.ingest()
        projected.ingest()
        found = projected.projection.of_run(RUN, {})
        assert len(found.entries) == len(projected.expected())


FOREIGN = {
    "view": ("drop table entries", "create view entries as select 1 as owner"),
    "macro": ("create macro entries() as table select 1",),
    "function": ("create macro max(x) as 42",),
    "table": ("create table mine (x integer)",),
    "column": ("alter table entries add column x integer",),
    "default": ("alter table entries alter name set default 'x'",),
    "type": ("create type mood as enum ('a')",),
    "index": ("create index i on entries (key8)",),
    "sequence": ("create sequence s",),
    "schema": ("create schema other",),
    "key": ("drop table meta", "create table meta (name varchar primary key)"),
}


@pytest.mark.slow
@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_catalogue_is_refused(
    projected: Projected, statements: tuple[str, ...]
) -> None:
    """Nothing is read from a file that holds anything but our tables."""
    projected.append(12)
    projected.ingest()
    projected.meddle(*statements)
    part = projected.projection.of_run(RUN, {})
    assert (part.entries, part.upto) == ((), {})
    projected.ingest()
    what = "held other things than our tables"
    assert projected.notices() == [f"store.duckdb {what} {ANEW}"]
    assert projected.held() == projected.expected()


def test_a_trigger_is_refused(projected: Projected) -> None:
    """A trigger needs a later storage version than ours, and is refused too."""
    projected.append(12)
    projected.ingest()
    with duckdb.connect() as tool:
        tool.execute("attach ? as ours (read_only)", [str(projected.file)])
        later = str(projected.root / "later.duckdb")
        tool.execute("attach ? as later (storage_version 'v2.0.0')", [later])
        tool.execute("copy from database ours to later")
        tool.execute("use later")
        tool.execute(
            "create trigger t after insert on entries for each statement "
            "delete from watermarks"
        )
    (projected.root / "later.duckdb").replace(projected.file)
    assert projected.projection.of_run(RUN, {}).upto == {}
    projected.ingest()
    what = "held other things than our tables"
    assert projected.notices() == [f"store.duckdb {what} {ANEW}"]


def test_a_foreign_catalogue_is_refused_at_first_sight(projected: Projected) -> None:
    """A new process looks for macros too before it trusts a file."""
    projected.append(12)
    projected.ingest()
    projected.meddle("create macro max(x) as 42")
    other = Projected(projected.root)
    assert other.projection.of_run(RUN, {}).entries == ()
    other.ingest()
    assert len(other.notices()) == 1
    other.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("delete from entries where seq = 3", "had lost records"),
        ("delete from watermarks", "had lost records"),
        (
            "update meta set value = 'x' where name = 'store'",
            "belonged to another store",
        ),
        ("delete from meta", "belonged to another store"),
        (
            "update entries set head = 'x' where seq = 3",
            "held a record that isn't ours",
        ),
    ],
)
def test_changed_rows_are_not_served(
    projected: Projected, statement: str, what: str
) -> None:
    """Rows that somebody removed or changed are noticed before they count."""
    projected.append(12)
    projected.ingest()
    projected.meddle(statement)
    assert projected.projection.of_run(RUN, {}).upto == {}
    projected.ingest()
    assert projected.notices() == [f"store.duckdb {what} {ANEW}"]
    assert len(projected.projection.of_run(RUN, {}).entries) == 12


@pytest.mark.slow
def test_a_file_of_another_store_is_not_used(
    projected: Projected, tmp_path: Path
) -> None:
    """Another store's file in the place of ours is made anew."""
    projected.append(12)
    projected.ingest()
    other = Projected(tmp_path / "other")
    other.append(3)
    other.ingest()
    other.file.replace(projected.file)
    other.close()
    projected.ingest()
    assert projected.notices() == [f"store.duckdb belonged to another store {ANEW}"]
    assert projected.held() == projected.expected()


def test_a_later_version_is_left_alone(projected: Projected) -> None:
    """What a later nbdurable has made is not destroyed by an earlier one."""
    projected.append(2)
    projected.ingest()
    projected.meddle(
        "alter table entries add column later integer",
        "insert into migrations values (2, 'later', 0)",
    )
    before = projected.file.read_bytes()
    projected.append(1)
    projected.ingest()
    assert projected.file.read_bytes() == before
    assert projected.projection.of_run(RUN, {}).upto == {}
    what = "was written by a later version of nbdurable"
    assert projected.notices() == [f"store.duckdb {what}; {READ_INSTEAD}"]


def test_a_foreign_log_is_not_replayed_into_a_new_file(projected: Projected) -> None:
    """A log that another tool left behind goes with the file it belonged to."""
    projected.append(12)
    projected.ingest()
    with duckdb.connect(str(projected.file)) as tool:
        tool.execute("pragma disable_checkpoint_on_shutdown")
        tool.execute("create table mine (x integer)")
    log = projected.root / "store.duckdb.wal"
    assert log.exists()
    projected.file.unlink()
    projected.ingest()
    assert not log.exists()
    assert projected.notices() == [f"store.duckdb was gone {ANEW}"]
    assert projected.held() == projected.expected()


@pytest.mark.slow
def test_a_foreign_tool_blocks_nobody(projected: Projected) -> None:
    """While a tool holds the file, appends and ingest go on and readers are told once."""
    projected.append(6)
    projected.ingest()
    tool = duckdb.connect(str(projected.file))
    tool.execute("select 1")
    projected.append(6)
    assert projected.projection.ingest() is Turn.LATER
    for _ in range(2):
        assert projected.projection.of_run(RUN, {}).upto == {}
    assert projected.store.read(RUN)[0][-1].record.subject == "call-5"
    [said] = projected.notices()
    assert said.startswith("store.duckdb is open in another program")
    tool.close()
    projected.ingest()
    assert projected.held() == projected.expected()
    assert projected.notices() == []


@pytest.mark.slow
def test_a_stopped_kernel_blocks_nobody(projected: Projected) -> None:
    """While somebody keeps the lock, ingest returns at once and readers go on."""
    projected.append(3)
    projected.ingest()
    with (projected.root / "store.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert projected.projection.ingest() is Turn.LATER
        assert projected.projection.of_run(RUN, {}).upto == {}
    what = "is being written by another kernel"
    assert projected.notices() == [f"store.duckdb {what}; {READ_INSTEAD}"]
    assert len(projected.projection.of_run(RUN, {}).entries) == 3


def test_a_removed_lock_file_is_made_again(projected: Projected) -> None:
    """Whoever holds a lock file that has no name any more holds nothing."""
    projected.append(3)
    with (projected.root / "store.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (projected.root / "store.lock").unlink()
        projected.ingest()
    assert projected.held() == projected.expected()


def test_files_are_private(projected: Projected) -> None:
    """The file is for its owner alone, whatever the umask."""
    before = os.umask(0)
    try:
        projected.append(3)
        projected.ingest()
    finally:
        os.umask(before)
    modes = {
        str(path.relative_to(projected.root)): stat.S_IMODE(path.lstat().st_mode)
        for path in projected.root.rglob("*")
    }
    assert {name for name, mode in modes.items() if mode & 0o077} == set()
    assert modes["store.duckdb"] == 0o600


def test_nothing_is_left_of_a_rebuild_without_room(projected: Projected) -> None:
    """A disk that is full during a rebuild leaves the store as it was, for a while."""
    projected.append(12)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    try:
        assert projected.projection.ingest() is Turn.LATER
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not projected.file.exists()
    assert list((projected.root / "tmp").iterdir()) == []
    projected.ingest()
    assert not projected.file.exists()
    other = Projected(projected.root)
    other.ingest()
    other.close()
    assert projected.held() == projected.expected()


@pytest.mark.slow
def test_a_full_disk_in_a_burst_loses_nothing(projected: Projected) -> None:
    """A burst that can't be written is done again when there is room."""
    projected.append(12)
    projected.ingest()
    projected.append(2000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = projected.file.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, before[1]))
    try:
        assert projected.projection.ingest() is Turn.LATER
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    projected.ingest()
    assert projected.held() == projected.expected()


@pytest.mark.parametrize("point", ["ingest.appended", "ingest.committed"])
def test_an_error_in_a_burst_is_no_commit(projected: Projected, point: str) -> None:
    """What raised in the middle of a burst is taken over by the next one, once."""
    projected.append(3)
    projected.ingest()
    projected.append(3)
    arm(f"{point}=error:EIO")
    try:
        assert projected.projection.ingest() is Turn.LATER
    finally:
        arm("")
    projected.ingest()
    assert projected.held() == projected.expected()


def test_a_rebuild_is_dropped_when_the_store_closes(projected: Projected) -> None:
    """Closing doesn't wait for the end of a long rebuild."""
    projected.append(12)
    projected.projection.stop()
    assert projected.projection.ingest() is Turn.LATER
    assert not projected.file.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "attach '/tmp/elsewhere.duckdb' as other",
        "select * from read_text('/etc/hostname')",
        "copy (select 1) to '/tmp/elsewhere.csv'",
        "set enable_external_access = true",
        "install httpfs",
        "load httpfs",
    ],
)
def test_the_instance_sees_one_folder(projected: Projected, statement: str) -> None:
    """No statement reaches a file outside the store, an extension or a setting."""
    projected.append(1)
    projected.ingest()
    instance = Instance(projected.root)
    with (
        pytest.raises((Away, Unusable)),
        instance.attached(projected.file, write=False) as at,
    ):
        at.execute(statement)
    assert not Path("/tmp/elsewhere.duckdb").exists()
    instance.close()
