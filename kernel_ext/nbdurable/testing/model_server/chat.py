"""OpenAI's chat completions: an `Answer` as one object, or as a stream of chunks. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from nbdurable.testing.model_server.answers import Answer, ToolCall, pieces
from nbdurable.testing.model_server.conversation import Json
from nbdurable.testing.model_server.sse import CREATED_S, data

DONE = b"data: [DONE]\n\n"


def whole(answer: Answer, model: str) -> Json:
    """The answer to a request without ``stream``."""
    calls = [_call(c) for c in answer.calls]
    message: dict[str, object] = {"role": "assistant", "content": answer.text or None}
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": _reason(answer)}
    return {
        **_head(answer, model, "chat.completion"),
        "choices": [{**choice, "logprobs": None}],
        "usage": _usage(answer),
    }


def stream(answer: Answer, model: str, *, usage: bool) -> Iterator[bytes]:
    """The same as server-sent events; ``usage`` as ``stream_options`` asks for it."""
    head = _head(answer, model, "chat.completion.chunk")

    def chunk(delta: Json, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return data({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": "" if answer.text else None})
    for piece in pieces(answer.text) if answer.text else ():
        yield chunk({"content": piece})
    for i, call in enumerate(answer.calls):
        first, rest = {"index": i, **_call(call)}, call.arguments
        yield chunk(
            {
                "tool_calls": [
                    {**first, "function": {"name": call.name, "arguments": ""}}
                ]
            }
        )
        for piece in pieces(rest):
            yield chunk(
                {"tool_calls": [{"index": i, "function": {"arguments": piece}}]}
            )
    yield chunk({}, _reason(answer))
    if usage:
        yield data({**head, "choices": [], "usage": _usage(answer)})
    yield DONE


def _head(answer: Answer, model: str, kind: str) -> dict[str, object]:
    name = f"chatcmpl-{answer.mark}"
    return {"id": name, "object": kind, "created": CREATED_S, "model": model}


def _call(call: ToolCall) -> dict[str, object]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _reason(answer: Answer) -> str:
    return "tool_calls" if answer.calls else "stop"


def _usage(answer: Answer) -> Json:
    return {
        "prompt_tokens": answer.tokens_in,
        "completion_tokens": answer.tokens_out,
        "total_tokens": answer.tokens_in + answer.tokens_out,
    }
