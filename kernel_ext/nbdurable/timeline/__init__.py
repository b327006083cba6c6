"""The run as people see it: text, HTML and a page; the front end's other half."""

from __future__ import annotations

from nbdurable.timeline.diff import Diff
from nbdurable.timeline.diffing import Reader, plain_values
from nbdurable.timeline.diffing import diff as compare
from nbdurable.timeline.inbox import Inbox, Pending, inbox_of
from nbdurable.timeline.model import run_view
from nbdurable.timeline.show import (
    Shown,
    find_history,
    history_of,
    history_until,
    living,
    show,
    write_page,
    write_picture,
)
from nbdurable.timeline.views import RunView

__all__ = [
    "Diff",
    "Inbox",
    "Pending",
    "Reader",
    "RunView",
    "Shown",
    "compare",
    "find_history",
    "history_of",
    "history_until",
    "inbox_of",
    "living",
    "plain_values",
    "run_view",
    "show",
    "write_page",
    "write_picture",
]
