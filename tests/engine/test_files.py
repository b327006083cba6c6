"""The files that a step reads are its inputs, and those it writes are missed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nbdurable.engine.files import stamps, watched
from nbdurable.engine.files.counted import Counted
from nbdurable.engine.files.named import paths
from nbdurable.engine.files.stamps import Contents, state
from nbdurable.engine.past.present import Present
from nbdurable.engine.telling.explain import why
from nbdurable.engine.telling.lines import now
from nbdurable.engine.telling.reasons import ran_because
from nbdurable_store.clock import SYSTEM_CLOCK
from tests.engine.notebooks import Notebook

SETUP = """
import glob, json, os, shutil, sqlite3, threading
from pathlib import Path
import numpy as np, pandas as pd, pyarrow.parquet as pq
def read(name):
    with open(name) as file: return file.read()
def write(name, text):
    with open(name, "w") as file: file.write(text)
"""


@pytest.fixture
def nb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """A notebook in a folder of its own, with some files."""
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("a,b\n1,2\n")
    Path("parts").mkdir()
    Path("parts/one.csv").write_text("a\n1\n")
    pd.DataFrame({"a": [1]}).to_parquet("table.parquet")
    with sqlite3.connect("base.db") as base:
        base.execute("create table t (a)")
    base.close()
    notebook = Notebook(root=tmp_path)
    notebook.plain(SETUP)
    return notebook


def again(nb: Notebook, cell: str, *, files: bool = True, setup: str = "") -> str:
    """What a cell tells in another kernel."""
    nb.restart()
    nb.plain(SETUP + setup)
    return nb.run(cell, "load", files=files)


def new_csv() -> None:
    """Another data.csv."""
    Path("data.csv").write_text("a,b\n1,3\n")


def new_part() -> None:
    """One more file in the folder."""
    Path("parts/two.csv").write_text("a\n2\n")


def new_table() -> None:
    """Another table.parquet."""
    pd.DataFrame({"a": [2]}).to_parquet("table.parquet")


def new_base() -> None:
    """One more row in base.db."""
    with sqlite3.connect("base.db") as base:
        base.execute("insert into t values (1)")
    base.close()


READERS: dict[str, tuple[str, Callable[[], None], str]] = {
    "open": ("read('data.csv')", new_csv, "data.csv changed"),
    "computed name": ("read('data' + '.csv')", new_csv, "data.csv changed"),
    "pathlib": ("(Path('.') / 'data.csv').read_bytes()", new_csv, "data.csv changed"),
    "os.open": ("f = os.open('data.csv', os.O_RDONLY); os.read(f, 9); os.close(f)", new_csv, "data.csv changed"),
    "pandas": ("df = pd.read_csv('da' + 'ta.csv')", new_csv, "data.csv changed"),
    "numpy": ("np.genfromtxt('da' + 'ta.csv')", new_csv, "data.csv changed"),
    "sqlite": ("c = sqlite3.connect('base.db'); c.execute('select * from t').fetchall(); c.close(); del c", new_base, "base.db changed"),
    "thread": ("t = threading.Thread(target=read, args=['data' + '.csv']); t.start(); t.join(); del t", new_csv, "data.csv changed"),
    "glob": ("[read(p) for p in sorted(glob.glob('parts/*.csv'))]", new_part, "parts/*.csv changed"),
    "glob of what isn't read": ("len(glob.glob('par' + 'ts/*.csv'))", new_part, "parts/*.csv changed"),
    "glob of a path": ("len(list(Path('par' + 'ts').glob('*.csv')))", new_part, "parts/*.csv changed"),
    "rglob": ("len(list(Path('.').rglob('t*.csv')))", new_part, "**/t*.csv changed"),
    "walk": ("[names for _, _, names in os.walk('par' + 'ts')]", new_part, "parts/ changed"),
    "listdir": ("sorted(os.listdir('par' + 'ts'))", new_part, "parts/ changed"),
    "iterdir": ("sorted(p.name for p in Path('parts').iterdir())", new_part, "parts/ changed"),
    "parquet": ("df = pd.read_parquet('table.parquet')", new_table, "table.parquet changed"),
    "pyarrow": ("n = pq.ParquetFile('table.parquet').metadata.num_rows", new_table, "table.parquet changed"),
    "copy": ("shutil.copy('data.csv', 'copy.csv')", new_csv, "data.csv changed"),
    "gone": ("read('data.csv')", lambda: Path("data.csv").unlink(), "data.csv is gone"),
}  # fmt: skip


@pytest.mark.wide
@pytest.mark.parametrize("reader", READERS)
def test_a_changed_file_runs_the_step_again(nb: Notebook, reader: str) -> None:
    """While its file is as it was a step replays; a changed one is named."""
    cell, change, told = READERS[reader]
    nb.run(cell, "load")
    assert "replayed" in again(nb, cell)
    change()
    if reader == "gone":
        with pytest.raises(FileNotFoundError):
            again(nb, cell)
        assert nb.session.history.named("load").fields["changed_files"]
        return
    assert f"ran again because {told}" in again(nb, cell)
    assert "replayed" in again(nb, cell)


NAMED: dict[str, tuple[str, str]] = {
    "input": ("pq.ParquetFile(source).metadata.num_rows", "source = 'table.parquet'"),
    "path": ("pq.ParquetFile(source).metadata.num_rows", "source = Path('table.parquet')"),
    "list": ("[pq.ParquetFile(s).metadata.num_rows for s in sources]", "sources = ['table.parquet']"),
    "dict": ("pq.ParquetFile(sources['a']).metadata.num_rows", "sources = {'a': Path('table.parquet')}"),
    "folder": ("pq.ParquetFile(folder / 'table.parquet').metadata.num_rows", "folder = Path('.').absolute()"),
    "f-string": ("pq.ParquetFile(f'{folder}/table.parquet').metadata.num_rows", "folder = os.getcwd()"),
    "function": ("load()", "def load(): return pq.ParquetFile('table.parquet').metadata.num_rows"),
    "function's global": ("load()", "source = 'table.parquet'\ndef load(): return pq.ParquetFile(source).metadata.num_rows"),
    "default": ("load()", "def load(source='table.parquet'): return pq.ParquetFile(source).metadata.num_rows"),
    "sql": ("query(\"select * from 'table.parquet'\")", "def query(sql): return pq.ParquetFile(sql[15:-1]).metadata.num_rows"),
    "pattern": ("count('*.parquet')", "import pyarrow.dataset as ds\ndef count(p): return pq.ParquetFile(p.replace('*', 'table')).metadata.num_rows"),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
def test_files_that_python_does_not_open_count_by_name(nb: Notebook, case: str) -> None:
    """A reader that bypasses the hook is known by the names that the cell has."""
    cell, setup = NAMED[case]
    nb.plain(setup)
    nb.run(cell, "load")
    assert "replayed" in again(nb, cell, setup=setup)
    new_table()
    assert "table.parquet changed" in again(nb, cell, setup=setup)


def test_a_file_changed_back_replays(nb: Notebook) -> None:
    """The outcome for each content is kept; a touched file is the same file."""
    old = Path("data.csv").read_text()
    nb.run("read('data.csv')", "load")
    new_csv()
    assert "ran again" in again(nb, "read('data.csv')")
    Path("data.csv").write_text(old)
    assert "replayed" in again(nb, "read('data.csv')")
    os.utime("data.csv", (0, 0))
    assert "replayed" in again(nb, "read('data.csv')")


def test_no_files_replays_on_changed_files(nb: Notebook) -> None:
    """`--no-files` looks at no file, neither when the step runs nor when it replays."""
    nb.run("read('data.csv')", "load")
    new_csv()
    assert "replayed" in again(nb, "read('data.csv')", files=False)
    nb.run("read('data.csv')[:1]", "load", files=False)
    assert "files" not in nb.session.history.named("load").fields


UNWATCHED = {
    "written first": "write('out.txt', 'x'); read('out.txt')",
    "temporary": "write('t.txt', 'x'); read('t.txt'); os.remove('t.txt')",
    "hidden": "write('.state', 'x')\nread('.config')",
    "environment": "read(os.__file__)",
    "system": "read('/etc/hostname') if os.path.exists('/etc/hostname') else 0",
    "appended": "with open('data.csv', 'a') as f: f.write('')",
    "put in place": "write('out.tmp', 'x'); os.replace('out.tmp', 'out.txt'); read('out.txt')",
}


@pytest.mark.parametrize("case", UNWATCHED)
def test_files_that_are_no_input(nb: Notebook, case: str) -> None:
    """What the step made itself, and what belongs to the machine, doesn't count."""
    Path(".config").write_text("x")
    nb.run(UNWATCHED[case], "load")
    assert "files" not in nb.session.history.named("load").fields


def test_a_step_that_changes_its_own_file_replays(nb: Notebook) -> None:
    """A file that a step read and rewrote counts as unchanged before and after."""
    cell = "n = int(read('n.txt')) + 1\nwrite('n.txt', str(n))"
    Path("n.txt").write_text("1")
    nb.run(cell, "load")
    assert "replayed" in again(nb, cell)
    Path("n.txt").write_text("1")
    assert "replayed" in again(nb, cell)
    assert Path("n.txt").read_text() == "1"
    Path("n.txt").write_text("5")
    assert "n.txt changed" in again(nb, cell)
    assert nb.namespace["n"] == 6


def test_a_file_changed_meanwhile_has_no_digest(nb: Notebook) -> None:
    """If somebody else changed a file after it was read, the step runs once more."""
    cell = "text = read('data.csv')\nos.system('echo more >> data.csv')"
    nb.run(cell, "load")
    assert nb.session.history.named("load").fields["files"]["data.csv"] == ""
    assert "data.csv changed" in again(nb, cell)


def test_written_files_are_missed(nb: Notebook) -> None:
    """A replayed step says which of the files it wrote is gone or has changed."""
    cell = "write('out.txt', 'x'); df = pd.DataFrame({'a': [1]}); df.to_parquet('out.parquet')"
    nb.run(cell, "load")
    assert "wrote" not in again(nb, cell)
    Path("out.txt").write_text("y")
    assert "out.txt, which it wrote, has changed" in again(nb, cell)
    Path("out.parquet").unlink()
    assert "out.parquet, which it wrote, is gone" in again(nb, cell)
    Path("out.txt").unlink()
    assert "nothing ran" in again(nb, cell)


def test_why_names_the_file(nb: Notebook) -> None:
    """`why` says which file made the step run again, later too."""
    nb.run("read('data.csv')", "load")
    new_csv()
    again(nb, "read('data.csv')")
    new_csv()
    told = why(nb.session.history, "load", Present(now(SYSTEM_CLOCK.now_us())))
    assert "because data.csv changed" in str(told)


TOOLS = """
@tool(effect="read")
def look(name): return world(f"look {read(name)[-2]}")
@tool(effect="read")
def outer(name): return look(name)
@tool
def send(name): return world(f"send {read(name)[-2]}")
@tool(effect="read", stable=True)
def fixed(name): return world(f"fixed {read(name)[-2]}")
@tool(effect="read")
def count(): return world(f"count {len(glob.glob('parts/*'))}")
"""

IN_CALLS = {
    "read": ("look('data.csv')", 2),
    "inside another": ("outer('data.csv')", 2),
    "a folder": ("count()", 2),
    "write": ("send('data.csv')", 1),
    "stable": ("fixed('data.csv')", 1),
}


@pytest.mark.wide
@pytest.mark.parametrize("case", IN_CALLS)
def test_files_that_calls_read(nb: Notebook, case: str) -> None:
    """A read is executed again if a file that it read has changed; a write never is."""
    cell, times = IN_CALLS[case]
    nb.plain(TOOLS)
    nb.run(cell, "load")
    edited = f"x = {cell}"
    assert "replayed" in again(nb, edited, setup=TOOLS)
    assert "replayed" in again(nb, edited, setup=TOOLS)
    new_csv()
    new_part()
    assert "changed" in again(nb, edited, setup=TOOLS)
    assert len(nb.world.effects) == times
    assert "replayed from" in again(nb, edited, setup=TOOLS)
    if times == 2:
        call = list(nb.session.history.calls.values())[-1]
        told = ran_because(nb.session.history, call, Present(now(0)))
        assert ("changed" in told) == (case != "a folder")


def test_the_folder_may_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files below the notebook's folder are known by their name within it."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    (old / "data.csv").write_text("a")
    monkeypatch.chdir(old)
    nb = Notebook(root=old)
    nb.plain(SETUP)
    nb.run("read('data.csv')", "load")
    shutil.move(old, new)
    monkeypatch.chdir(new)
    nb.root = new
    assert "replayed" in again(nb, "read('data.csv')")


def test_big_files_count_by_size_and_time(
    nb: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the limit no content is hashed, and the step's line says so."""
    monkeypatch.setattr(stamps, "CONTENT_BYTES_MAX", 4)
    assert "counts by size and time: data.csv" in nb.run("read('data.csv')", "load")
    assert "replayed" in again(nb, "read('data.csv')")
    os.utime("data.csv", (0, 0))
    assert "data.csv changed" in again(nb, "read('data.csv')")


def test_states_of_big_files_spare_their_digest(
    nb: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another kernel takes an unchanged state for the content it was recorded with."""
    monkeypatch.setattr(watched, "KEPT_STATE_BYTES", 1)
    monkeypatch.setattr(stamps, "GRAIN_NS", -(10**12))
    nb.run("read('data.csv')", "load")
    monkeypatch.setattr(stamps.keys, "file_digest", lambda _: b"another")
    assert "replayed" in again(nb, "read('data.csv')")


def test_files_beyond_the_limit_are_told(
    nb: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step remembers so many files, and says how many it doesn't."""
    monkeypatch.setattr(watched, "FILES_MAX", 1)
    told = nb.run(
        "for n in 'abc': Path(n).touch(); read(n) or read('data.csv')", "load"
    )
    assert "more files that it read are not watched" in told


def test_a_digest_is_made_once_per_state(tmp_path: Path) -> None:
    """A settled file is hashed once; one written a moment ago each time."""
    path = tmp_path / "file"
    path.write_text("x")
    os.utime(path, (0, 0))
    contents = Contents(SYSTEM_CLOCK)
    found = state(str(path))
    assert found is not None
    first = contents.of(str(path), found)
    assert not contents.settled(found)
    contents.learn(found, "learnt")
    assert contents.of(str(path), found) == "learnt" != first


def test_only_people_s_files_count(tmp_path: Path) -> None:
    """The store, hidden files, the system and the environment don't count."""
    counted = Counted(str(tmp_path), str(tmp_path / "store"))
    yes = [tmp_path / "a.csv", tmp_path / "deep/b", tmp_path.parent / "c"]
    no = [tmp_path / "store/x", tmp_path / ".git/config", Path("/proc/cpuinfo"),
          Path.home() / ".cache/model.bin", Path(os.__file__), Path(pd.__file__)]  # fmt: skip
    assert [counted(str(p)) for p in yes] == [True] * len(yes)
    assert [counted(str(p)) for p in no] == [False] * len(no)


def test_a_folder_that_is_gone_stops_no_cell(nb: Notebook, tmp_path: Path) -> None:
    """Where no relative path means anything the cell runs all the same."""
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    told = nb.run("x = 'data.csv', '*.csv', '[', '/a*b.c'", "load")
    os.chdir(tmp_path)
    assert "ran" in told


def test_a_user_without_a_home_is_none_the_worse(
    nb: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody says which folder is a home in some containers."""

    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    nb.run("read('data.csv')", "load")
    assert "files" in nb.session.history.named("load").fields


def test_names_are_bounded(tmp_path: Path) -> None:
    """However many texts a cell has, so many paths are looked at."""
    found = list(paths(map(str, range(10_000)), [[str(tmp_path)] * 5_000]))
    assert len(found) <= 2_000
    assert str(tmp_path) in found


def test_the_hook_notes_nothing_between_steps(nb: Notebook) -> None:
    """A plain cell's files are not those of the step before it."""
    nb.run("1", "load")
    nb.plain("read('data.csv')")
    assert "files" not in nb.session.history.named("load").fields
