"""Anthropic's messages: an `Answer` as one object, or as a stream of events. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from nbdurable.testing.model_server.answers import Answer, pieces
from nbdurable.testing.model_server.conversation import Json
from nbdurable.testing.model_server.sse import event


def whole(answer: Answer, model: str) -> Json:
    """The answer to a request without ``stream``."""
    usage = _usage(answer.tokens_in, answer.tokens_out)
    end = {"stop_reason": _reason(answer), "stop_sequence": None, "usage": usage}
    return {**_head(answer, model), "content": _blocks(answer), **end}


def stream(answer: Answer, model: str) -> Iterator[bytes]:
    """The same as server-sent events."""
    none: Json = {"content": [], "stop_reason": None, "stop_sequence": None}
    begun = {**_head(answer, model), **none, "usage": _usage(answer.tokens_in, 1)}
    yield event({"type": "message_start", "message": begun})
    for index, block in enumerate(_blocks(answer)):
        empty: Json = {"text": ""} if block["type"] == "text" else {"input": {}}
        yield event(
            {
                "type": "content_block_start",
                "index": index,
                "content_block": {**block, **empty},
            }
        )
        for delta in _deltas(block):
            yield event({"type": "content_block_delta", "index": index, "delta": delta})
        yield event({"type": "content_block_stop", "index": index})
    end = {"stop_reason": _reason(answer), "stop_sequence": None}
    usage = {"output_tokens": answer.tokens_out}
    yield event({"type": "message_delta", "delta": end, "usage": usage})
    yield event({"type": "message_stop"})


def _head(answer: Answer, model: str) -> dict[str, object]:
    kind = {"id": f"msg_{answer.mark}", "type": "message", "role": "assistant"}
    return {**kind, "model": model}


def _blocks(answer: Answer) -> list[dict[str, object]]:
    blocks: list[dict[str, object]] = []
    if answer.text or not answer.calls:
        blocks.append({"type": "text", "text": answer.text})
    for call in answer.calls:
        named = {"id": f"toolu_{call.id}", "name": call.name}
        blocks.append(
            {"type": "tool_use", **named, "input": json.loads(call.arguments)}
        )
    return blocks


def _deltas(block: Json) -> Iterator[Json]:
    if block["type"] == "text":
        for piece in pieces(str(block["text"])):
            yield {"type": "text_delta", "text": piece}
    else:
        for piece in pieces(json.dumps(block["input"])):
            yield {"type": "input_json_delta", "partial_json": piece}


def _reason(answer: Answer) -> str:
    return "tool_use" if answer.calls else "end_turn"


def _usage(tokens_in: int, tokens_out: int) -> Json:
    return {"input_tokens": tokens_in, "output_tokens": tokens_out}
