"""Which requests are equal, which are not, and which are journaled at all."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from nbdurable.integrations.http.asked import Asked, asked, asks_model, key_of, name_of
from nbdurable.integrations.http.canonical import canonical_body

URL = "https://api.openai.com/v1/chat/completions"
JSON = {"content-type": "application/json"}
BODY = {"model": "m", "messages": [{"role": "user", "content": "why?"}]}


def key(body: Any, url: str = URL, **headers: str) -> bytes:
    """The key of a POST with this body and these further headers."""
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return key_of(asked("POST", url, {**JSON, **named}, data))


def tool_turn(link: str, *, dialect: str) -> dict[str, Any]:
    """A conversation with one finished tool call whose id is ``link``."""
    arguments = {"query": "x"}
    if dialect == "chat":
        function = {"name": "f", "arguments": json.dumps(arguments)}
        call = {"id": link, "type": "function", "function": function}
        said = {"role": "assistant", "tool_calls": [call]}
        result = {"role": "tool", "tool_call_id": link, "content": "r"}
        return {"model": "m", "messages": [said, result]}
    if dialect == "responses":
        call = {"type": "function_call", "call_id": link, "id": link, "arguments": "{}"}
        result = {"type": "function_call_output", "call_id": link, "output": "r"}
        return {"model": "m", "input": [call, result]}
    if dialect == "messages":
        use = {"type": "tool_use", "id": link, "name": "f", "input": arguments}
        got = {"type": "tool_result", "tool_use_id": link, "content": "r"}
        return {"model": "m", "messages": [{"content": [use]}, {"content": [got]}]}
    used = {"functionCall": {"id": link, "name": "f", "args": arguments}}
    back = {"functionResponse": {"id": link, "name": "f", "response": {"r": 1}}}
    return {"contents": [{"parts": [used]}, {"parts": [back]}]}


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages", "gemini"])
def test_fresh_ids_of_tool_calls_do_not_count(dialect: str) -> None:
    """A framework that draws a new uuid for each tool call asks the same thing."""
    first, second = (tool_turn(str(uuid.UUID(int=n)), dialect=dialect) for n in (1, 2))
    assert key(first) == key(second)


def test_which_result_belongs_to_which_call_counts() -> None:
    """Two calls whose results are swapped are another conversation."""
    straight = [{"tool_call_id": "a", "x": 1}, {"tool_call_id": "b", "x": 2}]
    crossed = [{"tool_call_id": "b", "x": 1}, {"tool_call_id": "a", "x": 2}]
    calls = {"tool_calls": [{"id": "a", "n": 1}, {"id": "b", "n": 2}]}
    assert key([calls, *straight]) != key([calls, *crossed])


@pytest.mark.parametrize(
    "field", ["previous_response_id", "conversation", "file_id", "container"]
)
def test_references_to_the_server_count(field: str) -> None:
    """What the server keeps under a name is part of the question."""
    assert key({**BODY, field: "x1"}) != key({**BODY, field: "x2"})


@pytest.mark.parametrize(
    "body",
    [
        {"tool_calls": [{"function": {"arguments": {"call_id": "%s"}}}]},
        {"type": "tool_use", "input": {"call_id": "%s"}},
        {"functionCall": {"args": {"tool_call_id": "%s"}}},
        {"functionResponse": {"response": {"call_id": "%s"}}},
        {"tools": [{"parameters": {"default": {"call_id": "%s"}}}]},
        {"metadata": {"id": "%s"}},
        {"type": "input_text", "id": "%s"},
    ],
)
def test_what_a_tool_calls_an_id_counts(body: Any) -> None:
    """An argument named like a link is content."""
    text = json.dumps(body)
    assert key((text % "a").encode()) != key((text % "b").encode())


def form(boundary: str, text: str = "a", quote: str = "") -> bytes:
    """The key of a form with this boundary and one field."""
    part = f"--{boundary}\r\n\r\n{text}\r\n--{boundary}--\r\n".encode()
    media = f"multipart/form-data; boundary={quote}{boundary}{quote}"
    return key(part, content_type=media)


EQUAL: dict[str, tuple[bytes, bytes]] = {
    "order of keys": (key({"a": 1, "b": 2}), key({"b": 2, "a": 1})),
    "blanks": (key(b'{"a":1}'), key(b'{ "a" : 1 }')),
    "escapes": (key(b'{"a":"\\u00e9"}'), key('{"a":"é"}'.encode())),
    "authorization": (key(BODY), key(BODY, authorization="Bearer x")),
    "api key": (key(BODY), key(BODY, x_api_key="x")),
    "sdk version": (key(BODY), key(BODY, user_agent="OpenAI/Python 9")),
    "retry count": (key(BODY), key(BODY, x_stainless_retry_count="1")),
    "organisation": (key(BODY), key(BODY, openai_organization="o")),
    "project": (key(BODY), key(BODY, openai_project="p")),
    "anthropic version": (key(BODY), key(BODY, anthropic_version="2023-06-01")),
    "trace": (key(BODY), key(BODY, traceparent="00-1-2-01")),
    "idempotency key": (key(BODY), key(BODY, idempotency_key="u")),
    "encodings": (key(BODY), key(BODY, accept_encoding="br")),
    "query key": (key(BODY, URL + "?key=a"), key(BODY, URL + "?key=b")),
    "query token": (key(BODY, URL), key(BODY, URL + "?access_token=b")),
    "signature": (key(BODY, URL), key(BODY, URL + "?X-Amz-Signature=b&sig=1")),
    "user and password": (key(BODY), key(BODY, URL.replace("//", "//u:p@"))),
    "case of the host": (key(BODY), key(BODY, URL.replace("openai", "OpenAI"))),
    "boundary": (form("6f0a"), form("77b1")),
    "quoted boundary": (form("6f0a"), form("77b1", quote='"')),
    "spelling of the media type": (
        key(BODY),
        key(BODY, content_type="Application/JSON"),
    ),
    "cookie": (key(BODY), key(BODY, cookie="session=1")),
    "azure key": (key(BODY), key(BODY, api_key="x")),
    "google key": (key(BODY), key(BODY, x_goog_api_key="x")),
    "google client": (key(BODY), key(BODY, x_goog_api_client="genai/3")),
    "signed": (
        key(BODY, authorization="AWS4-HMAC-SHA256 a", x_amz_date="1"),
        key(BODY, authorization="AWS4-HMAC-SHA256 b", x_amz_date="2"),
    ),
    "timeout of the SDK": (key(BODY), key(BODY, x_stainless_read_timeout="600")),
    "fresh ids of parallel calls": (
        key([tool_turn("a", dialect="chat"), tool_turn("b", dialect="chat")]),
        key([tool_turn("x", dialect="chat"), tool_turn("y", dialect="chat")]),
    ),
    "charset": (key(BODY), key(BODY, content_type="application/json; charset=utf-8")),
    "order of betas": (
        key(BODY, anthropic_beta="a, b"),
        key(BODY, anthropic_beta="b,a,a"),
    ),
    "order inside a sub-schema": (
        key({"properties": {"x": {"type": "string", "title": "t"}}}),
        key({"properties": {"x": {"title": "t", "type": "string"}}}),
    ),
}


@pytest.mark.parametrize("what", EQUAL)
def test_what_does_not_change_the_question(what: str) -> None:
    """Credentials, versions, spelling and billing are not in the key."""
    first, second = EQUAL[what]
    assert first == second


DIFFERENT: dict[str, tuple[bytes, bytes]] = {
    "word": (key(BODY), key({**BODY, "messages": []})),
    "model": (key(BODY), key({**BODY, "model": "n"})),
    "integer and float": (key({"a": 1}), key({"a": 1.0})),
    "number and text": (key({"a": 1}), key({"a": "1"})),
    "null and absent": (key({"a": None}), key({})),
    "true and one": (key({"a": True}), key({"a": 1})),
    "order of messages": (key({"m": [1, 2]}), key({"m": [2, 1]})),
    "order of a schema": (
        key({"properties": {"a": {}, "b": {}}}),
        key({"properties": {"b": {}, "a": {}}}),
    ),
    "order of definitions": (
        key({"$defs": {"a": {}, "b": {}}}),
        key({"$defs": {"b": {}, "a": {}}}),
    ),
    "order inside tool parameters": (
        key({"parameters": {"properties": {"a": {}, "b": {}}}}),
        key({"parameters": {"properties": {"b": {}, "a": {}}}}),
    ),
    "beta": (key(BODY), key(BODY, anthropic_beta="a")),
    "openai beta": (key(BODY), key(BODY, openai_beta="a")),
    "which beta": (key(BODY, openai_beta="a"), key(BODY, anthropic_beta="a")),
    "beta in the query": (key(BODY), key(BODY, URL + "?beta=true")),
    "azure version": (
        key(BODY, URL + "?api-version=1"),
        key(BODY, URL + "?api-version=2"),
    ),
    "host": (key(BODY), key(BODY, URL.replace("openai", "example"))),
    "port": (key(BODY), key(BODY, URL.replace(".com", ".com:8080"))),
    "scheme": (key(BODY), key(BODY, URL.replace("https", "http"))),
    "path": (key(BODY), key(BODY, URL.replace("v1", "v2"))),
    "case of the path": (key(BODY), key(BODY, URL.replace("chat", "Chat"))),
    "media type": (key(BODY), key(BODY, content_type="text/plain")),
    "bytes": (key(b"\xff\x01"), key(b"\xff\x02")),
    "text form": (key({"a": "é"}), key({"a": "e\u0301"})),
    "stream": (key(BODY), key({**BODY, "stream": True})),
    "temperature": (key(BODY), key({**BODY, "temperature": 0})),
    "seed": (key({**BODY, "seed": 1}), key({**BODY, "seed": 2})),
    "message id": (key({"messages": [{"id": "a"}]}), key({"messages": [{"id": "b"}]})),
    "case of a name": (key({"a": 1}), key({"A": 1})),
    "field of a form": (form("6f0a"), form("6f0a", text="b")),
    "tool": (key({**BODY, "tools": [1]}), key({**BODY, "tools": [2]})),
    "system": (key({**BODY, "system": "a"}), key({**BODY, "system": "b"})),
    "number of samples": (key({**BODY, "n": 1}), key({**BODY, "n": 2})),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_changes_the_question(what: str) -> None:
    """Each of these is another question, and is asked."""
    first, second = DIFFERENT[what]
    assert first != second


def test_secrets_are_replaced_before_the_key_is_made() -> None:
    """A key in a prompt is no part of the identity, its place is."""

    def redact(text: str) -> str:
        return text.replace("secret-one", "S").replace("secret-two", "S")

    def of(text: str) -> bytes:
        body = json.dumps({"model": text}).encode()
        return key_of(asked("POST", URL, JSON, body), redact)

    assert of("use secret-one") == of("use secret-two")
    assert of("use secret-one") != of("say secret-one")


def test_a_body_that_is_no_json_counts_as_it_is() -> None:
    """NaN is no JSON, so such a body is taken byte by byte."""
    assert canonical_body(b'{"a": NaN}') == b'{"a": NaN}'


def test_a_body_nested_too_deep_counts_as_it_is() -> None:
    """Depth is no crash."""
    deep = b"[" * 100_000
    assert canonical_body(deep) == deep


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/openai/deployments/d/chat/completions",
        "/v1/responses",
        "/v1/moderations",
        "/v1/messages/count_tokens",
        "/v1beta/models/g:generateContent",
        "/v1beta/models/g:streamGenerateContent",
    ],
)
def test_paths_that_only_models_have(path: str) -> None:
    """Known shapes are model calls on any host, whatever the body."""
    assert asks_model("POST", path, b"")
    assert not asks_model("GET", path, b"")


@pytest.mark.parametrize(
    "path",
    ["/v1/messages", "/v1/completions", "/v1/embeddings", "/api/chat", "/v2/chat"],
)
def test_vague_paths_need_a_model_in_the_body(path: str) -> None:
    """A chat room has messages too; only a body that names a model asks one."""
    assert asks_model("POST", path, b'{"model": "m"}')
    assert not asks_model("POST", path, b'{"text": "hi"}')
    assert not asks_model("POST", path, b'{"model": 3}')
    assert not asks_model("POST", path, b"[]")
    assert not asks_model("POST", path, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/files",
        "/v1/batches",
        "/oauth/token",
        "/v1/responses/resp_1/cancel",
        "/latest/meta-data/",
        "/mcp",
        "/v1/models",
    ],
)
def test_other_paths_pass(path: str) -> None:
    """Tokens, files, metadata and everything else are not journaled."""
    assert not asks_model("POST", path, b'{"model": "m"}')


def test_a_request_is_named_by_method_and_address() -> None:
    """Neither user nor query is in the name."""
    request: Asked = asked("post", "https://u:p@Host.com/v1/responses?key=1", {}, b"")
    assert name_of(request) == "POST host.com/v1/responses"


def test_the_tables_are_long() -> None:
    """Thirty pairs that must be equal, thirty that must not."""
    assert len(EQUAL) >= 30
    assert len(DIFFERENT) >= 30
