"""Requests to hosts that the user named: GET reads, others write, others pass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import httpx
import httpx2
import pytest

from nbdurable.engine.past.policy import Effect
from nbdurable.errors import DurablePause, OptionUnknown
from nbdurable.integrations.http import install, remove
from nbdurable.integrations.http.captured import capture, capture_http
from nbdurable.integrations.http.hosts import Hosts, HostUnusable
from nbdurable.integrations.http.journaled import policy_of
from nbdurable.testing import account
from nbdurable.testing.loopback import LoopbackServer, Reply, Request
from nbdurable.testing.rules import Rule
from tests.engine.notebooks import Notebook

LOST = (OSError, httpx.TransportError, httpx2.TransportError, aiohttp.ClientError)
"""What the libraries raise when a connection is lost; that of requests is an OSError."""

LIBRARIES = {
    "httpx": "import httpx\nclient = httpx.Client()\n"
    "def ask(method, body=None):\n"
    "    return client.request(method, URL, json=body).json()\n",
    "httpx2": "import httpx2\nclient = httpx2.Client()\n"
    "def ask(method, body=None):\n"
    "    return client.request(method, URL, json=body).json()\n",
    "requests": "import requests\nclient = requests.Session()\n"
    "def ask(method, body=None):\n"
    "    return client.request(method, URL, json=body).json()\n",
    "aiohttp": """import aiohttp, asyncio, contextlib
client = contextlib.ExitStack()
async def asking(method, body):
    async with aiohttp.ClientSession() as session:
        async with session.request(method, URL, json=body) as response:
            return await response.json()
async def asking_all(*questions):
    return [await asking(*question) for question in questions]
def ask(method, body=None):
    return asyncio.run(asking(method, body))
def ask_all(*questions):
    return asyncio.run(asking_all(*questions))
""",
}


ASK_ALL = """
if "ask_all" not in globals():
    def ask_all(*questions):
        return [ask(*question) for question in questions]
"""


def answered(request: Request) -> Reply:
    """Number and body of a request."""
    said = json.dumps({"n": request.n, "method": request.method, "to": request.path})
    return Reply(
        chunks=(said.encode(),), headers={"x-answer": "kept", "set-cookie": "a=1"}
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LoopbackServer]:
    """A service that counts what it is asked."""
    with LoopbackServer(tmp_path / "asked.jsonl", answered) as running:
        yield running


@pytest.fixture(autouse=True)
def seam() -> Iterator[None]:
    """Requests are journaled during the test."""
    install()
    yield
    remove()


@pytest.fixture(params=LIBRARIES)
def notebook(
    request: pytest.FixtureRequest, server: LoopbackServer
) -> Iterator[Notebook]:
    """A notebook that asks the service through a library."""
    made = Notebook()
    made.plain(f"URL = {server.url!r} + '/orders'\n{LIBRARIES[request.param]}{ASK_ALL}")
    yield made
    made.plain("client.close()")


def asked(server: LoopbackServer) -> int:
    """How many requests reached the server."""
    return len(account.read(server.account.path))


def host(server: LoopbackServer) -> str:
    """The server's host and port."""
    return server.url.removeprefix("http://")


@pytest.mark.wide
def test_only_a_captured_host_is_journaled(
    notebook: Notebook, server: LoopbackServer
) -> None:
    """Before and after, requests pass and are named."""
    line = notebook.run("said = ask('POST', {'a': 1})", name="a")
    assert f"not recorded: POST {host(server)} (line 1)" in line
    capture_http(host(server))
    line = notebook.run("edit = 1\nsaid = ask('POST', {'a': 1})", name="a")
    assert "not recorded" not in line
    notebook.run("edit = 2\nsaid = ask('POST', {'a': 1})", name="a")
    assert asked(server) == 2
    assert notebook.namespace["said"] == {"n": 2, "method": "POST", "to": "/orders"}
    capture_http(host(server), off=True)
    notebook.run("edit = 3\nsaid = ask('POST', {'a': 1})", name="a")
    assert asked(server) == 3


@pytest.mark.wide
def test_looking_reads_and_the_rest_writes(
    notebook: Notebook, server: LoopbackServer
) -> None:
    """A GET after a new POST is asked again; the POST is served."""
    capture_http(host(server))
    cell = "said = ask_all(('GET', None), ('POST', {'a': 1}), ('GET', None))"
    notebook.run(cell, name="a")
    effects = [c.effect for c in notebook.session.history.calls.values()]
    assert effects == [Effect.READ, Effect.WRITE, Effect.READ]
    notebook.run(cell.replace("'a'", "'b'"), name="a")
    assert [a.n for a in account.read(server.account.path)] == [1, 2, 3, 4, 5]


@pytest.mark.wide
def test_a_write_in_doubt_asks(notebook: Notebook, server: LoopbackServer) -> None:
    """The connection broke: it may have happened, and is not sent again unasked."""
    capture_http(host(server))
    server.rules.add(Rule(do="cut", chunks=0))
    with pytest.raises(LOST):
        notebook.run("said = ask('POST', {'a': 1})", name="a")
    with pytest.raises(DurablePause):
        notebook.run("said = ask('POST', {'a': 1})", name="a")
    assert asked(server) == 1


@pytest.mark.wide
def test_a_write_that_was_declined_runs_again(
    notebook: Notebook, server: LoopbackServer
) -> None:
    """The server said that it did nothing."""
    notebook.plain("def ok(said):\n    assert 'error' not in said\n    return said")
    capture_http(host(server))
    server.rules.add(Rule(do="fail", status=422))
    with pytest.raises(AssertionError):
        notebook.run("said = ok(ask('POST', {'a': 1}))", name="a")
    notebook.run("edit = 1\nsaid = ok(ask('POST', {'b': 1}))", name="a")
    assert asked(server) == 2


ASKED_OTHERWISE = {
    "a header": ("'POST', URL, headers={'Stripe-Account': '%s'}", "ann", "bob"),
    "an operation": ("'POST', URL, headers={'X-Amz-Target': '%s'}", "Get", "Delete"),
    "a part of a file": ("'GET', URL, headers={'Range': 'bytes=%s'}", "0-9", "10-19"),
    "a key in the query": ("'POST', URL + '?key=%s'", "report-of-2025", "report-26"),
    "a token in the query": ("'POST', URL + '?token=%s'", "order-number-1", "order-2"),
    "an id in the body": ("'POST', URL, json={'call_id': '%s'}", "CA-1", "CA-2"),
}


@pytest.mark.wide
@pytest.mark.parametrize("what", ASKED_OTHERWISE)
@pytest.mark.parametrize("library", ["httpx", "requests"])
def test_what_is_asked_otherwise_is_another_call(
    server: LoopbackServer, library: str, what: str
) -> None:
    """To whom, or which part, stands in headers, in the query and in ids, too."""
    capture_http(host(server))
    nb = Notebook()
    nb.plain(f"import {library}\nURL = {server.url!r} + '/orders'")
    request, *values = ASKED_OTHERWISE[what]
    for value in [*values, values[0], values[1]]:
        nb.run(f"n = {library}.request({request % value}).json()['n']", name="a")
        assert nb.namespace["n"] == values.index(value) + 1
    assert asked(server) == 2


@pytest.mark.wide
@pytest.mark.parametrize(
    "more",
    [
        {"Idempotency-Key": "1"},
        {"X-Request-Id": "1"},
        {"traceparent": "00-1-2-01"},
        {"Authorization": "Bearer 1"},
        {"X-Amz-Date": "20261128"},
        {"User-Agent": "x/2"},
    ],
    ids=str,
)
def test_what_is_new_in_each_request_makes_no_other_call(
    server: LoopbackServer, more: dict[str, str]
) -> None:
    """A payment is not made again because its trace has another number."""
    capture_http(host(server))
    nb = Notebook()
    nb.plain(f"import httpx\nURL = {server.url!r} + '/orders'")
    for headers in ({}, more):
        nb.run(f"n = httpx.post(URL, headers={headers!r}).json()['n']", name="a")
    assert asked(server) == 1


@pytest.mark.parametrize(
    ("given", "url", "held"),
    [
        ("api.example.com", "https://API.example.com/x", True),
        ("api.example.com", "https://u:p@api.example.com:8443/x", True),
        ("api.example.com:443", "https://api.example.com:8443/x", False),
        ("https://api.example.com/v1", "https://api.example.com/other", True),
        ("example.com", "https://api.example.com/", False),
        ("*.example.com", "https://api.example.com/", True),
        ("*.example.com", "https://badexample.com/", False),
        ("[::1]:80", "http://[::1]:80/", True),
        ("localhost:8000", "http://localhost:8000/", True),
    ],
)
def test_hosts_are_matched(given: str, url: str, held: bool) -> None:
    """By name, by name and port, or below a name."""
    hosts = Hosts()
    hosts.add(given)
    assert hosts.holds(url) is held


@pytest.mark.parametrize(
    "given", ["", "a b", "http://", "*", "a/b", "-x", "x:99999999"]
)
def test_what_is_no_host_is_refused(given: str) -> None:
    """With a named error, and nothing is captured."""
    hosts = Hosts()
    with pytest.raises(HostUnusable):
        hosts.add(given)
    assert hosts.all() == ()


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "effect"),
    [
        ("GET", "/x", {}, b"", Effect.READ),
        ("HEAD", "/x", {}, b"", Effect.READ),
        ("PUT", "/x", {}, b"{}", Effect.WRITE),
        ("DELETE", "/x", {}, b"", Effect.WRITE),
        ("POST", "/oauth2/token", {}, b"", None),
        ("GET", "/latest/meta-data/iam", {}, b"", None),
        ("GET", "/ws", {"upgrade": "websocket"}, b"", None),
        ("POST", "/mcp", {}, b'{"jsonrpc": "2.0", "id": 1}', None),
        ("POST", "/v1/chat/completions", {}, b"{}", Effect.READ),
    ],
)
def test_what_is_journaled_of_a_captured_host(
    method: str, path: str, headers: dict[str, str], body: bytes, effect: Effect | None
) -> None:
    """Tokens, metadata, upgrades and MCP never are."""
    hosts = Hosts()
    hosts.add("x.example")
    found = policy_of(method, f"https://x.example{path}", headers, body, hosts)
    assert (found and found.effect) == effect


def test_the_command_says_what_it_did() -> None:
    """It names the host, lists hosts, and knows no other kind."""
    assert "api.example.com are calls" in str(capture("http", "API.example.com"))
    assert str(capture()) == "captured: api.example.com"
    assert "no calls any more" in str(capture("http", "api.example.com", off=True))
    assert "was not captured" in str(capture("http", "api.example.com", off=True))
    with pytest.raises(OptionUnknown):
        capture("grpc", "x")
