"""What was said to a model and what it said, as the turns of a conversation. Pure.

The bodies of the big model services are read, and nothing is guessed: what has another
shape is shown as the plain data that it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from nbdurable.timeline.exchanges import answer_text, is_answer

TURNS_MAX: Final = 40
"""Turns of a conversation that are shown, the latest: a panel is no transcript."""

TURN_CHARS_MAX: Final = 4_000
"""Characters of one turn."""

Turn = tuple[str, str]
"""Who said it, and what."""


def asked(value: object) -> tuple[Turn, ...]:
    """The conversation that a model was sent; () if this is none.

    Example:
        >>> asked({"model": "m", "messages": [{"role": "user", "content": "why?"}]})
        (('user', 'why?'),)
    """
    if not isinstance(value, Mapping):
        return ()
    said = value.get("messages") or value.get("input") or value.get("contents")
    if not said or not ("model" in value or "contents" in value or "messages" in value):
        return ()
    first = value.get("system") or value.get("instructions")
    turns = [("system", _text(first))] if first else []
    listed = [{"role": "user", "content": said}] if isinstance(said, str) else said
    if not isinstance(listed, list) or not all(isinstance(t, Mapping) for t in listed):
        return ()
    turns += [_turn(turn) for turn in listed]
    return _bounded(turns)


def answered(value: object) -> tuple[Turn, ...]:
    """What a recorded answer of a model says; () if it is no such answer."""
    if not is_answer(value):
        return ()
    assert isinstance(value, Mapping)
    body = value["body"]
    try:
        told = json.loads(body) if isinstance(body, str) else body
    except (ValueError, RecursionError):
        text, _ = answer_text(value)  # a stream that was put together differs from it
        return _bounded([("assistant", text)]) if text != body else ()
    return _bounded(list(_answers(told))) if isinstance(told, Mapping) else ()


def _answers(told: Mapping[str, object]) -> Iterator[Turn]:
    for choice in _maps(told.get("choices")):
        message = choice.get("message")
        if isinstance(message, Mapping):
            yield _turn({"role": "assistant", **message})
    for item in _maps(told.get("output")):
        yield _turn({"role": "assistant", **item})
    parts = told.get("content")
    if told.get("role") == "assistant" and isinstance(parts, list | str):
        yield "assistant", _text(parts)
    for candidate in _maps(told.get("candidates")):
        yield "assistant", _text(candidate.get("content"))


def _turn(turn: Mapping[str, object]) -> Turn:
    role = str(turn.get("role") or turn.get("type") or "user")
    calls = [_call(call) for call in _maps(turn.get("tool_calls"))]
    text = _text(turn.get("content") or turn.get("parts") or _itself(turn))
    return role, "\n".join(filter(None, [text, *calls]))


def _itself(turn: Mapping[str, object]) -> object:
    """What an item says that has no content: a tool that is called, its result."""
    return _call(turn) if "name" in turn else turn.get("output") or turn.get("text")


def _call(call: Mapping[str, object]) -> str:
    """A tool that the model wants called, as it would be written."""
    function = call.get("function")
    called = function if isinstance(function, Mapping) else call
    given = called.get("arguments") or called.get("input") or ""
    return f"→ {called.get('name', '')}({_text(given)})"


def _text(said: object) -> str:
    if said is None:
        return ""
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        return "\n".join(filter(None, map(_text, said)))
    if isinstance(said, Mapping):
        found = (said.get(name) for name in ("text", "content", "parts", "output"))
        text = next((_text(value) for value in found if value), "")
        return text or (
            _call(said)
            if "name" in said
            else f"[{said['type']}]"
            if "type" in said
            else json.dumps(said, ensure_ascii=False, default=str)
        )
    return str(said)


def _maps(found: object) -> Iterator[Mapping[str, object]]:
    listed = found if isinstance(found, list) else []
    return (item for item in listed if isinstance(item, Mapping))


def _bounded(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    left_out = len(turns) - TURNS_MAX
    kept = [(role, _cut(text)) for role, text in turns[-TURNS_MAX:] if text]
    if left_out > 0:
        kept.insert(0, ("", f"{left_out} earlier turns"))
    return tuple(kept)


def _cut(text: str) -> str:
    if len(text) <= TURN_CHARS_MAX:
        return text
    return f"{text[:TURN_CHARS_MAX]}… ({len(text):,} characters)"
