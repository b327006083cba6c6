"""Real processes that append, fork, are interrupted and are killed."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable_store.errors import StoreFull, StoreUnwritable
from nbdurable_store.killpoints import arm
from nbdurable_store.records import Record
from tests.store.harness import LocalHarness

HERE = Path(__file__).parents[2]
WRITE_POINTS = [
    "store.created",
    "format.written",
    "segment.created",
    "segment.header",
    "record.written",
    "record.written#5",
    "record.synced",
    "record.synced#7",
    "blob.temp",
    "blob.synced#2",
    "blob.renamed",
    "blob.durable#2",
]
"""Where a process that appends may die."""


def _start(job: str, root: Path, count: int = 0, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.worker", job, str(root), str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
        env={**os.environ, **env, "PYTHONPATH": f"{HERE}/store:{HERE}/kernel_ext"},
    )


def _record(subject: str = "c", size: int = 10) -> Record:
    return Record(
        kind="x", run="run", subject=subject, at_us=1, fields={"x": "x" * size}
    )


def _must_hold(root: Path, acknowledged: list[str]) -> None:
    """All that was acknowledged is there, once and in order, and the store is whole."""
    store = nbdurable_store.open(root)
    entries = store.read("run")[0]
    subjects = [entry.record.subject for entry in entries]
    assert subjects[: len(acknowledged)] == acknowledged
    assert len(subjects) <= len(acknowledged) + 1
    for entry in entries:
        number = entry.record.subject
        values = [store.get(ref) for ref in entry.record.blobs]
        assert values[0] == f"value {number}".encode()
        assert all(value.endswith(number.encode()) for value in values)
    assert store.check().findings == ()
    store.append([_record("after")], sync=True)
    assert store.read("run")[0][-1].record.subject == "after"
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize("point", WRITE_POINTS)
def test_dying_at_a_moment_loses_nothing(tmp_path: Path, point: str) -> None:
    """A process that dies at this very moment loses nothing that it acknowledged."""
    worker = _start("append", tmp_path / "s", 30, NBDURABLE_KILLPOINTS=f"{point}=kill")
    lines, _ = worker.communicate()
    assert worker.returncode == -signal.SIGKILL, "the moment was not reached"
    _must_hold(tmp_path / "s", lines.split())


@pytest.mark.slow
def test_dying_anywhere_loses_nothing(tmp_path: Path) -> None:
    """Killed after a random number of acknowledgements, five times on one store."""
    chance = random.Random(11)
    acknowledged: list[str] = []
    for life in range(5):
        worker = _start("append", tmp_path / f"s{life}", 100_000)
        assert worker.stdout is not None
        acknowledged = [
            next(worker.stdout).strip() for _ in range(chance.randrange(1, 120))
        ]
        worker.kill()
        acknowledged += worker.communicate()[0].split()
        _must_hold(tmp_path / f"s{life}", acknowledged)


@pytest.mark.slow
def test_processes_share_a_store(tmp_path: Path) -> None:
    """Four processes append at once: everything of each is there, in its order."""
    root = tmp_path / "s"
    workers = [_start("append", root, 60) for _ in range(4)]
    for worker in workers:
        worker.communicate()
        assert worker.returncode == 0
    store = nbdurable_store.open(root)
    entries = store.read("run")[0]
    assert len(entries) == 240
    for worker in workers:
        mine = [
            e.record.subject for e in entries if e.record.fields["pid"] == worker.pid
        ]
        assert mine == [str(n) for n in range(60)]
    assert not any(owner.alive for owner in store.owners())
    assert {owner.pid for owner in store.owners()} == {w.pid for w in workers}
    assert store.check().findings == ()
    store.close()


def test_a_fork_does_not_keep_its_parent_alive(tmp_path: Path) -> None:
    """A killed process is dead, and its run free, though a child of its lives on."""
    worker = _start("hold", tmp_path / "s")
    assert worker.stdout is not None
    child = int(next(worker.stdout))
    store = nbdurable_store.open(tmp_path / "s")
    try:
        (owner,) = store.owners()
        assert owner.alive
        worker.kill()
        worker.wait()
        os.kill(child, 0)
        (owner,) = store.owners()
        assert not owner.alive
        store.claim("run").release()
    finally:
        os.kill(child, signal.SIGKILL)
        worker.stdout.close()
        store.close()


def test_a_fork_refuses_and_harms_nothing(harness: LocalHarness) -> None:
    """In a forked child the store refuses; the parent goes on as if nothing was."""
    store = harness.open()
    store.append([_record("before")], sync=True)
    store.claim("run")
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(StoreUnwritable):
            store.append([_record("child")], sync=True)
            code = 2
        try:
            store.append([_record("child")], sync=True)
        except StoreUnwritable as refused:
            code = 0 if "fork" in refused.why else 3
        store.close()
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.append([_record("after")], sync=True)
    assert [e.record.subject for e in store.read("run")[0]] == ["before", "after"]
    (owner,) = harness.open().owners()
    assert owner.alive


@pytest.mark.slow
def test_interrupts_cut_no_append_in_two(tmp_path: Path) -> None:
    """Interrupted at every moment, an append happened wholly or not at all."""
    worker = _start("interrupted", tmp_path / "s", 4000)
    lines = worker.communicate()[0].splitlines()
    assert worker.returncode == 0
    acknowledged, cut = lines[0].split(), int(lines[1])
    assert cut, "nothing was interrupted"
    store = nbdurable_store.open(tmp_path / "s")
    entries = store.read("run")[0]
    subjects = [entry.record.subject for entry in entries]
    assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
    assert len(set(subjects)) == len(subjects)
    assert set(acknowledged) <= set(subjects)
    assert store.check().findings == ()
    store.close()


@contextlib.contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """No file of this process may grow beyond a size meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_survived(harness: LocalHarness) -> None:
    """Without room an append raises, leaves nothing, and the same store goes on later."""
    store = harness.open()
    kept: list[str] = []

    def fill() -> None:
        for number in range(100):
            store.append([_record(str(number), 50_000)], sync=True)
            kept.append(str(number))

    with _files_up_to(1_500_000), pytest.raises(StoreFull):
        fill()
    assert 20 < len(kept) < 40
    assert [e.record.subject for e in harness.open().read("run")[0]] == kept
    store.append([_record("after", 50_000)], sync=True)
    assert [e.record.subject for e in harness.open().read("run")[0]] == [*kept, "after"]
    assert store.check().findings == ()


def test_a_full_disk_keeps_no_half_value(harness: LocalHarness) -> None:
    """A large value without room raises, and leaves no file behind."""
    store = harness.open()
    value = os.urandom(300_000)
    with _files_up_to(100_000), pytest.raises(StoreFull):
        store.put("raw", value)
    assert [p for p in harness.root.rglob("*") if p.stat().st_size >= 100_000] == []
    assert store.get(store.put("raw", value)) == value


def test_a_full_disk_makes_no_store(tmp_path: Path) -> None:
    """Without room for its first files no store is made; with room it is."""
    with _files_up_to(1), pytest.raises(StoreFull):
        nbdurable_store.open(tmp_path / "s")
    nbdurable_store.open(tmp_path / "s").close()


@pytest.mark.parametrize("code", ["ENOSPC", "EDQUOT"])
def test_a_write_that_fails_is_undone(harness: LocalHarness, code: str) -> None:
    """A write that fails after its bytes went out is cut off again."""
    store = harness.open()
    store.append([_record("a")], sync=True)
    arm(f"record.written=error:{code}")
    try:
        with pytest.raises(StoreFull):
            store.append([_record("b"), _record("c")], sync=True)
    finally:
        arm("")
    store.append([_record("d")], sync=True)
    assert [e.record.subject for e in harness.open().read("run")[0]] == ["a", "d"]
    assert store.check().findings == ()


def test_a_sync_that_fails_ends_the_segment(harness: LocalHarness) -> None:
    """After a failed sync nothing more is acknowledged, and the error says so."""
    store = harness.open()
    store.append([_record("a")], sync=True)
    arm("record.synced=error:EIO")
    try:
        with pytest.raises(StoreUnwritable) as told:
            store.append([_record("b")], sync=True)
    finally:
        arm("")
    assert told.value.unknown
    assert "may or may not" in str(told.value)
    for sync in (False, True):
        with pytest.raises(StoreUnwritable):
            store.append([_record("c")], sync=sync)
    assert [e.record.subject for e in harness.open().read("run")[0]] == ["a", "b"]


def test_a_sync_that_fails_is_told_to_all_who_wait(harness: LocalHarness) -> None:
    """The next sync may succeed without what was lost: nobody is told that it is kept."""
    store = harness.open()
    store.append([_record("a")], sync=True)
    together, told = threading.Barrier(8), list[bool]()

    def append(subject: str) -> None:
        together.wait(30)
        try:
            store.append([_record(subject)], sync=True)
        except StoreUnwritable as error:
            told.append(error.unknown)

    arm("record.synced=error:EIO")
    try:
        threads = [threading.Thread(target=append, args=(f"b{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        arm("")
    assert told == [True] * 8


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    """Where something else stands in the place of a folder, an append says so."""
    root = tmp_path / "s"
    store = nbdurable_store.open(root)
    (root / "journal").write_text("not a folder")
    with pytest.raises(StoreUnwritable):
        store.append([_record()], sync=True)
    store.close()


NOBODY = 65534


def _use_read_only(folder: Path) -> None:
    """What a user without rights meets; runs as a user without rights."""
    folder = folder / "home"
    folder.mkdir()
    os.environ["JUPYTER_DATA_DIR"] = str(folder / "data")
    root = folder / "s"
    store = nbdurable_store.open(root)
    ref = store.put("raw", b"v" * 100_000)
    made = Record(kind="x", run="run", subject="kept", at_us=1, blobs=(ref,))
    store.append([made], sync=True)
    store.close()
    for path in (*root.iterdir(), root, folder):
        path.chmod(0o500 if path.is_dir() else 0o400)
    store = nbdurable_store.open(root)
    (entry,) = store.read("run")[0]
    assert store.get(entry.record.blobs[0]) == b"v" * 100_000
    for act in (
        lambda: store.append([_record()], sync=True),
        lambda: store.put("raw", b"w" * 100_000),
        lambda: store.claim("run"),
        lambda: nbdurable_store.open(folder / "another"),
    ):
        with pytest.raises(StoreUnwritable, match="permission denied"):
            act()
    assert len(store.read("run")[0]) == 1
    store.close()


def test_a_read_only_folder_can_be_read(tmp_path: Path) -> None:
    """A read-only store is read; appending, new values and claims say why they can't."""
    folder = Path(tempfile.mkdtemp(prefix="nbdurable-test-"))
    folder.chmod(0o777)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            _use_read_only(folder)
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    subprocess.run(["chmod", "-R", "u+rwx", str(folder)], check=True)
    shutil.rmtree(folder)
