"""HTML that a cell showed, with nothing left in it that acts. Pure.

Only elements and attributes of these lists are written again, each anew: nothing of the
original markup is copied. A view shows the result in a frame without scripts, so this is
one of two walls.
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import Final

CHARS_MAX: Final = 100_000
"""Characters of HTML that are cleaned: a table of a few hundred rows."""

ELEMENTS: Final = frozenset(
    {"a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup"}
    | {"dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark"}
    | {"ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary"}
    | {"sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul"}
    | {"var", "wbr"}
)
"""Elements that only say how text stands. An `a` has no address here."""

SILENT: Final = frozenset(
    {"script", "style", "template", "noscript", "iframe", "object", "svg", "math"}
    | {"title", "head", "select", "textarea"}
)
"""Elements that are dropped with all that is in them."""

VOID: Final = frozenset({"br", "hr", "img", "wbr", "col"})

_NUMBERS: Final = frozenset({"colspan", "rowspan", "span", "width", "height", "start"})
_ALIGNED: Final = frozenset({"left", "right", "center", "start", "end", "justify"})
_DIGITS: Final = re.compile(r"\d{1,4}")
_IMAGE: Final = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")


def cleaned(html: str) -> str:
    """The HTML without anything that acts or loads.

    Example:
        >>> cleaned("<b onclick='x()'>5 < 7</b><script>x()</script>")
        '<b>5 &lt; 7</b>'
    """
    cleaning = _Cleaning()
    cleaning.feed(html[:CHARS_MAX])
    cleaning.close()
    return cleaning.whole()


class _Cleaning(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str] = []
        self._open: list[str] = []
        self._silent: list[str] = []

    def whole(self) -> str:
        """What is left, with every element closed."""
        ends = [f"</{name}>" for name in reversed(self._open)]
        return "".join([*self._written, *ends])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        if tag in SILENT:
            self._silent.append(tag)
        if self._silent or tag not in ELEMENTS:
            return
        self._written.append(f"<{tag}{_attributes(tag, attrs)}>")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends, and all that were left open in it."""
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
            return
        if tag not in self._open:
            return
        while (last := self._open.pop()) != tag:
            self._written.append(f"</{last}>")
        self._written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Text stays text."""
        if not self._silent:
            self._written.append(escape(data, quote=False))


def _attributes(tag: str, given: list[tuple[str, str | None]]) -> str:
    kept = [(name, value) for name, value in given if value and _fits(tag, name, value)]
    return "".join(f' {name}="{escape(value or "")}"' for name, value in kept)


def _fits(tag: str, name: str, value: str) -> bool:
    if name in _NUMBERS:
        return bool(_DIGITS.fullmatch(value))
    if name == "align":
        return value in _ALIGNED
    if tag == "img":
        return name == "alt" or (name == "src" and bool(_IMAGE.fullmatch(value)))
    return name == "title"
