"""What holds of every library: streams, retries, encodings, and being taken away again."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import brotli
import httpx
import httpx2
import pytest
import requests

from nbdurable.integrations.http import install, remove
from nbdurable.testing import account
from nbdurable.testing.loopback import LoopbackServer, Reply, Request
from nbdurable.testing.model_server import ModelServer, Rule
from nbdurable.testing.model_server.respond import respond
from tests.engine.notebooks import Notebook

pytestmark = pytest.mark.slow

METHODS: dict[str, tuple[type[Any], str]] = {
    "httpx": (httpx.Client, "send"),
    "httpx, async": (httpx.AsyncClient, "send"),
    "httpx2": (httpx2.Client, "send"),
    "httpx2, async": (httpx2.AsyncClient, "send"),
    "requests": (requests.adapters.HTTPAdapter, "send"),
    "aiohttp": (aiohttp.ClientSession, "_request"),
}

SETUP = """
import aiohttp, asyncio, httpx, httpx2, openai, requests
PATH = URL + "/v1/chat/completions"
ASK = dict(model="m", messages=[dict(role="user", content="why?")], stream=True)
with_httpx2, with_requests = httpx2.Client(), requests.Session()
client = openai.OpenAI(base_url=URL + "/v1", api_key="any")
def over_httpx2(most):
    with with_httpx2.stream("POST", PATH, json=ASK) as answer:
        pieces = answer.iter_raw()
        return [piece for piece, _ in zip(pieces, range(most))]
def over_requests(most):
    with with_requests.post(PATH, json=ASK, stream=True) as answer:
        pieces = answer.iter_content(None)
        return [piece for piece, _ in zip(pieces, range(most))]
async def asking(most):
    async with aiohttp.ClientSession() as session:
        async with session.post(PATH, json=ASK) as answer:
            found = []
            async for piece in answer.content.iter_any():
                found.append(piece)
                if len(found) == most:
                    break
            return found
def over_aiohttp(most):
    return asyncio.run(asking(most))
class OverRequests(httpx2.BaseTransport):
    def handle_request(self, request):
        sent = with_requests.request(request.method, str(request.url), data=request.read())
        return httpx2.Response(sent.status_code, content=sent.content)
"""
LIBRARIES = ["httpx2", "requests", "aiohttp"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """A fake model server."""
    with ModelServer(tmp_path / "requests.jsonl") as running:
        yield running


@pytest.fixture
def notebook(server: ModelServer) -> Iterator[Notebook]:
    """A notebook with clients of every library."""
    install()
    made = Notebook()
    made.plain(f"URL = {server.url!r}\n{SETUP}")
    yield made
    made.plain("with_httpx2.close(), with_requests.close(), client.close()")
    remove()


def asked(server: LoopbackServer) -> int:
    """How many requests reached the server."""
    return len(account.read(server.account.path))


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_stream_comes_back_in_its_pieces(
    notebook: Notebook, server: ModelServer, library: str
) -> None:
    """Read to its end, it is served; its text is equal."""
    cell = f"said = over_{library}(1000)"
    notebook.run(cell, name="a")
    first = notebook.namespace["said"]
    notebook.run(f"edited = 1\n{cell}", name="a")
    assert b"".join(notebook.namespace["said"]) == b"".join(first)  # type: ignore[arg-type, call-overload]  # pieces
    assert asked(server) == 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_stream_that_is_left_early_is_asked_again(
    notebook: Notebook, server: ModelServer, library: str
) -> None:
    """A part of an answer is none, whoever read it."""
    for edit in range(2):
        server.rules.add(Rule(do="cut", chunks=3))
        notebook.run(f"edit = {edit}\nsaid = over_{library}(1)", name="a")
    (call,) = notebook.session.history.calls.values()
    assert call.state == "interrupted"
    assert asked(server) == 2


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_stream_that_is_cut_is_asked_again(
    notebook: Notebook, server: ModelServer, library: str
) -> None:
    """The library raises; running the cell again asks again."""
    server.rules.add(Rule(do="cut", chunks=2))
    lost = (OSError, httpx2.TransportError, aiohttp.ClientError)
    with pytest.raises(lost):
        notebook.run(f"said = over_{library}(1000)", name="a")
    notebook.run(f"said = over_{library}(1000)", name="a")
    assert asked(server) == 2


def test_nested_seams_record_once(notebook: Notebook, server: ModelServer) -> None:
    """A client whose transport is another library makes one call."""
    cell = """
with httpx2.Client(transport=OverRequests()) as outer:
    said = outer.post(PATH, json=ASK).text
"""
    notebook.run(cell, name="a")
    assert len(notebook.session.history.calls) == 1
    notebook.run(f"edited = 1\n{cell}", name="a")
    assert asked(server) == 1


def test_replayed_failures_come_at_once(
    notebook: Notebook, server: ModelServer
) -> None:
    """429 three times, caught: the same error without the waits, in 50 ms of CPU."""
    cell = """
try:
    client.chat.completions.create(**ASK)
except openai.RateLimitError as limit:
    seen = type(limit).__name__, limit.status_code
"""
    server.rules.add(Rule(do="fail", status=429, times=3, retry_after_ms=1000))
    notebook.run(cell, name="a")
    first = notebook.namespace["seen"]
    spent_s = []
    for edited in range(3):
        began, ran = time.monotonic(), time.process_time()
        notebook.run(f"edited = {edited}\n{cell}", name="a")
        assert time.monotonic() - began < 1.5  # its two waits would be 2 s
        spent_s.append(time.process_time() - ran)
        assert notebook.namespace["seen"] == first
    assert min(spent_s) < 0.05
    assert asked(server) == 3


PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("encoding", PACKED)
def test_a_compressed_answer_is_kept_decoded(
    tmp_path: Path, library: str, encoding: str
) -> None:
    """Replay needs no decoder: what is stored is the text."""

    def packed(request: Request) -> Reply:
        plain = respond(request)
        data = PACKED[encoding](b"".join(plain.chunks))
        return Reply(chunks=(data,), headers={"content-encoding": encoding})

    install()
    notebook = Notebook()
    with LoopbackServer(tmp_path / "asked.jsonl", packed) as server:
        setup = f"URL = {server.url!r}\n{SETUP}ASK['stream'] = False\n"
        notebook.plain(setup)
        cell = {
            "httpx2": "said = with_httpx2.post(PATH, json=ASK).text",
            "requests": "said = with_requests.post(PATH, json=ASK).text",
            "aiohttp": "said = b''.join(over_aiohttp(1000)).decode()",
        }[library]
        notebook.run(cell, name="a")
        first = notebook.namespace["said"]
        notebook.run(f"edited = 1\n{cell}", name="a")
        assert asked(server) == 1
        notebook.plain("with_httpx2.close(), with_requests.close(), client.close()")
    remove()
    assert notebook.namespace["said"] == first
    assert str(first).startswith('{"id"')
    (call,) = notebook.session.history.calls.values()
    assert call.outcome is not None
    assert b"chat.completion" in notebook.session.store.get(call.outcome)


@pytest.mark.parametrize("library", METHODS)
def test_taking_away_puts_the_method_back(library: str) -> None:
    """The class has its own method again."""
    cls, name = METHODS[library]
    remove()
    before = cls.__dict__[name]
    install()
    assert cls.__dict__[name] is not before
    remove()
    assert cls.__dict__[name] is before


@pytest.mark.parametrize("library", METHODS)
def test_a_patch_of_another_library_stays(library: str) -> None:
    """Ours underneath does nothing any more, theirs is there."""
    cls, name = METHODS[library]
    install()
    ours = cls.__dict__[name]

    def theirs(*args: Any, **more: Any) -> Any:
        return ours(*args, **more)

    setattr(cls, name, theirs)
    try:
        remove()
        assert cls.__dict__[name] is theirs
    finally:
        setattr(cls, name, ours)
        remove()
    assert cls.__dict__[name] is not ours
