"""OpenAI's responses: an `Answer` as one object, or as a stream of events. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from nbdurable.testing.model_server.answers import Answer, pieces
from nbdurable.testing.model_server.conversation import Json
from nbdurable.testing.model_server.sse import CREATED_S, event


def whole(answer: Answer, asked: Json) -> Json:
    """The answer to a request without ``stream``."""
    usage = {
        "input_tokens": answer.tokens_in,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": answer.tokens_out,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.tokens_in + answer.tokens_out,
    }
    done = {"status": "completed", "output": _items(answer), "usage": usage}
    return {**_head(answer, asked), **done}


def stream(answer: Answer, asked: Json) -> Iterator[bytes]:
    """The same as server-sent events, numbered as OpenAI numbers them."""
    begun = {**_head(answer, asked), "status": "in_progress", "output": []}
    events: list[dict[str, object]] = [{"type": "response.created", "response": begun}]
    for index, item in enumerate(_items(answer)):
        empty: Json = (
            {"content": []} if item["type"] == "message" else {"arguments": ""}
        )
        started = {**item, **empty, "status": "in_progress"}
        events += [_item_event("added", index, started)]
        events += _message(index, item, answer.text)
        events += [_item_event("done", index, item)]
    events += [{"type": "response.completed", "response": whole(answer, asked)}]
    for number, one in enumerate(events):
        yield event({**one, "sequence_number": number})


def _item_event(what: str, index: int, item: Json) -> dict[str, object]:
    kind = f"response.output_item.{what}"
    return {"type": kind, "output_index": index, "item": item}


def _message(index: int, item: Json, text: str) -> Iterator[dict[str, object]]:
    at = {"item_id": item["id"], "output_index": index}
    if item["type"] == "function_call":
        kind, arguments = "response.function_call_arguments", str(item["arguments"])
        for piece in pieces(arguments):
            yield {"type": f"{kind}.delta", **at, "delta": piece}
        done = {"name": item["name"], "arguments": arguments}
        yield {"type": f"{kind}.done", **at, **done}
        return
    at = {**at, "content_index": 0}
    yield {"type": "response.content_part.added", **at, "part": _part("")}
    for piece in pieces(text):
        delta = {"delta": piece, "logprobs": []}
        yield {"type": "response.output_text.delta", **at, **delta}
    yield {"type": "response.output_text.done", **at, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": _part(text)}


def _items(answer: Answer) -> list[dict[str, object]]:
    items: list[dict[str, object]] = []
    if answer.text or not answer.calls:
        message = {"type": "message", "role": "assistant", "status": "completed"}
        content = [_part(answer.text)]
        items.append({"id": f"msg_{answer.mark}", **message, "content": content})
    for call in answer.calls:
        named = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
        kind = {"type": "function_call", "status": "completed"}
        items.append({"id": f"fc_{call.id}", **kind, **named})
    return items


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _head(answer: Answer, asked: Json) -> dict[str, object]:
    echoed = {
        "instructions": asked.get("instructions"),
        "model": asked.get("model", ""),
        "parallel_tool_calls": True,
        "previous_response_id": asked.get("previous_response_id"),
        "temperature": 1.0,
        "text": asked.get("text") or {"format": {"type": "text"}},
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": asked.get("tools", []),
        "top_p": 1.0,
    }
    kind = {"id": f"resp_{answer.mark}", "object": "response", "created_at": CREATED_S}
    none: Json = {"error": None, "incomplete_details": None, "metadata": {}}
    return {**kind, **none, **echoed}
