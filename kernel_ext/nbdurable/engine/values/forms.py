"""The forms in which text and bytes carry a value.

A key stands in a journal as it is, escaped in JSON, percent-encoded in an address, in
base64 in a header at one of its three alignments, or in an encoding wider than UTF-8.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus


def utf8(text: str) -> bytes:
    """The bytes of a text, also of one with a lone surrogate."""
    return text.encode("utf-8", "surrogatepass")


def forms_of(value: str) -> Iterator[tuple[str, str]]:
    """The forms in which text carries a secret, each with the name of the form.

    Names are part of the format: a stored text says which form to put back.
    """
    yield "", value
    seen = {value}
    escaped = json.dumps(value)[1:-1]
    candidates = [
        ("json", escaped),
        ("json-utf8", json.dumps(value, ensure_ascii=False)[1:-1]),
        ("json2", json.dumps(escaped)[1:-1]),
        ("percent", quote(value, safe="", errors="replace")),
        ("percent-path", quote(value, errors="replace")),
        ("plus", quote_plus(value, errors="replace")),
    ]
    raw = utf8(value)
    for offset in range(3):
        candidates.append((f"base64-{offset}", _base64_core(raw, offset, b"+/")))
        candidates.append((f"base64url-{offset}", _base64_core(raw, offset, b"-_")))
    for kind, form in candidates:
        if form not in seen:
            seen.add(form)
            yield kind, form


def _base64_core(raw: bytes, offset: int, alphabet: bytes) -> str:
    """What base64 makes of the bytes ``offset`` bytes into a group of three.

    Characters that also depend on the neighbours are left out.
    """
    text = base64.b64encode(b"\0" * offset + raw, altchars=alphabet).decode()
    first = -(-offset * 8 // 6)
    last = (offset + len(raw)) * 8 // 6
    return text[first:last]


def wide_forms_of(value: str) -> Iterator[bytes]:
    """A secret beyond ASCII in other encodings; `Secrets.find` sees ASCII in them all."""
    if value.isascii():
        return
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        yield value.encode(encoding, "surrogatepass")
    if max(value) <= "\xff":
        yield value.encode("latin-1")
