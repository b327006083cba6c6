"""What a step's own code does to the world is recorded with its end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.engine.past.attempts import StepPast
from tests.engine.notebooks import Notebook

PARQUET = """import pyarrow as pa, pyarrow.parquet as pq
pq.write_table(pa.table({"a": [1]}), "old.txt")
"""


@pytest.fixture
def nb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """A notebook in a folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return Notebook(root=tmp_path)


@pytest.fixture
def port() -> Iterator[int]:
    """Somebody listens here."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _effects(nb: Notebook, cell: str, *, files: bool = True) -> list[str]:
    nb.run(cell, "s", "c1", files=files)
    step: StepPast = list(nb.session.history.steps.values())[-1]
    found = step.fields["effects"]
    assert isinstance(found, (list, tuple))
    return [str(effect) for effect in found]


@pytest.mark.parametrize(
    ("cell", "effects"),
    [
        ("x = 1", []),
        ("open('a.txt', 'w').close()", ["wrote a.txt"]),
        ("from pathlib import Path\nPath('old.txt').read_text()", []),
        ("open('old.txt', 'r+').close()", ["wrote old.txt"]),
        ("from pathlib import Path\nPath('old.txt').unlink()", ["deleted old.txt"]),
        ("import shutil\nshutil.rmtree('sub')", ["deleted sub", "deleted here.txt"]),
        ("import os\nos.replace('old.txt', 'new.txt')", ["renamed old.txt"]),
        ("import subprocess\nsubprocess.run(['true', 'a b'])", ["ran true 'a b'"]),
        (
            PARQUET,
            ["wrote old.txt"],
        ),
        (
            "from matplotlib.figure import Figure\nFigure().savefig('a.svg')",
            ["wrote a.svg"],
        ),
        ("import os\nos.system('true')", ["ran true"]),
        (
            "import sqlite3\nsqlite3.connect('b.db').close()",
            ["opened the database b.db"],
        ),
        ("import sqlite3\nsqlite3.connect(':memory:').close()", []),
        ("import platform, uuid\nplatform.processor(); uuid.uuid1()", []),
        ("import tempfile\ntempfile.gettempdir()", []),
    ],
)
def test_what_a_step_does_is_recorded(nb: Notebook, cell: str, effects: list[str]):
    """Files written, deletions and processes; not what libraries do for themselves."""
    Path("old.txt").write_text("old")
    Path("sub").mkdir()
    Path("sub/here.txt").write_text("here")
    found = _effects(nb, cell)
    assert found[:1] == effects[:1]
    assert bool(found) == bool(effects)


def test_files_that_do_not_count_are_written_all_the_same(nb: Notebook):
    """`--no-files` is about what is read."""
    assert _effects(nb, "open('a.txt', 'w').close()", files=False) == ["wrote a.txt"]


def test_a_connection_is_named_by_its_host(nb: Notebook, port: int):
    """The name that was looked up says more than an address."""
    cell = f"import socket\nsocket.create_connection(('localhost', {port})).close()"
    assert _effects(nb, cell) == [f"connected to localhost:{port}"]


def test_what_a_call_does_is_the_calls(nb: Notebook):
    """A tool is served, so what it did doesn't happen again."""
    nb.plain("@tool(effect='read')\ndef save(p):\n    open(p, 'w').close()")
    assert _effects(nb, "save('a.txt')") == []
    thread = "threading.Thread(target=pathlib.Path('b.txt').touch)"
    cell = f"import pathlib, threading\nt = {thread}\nt.start(); t.join()"
    assert _effects(nb, cell) == ["wrote b.txt"]


def test_a_secret_in_a_command_is_not_recorded(nb: Notebook):
    """What looks like a key is masked, as everywhere."""
    key = "sk-ant-api03-" + "abcdefghij" * 4
    for before in (0, 90):  # also where the text is cut within the key
        command = f"true {'x' * before} {key}"
        told = _effects(nb, f"import os\nos.system('{command}')")[-1]
        assert "sk-ant" not in told
        assert len(told) <= 120


def test_so_many_are_remembered(nb: Notebook):
    """A step that writes a thousand files has enough in the first fifty."""
    cell = "for i in range(80):\n    open(f'{i}.txt', 'w').close()"
    assert len(_effects(nb, cell)) == 50
