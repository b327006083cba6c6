"""What a cell showed that is more than text: images, and HTML without anything that acts."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Final

from nbdurable.engine.values.plainly import Unreadable, read
from nbdurable.errors import DurableError
from nbdurable.timeline.cleaned import CHARS_MAX, cleaned
from nbdurable.timeline.previews import Get
from nbdurable.timeline.views import Preview
from nbdurable_store.records import BlobRef

DISPLAYS_MAX: Final = 6
"""Displays of one attempt that are shown; the notebook has them all."""

READ_BYTES_MAX: Final = 4 << 20
"""Outputs that are larger aren't read for a view."""

IMAGE_CHARS_MAX: Final = 400_000
"""Characters of one image, as base64: a plot in print quality."""

IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
SVG: Final = "image/svg+xml"
HTML: Final = "text/html"

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def displays(ref: BlobRef | None, get: Get | None) -> tuple[Preview, ...]:
    """The images and tables that a cell showed.

    Args:
        ref: Its outputs.
        get: How bytes are read.
    """
    if ref is None or get is None or ref.codec != "json" or ref.size > READ_BYTES_MAX:
        return ()
    try:
        shown = read("json", get(ref), READ_BYTES_MAX)
    except (Unreadable, DurableError):
        return ()
    outputs = shown if isinstance(shown, list) else []
    data = (o.get("data") for o in outputs if isinstance(o, Mapping))
    found = (part for one in data if isinstance(one, Mapping) for part in _of(one))
    return tuple(part for part, _ in zip(found, range(DISPLAYS_MAX), strict=False))


def _of(data: Mapping[str, object]) -> Iterator[Preview]:
    for kind in (*IMAGES, SVG):
        found = data.get(kind)
        if isinstance(found, str):
            yield _image(kind, found)
            return
    html = data.get(HTML)
    if isinstance(html, str) and html.strip():
        cut = len(html) - CHARS_MAX
        note = f"{cut:,} more characters of HTML" if cut > 0 else ""
        yield Preview(kind="html", text=cleaned(html), note=note)


def _image(kind: str, found: str) -> Preview:
    if kind == SVG:  # drawn as an image, where a browser runs no script of it
        text = base64.b64encode(found.encode("utf-8", "replace")).decode()
    else:
        text = "".join(found.split())
    if len(text) > IMAGE_CHARS_MAX or not _BASE64.fullmatch(text):
        return Preview(note=f"{kind}, too large to be shown here")
    return Preview(kind="image", text=f"{kind};base64,{text}")
