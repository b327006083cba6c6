"""What is new in a checkpoint, as bytes and back.

A value that its parent has, in the same version, is named there. A list of long items,
such as the messages of a chat, is what it has in common with its parent's, and the items
behind that: a chat costs what is said, and not its square. Equal texts are one chunk of
the store wherever they stand.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

from blake3 import blake3

from nbdurable.engine.codec import Unreadable, Unstorable, encode
from nbdurable.engine.values.named import is_credential, is_kept_out
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.frames import current_frame
from nbdurable.integrations.langgraph.facts import Held, Saved, Written
from nbdurable.integrations.langgraph.packing import Get, unpack
from nbdurable.integrations.langgraph.threads import Thread

ITEM_BYTES_MIN: Final = 256
"""Lists whose items are shorter than that on average are kept whole: a digest of each
would take as much room."""

LIST_BYTES_MIN: Final = 4096
"""Shorter lists are kept whole, too."""

DIGEST_BYTES: Final = 16


def secrets_here() -> Secrets:
    """What must not be stored."""
    frame = current_frame()
    if frame is not None:
        found: Secrets = frame.attempt.home.secrets
        return found
    return Secrets(os.environ)


def storable(channel: str, value: object) -> None:
    """Refuse what may not be stored because of its name.

    Raises:
        Unstorable: It is a credential, or plain data that holds one.
    """
    if is_kept_out(channel, value):
        raise Unstorable(
            path=f"[{channel!r}]", why="it is or holds what is named like a credential"
        )


def told_of(
    told: Mapping[str, Any], given: Mapping[str, Any], secrets: Secrets
) -> dict[str, Any]:
    """What is said of a checkpoint, without the credentials of the graph's config.

    Args:
        told: The metadata, with what LangGraph takes over from the config.
        given: The metadata alone.
        secrets: What must not be stored.
    """
    return {
        name: value
        for name, value in told.items()
        if name in given
        or not (
            is_credential(name, value)
            or (isinstance(value, str) and secrets.found(value))
        )
    }


class Dividing:
    """What a new checkpoint has of its own.

    Args:
        thread: What is there already.
        parent: The checkpoint before it, if that is known.
        secrets: What must not be stored.
    """

    def __init__(self, thread: Thread, parent: Saved | None, secrets: Secrets) -> None:
        self._thread, self._parent, self._secrets = thread, parent, secrets
        self.held: dict[str, Held] = {}
        self.own: dict[str, Any] = {}

    def add(self, channel: str, version: Any, value: object) -> None:
        """Keep a new value; raises like `storable`."""
        storable(channel, value)
        items = self._items(value)
        if not items:
            self.held[channel], self.own[channel] = Held(version), value
            return
        assert isinstance(value, list)
        at, before = "", list[str]()
        if self._parent is not None and channel in self._parent.values:
            before = self._thread.digests(self._parent, channel)
            at = self._parent.record
        pairs = zip(before, items, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        held = Held(version, at if same else "", same, tuple(items[same:]))
        self.held[channel], self.own[channel] = held, value[same:]

    def name(self, channel: str, version: Any) -> bool:
        """Name a value where the parent has it; whether it has."""
        found = self._parent and self._parent.values.get(channel)
        if not found or found.version != version:
            return False
        assert self._parent is not None
        elsewhere = found.at if found.kept < 0 else ""
        self.held[channel] = Held(version, elsewhere or self._parent.record)
        return True

    def _items(self, value: object) -> list[str]:
        """The digest of each item of a list that is kept in parts."""
        if type(value) is not list or not value or type(value[0]) in (int, float, bool):
            return []
        made = [encode(item, secrets=self._secrets) for item in value]
        size = sum(len(one.data) for one in made)
        if size < max(LIST_BYTES_MIN, ITEM_BYTES_MIN * len(made)):
            return []
        return [
            blake3(one.codec.encode() + b"\0" + one.data).hexdigest(length=DIGEST_BYTES)
            for one in made
        ]


class Reading:
    """Checkpoints with their values; each record is read once.

    Args:
        thread: Where they are.
        get: `Store.get`.
    """

    def __init__(self, thread: Thread, get: Get) -> None:
        self._thread, self._get = thread, get
        self._secrets = secrets_here()
        self._read: dict[str, tuple[Any, Any, dict[str, Any]]] = {}

    def checkpoint(self, saved: Saved) -> tuple[dict[str, Any], dict[str, Any]]:
        """A checkpoint with its values, and its metadata.

        Raises:
            Unreadable: A value of it can't be loaded here.
            BlobUnserved: Its bytes are damaged or gone.
        """
        checkpoint, metadata, _ = self._record(saved)
        values = {channel: self.value(saved, channel) for channel in saved.values}
        return {**checkpoint, "channel_values": values}, metadata

    def metadata(self, saved: Saved) -> dict[str, Any]:
        """What was said of a checkpoint."""
        found: dict[str, Any] = self._record(saved)[1]
        return found

    def writes(self, writes: Iterable[Written]) -> list[tuple[str, str, Any]]:
        """Writes as LangGraph takes them: task, channel, value."""
        read: dict[str, Sequence[Any]] = {}
        found = list(writes)
        for one in found:
            if one.record not in read:
                read[one.record] = unpack(one.packed, self._get, self._secrets)
        return [(one.task, one.channel, read[one.record][one.at]) for one in found]

    def value(self, saved: Saved, channel: str) -> Any:
        """The value of a channel; see `checkpoint`."""
        try:
            parts = self._thread.parts(saved, channel)
        except LookupError:
            name = f"checkpoint {saved.name[1]} of thread {saved.thread!r}"
            why = f"what {channel!r} of {name} builds on is damaged or gone"
            raise Unreadable(codec="graph.checkpoint", why=why) from None
        if parts[0][1].kept < 0:
            return self._record(parts[0][0])[2][channel]
        return [x for at, _, own in parts for x in self._record(at)[2][channel][:own]]

    def _record(self, saved: Saved) -> tuple[Any, Any, Mapping[str, Any]]:
        if saved.record not in self._read:
            found = unpack(saved.packed, self._get, self._secrets)
            self._read[saved.record] = found
        return self._read[saved.record]
