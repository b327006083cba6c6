"""Pillow's images: what one sees, and what the file said about it."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Any

from nbdurable.engine.identity.forms import Form, Kinds, no_label, qualified
from nbdurable.engine.identity.keys import Tag


def _image(value: Any) -> Form:
    """Mode, size, pixels, palette and information; the file's name doesn't count."""
    image = _opened_again(value) if getattr(value, "tile", None) else value
    children = (
        repr((value.mode, value.size)),
        image.tobytes() if 0 not in value.size else b"",
        _palette(image),
        sorted(value.info.items(), key=_name),
    )
    return Form(Tag.IMAGE, (qualified(type(value)).encode(),), children, no_label)


def _name(item: tuple[object, object]) -> str:
    return repr(item[0])


def _palette(image: Any) -> object:
    if image.mode not in {"P", "PA"} or image.palette is None:
        return None
    mode = image.palette.mode
    return mode, image.getpalette(mode)


def _opened_again(value: Any) -> Any:
    """The image of a file that nobody has read yet, which stays unread.

    To load it would close its file, and that can be seen.
    """
    file, opened = value.fp, sys.modules["PIL.Image"]
    place = file.tell()
    file.seek(0)
    copy = opened.open(BytesIO(file.read()))
    file.seek(place)
    frame = value.tell()
    if frame:
        copy.seek(frame)
    return copy


KINDS: Kinds = {"PIL.Image.Image": _image}
