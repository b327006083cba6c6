"""What the fake model says. Pure: the same request gets the same answer, always.

Every answer carries the first eight hex digits of the request's digest: as ``#9f31c2d4``
in texts, in the ids of tool calls and of the answer itself. So an answer that was
served to the wrong request shows.

Without a script the model calls each tool on offer once, in the order of the offer,
then answers in text. The first text argument of a tool is taken from the latest
result (its first line), else from the user's question; others name what they are for.
With a script it plays the turns of the first one that fits, by counting its own
earlier answers in the request; so it keeps no state and can be asked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbdurable.testing.model_server.conversation import Conversation, Json, Tool

MARK = 8
"""Hex digits of the digest in an answer: enough to tell a notebook's requests apart."""
QUOTE = 120
"""How much of a question or a result is quoted, in characters."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asks for; ``arguments`` are JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says, before it is put into a dialect."""

    mark: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0


Script = Sequence[Json]
"""``[{"when": text in the question, "turns": [{"say": …} | {"call": [{name, arguments}]}]}]``"""


def answer(asked: Conversation, digest: str, size: int, script: Script = ()) -> Answer:
    """Answer one request.

    Args:
        asked: The request.
        digest: Digest of its body, in hex.
        size: Length of its body, in bytes; a token is four of them here.
        script: Scripted turns, see the module's docstring.
    """
    mark = digest[:MARK]
    text, wanted = _scripted(asked, script) or _derived(asked, mark)
    calls = tuple(
        ToolCall(f"call_{mark}_{i}", name, json.dumps(arguments))
        for i, (name, arguments) in enumerate(wanted)
    )
    said = len(text) + sum(len(c.name) + len(c.arguments) for c in calls)
    marked = f"{text} #{mark}" if text and not _is_json(text) else text
    return Answer(
        mark=mark,
        text=marked,
        calls=calls,
        tokens_in=max(1, size // 4),
        tokens_out=max(1, said // 4),
    )


Wanted = list[tuple[str, Mapping[str, object]]]


def _scripted(asked: Conversation, script: Script) -> tuple[str, Wanted] | None:
    for entry in script:
        turns = entry.get("turns")
        if str(entry.get("when", "")) in asked.question and isinstance(turns, list):
            if asked.model_turns < len(turns):
                turn = turns[asked.model_turns]
                calls = [(c["name"], c["arguments"]) for c in turn.get("call", ())]
                return str(turn.get("say", "")), calls
            return None
    return None


def _derived(asked: Conversation, mark: str) -> tuple[str, Wanted]:
    done = len(asked.results)
    if done < len(asked.tools) and asked.forced is None:
        return "", [_call(asked.tools[done], asked, mark)]
    if asked.tools and asked.forced is not None and not done:
        named = [t for t in asked.tools if t.name == asked.forced]
        return "", [_call((named or list(asked.tools))[0], asked, mark)]
    if asked.schema is not None:
        return json.dumps(fill(asked.schema, "answer", _material(asked), mark)), []
    return _prose(asked), []


def _call(
    tool: Tool, asked: Conversation, mark: str
) -> tuple[str, Mapping[str, object]]:
    value = fill(tool.schema, tool.name, _material(asked), mark)
    return tool.name, value if isinstance(value, Mapping) else {}


def _prose(asked: Conversation) -> str:
    if not asked.results:
        question = " ".join(asked.question.split())
        return f"An answer to “{_quoted(question)}”"
    best = max((_first_line(r) for r in asked.results), key=len)
    seen = len(asked.results)
    return f"{_quoted(best)} ({seen} tool result{'s' if seen > 1 else ''})"


def _quoted(text: str) -> str:
    return text if len(text) <= QUOTE else f"{text[: QUOTE - 1]}…"


def _material(asked: Conversation) -> str:
    return _first_line(asked.results[-1] if asked.results else asked.question)


def _first_line(text: str) -> str:
    """The first line of a text, or of the first string in a JSON text."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    while isinstance(value, list | dict) and value:
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
    return str(value).strip().split("\n", 1)[0]


def fill(schema: Json, name: str, material: str, mark: str) -> object:
    """A value that fits a JSON schema; ``material`` is its first text."""
    return _Filler(material, mark, schema).fill(schema, name)


class _Filler:
    """Walks a schema; knows whether the material was used already."""

    def __init__(self, material: str, mark: str, root: Json) -> None:
        self._material: str | None = material
        self._mark = mark
        self._root = root

    def fill(self, schema: Json, name: str) -> object:
        if "const" in schema:
            return schema["const"]
        if choices := schema.get("enum"):
            return next(iter(choices)) if isinstance(choices, Sequence) else None
        if "$ref" in schema:
            return self.fill(self._resolve(str(schema["$ref"])), name)
        for union in ("anyOf", "oneOf"):
            options = schema.get(union)
            if isinstance(options, Sequence) and options:
                return self.fill(options[0], name)
        return self._typed(schema, name)

    def _typed(self, schema: Json, name: str) -> object:
        match schema.get("type", "string"):
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema, name)
            case "integer":
                return int(self._mark, 16) % 100
            case "number":
                return int(self._mark, 16) % 1000 / 10
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return self._text(name)

    def _object(self, schema: Json) -> dict[str, object]:
        properties = schema.get("properties")
        required = schema.get("required")
        if not isinstance(properties, Mapping):
            return {}
        names = required if isinstance(required, list) else list(properties)
        return {n: self.fill(properties[n], n) for n in properties if n in names}

    def _array(self, schema: Json, name: str) -> list[object]:
        items, least = schema.get("items"), schema.get("minItems", 1)
        count = least if isinstance(least, int) else 1
        inner = items if isinstance(items, Mapping) else {}
        return [self.fill(inner, f"{name} {i + 1}") for i in range(count)]

    def _text(self, name: str) -> str:
        if self._material is None:
            return f"{name} #{self._mark}"
        text, self._material = self._material, None
        return text

    def _resolve(self, ref: str) -> Json:
        found: object = self._root
        for part in ref.removeprefix("#/").split("/"):
            found = found.get(part, {}) if isinstance(found, Mapping) else {}
        return found if isinstance(found, Mapping) else {}


def pieces(text: str) -> list[str]:
    """The text word by word, as a stream brings it."""
    words = text.split(" ")
    return [w if i == 0 else f" {w}" for i, w in enumerate(words)]


def _is_json(text: str) -> bool:
    return text[:1] in {"{", "["}
