"""Dialects of other vendors, of which the SDKs are tested: a subset, texts and tools. Pure.

Google's Gemini, Ollama, Cohere's second version and Amazon's Bedrock (converse). What they
ask is read as if it were a chat completion; what they hear differs.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence

from nbdurable.testing.model_server.answers import Answer, pieces
from nbdurable.testing.model_server.conversation import Json
from nbdurable.testing.model_server.sse import data, event

DATE = "2023-11-14T22:13:20Z"
"""The date that every answer bears."""

Chunks = Iterator[bytes]
Say = tuple[Callable[[Answer, str], Json], Callable[[Answer, str], Chunks], str]
"""The whole answer, its stream, and the media type of the stream."""


def as_chat(asked: Json) -> dict[str, object]:
    """What a vendor's request would be as a chat completion."""
    if "contents" in asked:
        return {"messages": _contents(asked), "tools": _declared(asked)}
    messages = [_message(m) for m in _list(asked.get("messages"))]
    return {"messages": messages, "tools": asked.get("tools") or []}


def _message(message: Json) -> Json:
    """Bedrock's parts have no type."""
    content = message.get("content")
    if isinstance(content, list):
        texts = [
            str(part.get("text", "")) for part in content if isinstance(part, dict)
        ]
        return {**message, "content": "".join(texts)}
    return message


def _contents(asked: Json) -> list[Json]:
    found: list[Json] = []
    for content in _list(asked.get("contents")):
        role = "assistant" if content.get("role") == "model" else "user"
        for part in _list(content.get("parts")):
            result = part.get("functionResponse")
            if isinstance(result, dict):
                said = json.dumps(result.get("response"))
                found.append({"role": "tool", "content": said})
            else:
                found.append({"role": role, "content": str(part.get("text", ""))})
    return found


def _declared(asked: Json) -> list[Json]:
    return [
        {
            "name": one.get("name"),
            "parameters": one.get("parametersJsonSchema")
            or one.get("parameters")
            or {},
        }
        for tool in _list(asked.get("tools"))
        for one in _list(tool.get("functionDeclarations"))
    ]


# --- Gemini


def _gemini(answer: Answer, model: str, parts: Sequence[Json], *, ends: bool) -> Json:
    content = {"role": "model", "parts": list(parts)}
    candidate: dict[str, object] = {"index": 0, "content": content}
    said: dict[str, object] = {"modelVersion": model, "responseId": answer.mark}
    if ends:
        candidate["finishReason"] = "STOP"
        said["usageMetadata"] = {
            "promptTokenCount": answer.tokens_in,
            "candidatesTokenCount": answer.tokens_out,
            "totalTokenCount": answer.tokens_in + answer.tokens_out,
        }
    return {**said, "candidates": [candidate]}


def _gemini_parts(answer: Answer) -> list[Json]:
    if not answer.calls:
        return [{"text": answer.text}]
    return [
        {"functionCall": {"id": c.id, "name": c.name, "args": json.loads(c.arguments)}}
        for c in answer.calls
    ]


def _gemini_whole(answer: Answer, model: str) -> Json:
    return _gemini(answer, model, _gemini_parts(answer), ends=True)


def _gemini_stream(answer: Answer, model: str) -> Chunks:
    parts: list[Json] = _gemini_parts(answer)
    if not answer.calls:
        parts = [{"text": piece} for piece in pieces(answer.text)]
    for i, part in enumerate(parts):
        yield data(_gemini(answer, model, [part], ends=i == len(parts) - 1))


# --- Ollama


def _ollama(answer: Answer, model: str, text: str, *, ends: bool) -> Json:
    message: dict[str, object] = {"role": "assistant", "content": text}
    if ends and answer.calls:
        message["tool_calls"] = [
            {"function": {"name": c.name, "arguments": json.loads(c.arguments)}}
            for c in answer.calls
        ]
    said = {"model": model, "created_at": DATE, "message": message, "done": ends}
    counts = {"prompt_eval_count": answer.tokens_in, "eval_count": answer.tokens_out}
    return {**said, **({"done_reason": "stop", **counts} if ends else {})}


def _ollama_whole(answer: Answer, model: str) -> Json:
    return _ollama(answer, model, answer.text, ends=True)


def _ollama_stream(answer: Answer, model: str) -> Chunks:
    for piece in pieces(answer.text):
        yield json.dumps(_ollama(answer, model, piece, ends=False)).encode() + b"\n"
    yield json.dumps(_ollama(answer, model, "", ends=True)).encode() + b"\n"


# --- Cohere


def _cohere_whole(answer: Answer, model: str) -> Json:
    del model
    content = [{"type": "text", "text": answer.text}]
    message = {"role": "assistant", "content": content}
    done = {"finish_reason": "COMPLETE", "usage": _cohere_usage(answer)}
    return {"id": answer.mark, "message": message, **done}


def _cohere_usage(answer: Answer) -> Json:
    tokens = {"input_tokens": answer.tokens_in, "output_tokens": answer.tokens_out}
    return {"tokens": tokens}


def _cohere_stream(answer: Answer, model: str) -> Chunks:
    del model
    begun = {"message": {"role": "assistant", "content": []}}
    yield event({"type": "message-start", "id": answer.mark, "delta": begun})
    for piece in pieces(answer.text):
        said = {"message": {"content": {"text": piece}}}
        yield event({"type": "content-delta", "index": 0, "delta": said})
    ended = {"finish_reason": "COMPLETE", "usage": _cohere_usage(answer)}
    yield event({"type": "message-end", "id": answer.mark, "delta": ended})


# --- Bedrock


def _bedrock_usage(answer: Answer) -> Json:
    total = answer.tokens_in + answer.tokens_out
    counts = {"inputTokens": answer.tokens_in, "outputTokens": answer.tokens_out}
    return {"usage": {**counts, "totalTokens": total}, "metrics": {"latencyMs": 1}}


def _bedrock_whole(answer: Answer, model: str) -> Json:
    del model
    message = {"role": "assistant", "content": [{"text": answer.text}]}
    done = {"stopReason": "end_turn", **_bedrock_usage(answer)}
    return {"output": {"message": message}, **done}


def _bedrock_stream(answer: Answer, model: str) -> Chunks:
    del model
    yield _framed("messageStart", {"role": "assistant"})
    for piece in pieces(answer.text):
        said: Json = {"contentBlockIndex": 0, "delta": {"text": piece}}
        yield _framed("contentBlockDelta", said)
    yield _framed("contentBlockStop", {"contentBlockIndex": 0})
    yield _framed("messageStop", {"stopReason": "end_turn"})
    yield _framed("metadata", _bedrock_usage(answer))


def _framed(kind: str, said: Json) -> bytes:
    """A message of Amazon's binary event streams."""
    named = {":message-type": "event", ":event-type": kind}
    named[":content-type"] = "application/json"
    headers = b"".join(_header(name, value) for name, value in named.items())
    payload = json.dumps(said).encode()
    length = len(headers) + len(payload) + 16
    prelude = struct.pack(">II", length, len(headers))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    message = prelude + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    length = struct.pack(">H", len(text))
    return bytes([len(name)]) + name.encode() + b"\x07" + length + text


SSE = "text/event-stream"
GEMINI: Say = (_gemini_whole, _gemini_stream, SSE)
OLLAMA: Say = (_ollama_whole, _ollama_stream, "application/x-ndjson")
COHERE: Say = (_cohere_whole, _cohere_stream, SSE)
BEDROCK: Say = (_bedrock_whole, _bedrock_stream, "application/vnd.amazon.eventstream")


def said(method: str, path: str, asked: Json) -> tuple[Say, str, bool] | None:
    """Who answers a path, for which model, and whether in a stream; None for no path.

    Example:
        >>> said("POST", "/v1beta/models/g:generateContent", {})[1:]
        ('g', False)
        >>> said("POST", "/model/m/converse-stream", {})[1:]
        ('m', True)
    """
    parts, model = path.strip("/").split("/"), str(asked.get("model", ""))
    match method, parts:
        case "POST", [*_, "models", named] if ":" in named:
            name, _, what = named.partition(":")
            return GEMINI, name, what == "streamGenerateContent"
        case "POST", ["api", "chat"]:
            return OLLAMA, model, asked.get("stream", True) is not False
        case "POST", ["v2", "chat"]:
            return COHERE, model, asked.get("stream") is True
        case "POST", ["model", name, "converse" | "converse-stream" as what]:
            return BEDROCK, name, what == "converse-stream"
        case _:
            return None


def _list(value: object) -> list[dict[str, object]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]
