"""Stored values as short text. Only plain codecs are decoded, nothing is unpickled."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from nbdurable.engine.past import evidence
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.evidence import Evidence, EvidenceOf
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.values.plainly import (
    READABLE,
    Unreadable,
    read,
    text_of,
    visible,
)
from nbdurable.engine.where.moments import size
from nbdurable.errors import DurableError
from nbdurable.timeline import chats, tables
from nbdurable.timeline.exchanges import answer_text, is_answer
from nbdurable.timeline.views import Preview
from nbdurable_store.records import BlobRef

PREVIEW_CHARS_MAX: Final = 2_000
"""Characters of a value that a view holds: enough to recognise it."""

READ_BYTES_MAX: Final = 1 << 20
"""Larger values aren't read from the store for a preview."""

LINE_CHARS_MAX: Final = 500
"""Characters of a text that is shown on one line."""

Get = Callable[[BlobRef], bytes]
"""How the bytes of a value are read, verified."""

Frames = Callable[[str, bytes], tuple[tables.Table, str]]
"""How a stored table is read as rows, with a note; () where it is none."""

_ANSI: Final = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]")


def line(text: str) -> str:
    """A text on one line, bounded."""
    cut = text if len(text) <= LINE_CHARS_MAX else f"{text[: LINE_CHARS_MAX - 1]}…"
    return visible(cut, lines=False)


def value(
    ref: BlobRef | str | None, get: Get | None, frames: Frames | None = None
) -> Preview | None:
    """A stored value, or one as JSON; None if there is none, or nothing is to be read.

    Args:
        ref: The value.
        get: How bytes are read.
        frames: How tables are read; without it they are named by codec and size.
    """
    if ref is None or get is None:
        return None
    if frames is not None and isinstance(ref, BlobRef) and ref.codec != "json":
        return _framed(ref, get, frames)
    plain = _read(ref, get)
    return plain if isinstance(plain, Preview) else of_plain(plain[0])


def of_plain(found: object) -> Preview:
    """Plain data as it is read best: a conversation, a table, or text."""
    if is_answer(found):
        assert isinstance(found, Mapping)
        text, note = answer_text(found)
        shown = shortened(text)
        noted = ", ".join(filter(None, (note, shown.note)))
        turns = chats.answered(found)
        return _shaped(shown, "chat" if turns else "text", turns, noted)
    shown = shortened(text_of(found))
    if turns := chats.asked(found):
        return _shaped(shown, "chat", turns, shown.note)
    rows, note = tables.records(found)
    return _shaped(shown, "table", rows, note) if rows else shown


def _shaped(
    shown: Preview, kind: str, rows: Sequence[Sequence[str]], note: str
) -> Preview:
    made = tuple(tuple(visible(cell) for cell in row) for row in rows)
    return Preview(text=shown.text, note=note, kind=kind, rows=made, chars=shown.chars)


def _framed(ref: BlobRef, get: Get, frames: Frames) -> Preview:
    kept = Preview(note=f"{line(ref.codec)}, {size(ref.size)}")
    if ref.size > READ_BYTES_MAX:
        return kept
    try:
        rows, note = frames(ref.codec, get(ref))
    except DurableError as gone:
        return Preview(note=line(gone.fact()))
    return _shaped(kept, "table", rows, note) if rows else kept


def trace(call: CallPast, get: Get | None) -> Preview | None:
    """The traceback of a call's exception."""
    if call.outcome is None or get is None:
        return None
    plain = _read(call.outcome, get)
    told = plain[0] if isinstance(plain, tuple) else None
    text = told.get("text") if isinstance(told, Mapping) else None
    return shortened(text, end=True) if isinstance(text, str) else None


def outputs(ref: BlobRef | None, get: Get | None) -> Preview | None:
    """What a cell showed, as text: streams, text/plain and tracebacks."""
    if ref is None or get is None:
        return None
    plain = _read(ref, get)
    if isinstance(plain, Preview):
        return plain
    shown = plain[0] if isinstance(plain[0], list) else []
    text = "".join(_output(o) for o in shown if isinstance(o, Mapping))
    return shortened(_ANSI.sub("", text).strip("\n")) if text.strip() else None


def arguments_of(get: Get | None) -> Callable[[CallPast], object]:
    """How to read the kept arguments of a call as plain data."""

    def read_arguments(call: CallPast) -> object:
        if call.arguments is None or get is None:
            return None
        plain = _read(call.arguments, get)
        return plain[0] if isinstance(plain, tuple) else None

    return read_arguments


def evidence_of(get: Get | None) -> EvidenceOf:
    """How to read what an attempt was given."""

    def read_evidence(step: StepPast) -> Evidence:
        if get is not None:
            with contextlib.suppress(DurableError):
                return evidence.read(step, get)
        return evidence.NOTHING

    return read_evidence


def shortened(text: str, *, end: bool = False) -> Preview:
    """The beginning of a text, or its end, with a note of what is left out."""
    if len(text) <= PREVIEW_CHARS_MAX:
        return Preview(text=visible(text))
    part = text[-PREVIEW_CHARS_MAX:] if end else text[:PREVIEW_CHARS_MAX]
    which = "last" if end else "first"
    note = f"the {which} {PREVIEW_CHARS_MAX:,} of {len(text):,} characters"
    return Preview(text=visible(part), note=note, chars=len(text))


def _read(ref: BlobRef | str, get: Get) -> tuple[object] | Preview:
    """The plain value in a tuple, or why it can't be shown."""
    if isinstance(ref, str):
        return _read_text(ref)
    not_shown = Preview(note=f"{line(ref.codec)}, {size(ref.size)}")
    if ref.size > READ_BYTES_MAX:
        return replace(not_shown, chars=-1) if ref.codec in READABLE else not_shown
    try:
        return (read(ref.codec, get(ref) if ref.codec == "json" else b""),)
    except Unreadable:
        return not_shown
    except DurableError as gone:
        return Preview(note=line(gone.fact()))


def _read_text(text: str) -> tuple[object] | Preview:
    try:
        return (read("json", text.encode("utf-8", "surrogatepass")),)
    except Unreadable:
        return Preview(note=f"json, {size(len(text))}")


def _output(output: Mapping[str, object]) -> str:
    if output.get("type") == "stream":
        return str(output.get("text", ""))
    if output.get("type") == "error":
        trace_lines = output.get("traceback")
        lines = trace_lines if isinstance(trace_lines, list) else []
        return "\n".join([*map(str, lines), ""])
    data = output.get("data")
    if not isinstance(data, Mapping):
        return ""
    rich = next((kind for kind in data if kind != "text/plain"), "")
    plain = data.get("text/plain", f"[{rich}]" if rich else "")
    return f"{plain}\n"
