"""Which path gets which answer. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from collections.abc import Iterator

from nbdurable.testing.loopback import Reply, Request, json_reply
from nbdurable.testing.model_server import chat, messages, others, responses
from nbdurable.testing.model_server.answers import MARK, Script, answer
from nbdurable.testing.model_server.conversation import (
    Json,
    canonical,
    of_chat,
    of_messages,
    of_responses,
)

PREFIX = re.compile(r"^(?:/openai)?(?:/v1|/deployments/[^/]+)?")
"""What stands before OpenAI's paths: at Groq, on Azure."""

DIMENSIONS = 8
"""Numbers in an embedding when the request names no ``dimensions``."""


def respond(request: Request, script: Script = ()) -> Reply:
    """Answer one request of any dialect; an unknown path is a 404 as JSON."""
    body, size = request.plain, len(request.body)
    path = PREFIX.sub("", request.path)
    model = str(body.get("model", ""))
    match request.method, path:
        case "POST", "/chat/completions":
            said = answer(of_chat(body), request.digest, size, script)
            usage = _dict(body.get("stream_options")).get("include_usage") is True
            whole: Json = chat.whole(said, model)
            events = chat.stream(said, model, usage=usage)
        case "POST", "/responses":
            said = answer(of_responses(body), request.digest, size, script)
            whole, events = responses.whole(said, body), responses.stream(said, body)
        case "POST", "/messages":
            said = answer(of_messages(body), request.digest, size, script)
            whole, events = messages.whole(said, model), messages.stream(said, model)
        case "POST", "/embeddings":
            return _named(json_reply(_embeddings(body, size)), request)
        case "POST", "/messages/count_tokens":
            return _named(json_reply({"input_tokens": max(1, size // 4)}), request)
        case _ if other := others.said(request.method, request.path, body):
            return _named(_other(other, request, script), request)
        case _:
            error = {"type": "not_found_error", "message": f"no such path: {path}"}
            return json_reply({"type": "error", "error": error}, 404)
    return _named(_reply(whole, events, body), request)


def _other(
    said: tuple[others.Say, str, bool], request: Request, script: Script
) -> Reply:
    """An answer in another vendor's dialect."""
    (whole, stream, media), model, streamed = said
    asked = of_chat(others.as_chat(request.plain))
    found = answer(asked, request.digest, len(request.body), script)
    if streamed:
        return Reply(chunks=tuple(stream(found, model)), media=media, stream=True)
    return json_reply(whole(found, model))


def _reply(whole: Json, events: Iterator[bytes], body: Json) -> Reply:
    if body.get("stream") is True:
        return Reply(chunks=tuple(events), media="text/event-stream", stream=True)
    return json_reply(whole)


def _named(reply: Reply, request: Request) -> Reply:
    """Name the answer as both vendors do, by the digest of the request."""
    name = f"req_{request.digest[:MARK]}"
    headers = {**reply.headers, "x-request-id": name, "request-id": name}
    return Reply(
        chunks=reply.chunks,
        status=reply.status,
        media=reply.media,
        headers=headers,
        stream=reply.stream,
    )


def _embeddings(body: Json, size: int) -> Json:
    said = body.get("input", "")
    inputs = said if isinstance(said, list) and not _is_tokens(said) else [said]
    count = body.get("dimensions")
    length = count if isinstance(count, int) else DIMENSIONS
    packed = body.get("encoding_format") == "base64"
    usage = {"prompt_tokens": max(1, size // 4), "total_tokens": max(1, size // 4)}
    data = []
    for index, one in enumerate(inputs):
        numbers = _vector(canonical(one), length)
        embedding = _base64(numbers) if packed else numbers
        data.append({"object": "embedding", "index": index, "embedding": embedding})
    head = {"object": "list", "model": body.get("model", "")}
    return {**head, "data": data, "usage": usage}


def _vector(text: str, length: int) -> list[float]:
    """Numbers in [-1, 1) that depend on the text alone; exact as 32-bit floats."""
    raw = hashlib.shake_256(text.encode()).digest(2 * length)
    return [n / 32768 for n in struct.unpack(f"<{length}h", raw)]


def _base64(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _is_tokens(said: list[object]) -> bool:
    return bool(said) and all(isinstance(n, int) for n in said)


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}
