"""A key is stored nowhere, wherever a request or an answer carries it."""

from __future__ import annotations

import base64
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from nbdurable.integrations.http import install, remove
from nbdurable.integrations.http.captured import capture_http
from nbdurable.testing import account
from nbdurable.testing.loopback import LoopbackServer, Reply, Request
from tests.engine.notebooks import Notebook

KEY = 'k3y/of "a+service"=0123456789'
"""Like no pattern, and spelt differently in every encoding."""

PLAIN_KEY = "plainkeyofaservice0123456789"

FORMS = {
    KEY,
    PLAIN_KEY,
    quote(KEY, safe=""),
    json.dumps(KEY)[1:-1],
    base64.b64encode(KEY.encode()).decode().rstrip("="),
    base64.b64encode(PLAIN_KEY.encode()).decode().rstrip("="),
}


def _echo(request: Request) -> Reply:
    """Everything it was told, in several spellings."""
    given = [*request.headers.values(), PLAIN_KEY]
    more = {
        "body": request.body.decode(),
        "heard": given,
        "percent": [quote(v, safe="") for v in given],
        "base64": [base64.b64encode(v.encode()).decode() for v in given],
        "twice": json.dumps(given),
    }
    echoed = {k.lower(): v for k, v in request.headers.items() if k.startswith("x-")}
    said = json.dumps(more).encode()
    status = 401 if b"refuse" in request.body else 200
    return Reply(
        chunks=(said,), headers={**echoed, "x-request-id": PLAIN_KEY}, status=status
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LoopbackServer]:
    """A service that repeats what it hears."""
    with LoopbackServer(tmp_path / "asked.jsonl", _echo) as running:
        yield running


@pytest.fixture
def notebook(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notebook]:
    """A notebook whose keys are in a module, as if in a keyring."""
    install()
    capture_http(server.url)
    made = Notebook()
    vault = types.ModuleType("vault")
    vault.plain, vault.key = PLAIN_KEY, KEY  # type: ignore[attr-defined]  # a keyring
    monkeypatch.setitem(sys.modules, "vault", vault)
    made.plain(f"""
import aiohttp, asyncio, httpx2, requests, vault
URL = {server.url!r}
HOST = URL.removeprefix("http://")
client, session = httpx2.Client(), requests.Session()
async def asking(**more):
    async with aiohttp.ClientSession() as asks:
        async with asks.post(URL + "/v1/responses", **more) as response:
            return await response.read()
""")
    yield made
    made.plain("client.close(), session.close()")
    remove()


PLACES = {
    "bearer": "client.post(URL + '/v1/responses', json={}, headers={'authorization': f'Bearer {vault.plain}'})",
    "header": "client.post(URL + '/v1/responses', json={}, headers={'x-api-key': vault.plain})",
    "google's header": "client.post(URL + '/v1/responses', json={}, headers={'x-goog-api-key': vault.plain})",
    "basic": "client.post(URL + '/v1/responses', json={}, auth=('user', vault.plain))",
    "cookie": "client.post(URL + '/v1/responses', json={}, headers={'cookie': f'a=1; session={vault.plain}'})",
    "query": "client.post(URL + '/v1/responses', json={}, params={'key': vault.plain})",
    "address": "client.post(f'http://user:{vault.plain}@{HOST}/v1/responses', json={})",
    "prompt": "client.post(URL + '/v1/responses', json={'input': f'use {vault.plain}'}, headers={'x-api-key': vault.plain})",
    "odd key": "client.post(URL + '/v1/responses', json={'input': f'use {vault.key}'}, headers={'x-api-key': vault.plain, 'authorization': f'Bearer {vault.key}'})",
    "refusal": "client.post(URL + '/v1/responses', json={'a': 'refuse'}, headers={'x-api-key': vault.plain})",
    "requests": "session.post(URL + '/v1/responses', json={}, headers={'x-api-key': vault.plain})",
    "requests, basic": "session.post(URL + '/v1/responses', json={}, auth=('user', vault.plain))",
    "aiohttp": "asyncio.run(asking(json={}, headers={'x-api-key': vault.plain}))",
    "captured": "client.post(URL + '/files', json={'a': vault.plain}, headers={'x-api-key': vault.plain})",
}


def stored(notebook: Notebook) -> bytes:
    """Everything that the store holds of the run."""
    store = notebook.session.store
    entries, _ = store.read(notebook.session.history.run)
    records = [entry.record for entry in entries]
    blobs = [store.get(ref) for record in records for ref in record.blobs]
    return repr(records).encode() + b"".join(blobs)


@pytest.mark.wide
@pytest.mark.parametrize("place", PLACES)
def test_a_key_is_stored_nowhere(
    notebook: Notebook, server: LoopbackServer, place: str
) -> None:
    """Not as it is and not encoded; an answer comes back with it, and nothing is sent."""
    cell = f"got = {PLACES[place]}\nsaid = getattr(got, 'text', got); del got, said"
    notebook.run(cell, name="a")
    held = stored(notebook)
    assert [form for form in FORMS if form.encode() in held] == []
    show = cell.replace(
        "del got, said", "same = vault.plain in str(said); del got, said"
    )
    notebook.run(show, name="a")
    assert notebook.namespace["same"] is (place != "refusal")
    assert len(account.read(server.account.path)) == 1


def test_what_is_no_secret_stays(notebook: Notebook, server: LoopbackServer) -> None:
    """Ids, digests, pictures and prose come back as they were, and are stored as such."""
    harmless = [
        "0b8f6c1e-7f53-4c1a-9a55-0f2f6a3c9c11",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "call_AbC123def456GhI789jkl012",
        "the password is in the safe, and the key under the mat",
        base64.b64encode(bytes(range(256))).decode(),
    ]
    cell = f"said = client.post(URL + '/v1/responses', json={harmless!r}).text"
    notebook.run(cell, name="a")
    held = stored(notebook).decode("utf-8", "replace")
    assert [text for text in harmless if text not in held] == []
