"""A stored value as the whole text that it is, handed out piece by piece.

A view shows the first two thousand characters of a value. Who wants more gets pieces of a
size that no browser is slow with; the text is laid out once for all pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.values.plainly import Unreadable, read, text_of, visible
from nbdurable.timeline.exchanges import answer_text, is_answer
from nbdurable.timeline.previews import Get
from nbdurable_store.records import BlobRef

PIECE_CHARS_MAX: Final = 20_000
"""Characters of one piece: some ten screens."""

BYTES_MAX: Final = 32 << 20
"""Larger values are not laid out as text; they are loaded in a cell instead."""


@dataclass(eq=False)
class Wholes:
    """Texts of values; the latest is kept, since its next piece is asked for next.

    Attributes:
        get: How bytes are read.
    """

    get: Get
    _kept: tuple[BlobRef | str, str] | None = field(init=False, default=None)

    def piece(self, ref: BlobRef | str, start: int) -> tuple[str, int]:
        """A piece of the text, and how many characters the whole has.

        Raises:
            Unreadable: It is no plain data, or too large.
            DurableError: It can't be read from the store.
        """
        if self._kept is None or self._kept[0] != ref:
            self._kept = ref, _whole(ref, self.get)
        text = self._kept[1]
        return visible(text[start : start + PIECE_CHARS_MAX]), len(text)


def ref_of(found: CallPast | StepPast, part: str) -> BlobRef | str | None:
    """Where a part of the details of a call or an attempt is stored.

    Args:
        found: The call or the attempt.
        part: The title of the part.
    """
    if isinstance(found, StepPast):
        return found.inputs[0] if part == "code" and found.inputs else None
    if part == "arguments":
        return found.arguments
    return found.outcome if part == "result" else None


def _whole(ref: BlobRef | str, get: Get) -> str:
    if isinstance(ref, BlobRef) and ref.size > BYTES_MAX:
        raise Unreadable(ref.codec)
    codec = "json" if isinstance(ref, str) else ref.codec
    data = ref.encode("utf-8", "surrogatepass") if isinstance(ref, str) else get(ref)
    found = read(codec, data, BYTES_MAX)
    if isinstance(found, Mapping) and is_answer(found):
        return answer_text(found)[0]
    return text_of(found)
