"""Writes src/protocol.ts from the Python messages, and the hash of all sources.

``python labextension/generate.py`` writes the types; ``--hash`` writes the hash beside
the bundle that was built from the sources.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import sys
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType

from nbdurable.timeline import protocol, requests

HERE = Path(__file__).parent
TYPES = HERE / "src" / "protocol.ts"
BUNDLES = HERE.parent / "kernel_ext" / "nbdurable" / "timeline" / "assets"
HASH = BUNDLES / "sources.sha256"
SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "build.mjs")

_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean"}


def types() -> str:
    """The TypeScript types of all messages."""
    made: dict[str, str] = {}
    for message in (*protocol.MESSAGES, *requests.REQUESTS):
        _interface(message, made)
    blocks = [
        "// Generated from nbdurable.timeline.protocol and .requests: make ui",
        f"export const VERSION = {protocol.VERSION};",
        *made.values(),
        _union("Message", protocol.MESSAGES),
        _union("Doing", typing.get_args(requests.Doing)),
        _union("Request", requests.REQUESTS),
        _constant("IN_KERNEL", "What only a kernel can do", requests.IN_KERNEL),
    ]
    return "\n\n".join(blocks) + "\n"


def _constant(name: str, about: str, value: object) -> str:
    return f"/** {about}. */\nexport const {name} = {json.dumps(value)};"


def _union(name: str, members: Iterable[type]) -> str:
    return f"export type {name} = {' | '.join(m.__name__ for m in members)};"


def _interface(shape: type, made: dict[str, str]) -> None:
    """One interface; those that it needs come before it."""
    hints = typing.get_type_hints(shape)
    kind = getattr(shape, "type", None)
    lines = [f'  type: "{kind}";'] if kind else []
    for field in dataclasses.fields(shape):
        needed = field.default is dataclasses.MISSING or shape not in requests.REQUESTS
        lines.append(
            f"  {field.name}{'' if needed else '?'}: {_type(hints[field.name], made)};"
        )
    about = inspect.cleandoc(shape.__doc__ or "").partition("\n")[0]
    body = "\n".join(lines)
    made[shape.__name__] = (
        f"/** {about} */\nexport interface {shape.__name__} {{\n{body}\n}}"
    )


def _type(hint: object, made: dict[str, str]) -> str:
    if isinstance(hint, type) and hint in _PLAIN:
        return _PLAIN[hint]
    if typing.get_origin(hint) is tuple:
        return f"{_type(typing.get_args(hint)[0], made)}[]"
    assert isinstance(hint, type), hint
    assert not isinstance(hint, UnionType)
    if hint.__name__ not in made:
        _interface(hint, made)
    return hint.__name__


def sources() -> Iterator[Path]:
    """Every file that the bundle is made from."""
    yield from (HERE / name for name in SOURCES)
    yield from sorted(
        path
        for path in (HERE / "src").rglob("*.*")
        if path.suffix in {".ts", ".json"} and ".test." not in path.name
    )


def source_hash() -> str:
    """The hash of the sources, names and contents."""
    digest = hashlib.sha256()
    for path in sources():
        data = path.read_bytes()
        digest.update(f"{path.relative_to(HERE)} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def main() -> None:
    """Write the types, or with ``--hash`` the hash."""
    if "--hash" in sys.argv:
        HASH.write_text(f"{source_hash()}\n")
    else:
        TYPES.write_text(types())


if __name__ == "__main__":
    main()
