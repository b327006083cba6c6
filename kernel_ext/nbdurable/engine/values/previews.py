"""Values as people read them: short, bounded, and never by running much code. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CALL_CHARS_MAX = 2_000
"""A call's text in a record; longer ones would make lists of calls heavy."""

VALUE_CHARS_MAX = 200
"""One argument in that text; enough to tell two prompts apart."""

ITEMS_MAX = 6
"""Elements shown of a container."""

DEPTH_MAX = 3
"""Levels shown of nested containers."""

_ATOMS = (type(None), bool, int, float, complex)


def call_text(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
    """A call as it was written, shortened.

    Example:
        >>> call_text("send_invoice", ("anna", 1200), {})
        "send_invoice('anna', 1200)"
    """
    parts = [*map(value_text, args)]
    if kwargs:
        parts += [f"{k}={value_text(v)}" for k, v in kwargs.items()]
    text = f"{name}({', '.join(parts)})"
    return text if len(text) <= CALL_CHARS_MAX else shorten(text, CALL_CHARS_MAX)


def value_text(value: object, depth: int = 0) -> str:
    """A value, shortened; anything but plain data is shown by its type.

    Example:
        >>> value_text({"role": "user", "content": [1, 2.5]})
        "{'role': 'user', 'content': [1, 2.5]}"
    """
    kind = type(value)
    if kind in _ATOMS:
        return repr(value)
    if isinstance(value, (str, bytes)) and kind in {str, bytes}:
        return _string(value)
    if depth >= DEPTH_MAX:
        return "…"
    if isinstance(value, dict) and kind is dict:
        return _dict(value, depth)
    if isinstance(value, (list, tuple)) and kind in {list, tuple}:
        opened, closed = "[]" if kind is list else "()"
        return f"{opened}{_items(value, depth)}{closed}"
    return _by_type(value)


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, the end marked when something is left out."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _string(value: str | bytes) -> str:
    if len(value) <= VALUE_CHARS_MAX:
        return repr(value)
    return f"{value[:VALUE_CHARS_MAX]!r}… ({len(value):,})"


def _dict(value: dict[object, object], depth: int) -> str:
    shown = [
        f"{value_text(k, depth + 1)}: {value_text(v, depth + 1)}"
        for k, v in list(value.items())[:ITEMS_MAX]
    ]
    return f"{{{', '.join([*shown, *_rest(len(value))])}}}"


def _items(value: Sequence[object], depth: int) -> str:
    shown = [value_text(v, depth + 1) for v in value[:ITEMS_MAX]]
    return ", ".join([*shown, *_rest(len(value))])


def _rest(count: int) -> list[str]:
    return [f"… {count:,} in all"] if count > ITEMS_MAX else []


def _by_type(value: object) -> str:
    shape = getattr(value, "shape", None)
    name = type(value).__qualname__
    if isinstance(shape, tuple):
        return f"<{name} {'x'.join(str(n) for n in shape)}>"
    return f"<{name}>"
