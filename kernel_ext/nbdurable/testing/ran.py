"""What one execution of a cell sent back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

OUTPUTS: Final = frozenset(
    {
        "stream",
        "display_data",
        "update_display_data",
        "execute_result",
        "clear_output",
        "error",
    }
)
"""Message types that a front end shows."""


@dataclass(slots=True)
class Ran:
    """What one execution sent back, as far as it got.

    Attributes:
        id: Id of the request.
        messages: Output messages in order, as the kernel sent them.
        reply: Content of the execute reply; empty until it came.
        idle: Whether the kernel said that it has sent all outputs.
    """

    id: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=dict)
    idle: bool = False

    @property
    def done(self) -> bool:
        """Reply and last output have come."""
        return self.idle and bool(self.reply)

    @property
    def ok(self) -> bool:
        """The cell ended without an error."""
        return self.reply.get("status") == "ok"

    @property
    def text(self) -> str:
        """All streams, plain texts and tracebacks, as one string without colours."""
        return "".join(_text(message) for message in self.messages)

    def of_type(self, *types: str) -> list[dict[str, Any]]:
        """Contents of the output messages of these types, in order."""
        return [m["content"] for m in self.messages if m["msg_type"] in types]


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    match message["msg_type"]:
        case "stream":
            return str(content["text"])
        case "error":
            return _without_colours("\n".join(content["traceback"])) + "\n"
        case "clear_output":
            return ""
        case _:
            return str(content["data"].get("text/plain", "")) + "\n"


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
