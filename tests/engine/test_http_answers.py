"""What is kept of an answer, when a stream is complete, and what it cost."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.integrations.http.answers import record
from nbdurable.integrations.http.httpx_wire import HttpxWire
from nbdurable.integrations.http.marks import Mark, Marks
from nbdurable.integrations.http.recording import (
    Recording,
    from_plain,
    kept_headers,
    to_plain,
)
from nbdurable.integrations.http.streams import Ending, Heard
from nbdurable.integrations.http.usage import measure

SSE = (("content-type", "text/event-stream; charset=utf-8"),)
NDJSON = (("content-type", "application/x-ndjson"),)
JSON = (("content-type", "application/json"),)


def events(*data: object, names: tuple[str, ...] = ()) -> bytes:
    """Server-sent events with JSON data."""
    named = [*names, *[""] * len(data)]
    lines = [
        (f"event: {name}\n" if name else "") + f"data: {json.dumps(one)}\n\n"
        for name, one in zip(named, data, strict=False)
    ]
    return "".join(lines).encode()


DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("media", "body", "mark"),
    [
        ("text/event-stream", events({"a": 1}), Mark.NONE),
        ("text/event-stream", events({"a": 1}) + DONE, Mark.STRONG),
        ("text/event-stream", b"data:[DONE]\r\n\r\n", Mark.STRONG),
        ("text/event-stream", b"data: [DONE]\n", Mark.NONE),
        ("text/event-stream", events("[DONE]"), Mark.NONE),
        ("text/event-stream", events({"content": "[DONE]"}), Mark.NONE),
        ("text/event-stream", events({}, names=("message_stop",)), Mark.STRONG),
        ("text/event-stream", events({"type": "message_stop"}), Mark.STRONG),
        ("text/event-stream", events({"type": "response.completed"}), Mark.STRONG),
        ("text/event-stream", events({"type": "response.failed"}), Mark.STRONG),
        ("text/event-stream", events({"type": "response.incomplete"}), Mark.STRONG),
        ("text/event-stream", events({"type": "response.created"}), Mark.NONE),
        ("text/event-stream", events({"text": "response.completed"}), Mark.NONE),
        (
            "text/event-stream",
            events({"candidates": [{"finishReason": "STOP"}]}),
            Mark.WEAK,
        ),
        ("text/event-stream", events({"candidates": [{}]}), Mark.NONE),
        ("text/event-stream", events({"x": 1}, names=("error",)), Mark.ERROR),
        ("text/event-stream", events({"error": {"message": "no"}}), Mark.ERROR),
        ("text/event-stream", events({"type": "error"}), Mark.ERROR),
        ("text/event-stream", events({"error": None}), Mark.NONE),
        ("text/event-stream", events({"content": "error"}), Mark.NONE),
        ("application/x-ndjson", b'{"done":false}\n', Mark.NONE),
        ("application/x-ndjson", b'{"done":true}\n', Mark.STRONG),
        ("application/json", b'{"done":true}\n', Mark.NONE),
    ],
)
def test_marks_are_seen_however_the_stream_is_cut(
    media: str, body: bytes, mark: Mark
) -> None:
    """A mark counts with the end of its event, whatever pieces it came in."""
    for size in (1, 3, len(body)):
        marks = Marks(media)
        for at in range(0, len(body), size):
            marks.feed(body[at : at + size])
        assert marks.seen is mark


def test_headers_are_kept_by_an_allow_list() -> None:
    """Cookies and unknown headers are dropped."""
    sent = [
        ("Content-Type", "application/json"),
        ("X-Request-Id", "r"),
        ("request-id", "r"),
        ("openai-processing-ms", "1"),
        ("anthropic-ratelimit-tokens-remaining", "1"),
        ("x-ratelimit-limit-requests", "1"),
        ("retry-after-ms", "1"),
        ("Set-Cookie", "session=1"),
        ("content-encoding", "gzip"),
        ("content-length", "3"),
        ("transfer-encoding", "chunked"),
        ("server", "x"),
    ]
    assert [name for name, _ in kept_headers(sent)] == [
        "content-type",
        "x-request-id",
        "request-id",
        "openai-processing-ms",
        "anthropic-ratelimit-tokens-remaining",
        "x-ratelimit-limit-requests",
        "retry-after-ms",
    ]


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_a_recording_round_trips(chunks: list[bytes]) -> None:
    """Body and pieces come back from plain data, text or not."""
    cuts, at = [], 0
    for chunk in chunks:
        at += len(chunk)
        cuts.append(at)
    ms = tuple(float(i) for i in range(len(chunks)))
    was = Recording(
        status=200, headers=SSE, body=b"".join(chunks), cuts=tuple(cuts), ms=ms
    )
    again = from_plain(to_plain(was))
    assert again == was
    assert again.pieces() == [c for c in chunks if c]


def test_a_body_that_got_shorter_still_plays() -> None:
    """A secret that was put back shorter moves the cuts, not the content."""
    was = Recording(status=200, body=b"abc", cuts=(2, 9, 12))
    assert was.pieces() == [b"ab", b"c"]


@pytest.mark.parametrize("plain", [None, 3, {}, {"status": "200"}, []])
def test_what_is_no_recording_is_refused(plain: object) -> None:
    """Stored data of another form is an error, never an empty answer."""
    with pytest.raises(ValueError, match="no recorded answer"):
        from_plain(plain)


USAGE: dict[str, tuple[Recording, dict[str, object]]] = {
    "chat": (
        Recording(
            status=200,
            headers=JSON,
            body=json.dumps(
                {
                    "model": "m",
                    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
                    "choices": [{"message": {"content": "x"}}],
                }
            ).encode(),
        ),
        {"model": "m", "tokens_in": 3, "tokens_out": 2},
    ),
    "chat stream": (
        Recording(
            status=200,
            headers=SSE,
            body=events(
                {"model": "m", "choices": [{}], "usage": None},
                {
                    "model": "m",
                    "choices": [],
                    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
                },
            )
            + DONE,
        ),
        {"model": "m", "tokens_in": 3, "tokens_out": 2},
    ),
    "chat stream without usage": (
        Recording(status=200, headers=SSE, body=events({"model": "m"}) + DONE),
        {"model": "m"},
    ),
    "responses stream": (
        Recording(
            status=200,
            headers=SSE,
            body=events(
                {"type": "response.created", "response": {"model": "m", "usage": None}},
                {
                    "type": "response.completed",
                    "response": {
                        "model": "m",
                        "usage": {"input_tokens": 3, "output_tokens": 2},
                    },
                },
            ),
        ),
        {"model": "m", "tokens_in": 3, "tokens_out": 2},
    ),
    "messages": (
        Recording(
            status=200,
            headers=JSON,
            body=json.dumps(
                {
                    "model": "m",
                    "usage": {
                        "input_tokens": 3,
                        "cache_read_input_tokens": 10,
                        "cache_creation_input_tokens": None,
                        "output_tokens": 2,
                    },
                }
            ).encode(),
        ),
        {"model": "m", "tokens_in": 13, "tokens_out": 2, "tokens_cached": 10},
    ),
    "messages stream": (
        Recording(
            status=200,
            headers=SSE,
            body=events(
                {
                    "type": "message_start",
                    "message": {
                        "model": "m",
                        "usage": {"input_tokens": 3, "output_tokens": 1},
                    },
                },
                {"type": "message_delta", "usage": {"output_tokens": 9}},
            ),
        ),
        {"model": "m", "tokens_in": 3, "tokens_out": 9},
    ),
    "gemini": (
        Recording(
            status=200,
            headers=JSON,
            body=json.dumps(
                {
                    "modelVersion": "g",
                    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2},
                }
            ).encode(),
        ),
        {"model": "g", "tokens_in": 3, "tokens_out": 2},
    ),
    "ollama": (
        Recording(
            status=200,
            headers=NDJSON,
            body=b'{"model":"l"}\n{"model":"l","done":true,'
            b'"prompt_eval_count":3,"eval_count":2}\n',
        ),
        {"model": "l", "tokens_in": 3, "tokens_out": 2},
    ),
    "embeddings": (
        Recording(
            status=200,
            headers=JSON,
            body=b'{"model":"e","usage":{"prompt_tokens":3,"total_tokens":3}}',
        ),
        {"model": "e", "tokens_in": 3},
    ),
    "no json": (Recording(status=200, headers=JSON, body=b"\xff"), {}),
    "a list": (Recording(status=200, headers=JSON, body=b"[1]"), {}),
    "odd numbers": (
        Recording(
            status=200, headers=JSON, body=b'{"usage":{"prompt_tokens":true},"model":1}'
        ),
        {},
    ),
}


@pytest.mark.parametrize("what", USAGE)
def test_usage_is_read_from_every_format(what: str) -> None:
    """Tokens and model of each dialect, whole and streamed."""
    recording, expected = USAGE[what]
    assert measure(recording) == expected


class Listener:
    """Remembers how a reading ended."""

    def __init__(self) -> None:
        self.ends: list[tuple[bytes, bool, str]] = []

    def ended(self, heard: Heard, error: BaseException | None) -> None:
        """Note the end."""
        self.ends.append((b"".join(heard.chunks), heard.whole(), repr(error)))

    async def ended_async(self, heard: Heard, error: BaseException | None) -> None:
        """Note the end."""
        self.ended(heard, error)


LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2])


def listened(library: Any, chunks: list[bytes], *, fails: bool = False) -> Any:
    """A response of a library whose body is listened to, and the listener."""

    class Source(library.SyncByteStream):  # type: ignore[misc]  # of either library
        def __iter__(self) -> Any:
            yield from chunks
            if fails:
                raise library.ReadError("cut")

    heard = Heard(marks=Marks("text/event-stream"), elapsed_ms=lambda: 1)
    listener = Listener()
    response = library.Response(200, headers=SSE, stream=Source())
    wire(library).listen(response, Ending(heard, listener))
    return response, listener, heard


def wire(library: Any) -> HttpxWire:
    """A request of a library."""
    request = library.Request("POST", "http://x/v1/responses")
    request.read()
    return HttpxWire(library, None, request)


@LIBRARIES
def test_a_stream_that_is_read_to_its_end_is_whole(library: Any) -> None:
    """End of file completes an answer, once."""
    response, listener, _ = listened(library, [b"a", b"b"])
    assert response.read() == b"ab"
    response.close()
    assert listener.ends == [(b"ab", True, "None")]


@LIBRARIES
def test_a_mark_completes_before_its_piece_is_handed_out(library: Any) -> None:
    """When the code sees the last piece, the answer is already recorded."""
    response, listener, _ = listened(library, [b"data: 1\n\n", DONE, b"more"])
    pieces = response.iter_raw()
    next(pieces)
    assert listener.ends == []
    assert next(pieces) == DONE
    assert listener.ends == [(b"data: 1\n\n" + DONE, True, "None")]


@LIBRARIES
def test_a_stream_that_is_closed_early_is_cut(library: Any) -> None:
    """Closing ends it at once, without waiting for the garbage collector."""
    response, listener, _ = listened(library, [b"data: 1\n\n", DONE])
    next(response.iter_raw())
    response.close()
    assert listener.ends == [(b"data: 1\n\n", False, "None")]


@LIBRARIES
def test_a_stream_that_breaks_says_how(library: Any) -> None:
    """A lost connection reaches the caller and the listener."""
    response, listener, _ = listened(library, [b"a"], fails=True)
    with pytest.raises(library.ReadError):
        response.read()
    assert listener.ends == [(b"a", False, "ReadError('cut')")]


@LIBRARIES
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_is_kept_decoded(library: Any, encoding: str) -> None:
    """Replay needs no decoder."""
    packed = gzip.compress(b"hello") if encoding == "gzip" else zlib.compress(b"hello")
    response = library.Response(200, headers={"content-encoding": encoding})
    heard = Heard(marks=Marks(""), elapsed_ms=lambda: 1)
    for byte in packed:
        heard.hear(bytes([byte]))
    was = record(wire(library), response, heard)
    assert was.body == b"hello"
    assert was.pieces() == [b"hello"]


@LIBRARIES
def test_a_rebuilt_response_reads_like_the_first(library: Any) -> None:
    """Status, headers, body and elapsed come back; the request is the new one."""
    asked = wire(library)
    was = Recording(
        status=200, headers=SSE, body=b"data: 1\n\n" + DONE, cuts=(9,), ms=(1.0, 2.0)
    )
    response = asked.rebuilt(was)
    assert list(response.iter_bytes()) == [b"data: 1\n\n", DONE]
    assert response.headers["content-type"] == SSE[0][1]
    assert response.request is asked.request
    assert response.elapsed.total_seconds() == pytest.approx(0.002)


@LIBRARIES
def test_a_replayed_failure_is_not_to_be_sent_again(library: Any) -> None:
    """SDKs raise their typed error at once."""
    refused = wire(library).rebuilt(Recording(status=429))
    assert refused.headers["x-should-retry"] == "false"
    wrong = wire(library).rebuilt(Recording(status=400))
    assert "x-should-retry" not in wrong.headers
