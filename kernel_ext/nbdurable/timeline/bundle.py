"""The built view, as it lies beside this file. Its sources are in labextension/."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ASSETS: Final = Path(__file__).parent / "assets"

VIEW: Final = ASSETS / "view.js"
"""The view as an ES module, for front ends."""


def page_script() -> str:
    """The view for a page of its own: it starts by itself."""
    return (ASSETS / "page.js").read_text(encoding="utf-8")
