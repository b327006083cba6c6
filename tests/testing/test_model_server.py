"""The fake model server, asked by the real SDKs."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest
from openai import OpenAI

from nbdurable.testing import account
from nbdurable.testing.model_server import ModelServer, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "fake-1"
SEARCH = {
    "type": "object",
    "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}},
    "required": ["query", "limit"],
}
CHAT_TOOL = {"type": "function", "function": {"name": "search", "parameters": SEARCH}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """A server with its account in the test's folder."""
    with ModelServer(tmp_path / "requests.jsonl") as running:
        yield running


@pytest.fixture
def client(server: ModelServer) -> Iterator[OpenAI]:
    """The real SDK, pointed at the server."""
    with OpenAI(base_url=f"{server.url}/v1", api_key="any") as sdk:
        yield sdk


@pytest.fixture
def claude(server: ModelServer) -> Iterator[anthropic.Anthropic]:
    """Anthropic's SDK, pointed at the server."""
    with anthropic.Anthropic(base_url=server.url, api_key="any") as sdk:
        yield sdk


def test_a_port_in_use_is_told_in_words(server: ModelServer, tmp_path: Path) -> None:
    """Who starts a second one on it learns what to do, and runs nothing."""
    port, ran = server.url.rpartition(":")[2], tmp_path / "ran"
    words = ["--port", port, "--log", str(tmp_path / "log"), "--", "touch", str(ran)]
    command = [sys.executable, "-m", "nbdurable.testing.model_server", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("This port is in use")
    assert "Traceback" not in done.stderr
    assert not ran.exists()


def ask(client: OpenAI, text: str, **more: Any) -> Any:
    """One chat completion about a text."""
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model=MODEL, messages=messages, **more)  # type: ignore[arg-type]  # plain dicts


def arrived(server: ModelServer) -> tuple[account.Arrived, ...]:
    """What the server counted, read from its file."""
    return account.read(server.account.path)


def test_an_answer_names_the_digest_of_its_request(
    server: ModelServer, client: OpenAI
) -> None:
    """The text carries the mark of the body that was counted."""
    answer = ask(client, "What is a solid electrolyte?")
    (seen,) = arrived(server)
    assert f"#{seen.digest[:8]}" in answer.choices[0].message.content
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0


def test_equal_requests_get_equal_answers_and_are_counted_twice(
    server: ModelServer, client: OpenAI
) -> None:
    """The same body has one digest and the same answer each time."""
    first, second = ask(client, "Why?"), ask(client, "Why?")
    assert first == second
    assert list(account.by_digest(arrived(server)).values()) == [2]
    assert ask(client, "Why not?") != first


def test_a_chat_stream_says_what_the_whole_answer_says(client: OpenAI) -> None:
    """The pieces of a stream join to the text that its own digest asks for."""
    options = {"include_usage": True}
    chunks = list(ask(client, "Why?", stream=True, stream_options=options))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text.startswith("An answer to “Why?” #")
    assert chunks[-1].usage.completion_tokens > 0
    assert len(chunks) > 4


def test_the_model_calls_each_tool_once_then_answers(client: OpenAI) -> None:
    """Arguments fit the schema and come from the question; the result is quoted."""
    asked = {"role": "user", "content": "solid-state batteries"}
    first = client.chat.completions.create(
        model=MODEL,
        messages=[asked],  # type: ignore[list-item]  # plain dicts
        tools=[CHAT_TOOL],  # type: ignore[list-item]
    )
    message = first.choices[0].message
    (call,) = message.tool_calls or ()
    assert call.type == "function"
    arguments = json.loads(call.function.arguments)
    assert arguments["query"] == "solid-state batteries"
    assert isinstance(arguments["limit"], int)
    result = {"role": "tool", "tool_call_id": call.id, "content": '["one hit"]'}
    second = client.chat.completions.create(
        model=MODEL,
        messages=[asked, message.to_dict(), result],  # type: ignore[list-item]
        tools=[CHAT_TOOL],  # type: ignore[list-item]
    )
    assert second.choices[0].finish_reason == "stop"
    assert "1 tool result" in (second.choices[0].message.content or "")


def test_tool_arguments_also_come_in_pieces(client: OpenAI) -> None:
    """A streamed tool call has the arguments of the whole one."""
    with client.chat.completions.stream(
        model=MODEL,
        messages=[{"role": "user", "content": "batteries"}],
        tools=[CHAT_TOOL],  # type: ignore[list-item]  # plain dicts
    ) as stream:
        final = stream.get_final_completion()
    (call,) = final.choices[0].message.tool_calls or ()
    assert json.loads(call.function.arguments)["query"] == "batteries"


@pytest.mark.parametrize("stream", [False, True])
def test_responses_speak_text_and_call_tools(client: OpenAI, *, stream: bool) -> None:
    """The responses API answers with a function call, then with text."""
    tool = {"type": "function", "name": "search", "parameters": SEARCH, "strict": None}

    def respond(said: Any) -> Any:
        if not stream:
            return client.responses.create(model=MODEL, input=said, tools=[tool])  # type: ignore[list-item]
        with client.responses.stream(model=MODEL, input=said, tools=[tool]) as events:  # type: ignore[list-item]
            return events.get_final_response()

    first = respond("batteries")
    (call,) = first.output
    assert json.loads(call.arguments)["query"] == "batteries"
    asked = {"role": "user", "content": "batteries"}
    done = {"type": "function_call_output", "call_id": call.call_id, "output": "a hit"}
    again = {
        "type": "function_call",
        "call_id": call.call_id,
        "name": call.name,
        "arguments": call.arguments,
    }
    second = respond([asked, again, done])
    assert "1 tool result" in second.output_text
    assert second.usage.total_tokens > 0


def test_a_schema_is_filled(client: OpenAI) -> None:
    """A structured answer fits the schema that was asked for."""
    schema = {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "scores": {"type": "array", "items": {"type": "number"}, "minItems": 3},
            "kind": {"enum": ["good", "bad"]},
        },
        "required": ["title", "scores", "kind"],
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answer = ask(client, "batteries", response_format=wanted)
    value = json.loads(answer.choices[0].message.content)
    assert value["title"] == "batteries"
    assert len(value["scores"]) == 3
    assert value["kind"] == "good"


def test_embeddings_depend_on_the_text_alone(client: OpenAI) -> None:
    """Equal texts have equal vectors, in both encodings."""
    packed = client.embeddings.create(model=MODEL, input=["one", "two", "one"])
    plain = client.embeddings.create(model=MODEL, input="one", encoding_format="float")
    first, second, third = (e.embedding for e in packed.data)
    assert first == third != second
    assert plain.data[0].embedding == first
    assert len(first) == 8


def test_messages_speak_text_and_call_tools(claude: anthropic.Anthropic) -> None:
    """Anthropic's dialect: a tool call, its result, then text."""
    tool = {"name": "search", "input_schema": SEARCH}
    said: list[Any] = [{"role": "user", "content": "batteries"}]
    first = claude.messages.create(
        model=MODEL,
        max_tokens=99,
        messages=said,
        tools=[tool],  # type: ignore[list-item]
    )
    (call,) = first.content
    assert call.type == "tool_use"
    assert call.input["query"] == "batteries"
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "a hit"}
    said += [
        {"role": "assistant", "content": [call.to_dict()]},
        {"role": "user", "content": [result]},
    ]
    with claude.messages.stream(
        model=MODEL,
        max_tokens=99,
        messages=said,
        tools=[tool],  # type: ignore[list-item]
    ) as stream:
        final = stream.get_final_message()
    assert "1 tool result" in stream.get_final_text()
    assert final.usage.output_tokens > 1


def test_the_sdk_retries_what_the_server_refuses(
    server: ModelServer, client: OpenAI
) -> None:
    """Two refusals and an answer are three counted requests of one digest."""
    server.rules.add(Rule(do="fail", status=429, times=2))
    assert ask(client, "Why?").choices
    assert [a.status for a in arrived(server)] == [429, 429, 200]
    assert len(account.by_digest(arrived(server))) == 1


def test_a_refusal_is_the_sdk_s_own_error(server: ModelServer, client: OpenAI) -> None:
    """A lasting refusal raises the typed error of the SDK."""
    server.rules.add(Rule(do="fail", status=429, times=3))
    with pytest.raises(openai.RateLimitError, match="told to fail"):
        ask(client, "Why?")


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_a_cut_stream_has_no_end(
    server: ModelServer, client: OpenAI, chunks: int
) -> None:
    """The connection closes in the middle, and the account has no answer."""
    server.rules.add(Rule(do="cut", chunks=chunks, times=3))
    with pytest.raises((openai.APIConnectionError, openai.APIError)):
        list(ask(client, "Why?", stream=True))
    assert all(a.status is None for a in arrived(server))


def test_a_held_request_is_counted_and_waits(
    server: ModelServer, client: OpenAI
) -> None:
    """A held request is in the account while its caller still waits."""
    server.rules.add(Rule(do="hold", when="second"))
    ask(client, "first")
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(ask(client, "second")))
    asking.start()
    assert server.rules.wait_held(30) == (2,)
    assert [a.status for a in arrived(server)] == [200, None]
    assert not answers
    server.rules.release()
    asking.join(30)
    assert answers


def test_a_script_is_played_by_the_turns_in_the_request(tmp_path: Path) -> None:
    """Scripted turns need no state: the request says which turn it is."""
    call = {"name": "search", "arguments": {"query": "by script"}}
    script = [{"when": "play", "turns": [{"call": [call, call]}, {"say": "The end."}]}]
    with (
        ModelServer(tmp_path / "log", script) as server,
        OpenAI(base_url=f"{server.url}/v1", api_key="any") as client,
    ):
        asked = {"role": "user", "content": "please play"}
        first = ask(client, "please play").choices[0].message
        assert [c.function.arguments for c in first.tool_calls] == [
            '{"query": "by script"}',
            '{"query": "by script"}',
        ]
        results = [
            {"role": "tool", "tool_call_id": c.id, "content": "x"}
            for c in first.tool_calls
        ]
        second = client.chat.completions.create(
            model=MODEL,
            messages=[asked, first.to_dict(), *results],  # type: ignore[list-item]
        )
        assert "The end. #" in (second.choices[0].message.content or "")


def test_an_unknown_path_is_a_typed_error(client: OpenAI) -> None:
    """What the server doesn't speak is a 404 that the SDK understands."""
    with pytest.raises(openai.NotFoundError, match="no such path"):
        client.models.list()
