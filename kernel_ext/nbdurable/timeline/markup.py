"""HTML and SVG, safe by construction: a plain string is text, always escaped.

Only `element` and `style` make `Markup`, so no text of the user's becomes markup by
being forgotten. Attributes are escaped too; names with ``_`` are written with ``-``.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

VOID = frozenset({"br", "hr", "meta", "rect", "line", "path", "circle"})
"""Elements without content."""


class Markup(str):
    """A string that is markup already."""

    __slots__ = ()


Content = str | Iterable["Content"] | None


def render(content: Content) -> str:
    """Content as markup; text is escaped, None is nothing."""
    if content is None:
        return ""
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return html.escape(content, quote=False)
    return "".join(map(render, content))


def element(name: str, /, *content: Content, **attributes: object) -> Markup:
    """An element; attributes that are None or False are left out.

    Example:
        >>> element("b", "1 < 2", class_="big", data_n=3)
        '<b class="big" data-n="3">1 &lt; 2</b>'
    """
    written = "".join(
        _attribute(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    inner = render(content)
    if name in VOID and not inner:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{inner}</{name}>")


def style(css: str) -> Markup:
    """A style sheet of ours; never holds anything of the user's."""
    assert "<" not in css
    return Markup(f"<style>{css}</style>")


def _attribute(name: str, value: object) -> str:
    if value is True:
        return f" {name}"
    if isinstance(value, float):
        value = f"{value:.1f}".removesuffix(".0")
    return f' {name}="{html.escape(str(value))}"'
