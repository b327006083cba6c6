"""What tells a request that writes from others, member by member. Pure.

A key that is sent along with a payment, drawn anew whenever the code runs, makes another
request. What is equal beside it says that it may be the same payment. There is no
signature that could be edited: the members are like any number of arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl

from blake3 import blake3

from nbdurable.engine.past.edits import DEFAULT, DRAWN, ENTRY
from nbdurable.engine.values.drawn import looks_drawn
from nbdurable.integrations.http.asked import Asked
from nbdurable.integrations.http.canonical import canonical_body
from nbdurable_store.records import Plain

MARK_BYTES: Final = 4
"""As of a tool's argument: of two that are taken for one by chance somebody is asked."""

MEMBERS_MAX: Final = 200
"""A body with more is a document: it is one member."""

LEVELS_MAX: Final = 8
"""Of objects in objects that are looked into."""

FORM: Final = "application/x-www-form-urlencoded"


def marks_of(request: Asked, pepper: bytes) -> Mapping[str, Plain]:
    """The marks of a request.

    Args:
        request: Its facts.
        pepper: That of the store; without it nobody can try values against a mark.

    Example:
        >>> place = "https://pay.example/charges"
        >>> asked = Asked(method="POST", place=place, query=(), headers=(), body=b'{"sum": 3}')
        >>> sorted(marks_of(asked, bytes(32)))
        ['*body sum', '*place', 'asked']
    """
    found: dict[str, Plain] = {"asked": DEFAULT}
    for name, value in _members(request):
        text = json.dumps(value, sort_keys=True).encode("utf-8", "surrogatepass")
        mark = blake3(text, key=pepper).hexdigest(MARK_BYTES)
        found[f"{ENTRY}{name}"] = f"{mark}{DRAWN}" if looks_drawn(value) else mark
    return found


def _members(request: Asked) -> Iterator[tuple[str, object]]:
    yield "place", [request.method, request.place]
    for name, value in request.query:
        yield f"query {name}", value
    for name, value in request.headers:
        yield f"header {name}", value
    if not request.body:
        return
    whole = _of_body(request)
    members = None if whole is None else dict(_flat(whole, "body"))
    if members is None or len(members) > MEMBERS_MAX:
        yield "body", canonical_body(request.body, links=False).hex()
        return
    yield from members.items()


def _flat(
    members: Mapping[str, object], name: str, left: int = LEVELS_MAX
) -> Iterator[tuple[str, object]]:
    """The members of objects in objects, too: a key may stand beside what it is for."""
    for key, value in members.items():
        if isinstance(value, dict) and value and left:
            yield from _flat(value, f"{name} {key}", left - 1)
        else:
            yield f"{name} {key}", value


def _of_body(request: Asked) -> Mapping[str, object] | None:
    """The members of a JSON object or a form; None of anything else."""
    if dict(request.headers).get("content-type") == FORM:
        pairs = parse_qsl(request.body.decode("utf-8", "replace"))
        return dict(pairs) or None
    try:
        plain = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, dict) else None
