"""Model calls in frozen mode: served, refused by their words, and cut streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.refusing import CallNotRecorded
from nbdurable.integrations.http import install, remove
from nbdurable.integrations.http.refusals import StreamEnds
from nbdurable.testing import account
from nbdurable.testing.model_server import ModelServer
from tests.engine.notebooks import Notebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETUP = """
import asyncio, openai
client = openai.OpenAI(base_url={url!r} + "/v1", api_key="any")
def ask(text, **more):
    said = [dict(role="system", content="Be short."), dict(role="user", content=text)]
    return client.chat.completions.create(model="m", messages=said, **more)
async def ask_async(text, most):
    said = [dict(role="user", content=text)]
    async with openai.AsyncOpenAI(base_url={url!r} + "/v1", api_key="any") as c:
        stream = await c.chat.completions.create(model="m", messages=said, stream=True)
        pieces = []
        async for chunk in stream:
            pieces.append(chunk.to_dict())
            if len(pieces) >= most:
                await stream.close()
                break
        return pieces
"""
CUT = """
pieces = []
stream = ask("why?", stream=True)
for chunk in stream:
    pieces.append(chunk.to_dict())
    if len(pieces) >= MOST:
        stream.close()
        break
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """A fake model server."""
    with ModelServer(tmp_path / "requests.jsonl") as running:
        yield running


@pytest.fixture
def nb(server: ModelServer) -> Iterator[Notebook]:
    """A notebook whose client asks the fake server; frozen mode ends with the test."""
    install()
    made = Notebook()
    made.plain(SETUP.format(url=server.url))
    yield made
    frozen.switch(False)
    made.plain("client.close()")
    remove()


def again(nb: Notebook, server: ModelServer) -> None:
    """A fresh kernel in frozen mode."""
    nb.plain("client.close()")
    nb.restart()
    nb.plain(SETUP.format(url=server.url))
    frozen.switch(True)


def asked(server: ModelServer) -> int:
    """How many requests reached the server."""
    return len(account.read(server.account.path))


def test_a_changed_prompt_is_told_by_its_words(
    nb: Notebook, server: ModelServer
) -> None:
    """The place in the messages, old and new; nothing is sent, the SDK retries nothing."""
    nb.run("said = ask('Summarise in one line').id", "s", "c1")
    again(nb, server)
    with pytest.raises(CallNotRecorded) as caught:
        nb.run("said = ask('Summarise in two lines').id", "s", "c1")
    assert caught.value.nearest == "s.1"
    (differs,) = caught.value.differs
    assert differs == (
        "messages[1].content was '…rise in one line', is '…rise in two lines'"
    )
    assert asked(server) == 1


def test_a_plain_cell_asks_no_model(nb: Notebook, server: ModelServer) -> None:
    """Outside of durable cells every model call is refused, sync and async."""
    frozen.switch(True)
    for call in ("ask('why?')", "asyncio.run(ask_async('why?', 9))"):
        with pytest.raises(CallNotRecorded, match="m ← why"):
            nb.plain(call)
    assert asked(server) == 0


@pytest.mark.parametrize(
    "cell",
    [CUT, "pieces = asyncio.run(ask_async('why?', MOST))"],
    ids=["sync", "async"],
)
def test_a_cut_stream_is_served_up_to_its_cut(
    nb: Notebook, server: ModelServer, cell: str
) -> None:
    """An edited cell that stops where it stopped gets what it got, and sends nothing."""
    nb.run(f"MOST = 2\n{cell}", "s", "c1")
    first = nb.namespace["pieces"]
    assert len(first) == 2
    again(nb, server)
    nb.run(f"MOST = 2\n{cell}\nmore = 1", "s", "c1")
    assert nb.namespace["pieces"] == first
    assert asked(server) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell",
    [CUT, "pieces = asyncio.run(ask_async('why?', MOST))"],
    ids=["sync", "async"],
)
def test_reading_past_the_cut_is_an_error(
    nb: Notebook, server: ModelServer, cell: str
) -> None:
    """What came next isn't known; the error says where the record ends."""
    nb.run(f"MOST = 1\n{cell}", "s", "c1")
    again(nb, server)
    with pytest.raises(StreamEnds) as caught:
        nb.run(f"MOST = 1000\n{cell}", "s", "c1")
    assert caught.value.pieces >= 1
    assert asked(server) == 1


def test_a_cut_stream_runs_again_otherwise(nb: Notebook, server: ModelServer) -> None:
    """Without frozen mode a part is never served as an answer."""
    nb.run(f"MOST = 1\n{CUT}", "s", "c1")
    again(nb, server)
    frozen.switch(False)
    nb.run(f"MOST = 1000\n{CUT}", "s", "c1")
    assert len(nb.namespace["pieces"]) > 1
    assert asked(server) == 2
