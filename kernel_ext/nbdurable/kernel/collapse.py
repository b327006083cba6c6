"""A cell's outputs as they stand when it ends: what a notebook file would keep. Pure.

A raw log would replay every frame of a progress bar. Collapsed, neighbouring streams
are one, `clear_output` and display updates are applied, and what was overwritten by a
carriage return is gone. The rules are those of the front ends: a `clear_output(wait=True)`
acts when the next output comes, and an update changes every output of its display id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Message = dict[str, Any]
"""An output while it is collapsed: ``type`` and the fields of Jupyter's message."""

STREAM_CHARS_MAX = 1_000_000
"""Text of one stream output. Front ends choke on more; the middle is left out."""

DATA_CHARS_MAX = 64_000_000
"""Text of one display, all MIME types together. A larger picture is left out."""

OUTPUTS_MAX = 10_000
"""Outputs of one cell; further ones are left out."""

OURS = "nbdurable"
"""Key in an output's metadata that says: shown by nbdurable, never recorded."""

WIDGET = "application/vnd.jupyter.widget-view+json"
"""A view of a model that lives in the kernel: in another kernel it shows an error."""

WAS_WIDGET = "widget"
"""Key in a kept output that says: a view was dropped, what is left is its text."""


class Collapsing:
    """Takes messages in order, gives the list that is left of them.

    Attributes:
        clear_before_next: The next output clears the cell first.
    """

    def __init__(self) -> None:
        self._outputs: list[Message] = []
        self._streams: list[list[str]] = []
        self._stream_chars = 0
        self.clear_before_next = False
        self._seen_ids: set[str] = set()
        self._left_out = 0

    def add(self, kind: str, content: Mapping[str, Any]) -> None:
        """One message of the cell. Types that no front end shows are ignored."""
        if OURS in (content.get("metadata") or {}):
            return
        if kind == "clear_output":
            self._clear(wait=bool(content.get("wait")))
        elif kind == "update_display_data":
            self._update(content)
        elif kind in _FIELDS:
            self._clear_if_due()
            self._append(kind, content)

    def outputs(self) -> list[Message]:
        """What is left, as plain data that shares nothing with later changes."""
        texts = iter([_folded("".join(parts)) for parts in self._streams])
        found = [
            {**output, "text": next(texts)} if output["type"] == "stream" else output
            for output in self._outputs
        ]
        if self._left_out:
            note = f"… {self._left_out} more outputs were not kept …\n"
            found.append({"type": "stream", "name": "stderr", "text": note})
        return found

    def _append(self, kind: str, content: Mapping[str, Any]) -> None:
        if kind == "stream" and self._continues(content["name"]):
            self._add_text(content["text"])
        elif len(self._outputs) >= OUTPUTS_MAX:
            self._left_out += 1
        elif kind == "stream":
            self._outputs.append({"type": kind, "name": content["name"], "text": ""})
            self._streams.append([])
            self._stream_chars = 0
            self._add_text(content["text"])
        else:
            self._outputs.append(_kept(kind, content))
            self._seen_ids.add(_display_id(content))

    def _continues(self, name: str) -> bool:
        last = self._outputs[-1] if self._outputs else {}
        return last.get("type") == "stream" and last.get("name") == name

    def _add_text(self, text: str) -> None:
        parts = self._streams[-1]
        parts.append(text)
        self._stream_chars += len(text)
        if self._stream_chars > 2 * STREAM_CHARS_MAX:
            parts[:] = [_cut("".join(parts))]
            self._stream_chars = len(parts[0])

    def _clear(self, *, wait: bool) -> None:
        self.clear_before_next = wait
        if not wait:
            self._outputs.clear()
            self._streams.clear()

    def _clear_if_due(self) -> None:
        if self.clear_before_next:
            self._clear(wait=False)

    def _update(self, content: Mapping[str, Any]) -> None:
        display_id = _display_id(content)
        new = _kept("update_display_data", content)
        hit = False
        for output in self._outputs:
            if "data" in output and _display_id(output) == display_id:
                output.pop(WAS_WIDGET, None)
                output |= {k: v for k, v in new.items() if k not in _STAYS}
                hit = True
        if not hit and display_id not in self._seen_ids:
            self._outputs.append(new)


_STAYS = frozenset({"type", "transient"})
"""What an update leaves as it is; everything else of an output is the update's."""

_FIELDS: dict[str, tuple[str, ...]] = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata", "transient"),
    "update_display_data": ("data", "metadata", "transient"),
    "execute_result": ("data", "metadata"),
    "error": ("ename", "evalue", "traceback"),
}


def _kept(kind: str, content: Mapping[str, Any]) -> Message:
    output: Message = {"type": kind}
    output |= {name: content[name] for name in _FIELDS[kind] if name in content}
    if "data" in output:
        if WIDGET in output["data"]:
            output |= {"data": _without_widget(output["data"]), WAS_WIDGET: True}
        output["data"] = _small_enough(output["data"])
    return output


def _without_widget(data: Mapping[str, Any]) -> dict[str, Any]:
    left = {mime: value for mime, value in data.items() if mime != WIDGET}
    return left or {"text/plain": "[a widget]"}


def widgets(outputs: Iterable[Mapping[str, Any]]) -> str:
    """What is said below outputs that were widgets once, or "" if none was."""
    count = sum(bool(output.get(WAS_WIDGET)) for output in outputs)
    if not count:
        return ""
    many = "1 widget is" if count == 1 else f"{count} widgets are"
    return (
        f"{many} shown as first displayed, and can't be used: a widget lives in the"
        " kernel that made it. Make it in a cell that isn't durable"
    )


def _small_enough(data: dict[str, Any]) -> dict[str, Any]:
    chars = sum(len(v) for v in data.values() if isinstance(v, str))
    if chars <= DATA_CHARS_MAX:
        return data
    return {"text/plain": f"… an output of {chars / 1e6:.0f} MB was not kept …"}


def _display_id(content: Mapping[str, Any]) -> str:
    return str((content.get("transient") or {}).get("display_id") or "")


def _cut(text: str) -> str:
    if len(text) <= STREAM_CHARS_MAX:
        return text
    half = STREAM_CHARS_MAX // 2
    left = f"\n… {len(text) - 2 * half} characters were not kept …\n"
    return f"{text[:half]}{left}{text[-half:]}"


def _folded(text: str) -> str:
    if "\r" not in text:
        return _cut(text)
    return _cut("".join(map(_overwritten, re.split(r"(?<=\n)", text))))


def _overwritten(line: str) -> str:
    """A line without the parts that a later part, at least as long, covers."""
    parts = line.split("\r")
    if len(parts) == 1 or "\x1b" in line:
        return line
    kept: list[str] = []
    for part in parts:
        while kept and len(kept[-1]) <= len(part.rstrip("\n")):
            kept.pop()
        kept.append(part)
    return ("\r" if line.startswith("\r") else "") + "\r".join(kept)
