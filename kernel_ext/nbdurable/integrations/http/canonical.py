"""The canonical form of a request's body: what it says, not how it is spelt. Pure.

* Keys are sorted, except inside ``properties`` and ``$defs``: models answer in the order
  of a schema, so there the order is content.
* Ids that link a tool call to its result are renamed by first appearance (``#0``,
  ``#1``). Some frameworks draw a fresh uuid there in each process; with the uuid in the
  key every later call of an agent would be paid again.
* References to something that a server keeps (``previous_response_id``, ``file_id``,
  ``conversation`` …) are content and stay.
* ``1`` and ``1.0`` differ, and so do texts that look alike. A body that is no JSON
  counts byte by byte.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

ORDERED = frozenset({"properties", "$defs", "definitions"})
"""Where the order of names is content."""

OPAQUE = frozenset({"args", "arguments", "parameters", "input_schema", "schema"})
"""What belongs to a tool and not to the protocol: an argument that a tool calls
``call_id`` is content."""

LINKS = frozenset({"tool_call_id", "call_id", "tool_use_id"})
"""Names that hold an id which links a call to its result, wherever they stand."""

LINKED_BLOCKS = frozenset({"tool_use", "function", "function_call"})
"""Values of ``type`` that make a block's ``id`` such an id."""

LINKED_PARENTS = frozenset({"tool_calls", "functionCall", "functionResponse"})
"""Names of what holds a block whose ``id`` is such an id."""


def canonical_body(
    body: bytes, redact: Callable[[str], str] = str, *, links: bool = True
) -> bytes:
    """The bytes that count.

    Args:
        body: As sent.
        redact: Replaces secrets in text, before anything else sees it.
        links: Rename ids that link a tool call to its result. Only models have these:
            what another service calls ``call_id`` is content.

    Example:
        >>> canonical_body(b'{"b": 1, "a": [1.0]}')
        b'{"a":[1.0],"b":1}'
    """
    try:
        plain = json.loads(redact(body.decode()), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return body
    form = _Canon().of(plain, "") if links else _sorted(plain, "")
    return json.dumps(form, separators=(",", ":"), ensure_ascii=True).encode()


def _no_constant(name: str) -> object:
    raise ValueError(name)


class _Canon:
    """One walk over a body; remembers which id came first."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def of(self, value: object, name: str) -> object:
        """The canonical form of what stands under ``name``."""
        if isinstance(value, list):
            return [self.of(item, name) for item in value]
        if not isinstance(value, dict):
            return value
        names = list(value) if name in ORDERED else sorted(value)
        return {n: self._member(value, n, name) for n in names}

    def _member(self, holder: Mapping[str, object], name: str, under: str) -> object:
        value = holder[name]
        if isinstance(value, str) and _links(holder, name, under):
            return self._ids.setdefault(value, f"#{len(self._ids)}")
        if name in OPAQUE or _is_tool_data(holder, name, under):
            return _sorted(value, name)
        return self.of(value, name)


def _links(holder: Mapping[str, object], name: str, under: str) -> bool:
    if under in ORDERED:
        return False
    if name in LINKS:
        return True
    kind = holder.get("type")
    is_block = isinstance(kind, str) and kind in LINKED_BLOCKS
    return name == "id" and (under in LINKED_PARENTS or is_block)


def _is_tool_data(holder: Mapping[str, object], name: str, under: str) -> bool:
    used = name == "input" and holder.get("type") == "tool_use"
    return used or (name == "response" and under == "functionResponse")


def _sorted(value: object, name: str) -> object:
    if isinstance(value, list):
        return [_sorted(item, name) for item in value]
    if not isinstance(value, dict):
        return value
    names = list(value) if name in ORDERED else sorted(value)
    return {n: _sorted(value[n], n) for n in names}
