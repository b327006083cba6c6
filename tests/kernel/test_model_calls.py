"""Model calls in a real kernel: journaled without a wrapper, and not after unloading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nbdurable.testing import account
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.model_server import ModelServer
from nbdurable.testing.model_server.__main__ import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

SEND = "import httpx2; print(hasattr(httpx2.Client.send, '__wrapped__'))"
CLIENTS = (
    "from openai import AsyncOpenAI, OpenAI\nclient, waiting = OpenAI(), AsyncOpenAI()"
)
ASK = """%%durable ask
said = client.responses.create(model="m", input="why?").output_text
asked = [{"role": "user", "content": "how?"}]
stream = await waiting.chat.completions.create(model="m", messages=asked, stream=True)
told = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
"""
SHOW = "print(said, told, sep='|')"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """A fake model server."""
    with ModelServer(tmp_path / "requests.jsonl") as running:
        yield running


def test_a_fresh_kernel_asks_nothing_again(tmp_path: Path, server: ModelServer) -> None:
    """Sync and streamed awaited calls, replayed as a step and, edited, as calls."""
    with Kernel(tmp_path, env=environment(server.url)) as kernel:
        kernel.run(CLIENTS)
        assert kernel.run(ASK).ok
        first = kernel.run(SHOW).text
        for cell in (ASK, f"{ASK}edited = True"):
            kernel.kill()
            kernel.restart()
            kernel.run(CLIENTS)
            assert kernel.run(cell).ok
            assert kernel.run(SHOW).text == first
    assert len(account.read(server.account.path)) == 2


def test_an_exchange_is_no_connection_of_the_cell(
    tmp_path: Path, server: ModelServer
) -> None:
    """A generator over an answer is made again by itself: its calls are served."""
    cell = f"{ASK}letters = (c for c in told); first = next(letters)"
    with Kernel(tmp_path, env=environment(server.url)) as kernel:
        kernel.run(CLIENTS)
        assert kernel.run(cell).ok
        kernel.kill()
        kernel.restart()
        kernel.run(CLIENTS)
        again = kernel.run(cell).text
        assert "made again (its code ran, its 2 calls were served)" in again
        assert kernel.run("print(told == first + ''.join(letters))").text == "True\n"
    assert len(account.read(server.account.path)) == 2


def test_a_rebuild_asks_no_model(tmp_path: Path, server: ModelServer) -> None:
    """Also as the first thing a kernel does, when no durable cell has run in it yet."""
    cell = """%%durable ask
said = client.responses.create(model="m", input="why?").output_text
letters = (c for c in said); first = next(letters)
"""
    with Kernel(tmp_path, env=environment(server.url)) as kernel:
        kernel.run(CLIENTS)
        assert kernel.run(cell).ok
        kernel.kill()
        kernel.restart()
        done = kernel.run("%durable rebuild ask").text
        assert "letters made again (its code ran, its call was served)" in done
        assert kernel.run("print(len([*letters]) > 1)").text == "True\n"
    assert len(account.read(server.account.path)) == 1


def test_the_seam_comes_with_the_first_attempt_and_goes_with_the_extension(
    tmp_path: Path, server: ModelServer
) -> None:
    """Loading alone patches nothing; unloading leaves nothing patched."""
    with Kernel(tmp_path, env=environment(server.url)) as kernel:
        assert kernel.run(SEND).text.strip() == "False"
        kernel.run("%%durable first\nx = 1")
        assert kernel.run(SEND).text.strip() == "True"
        kernel.run("%unload_ext nbdurable")
        assert kernel.run(SEND).text.strip() == "False"


def test_the_client_is_part_of_the_step_and_comes_back(
    tmp_path: Path, server: ModelServer
) -> None:
    """Made in a durable cell, it is rebuilt from its configuration, without its key."""
    cells = [
        "%%durable setup\nfrom openai import OpenAI\nclient = OpenAI(max_retries=7)",
        "%%durable ask\nsaid = client.responses.create(model='m', input='x').id",
    ]
    key = "key-that-only-the-environment-knows"
    env = {**environment(server.url), "OPENAI_API_KEY": key}
    with Kernel(tmp_path, env=env) as kernel:
        assert all(kernel.run(cell).ok for cell in cells)
        kernel.restart()
        assert all(kernel.run(cell).ok for cell in cells)
        shown = kernel.run("print(client.max_retries, client.api_key)").text
        assert shown.strip() == f"7 {key}"
        again = cells[1].replace("'x'", "'y'")
        assert kernel.run(again).ok
    assert len(account.read(server.account.path)) == 2
    stored = [
        p.read_bytes() for p in (tmp_path / ".nbdurable").rglob("*") if p.is_file()
    ]
    assert stored
    assert not any(key.encode() in data for data in stored)


STREAM = """%%durable tell
from pathlib import Path
from nbdurable_store.clock import SYSTEM_CLOCK as clock
asked, told = [{{"role": "user", "content": "how?"}}], []
for chunk in client.chat.completions.create(model="m", messages=asked, stream=True):
    told.append(chunk.to_dict())
    print("chunk", len(told))
    while len(told) == {at} and Path("hang").exists():
        clock.sleep(0.05)
"""


@pytest.mark.parametrize("at", [1, 3])
def test_a_kernel_killed_in_a_stream_asks_again(
    tmp_path: Path, server: ModelServer, at: int
) -> None:
    """A part of an answer is none: the next kernel asks once more, and no other does."""
    cell = STREAM.format(at=at)
    (tmp_path / "hang").touch()
    with Kernel(tmp_path, env=environment(server.url)) as kernel:
        kernel.run(CLIENTS)
        telling = kernel.send(cell)
        kernel.wait_for(telling, lambda: f"chunk {at}" in telling.text)
        kernel.kill()
        (tmp_path / "hang").unlink()
        seen = []
        for again in (cell, f"{cell}edited = True"):
            kernel.restart()
            kernel.run(CLIENTS)
            assert kernel.run(again).ok
            seen.append(kernel.run("print(told)").text)
            kernel.kill()
    assert seen[0] == seen[1]
    assert "'finish_reason': 'stop'" in seen[0]
    assert len(account.read(server.account.path)) == 2
