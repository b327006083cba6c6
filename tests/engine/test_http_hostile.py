"""A provider that misbehaves costs its own answer, and neither memory nor the step."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from nbdurable.integrations.http import install, limits, remove
from nbdurable.integrations.http.marks import Mark, Marks
from tests.engine.notebooks import Notebook

pytestmark = pytest.mark.slow

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CLOSE = b"connection: close\r\n"
BODY = b'{"model": "m", "said": "yes"}'
EVENTS = OK.replace(b"application/json", b"text/event-stream")


class Provider:
    """Answers each request with bytes of the test's choice."""

    def __init__(self) -> None:
        self.answers: list[Callable[[], Iterator[bytes]]] = []
        self.asked = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def says(self, *pieces: bytes) -> None:
        """Answer the next request with these bytes, then close."""
        self.answers.append(lambda: iter(pieces))

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if not self._answered(connection):
                    return

    def _answered(self, connection: socket.socket) -> bool:
        with connection.makefile("rb") as asked:
            head = list(itertools.takewhile(lambda line: line != b"\r\n", asked))
            if head == [b"STOP\r\n"]:
                return False
            if not head:  # it was connected, and nothing asked
                return True
            length = next(h for h in head if h.lower().startswith(b"content-length"))
            asked.read(int(length.partition(b":")[2]))
        self.asked += 1
        answer = self.answers.pop(0)() if self.answers else iter([_whole(BODY)])
        try:
            for piece in answer:
                connection.sendall(piece)
        except OSError:
            pass  # the client has read enough
        return True

    def close(self) -> None:
        """Stop."""
        with socket.create_connection(self._socket.getsockname()) as last:
            last.sendall(b"STOP\r\n\r\n")
        self._thread.join()
        self._socket.close()


def _whole(body: bytes, head: bytes = OK) -> bytes:
    return head + b"content-length: %d\r\n" % len(body) + CLOSE + b"\r\n" + body


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that says whatever the test wants."""
    running = Provider()
    yield running
    running.close()


SETUPS = {
    "httpx2": "client = httpx2.Client(timeout=60)\n"
    "def ask(**more):\n    return client.post(URL, json={'q': 1} | more).json()\n",
    "requests": "client = requests.Session()\n"
    "def ask(**more):\n    return client.post(URL, json={'q': 1} | more).json()\n",
    "aiohttp": """
client = contextlib.ExitStack()
async def asking(more):
    async with aiohttp.ClientSession() as session:
        async with session.post(URL, json={'q': 1} | more) as response:
            return await response.json()
def ask(**more):
    return asyncio.run(asking(more))
""",
}


@pytest.fixture(params=SETUPS)
def notebook(request: pytest.FixtureRequest, provider: Provider) -> Iterator[Notebook]:
    """A notebook that asks the provider through a library."""
    install()
    made = Notebook()
    made.plain(
        "import aiohttp, asyncio, contextlib, httpx2, requests\n"
        f"URL = {provider.url!r} + '/v1/chat/completions'\n{SETUPS[request.param]}"
    )
    yield made
    made.plain("client.close()")
    remove()


BROKEN = {
    "JSON that can't be read": _whole(b'{"model": '),
    "JSON nested too deep": _whole(b"[" * 100_000),
    "no UTF-8": _whole(b'{"a": "\xff\xfe'),
    "nothing": b"",
    "no HTTP": b"what?\r\n\r\n",
    "a body shorter than its length": OK + b"content-length: 999\r\n\r\n" + BODY,
    "a chunk without its end": OK + b"transfer-encoding: chunked\r\n\r\n40\r\n{",
    "a chunk of no length": OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n{",
    "headers without end": OK + b"x: " + b"y" * 200_000,
    "a broken encoding": _whole(b"no gzip", OK + b"content-encoding: gzip\r\n"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_answer_ends_the_cell_and_is_asked_again(
    notebook: Notebook, provider: Provider, what: str
) -> None:
    """The library raises what it always raises; running the cell again asks again."""
    provider.says(BROKEN[what])
    with pytest.raises((Exception, RecursionError)) as raised:
        notebook.run("said = ask()", name="a")
    assert not raised.type.__module__.startswith("nbdurable")
    notebook.run("said = ask()", name="a")
    assert notebook.namespace["said"] == json.loads(BODY)
    assert provider.asked == 2


@pytest.mark.parametrize("what", sorted(BROKEN.keys() - {"a broken encoding"}))
def test_a_broken_answer_that_was_caught_is_served(
    notebook: Notebook, provider: Provider, what: str
) -> None:
    """What the code saw it sees again, and nothing is sent."""
    cell = """
try:
    said = ask()
except Exception as error:
    said = type(error).__name__
after = ask(then=1)
"""
    provider.says(BROKEN[what])
    notebook.run(cell, name="a")
    first, asked = notebook.namespace["said"], provider.asked
    notebook.run("edited = 1\n" + cell, name="a")
    assert isinstance(notebook.namespace["said"], type(first))
    assert notebook.namespace["after"] == json.loads(BODY)
    assert provider.asked == asked


@pytest.mark.parametrize("notebook", ["httpx2", "requests"], indirect=True)
def test_more_than_its_length_is_not_read(
    notebook: Notebook, provider: Provider
) -> None:
    """What a server says behind the end of its answer is no part of it."""
    provider.says(OK + b"content-length: %d\r\n\r\n" % len(BODY) + BODY + b"and more")
    notebook.run("said = ask()", name="a")
    notebook.run("edited = 1\nsaid = ask()", name="a")
    assert notebook.namespace["said"] == json.loads(BODY)
    assert provider.asked == 1


def test_a_long_header_is_passed_on_and_not_kept(
    notebook: Notebook, provider: Provider
) -> None:
    """Up to what the library takes it takes; the journal keeps no more than a part."""
    long = b"x-ratelimit-note: " + b"y" * (limits.HEADER_CHARS_MAX - 200) + b"\r\n"
    provider.says(_whole(BODY, OK + long))
    notebook.run("said = ask()", name="a")
    notebook.run("edited = 1\nsaid = ask()", name="a")
    assert provider.asked == 1


def _bomb(megabytes: int) -> bytes:
    packed = gzip.compress(b" " * (megabytes << 20), 9)
    return _whole(packed, OK + b"content-encoding: gzip\r\n")


def test_a_bomb_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    """It goes off in the reader, if he reads it, and not once more in the journal."""
    monkeypatch.setattr("nbdurable.integrations.http.answers.BODY_BYTES_MAX", 1 << 20)
    install()
    notebook = Notebook()
    cell = f"""
import httpx2
with httpx2.stream("POST", {provider.url!r} + "/v1/responses", json={{}}) as answer:
    size = sum(len(piece) for piece in answer.iter_raw())
"""
    provider.says(_bomb(200))
    notebook.plain("import httpx2")
    tracemalloc.start()
    line = notebook.run(cell, name="a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    remove()
    assert "not kept: POST" in line
    assert "an answer of more than 1 MB" in line
    assert peak < 40 << 20
    (call,) = notebook.session.history.calls.values()
    assert call.state == "completed"


def test_an_endless_stream_takes_no_memory(
    monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    """It is passed on as long as somebody reads; beyond the limit nothing is held."""
    monkeypatch.setattr("nbdurable.integrations.http.streams.BODY_BYTES_MAX", 1 << 20)

    def endless() -> Iterator[bytes]:
        yield EVENTS + CLOSE + b"\r\n"
        while True:
            yield b"data: " + b"x" * 65_000 + b"\n\n"

    install()
    notebook = Notebook()
    cell = f"""
import httpx2
seen = 0
with httpx2.stream("POST", {provider.url!r} + "/v1/responses", json={{}}) as answer:
    for piece in answer.iter_raw():
        seen += len(piece)
        if seen > 60_000_000:
            break
"""
    provider.answers.append(endless)
    notebook.plain("import httpx2")
    tracemalloc.start()
    notebook.run(cell, name="a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    remove()
    assert peak < 20 << 20
    (call,) = notebook.session.history.calls.values()
    assert call.state == "interrupted"


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_marks_are_read_once_however_long_the_event(end: bytes) -> None:
    """An event of megabytes in small pieces is searched in one go; none is held for ever."""
    marks, piece = Marks("text/event-stream"), b"x" * 1000
    marks.feed(b"data: ")
    for _ in range(2 * limits.EVENT_BYTES_MAX // len(piece)):
        marks.feed(piece)
    assert sum(map(len, marks._line)) <= limits.EVENT_BYTES_MAX
    assert marks.feed(end) is Mark.NONE
    for byte in b"data: [DONE]" + end + b"x":
        marks.feed(bytes([byte]))
    assert marks.seen is Mark.STRONG


MALFORMED = [
    b"data: {\n\n",
    b"data: \xff\xfe\n\n",
    b"data: " + b"[" * 100_000 + b"error\n\n",
    b"event: \n\n",
    b":\n\n\n\n\n",
    b"data\ndata\n\n",
    b"\0\0\0\n\n",
]


@pytest.mark.parametrize("event", MALFORMED)
def test_an_event_that_is_none_has_no_mark(event: bytes) -> None:
    """Whatever comes, the reader of marks goes on."""
    marks = Marks("text/event-stream")
    assert marks.feed(event) is Mark.NONE
    assert marks.feed(b"data: [DONE]\n\n") is Mark.STRONG


def test_a_malformed_event_is_passed_on_and_served(provider: Provider) -> None:
    """It is what the provider said; the reader decides what it is worth."""
    install()
    notebook = Notebook()
    said = b"".join(MALFORMED[:5]) + b"data: [DONE]\n\n"
    provider.says(EVENTS + CLOSE + b"\r\n" + said)
    cell = f"""
import httpx2
with httpx2.stream("POST", {provider.url!r} + "/v1/responses", json={{}}) as answer:
    seen = b"".join(answer.iter_raw())
"""
    for edit in range(2):
        notebook.run(f"edit = {edit}\n{cell}", name="a")
        assert notebook.namespace["seen"] == said
    remove()
    assert provider.asked == 1


def test_the_library_is_here() -> None:
    """The tests above ask through the class that is patched."""
    install()
    patched: Any = httpx2.Client.send
    remove()
    assert patched.__wrapped__
