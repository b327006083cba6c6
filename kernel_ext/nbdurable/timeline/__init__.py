"""The run as people see it: text, HTML and a page; the front end's other half."""

from __future__ import annotations

from nbdurable.timeline.model import run_view
from nbdurable.timeline.show import (
    Shown,
    history_of,
    living,
    show,
    write_page,
    write_picture,
)
from nbdurable.timeline.views import RunView

__all__ = [
    "RunView",
    "Shown",
    "history_of",
    "living",
    "run_view",
    "show",
    "write_page",
    "write_picture",
]
