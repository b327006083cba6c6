"""Model calls of the real SDKs in durable cells: asked once, served for ever."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest

from nbdurable.integrations.http import install, remove
from nbdurable.testing import account
from nbdurable.testing.model_server import ModelServer, Rule
from tests.engine.notebooks import Notebook

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETUP = """
import asyncio, json
import anthropic, httpx, openai
client = openai.OpenAI(base_url={url!r} + "/v1", api_key="any")
claude = anthropic.Anthropic(base_url={url!r}, api_key="any")
legacy = client.with_options(http_client=httpx.Client())
ASK = dict(model="m", messages=[dict(role="user", content="why?")])
TOOL = dict(name="f", parameters=dict(type="object", properties=dict(q=dict(type="string"))))
def other():
    return openai.AsyncOpenAI(base_url={url!r} + "/v1", api_key="any")
def claude2():
    return anthropic.AsyncAnthropic(base_url={url!r}, api_key="any")
"""

SHAPES = {
    "chat": "client.chat.completions.create(**ASK).to_dict()",
    "chat tools": """client.chat.completions.create(
        **ASK, tools=[dict(type="function", function=TOOL)]).to_dict()""",
    "chat stream": "[c.to_dict() for c in client.chat.completions.create(**ASK, stream=True)]",
    "chat helper": """[type(e).__name__ for e in
        client.chat.completions.stream(**ASK).__enter__()]""",
    "chat raw": "client.chat.completions.with_raw_response.create(**ASK).text",
    "chat streamed raw": """[client.chat.completions.with_streaming_response.create(
        **ASK).__enter__().read()]""",
    "chat by post": """client.post("/chat/completions", cast_to=object, body=ASK)""",
    "options": "client.with_options(max_retries=0).chat.completions.create(**ASK).to_dict()",
    "responses": "client.responses.create(model='m', input='why?').to_dict()",
    "responses stream": """[e.to_dict() for e in
        client.responses.create(model='m', input='why?', stream=True)]""",
    "embeddings": "client.embeddings.create(model='m', input=['a', 'b']).to_dict()",
    "messages": "claude.messages.create(**ASK, max_tokens=9).to_dict()",
    "messages stream": """[e.to_dict() for e in
        claude.messages.create(**ASK, max_tokens=9, stream=True)]""",
    "messages beta": "claude.beta.messages.create(**ASK, max_tokens=9).to_dict()",
    "count tokens": "claude.messages.count_tokens(**ASK).to_dict()",
    "legacy httpx": "legacy.chat.completions.create(**ASK).to_dict()",
    "legacy httpx stream": "[c.to_dict() for c in legacy.chat.completions.create(**ASK, stream=True)]",
    "async chat": "asyncio.run(one())",
    "async stream": "asyncio.run(stream())",
    "async gather": "asyncio.run(several())",
    "async messages": "asyncio.run(claude_stream())",
}

ASYNC = """
async def one():
    async with other() as c:
        return (await c.chat.completions.create(**ASK)).to_dict()
async def stream():
    async with other() as c:
        return [x.to_dict() async for x in await c.chat.completions.create(**ASK, stream=True)]
async def several():
    async with other() as c:
        asked = (c.chat.completions.create(**ASK) for _ in range(3))
        return [a.to_dict() for a in await asyncio.gather(*asked)]
async def claude_stream():
    async with claude2() as c:
        async with c.messages.stream(**ASK, max_tokens=9) as s:
            return await s.get_final_text()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """A fake model server."""
    with ModelServer(tmp_path / "requests.jsonl") as running:
        yield running


@pytest.fixture(autouse=True)
def seam() -> Iterator[None]:
    """Model calls are journaled during the test."""
    install()
    yield
    remove()


@pytest.fixture
def notebook(server: ModelServer) -> Iterator[Notebook]:
    """A notebook whose clients ask the fake server."""
    made = Notebook()
    setup(made, server)
    yield made
    made.plain("client.close(), claude.close(), legacy.close()")


def setup(notebook: Notebook, server: ModelServer) -> None:
    """Run the plain cell with clients and functions."""
    notebook.plain(SETUP.format(url=server.url) + ASYNC)


def restart(notebook: Notebook, server: ModelServer) -> None:
    """A fresh kernel that has run its plain cell."""
    notebook.plain("client.close(), claude.close(), legacy.close()")
    notebook.restart()
    setup(notebook, server)


def asked(server: ModelServer) -> int:
    """How many requests reached the server."""
    return len(account.read(server.account.path))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_call_is_served_whatever_its_shape(
    notebook: Notebook, server: ModelServer, shape: str
) -> None:
    """An edited cell in a fresh kernel gets equal objects and sends nothing."""
    notebook.run(f"value = {SHAPES[shape]}", name="ask")
    first, sent = notebook.namespace["value"], asked(server)
    assert sent >= 1
    restart(notebook, server)
    line = notebook.run(f"edited = True\nvalue = {SHAPES[shape]}", name="ask")
    assert notebook.namespace["value"] == first
    assert asked(server) == sent
    assert f"{sent} replayed" in line or "replayed" in line


def test_a_changed_question_is_asked(notebook: Notebook, server: ModelServer) -> None:
    """Only what is new is sent."""
    cell = (
        "said = [client.responses.create(model='m', input=q).output_text for q in {}]"
    )
    notebook.run(cell.format(["a", "b"]), name="ask")
    restart(notebook, server)
    line = notebook.run(cell.format(["a", "c", "b"]), name="ask")
    assert asked(server) == 3
    assert "1 new, 2 replayed" in line


def test_outside_durable_cells_nothing_is_journaled(
    notebook: Notebook, server: ModelServer
) -> None:
    """A plain cell asks each time."""
    for _ in range(2):
        notebook.plain("client.responses.create(model='m', input='x')")
    assert asked(server) == 2


def test_other_paths_pass(notebook: Notebook, server: ModelServer) -> None:
    """What is no model call is sent each time."""
    cell = "import httpx2; got = httpx2.post({!r}, json=dict(text='hi')).status_code"
    for edit in range(2):
        source = cell.format(f"{server.url}/rooms/1/messages")
        notebook.run(f"edit = {edit}\n{source}", name="post")
    assert asked(server) == 2
    assert notebook.namespace["got"] == 404


def test_tokens_and_model_are_recorded(notebook: Notebook, server: ModelServer) -> None:
    """The record of a call says what it used."""
    notebook.run("client.chat.completions.create(**ASK)", name="ask")
    (call,) = notebook.session.history.calls.values()
    assert call.kind == "http"
    assert call.name == f"POST {server.url.removeprefix('http://')}/v1/chat/completions"
    assert call.fields["model"] == "m"
    assert call.fields["tokens_in"] > 0  # type: ignore[operator]  # plain data
    assert "why?" in call.text


def test_a_library_that_is_imported_later_is_reached(server: ModelServer) -> None:
    """The seam waits for an import; here it is reached in a fresh process."""
    program = """
import sys
from nbdurable.integrations.http import install, remove
install()
assert "httpx2" not in sys.modules
import httpx2
assert httpx2.Client.send.__wrapped__
remove()
assert not hasattr(httpx2.Client.send, "__wrapped__")
assert all(type(f).__name__ != "_Watcher" for f in sys.meta_path)
"""
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", program], check=True)


class TestRetries:
    """Sendings of one request are attempts of one call."""

    def test_the_last_attempt_is_served(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """429, 500, 200 are one call; replay doesn't wait and sends nothing."""
        server.rules.add(Rule(do="fail", status=429))
        server.rules.add(Rule(do="fail", status=500, at=2))
        notebook.run("said = client.chat.completions.create(**ASK).to_dict()", name="a")
        first = notebook.namespace["said"]
        (call,) = notebook.session.history.calls.values()
        assert call.attempts == 3
        assert asked(server) == 3
        restart(notebook, server)
        line = notebook.run(
            "edited = 1\nsaid = client.chat.completions.create(**ASK).to_dict()",
            name="a",
        )
        assert "1 replayed" in line
        assert notebook.namespace["said"] == first
        assert asked(server) == 3

    def test_a_caught_failure_is_served_at_once(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """What the agent saw it sees again: same class, no second sending, no wait."""
        cell = """
try:
    client.chat.completions.create(**ASK)
except openai.RateLimitError as limit:
    seen = type(limit).__name__, limit.status_code, limit.request_id, limit.body
"""
        server.rules.add(Rule(do="fail", status=429, times=3))
        notebook.run(cell, name="a")
        first = notebook.namespace["seen"]
        restart(notebook, server)
        notebook.run("edited = 1\n" + cell, name="a")
        assert notebook.namespace["seen"] == first
        assert asked(server) == 3

    def test_a_failure_that_ended_the_cell_is_asked_again(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """Running the cell once more tries once more, as another attempt of the call."""
        server.rules.add(Rule(do="fail", status=400))
        with pytest.raises(openai.BadRequestError):
            notebook.run("client.chat.completions.create(**ASK)", name="a")
        notebook.run("client.chat.completions.create(**ASK)", name="a")
        (call,) = notebook.session.history.calls.values()
        assert call.attempts == 2
        assert asked(server) == 2

    @pytest.mark.parametrize(
        "rule", [Rule(do="fail", status=400), Rule(do="cut", chunks=0, times=3)]
    )
    def test_a_served_failure_that_ends_the_cell_is_asked_again(
        self, notebook: Notebook, server: ModelServer, rule: Rule
    ) -> None:
        """Caught once, it is served once more, and asked again after it ended a cell."""
        server.rules.add(rule)
        ask = "client.chat.completions.create(**ASK)"
        notebook.run(f"try: {ask}\nexcept openai.APIError: pass", name="a")
        sent = asked(server)
        with pytest.raises(openai.APIError):
            notebook.run(ask, name="a")
        assert asked(server) == sent
        notebook.run(ask, name="a")
        assert asked(server) == sent + 1

    def test_a_caught_lost_connection_is_served(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """An exception of the network is raised again as the SDK's own."""
        cell = """
try:
    client.with_options(max_retries=0).chat.completions.create(**ASK)
except openai.APIConnectionError as lost:
    seen = type(lost).__name__, type(lost.__cause__).__name__
"""
        server.rules.add(Rule(do="cut", chunks=0, times=9))
        notebook.run(cell, name="a")
        first, sent = notebook.namespace["seen"], asked(server)
        restart(notebook, server)
        notebook.run("edited = 1\n" + cell, name="a")
        assert notebook.namespace["seen"] == first
        assert asked(server) == sent

    def test_a_served_lost_connection_is_not_sent_again(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """The SDK's own retries of a served failure send nothing either."""
        cell = """
try:
    client.with_options(max_retries=1).chat.completions.create(**ASK)
except openai.APIConnectionError:
    seen = True
"""
        server.rules.add(Rule(do="cut", chunks=0, times=9))
        notebook.run(cell, name="a")
        sent = asked(server)
        restart(notebook, server)
        line = notebook.run("edited = 1\n" + cell, name="a")
        assert asked(server) == sent
        assert "1 replayed" in line

    def test_equal_calls_side_by_side_keep_their_own_attempts(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """Three equal calls of which two are sent again stay three calls."""
        server.rules.add(Rule(do="fail", status=500, times=2))
        notebook.run("said = asyncio.run(several())", name="a")
        calls = notebook.session.history.calls.values()
        assert sorted(c.attempts for c in calls) in ([1, 1, 3], [1, 2, 2])
        assert asked(server) == 5


class TestStreams:
    """A stream is recorded when it is complete, and not before."""

    def test_a_stream_left_early_is_asked_again(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """A part of an answer is no answer."""
        cell = """
stream = client.chat.completions.create(**ASK, stream=True)
first = next(iter(stream)).to_dict()
stream.close()
del stream
"""
        long = Rule(do="cut", chunks=3)
        server.rules.add(long)
        notebook.run(cell, name="a")
        (call,) = notebook.session.history.calls.values()
        assert call.state == "interrupted"
        notebook.run("edited = 1\n" + cell, name="a")
        assert asked(server) == 2

    @pytest.mark.parametrize("leaves", ["break", "raise ZeroDivisionError"])
    def test_a_loop_that_is_left_asks_again(
        self, notebook: Notebook, server: ModelServer, leaves: str
    ) -> None:
        """By a `break` or an error in its body; whoever reads to the end is served."""
        cell = f"""
seen = []
try:
    for chunk in client.chat.completions.create(**ASK, stream=True):
        seen.append(chunk.to_dict())
        if len(seen) == most: {leaves}
except ZeroDivisionError: pass
"""
        for most, sent in ((2, 1), (0, 2), (0, 2)):
            notebook.plain(f"most = {most}")
            notebook.run(f"{cell}edited = {sent}", name="a")
            assert asked(server) == sent
        assert len(notebook.namespace["seen"]) > 2  # type: ignore[arg-type]  # a list

    def test_a_stream_that_nobody_closes_ends_with_the_step(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """The step sweeps what is open; nothing is left running."""
        cell = (
            "kept = [client.chat.completions.create(**ASK, stream=True)]; kept.clear()"
        )
        notebook.run(cell, name="a")
        (call,) = notebook.session.history.calls.values()
        assert call.state == "interrupted"
        assert not notebook.session.executing

    def test_a_stream_that_is_cut_by_the_network_is_asked_again(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """The cell fails; running it again asks again."""
        cell = "said = [c.to_dict() for c in client.chat.completions.create(**ASK, stream=True)]"
        server.rules.add(Rule(do="cut", chunks=2))
        with pytest.raises((openai.APIError, httpx2.HTTPError)):
            notebook.run(cell, name="a")
        notebook.run(cell, name="a")
        assert asked(server) == 2
        assert notebook.namespace["said"]

    @pytest.mark.parametrize("shape", ["chat stream", "messages stream"])
    def test_an_error_inside_a_stream_is_asked_again(
        self, notebook: Notebook, server: ModelServer, shape: str
    ) -> None:
        """It ended the cell, so running the cell again tries again."""
        server.rules.add(Rule(do="break", chunks=2))
        with pytest.raises((openai.APIError, anthropic.APIError)):
            notebook.run(f"said = {SHAPES[shape]}", name="a")
        notebook.run(f"said = {SHAPES[shape]}", name="a")
        assert asked(server) == 2

    def test_a_caught_error_inside_a_stream_is_served(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """What the agent saw it sees again: the pieces, then the error."""
        cell = """
seen = []
try:
    for chunk in client.chat.completions.create(**ASK, stream=True):
        seen.append(chunk.to_dict())
except openai.APIError as broken:
    seen.append(broken.message)
"""
        server.rules.add(Rule(do="break", chunks=2))
        notebook.run(cell, name="a")
        first = notebook.namespace["seen"]
        assert first[-1] == "told to break"  # type: ignore[index]  # a list
        restart(notebook, server)
        notebook.run("edited = 1\n" + cell, name="a")
        assert notebook.namespace["seen"] == first
        assert asked(server) == 1

    def test_what_was_read_is_not_kept_in_memory(self, notebook: Notebook) -> None:
        """A long step holds the bodies of the exchanges that are open, no others."""
        notebook.plain("""
import gc
from nbdurable.integrations.http.streams import Heard
def held():
    gc.collect()
    return sum(type(o) is Heard for o in gc.get_objects())
""")
        cell = """
before = held()
for i in range(5):
    client.responses.create(model="m", input=str(i))
more = held() - before
"""
        notebook.run(cell, name="a")
        assert notebook.namespace["more"] <= 0

    def test_a_cancelled_stream_is_asked_again(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """A task that is cancelled in the middle leaves no half answer."""
        cell = """
async def left():
    async with other() as c:
        async for chunk in await c.chat.completions.create(**ASK, stream=True):
            asyncio.current_task().cancel()
            await asyncio.sleep(0)
try:
    asyncio.run(left())
except asyncio.CancelledError:
    gone = True
"""
        notebook.run(cell, name="a")
        (call,) = notebook.session.history.calls.values()
        assert call.state == "interrupted"
        assert not notebook.session.executing

    def test_a_stream_is_recorded_when_its_mark_has_passed(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """The SDK stops reading at the mark, and the call is complete."""
        notebook.run(
            "said = list(client.chat.completions.create(**ASK, stream=True))[-1].id",
            name="a",
        )
        (call,) = notebook.session.history.calls.values()
        assert call.state == "completed"


class TestSecrets:
    """A key is in no record and in no blob, wherever it was."""

    KEY = "sk-proj-0123456789abcdefghijklmnopqrstuv"

    def test_a_key_that_only_the_client_knows_is_not_stored(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """It is in a header, in the question and in the answer, and comes back."""
        setup_key = f"client.api_key = key = {self.KEY!r}"
        cell = (
            "said = client.responses.create(model='m', input=f'use {key}').output_text"
        )
        notebook.plain(setup_key)
        notebook.run(cell + "; del said", name="a")
        assert self.KEY not in stored(notebook)
        assert "‹secret:" in stored(notebook)
        restart(notebook, server)
        notebook.plain(setup_key)
        notebook.run(cell + "; ok = key in said; del said", name="a")
        assert notebook.namespace["ok"] is True
        assert asked(server) == 1

    def test_a_failure_keeps_no_key(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """The SDK's exception holds its request; what is kept of it doesn't."""
        notebook.plain(f"client.api_key = {self.KEY!r}")
        server.rules.add(Rule(do="fail", status=401))
        cell = """
try:
    client.responses.create(model='m', input='x')
except openai.AuthenticationError as refused:
    seen = refused.status_code
"""
        notebook.run(cell, name="a")
        assert self.KEY not in stored(notebook)
        notebook.run("edited = 1\n" + cell, name="a")
        assert notebook.namespace["seen"] == 401
        assert asked(server) == 1


def stored(notebook: Notebook) -> str:
    """Everything that the store holds of the run, as text."""
    store = notebook.session.store
    entries, _ = store.read(notebook.session.history.run)
    records = [entry.record for entry in entries]
    blobs = [store.get(ref) for record in records for ref in record.blobs]
    return repr(records) + b"".join(blobs).decode("utf-8", "replace")


class TestInterrupts:
    """A call that was interrupted may have been answered, and is asked again."""

    def test_an_interrupt_while_the_model_thinks(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """The cell stops at once; running it again is the next attempt."""
        server.rules.add(Rule(do="hold"))
        stopped = threading.Event()

        def interrupt() -> None:
            """Press, and again as people do: Python hears no signal just before a `recv`."""
            assert server.rules.wait_held(30)
            while not stopped.wait(0):
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                stopped.wait(5)

        pressing = threading.Thread(target=interrupt)
        pressing.start()
        with pytest.raises(KeyboardInterrupt):
            notebook.run("client.chat.completions.create(**ASK)", name="a")
        stopped.set()
        pressing.join()
        server.rules.release()
        notebook.run("client.chat.completions.create(**ASK)", name="a")
        (call,) = notebook.session.history.calls.values()
        assert (call.attempts, call.state) == (2, "completed")


class TestThreads:
    """Calls find their step wherever the cell makes them."""

    def test_calls_of_a_thread_pool_are_journaled(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """A ThreadPoolExecutor doesn't inherit the context; its calls belong here."""
        cell = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(3) as pool:
    say = lambda q: client.responses.create(model="m", input=q).output_text
    said = list(pool.map(say, "abc"))
"""
        notebook.run(cell, name="a")
        restart(notebook, server)
        notebook.run("edited = 1\n" + cell, name="a")
        assert asked(server) == 3

    def test_calls_inside_a_tool_are_its_own(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """A replayed tool opens no connection; its model call is nested in it."""
        notebook.plain("""
@tool(effect="read")
def think(q):
    return client.responses.create(model="m", input=q).output_text
""")
        notebook.run("said = think('x')", name="a")
        calls = list(notebook.session.history.calls.values())
        outer = next(c for c in calls if c.kind == "tool")
        assert [c.parent for c in calls if c.kind == "http"] == [outer.id]
        notebook.run("edited = 1\nsaid = think('x')", name="a")
        assert asked(server) == 1


class TestUnload:
    """What is taken away is gone, whoever else patched in between."""

    def test_removing_puts_send_back(self) -> None:
        """The class has its own method again."""
        remove()
        before = httpx2.Client.send
        install()
        assert httpx2.Client.send is not before
        remove()
        assert httpx2.Client.send is before

    def test_a_patch_of_another_library_stays(
        self, notebook: Notebook, server: ModelServer
    ) -> None:
        """Ours underneath does nothing any more, theirs is called."""
        ours = httpx2.Client.send
        seen = []

        def theirs(self: Any, request: Any, **more: Any) -> Any:
            seen.append(request.url.path)
            return ours(self, request, **more)

        httpx2.Client.send = theirs  # type: ignore[method-assign]  # what such libraries do
        try:
            remove()
            assert httpx2.Client.send is theirs
            for edit in range(2):
                notebook.run(
                    f"edit = {edit}\nclient.responses.create(model='m', input='x')",
                    name="a",
                )
            assert asked(server) == 2
            assert len(seen) == 2
            install()
            notebook.run(
                "edit = 2\nclient.responses.create(model='m', input='x')", name="a"
            )
            notebook.run(
                "edit = 3\nclient.responses.create(model='m', input='x')", name="a"
            )
            assert asked(server) == 3
        finally:
            httpx2.Client.send = ours  # type: ignore[method-assign]
