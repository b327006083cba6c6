"""What the answers depend on, read from any of the three kinds of request. Pure.

OpenAI's chat completions and responses and Anthropic's messages say the same things
in different words; here they become one `Conversation`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Json = Mapping[str, object]
Who = Literal["user", "model", "result"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One entry of a conversation: who speaks, and the text."""

    who: Who
    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool on offer: its name and the JSON schema of its arguments."""

    name: str
    schema: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A request, whatever its dialect.

    Attributes:
        turns: Everything said, in order, system texts left out.
        tools: Tools on offer; empty if the request forbids tools.
        forced: Name of a tool that must be called, ``""`` for any, else None.
        schema: JSON schema that the text of the answer must fit, else None.
    """

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    forced: str | None = None
    schema: Json | None = None

    @property
    def question(self) -> str:
        """The latest thing that the user said."""
        return next((t.text for t in reversed(self.turns) if t.who == "user"), "")

    @property
    def model_turns(self) -> int:
        """How often the model has answered; parallel tool calls are one answer."""
        whos = [t.who for t in self.turns]
        pairs = zip(["user", *whos], whos, strict=False)
        return sum(b == "model" and a != "model" for a, b in pairs)

    @property
    def results(self) -> tuple[str, ...]:
        """Tool results since the user last spoke."""
        since: list[str] = []
        for turn in self.turns:
            if turn.who == "user":
                since.clear()
            elif turn.who == "result":
                since.append(turn.text)
        return tuple(since)


def of_chat(body: Json) -> Conversation:
    """Read ``POST /v1/chat/completions``."""
    return Conversation(
        turns=tuple(_chat_turns(_objects(body.get("messages")))),
        tools=_tools(body, "parameters", body.get("tool_choice") == "none"),
        forced=_forced(body.get("tool_choice")),
        schema=_chat_schema(body.get("response_format")),
    )


def of_responses(body: Json) -> Conversation:
    """Read ``POST /v1/responses``."""
    said = body.get("input", "")
    items = [{"role": "user", "content": said}] if isinstance(said, str) else said
    text = body.get("text")
    return Conversation(
        turns=tuple(_responses_turns(_objects(items))),
        tools=_tools(body, "parameters", body.get("tool_choice") == "none"),
        forced=_forced(body.get("tool_choice")),
        schema=_chat_schema(text.get("format") if isinstance(text, dict) else None),
    )


def of_messages(body: Json) -> Conversation:
    """Read Anthropic's ``POST /v1/messages``."""
    choice = body.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, dict) else None
    config = body.get("output_config")
    return Conversation(
        turns=tuple(_messages_turns(_objects(body.get("messages")))),
        tools=_tools(body, "input_schema", kind == "none"),
        forced=_forced(choice) if kind in {"tool", "any"} else None,
        schema=_chat_schema(config.get("format") if isinstance(config, dict) else None),
    )


def text_of(content: object) -> str:
    """The text of a content field: a string, or a list of parts with texts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "".join(text_of(part) for part in content)
    if isinstance(content, Mapping):
        return text_of(content.get("text") or content.get("content") or "")
    return ""


def _objects(value: object) -> list[Json]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, Mapping)]


def _chat_turns(messages: Iterable[Json]) -> Iterator[Turn]:
    who: dict[object, Who] = {"user": "user", "assistant": "model", "tool": "result"}
    for message in messages:
        if message.get("role") in who:
            yield Turn(who[message.get("role")], text_of(message.get("content")))


def _responses_turns(items: Iterable[Json]) -> Iterator[Turn]:
    for item in items:
        if item.get("type") == "function_call_output":
            yield Turn("result", text_of(item.get("output")))
        elif item.get("type") == "function_call" or item.get("role") == "assistant":
            yield Turn("model", text_of(item.get("content")))
        elif item.get("role") == "user":
            yield Turn("user", text_of(item.get("content")))


def _messages_turns(messages: Iterable[Json]) -> Iterator[Turn]:
    for message in messages:
        content = message.get("content")
        if message.get("role") == "assistant":
            yield Turn("model", text_of(content))
            continue
        blocks = _objects(content)
        results = [b for b in blocks if b.get("type") == "tool_result"]
        yield from (Turn("result", text_of(b.get("content"))) for b in results)
        texts = [b for b in blocks if b.get("type") == "text"]
        if said := text_of(content if isinstance(content, str) else texts):
            yield Turn("user", said)


def _tools(body: Json, schema: str, forbidden: bool) -> tuple[Tool, ...]:  # noqa: FBT001  # one caller each
    if forbidden:
        return ()
    found = []
    for offered in _objects(body.get("tools")):
        inner = offered.get("function")
        tool = inner if isinstance(inner, Mapping) else offered
        parameters = tool.get(schema)
        if "name" in tool and isinstance(parameters, Mapping):
            found.append(Tool(str(tool["name"]), parameters))
    return tuple(found)


def _forced(choice: object) -> str | None:
    if choice in {"required", "any"} if isinstance(choice, str) else False:
        return ""
    if not isinstance(choice, Mapping):
        return None
    inner = choice.get("function")
    named = inner if isinstance(inner, Mapping) else choice
    return str(named.get("name", ""))


def _chat_schema(format_: object) -> Json | None:
    if not isinstance(format_, Mapping):
        return None
    if format_.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    inner = format_.get("json_schema")
    schema = (inner if isinstance(inner, Mapping) else format_).get("schema")
    return schema if isinstance(schema, Mapping) else None


def canonical(value: object) -> str:
    """Compact JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
