"""A status line names what happened beside the calls, by the lines of the cell."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nbdurable.engine.files.typed import Typed
from tests.engine.notebooks import Notebook

AGAIN = "happens again if this cell runs again. Protect it: @nd.tool"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST = _answer

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    """Somebody who answers every request."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def nb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """A notebook in a folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return Notebook(root=tmp_path)


URLLIB = """from urllib.request import urlopen
with urlopen("http://{host}/hook", b"{{}}") as answer:
    said = answer.read()
"""
HTTP_CLIENT = """import http.client
kept = http.client.HTTPConnection("{host}")
for text in "ab":
    kept.request("POST", "/hook", text)
    kept.getresponse().read()
kept.close(); del kept
"""
REQUESTS = """import requests
with requests.Session() as kept:
    kept.get("http://{host}/")
    kept.post("http://{host}/hook", data="POST / HTTP/1.1")
del kept
"""


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (URLLIB, "POST {host} (line 2)"),
        (HTTP_CLIENT, "POST {host} (line 4)"),
        (REQUESTS, "GET {host} (line 3), POST {host} (line 4)"),
        ("with open('a.txt', 'w') as f: f.write('x')", "wrote a.txt (line 1)"),
        ("\nimport os\n\nos.system('true x')", "ran true x (line 4)"),
    ],
)
def test_the_line_says_what_was_not_recorded(
    nb: Notebook, host: str, cell: str, told: str
) -> None:
    """Requests by method and host, files and processes by name, each with its line."""
    line = nb.run(cell.format(host=host), "report")
    assert f"not recorded: {told.format(host=host)}: {AGAIN}" in line


def test_the_line_is_the_one_in_which_the_cell_does_it(nb: Notebook) -> None:
    """A function of another cell did it: the line is where this cell calls it."""
    nb.plain("def save(name):\n\n    open(name, 'w').close()")
    line = nb.run("x = 1\nsave('a.txt')\nsave('a.txt')", "report")
    assert f"not recorded: wrote a.txt (line 2): {AGAIN}" in line


def test_a_thread_of_the_cell_has_a_line(nb: Notebook) -> None:
    """What the cell's own function does in a thread stands in the cell."""
    cell = """import threading
def save():
    open('a.txt', 'w').close()
t = threading.Thread(target=save)
t.start(); t.join()
"""
    assert "wrote a.txt (line 3)" in nb.run(cell, "report")


def test_a_step_that_replays_names_nothing(nb: Notebook) -> None:
    """Nothing happened again."""
    cell = "x = 1\nopen('a.txt', 'w').close()"
    nb.run(cell, "report")
    assert "not recorded" not in nb.run(cell, "report")


def test_a_step_that_stops_names_it_too(nb: Notebook) -> None:
    """What happened before the error will happen again."""
    with pytest.raises(ZeroDivisionError):
        nb.run("open('a.txt', 'w').close()\n1 / 0", "report")
    assert f"not recorded: wrote a.txt (line 1): {AGAIN}" in nb.told[-1]


def test_the_inside_of_a_tool_is_its_own_business(nb: Notebook, host: str) -> None:
    """A tool is journaled, so what it did doesn't happen again."""
    nb.plain("@tool(effect='write')\ndef post(host):\n    import http.client\n"
             "    c = http.client.HTTPConnection(host)\n    c.request('POST', '/')\n"
             "    c.getresponse().read()\n    c.close()")  # fmt: skip
    assert "not recorded" not in nb.run(f"post({host!r})", "report")


def test_secrets_are_masked(nb: Notebook) -> None:
    """A key in a command is in no line."""
    key = "sk-ant-api03-" + "abcdefghij" * 4
    line = nb.run(f"import os\nos.system('true {key}')", "report")
    assert "sk-ant" not in line
    assert "ran true ‹secret:provider-key› (line 2)" in line


@pytest.mark.parametrize(
    ("text", "line", "typed"),
    [
        ("!git push", 1, "!git push"),
        ("x = 1\nfiles = !ls *.csv", 2, "!ls *.csv"),
        ("    %pip install x", 1, "%pip install x"),
        ("%%durable a\nx = 5 % 3", 2, ""),
        ("x = a != b", 1, ""),
        ("x == !y", 2, ""),
        ("%%bash\nls", 1, ""),
        ("", 0, ""),
    ],
)
def test_shell_lines_are_found_as_they_were_typed(
    text: str, line: int, typed: str
) -> None:
    """The magic of the cell and operators are none."""
    assert Typed("<cell 1>", text).shell(line) == typed


def test_blank_lines_above_the_mark_count() -> None:
    """IPython leaves them out of the code; the user counts them."""
    here = sys._getframe()
    typed = Typed(here.f_code.co_filename, "\n\n%%durable x\n", "# %%durable x\n")
    assert typed.line(here) == here.f_lineno + 2
