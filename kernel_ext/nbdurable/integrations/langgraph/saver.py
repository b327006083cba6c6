"""`DurableSaver`: what LangGraph sees of a thread's checkpoints in the store."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    get_checkpoint_id,
    get_checkpoint_metadata,
)

from nbdurable.engine.steps import stores
from nbdurable.engine.where.ids import RANDOM_IDS
from nbdurable.integrations.langgraph import facts, pinned
from nbdurable.integrations.langgraph.doors import Doors
from nbdurable.integrations.langgraph.facts import Name, Saved
from nbdurable.integrations.langgraph.packing import pack
from nbdurable.integrations.langgraph.refused import SerdeRefused, told
from nbdurable.integrations.langgraph.stores import Threads
from nbdurable.integrations.langgraph.threads import Thread
from nbdurable.integrations.langgraph.values import (
    Dividing,
    Reading,
    secrets_here,
    storable,
    told_of,
)
from nbdurable_store.records import Plain

_PARTS = "the checkpoint", "its metadata", "state"
"""What the values of a checkpoint's record are."""

DELTAS = "counters_since_delta_snapshot"
"""What metadata say of channels whose value is the sum of what was written to them."""


class DurableSaver(Doors):
    """Keeps the threads of LangGraph graphs in a store, beside the notebook's runs.

    A thread survives the kernel, in durable cells and outside of them. A checkpoint is
    there whole or not at all, and durable when `put` returns. Values are kept as those
    of durable cells are: under the store's signature, and without secrets.

    Args:
        store: The store's folder; by default that of the notebook.
        serde: Other checkpointers take a serializer here; this one has its own.

    Raises:
        SerdeRefused: There was one.
        DurableError: The store can't be opened or written; a value can't be kept.

    Example:
        >>> DurableSaver().get_next_version(None, None)
        1
    """

    def __init__(
        self, store: str | os.PathLike[str] | None = None, *, serde: None = None
    ) -> None:
        if serde is not None:
            raise SerdeRefused
        super().__init__()
        self._place = None if store is None else os.fspath(store)
        self._lock = threading.RLock()
        self._known: Threads | None = None

    def __reduce__(self) -> tuple[type[DurableSaver], tuple[str | None]]:
        return type(self), (self._place,)

    # ---- reading ------------------------------------------------------------------------

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint that a config names; without an id the latest of its thread."""
        thread, namespace = _where(config)
        asked = get_checkpoint_id(config) or ""

        def found() -> pinned.Seen:
            threads = self._threads()
            with self._lock:
                fold = threads.get(thread)
                saved = fold.get(namespace, asked)
                return [_seen(fold, saved)] if saved else []

        seen = pinned.look("get_tuple", thread, namespace, asked, found)
        return next(self._tuples(seen), None)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  # LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints, the newest first; without a config those of every thread."""
        configurable = (config or {}).get("configurable", {})
        thread = configurable.get("thread_id")
        namespace = configurable.get("checkpoint_ns")
        wanted = get_checkpoint_id(config) if config else None
        until = get_checkpoint_id(before) if before else None

        def found() -> pinned.Seen:
            threads = self._threads()
            with self._lock:
                names = threads.known() if thread is None else [str(thread)]
                folds = [threads.get(name) for name in names]
                return [_seen(fold, s) for fold in folds for s in fold.all()]

        asked = f"{wanted or ''} before {until or ''}"
        seen = pinned.look(
            "list", str(thread or ""), str(namespace or ""), asked, found
        )
        left = [
            one
            for one in seen
            if namespace in (None, one[1])
            and (not wanted or one[2] == wanted)
            and (not until or one[2] < until)
        ]
        yield from islice(self._tuples(left, filter or {}), limit)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Per channel what was written to it since its last value, and that value."""
        threads = self._threads()
        with self._lock:
            thread, namespace = _where(config)
            fold = threads.get(thread)
            target = fold.get(namespace, get_checkpoint_id(config) or "")
            reading = Reading(fold, threads.bytes)
            return {
                channel: _history(fold, reading, target, channel)
                for channel in channels
            }

    # ---- writing ------------------------------------------------------------------------

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Keep a checkpoint; the same one again changes nothing."""
        thread, namespace = _where(config)
        parent = get_checkpoint_id(config) or ""
        threads, secrets = self._threads(), secrets_here()
        meta = told_of(get_checkpoint_metadata(config, metadata), metadata, secrets)
        with self._lock, told(thread, _PARTS):
            fold = threads.get(thread)
            before = fold.get(namespace, parent) if parent else None
            own = _divided(Dividing(fold, before, secrets), checkpoint, new_versions)
            rest = {k: v for k, v in checkpoint.items() if k != "channel_values"}
            saved = Saved(
                thread=thread,
                name=(namespace, checkpoint["id"]),
                parent=parent,
                record=RANDOM_IDS.new(),
                run=str(meta.get("run_id", "")),
                values=own.held,
                packed=pack([rest, meta, own.own], threads.store, secrets),
            )
            there = fold.get(*saved.name)
            if there is None or there._replace(record=saved.record) != saved:
                blobs = saved.packed.blobs
                threads.append(thread, facts.CHECKPOINT, saved.fields(), *blobs)
        pinned.put(thread, namespace)
        return _config(thread, saved.name)

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Keep what a task wrote since a checkpoint; what is there already stays."""
        thread, namespace = _where(config)
        name = namespace, str(get_checkpoint_id(config) or "")
        threads, secrets = self._threads(), secrets_here()
        with self._lock:
            fold = threads.get(thread)
            new = [
                (WRITES_IDX_MAP.get(channel, nth), channel, value)
                for nth, (channel, value) in enumerate(writes)
            ]
            there = {w.nth: w for w in fold.writes(name) if w.task == task_id}
            anew = pinned.is_on(thread, namespace)
            new = [w for w in new if w[0] < 0 or anew or w[0] not in there]
            if not new:
                return
            with told(thread, [f"state[{channel!r}]" for _, channel, _ in new]):
                for _, channel, value in new:
                    storable(channel, value)
                packed = pack([value for *_, value in new], threads.store, secrets)
            same = (there.get(nth) for nth, *_ in new)
            if all(w and (w.packed, w.at) == (packed, at) for at, w in enumerate(same)):
                return
            fields: dict[str, Plain] = {
                "thread": thread,
                "ns": name[0],
                "id": name[1],
                "task": task_id,
                "path": task_path,
                "record": RANDOM_IDS.new(),
                "writes": [[nth, channel] for nth, channel, _ in new],
                "anew": anew,
                **packed.field(),
            }
            threads.append(thread, facts.WRITES, fields, *packed.blobs)

    # ---- removing and copying -----------------------------------------------------------

    def delete_thread(self, thread_id: str) -> None:
        """Forget a thread; under the same id a new one begins."""
        threads = self._threads()
        with self._lock:
            fold = threads.get(thread_id)
            if fold.begun:
                threads.append(thread_id, facts.ENDED, {"thread": thread_id})
        for namespace in {"", *fold.namespaces()}:
            pinned.put(thread_id, namespace)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Forget the checkpoints that these runs of LangGraph made."""
        threads, runs = self._threads(), set(run_ids) - {""}
        with self._lock:
            for thread in threads.known() if runs else ():
                fold = threads.get(thread)
                self._remove(thread, [s.name for s in fold.all() if s.run in runs])

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints and writes of a thread to another one."""
        threads = self._threads()
        with self._lock:
            threads.copy(source_thread_id, target_thread_id)
            fold = threads.get(target_thread_id)
        for namespace in {"", *fold.namespaces()}:
            pinned.put(target_thread_id, namespace)

    def prune(
        self, thread_ids: Sequence[str], *, strategy: str = "keep_latest"
    ) -> None:
        """Forget all but the latest checkpoint of each namespace, or with ``delete`` all.

        Of a channel whose value is the sum of what was written to it, the checkpoints
        back to its last value stay, too.
        """
        if strategy == "delete":
            for thread in thread_ids:
                self.delete_thread(thread)
            return
        threads = self._threads()
        with self._lock:
            for thread in thread_ids:
                fold = threads.get(thread)
                reading = Reading(fold, threads.bytes)
                stays = {n for s in fold.latest() for n in _needs(fold, reading, s)}
                gone = [s.name for s in fold.all() if s.name not in stays]
                self._remove(thread, gone)

    def get_next_version(self, current: int | None, channel: None) -> int:
        """One more; also of the texts that other checkpointers make."""
        del channel
        return int(str(current or 0).partition(".")[0]) + 1

    # ---- inside -------------------------------------------------------------------------

    def _threads(self) -> Threads:
        """The threads of the store that it is now: a kernel may have closed the last one."""
        store = stores.present() if self._place is None else stores.opened(self._place)
        with self._lock:
            if self._known is None or self._known.store is not store:
                self._known = Threads(store)
            return self._known

    def _remove(self, thread: str, names: Sequence[Name]) -> None:
        if names:
            fields = {"thread": thread, "checkpoints": [list(name) for name in names]}
            self._threads().append(thread, facts.REMOVED, fields)

    def _tuples(
        self,
        seen: pinned.Seen,
        filter: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> Iterator[CheckpointTuple]:
        """The checkpoints that were seen and are still there."""
        threads = self._threads()
        for thread, namespace, checkpoint, records in seen:
            with self._lock:
                fold = threads.get(thread)
                saved = fold.get(namespace, checkpoint)
                if saved is None:
                    continue
                reading = Reading(fold, threads.bytes)
                if filter and not _fits(reading.metadata(saved), filter):
                    continue
                made = _tuple(fold, reading, saved, set(records))
            yield made


def _where(config: RunnableConfig) -> tuple[str, str]:
    said = config["configurable"]
    return str(said["thread_id"]), str(said.get("checkpoint_ns", ""))


def _config(thread: str, name: Name) -> RunnableConfig:
    namespace, checkpoint = name
    return {
        "configurable": {
            "thread_id": thread,
            "checkpoint_ns": namespace,
            "checkpoint_id": checkpoint,
        }
    }


def _seen(fold: Thread, saved: Saved) -> list[Any]:
    records = dict.fromkeys(w.record for w in fold.writes(saved.name))
    return [saved.thread, *saved.name, [*records]]


def _fits(metadata: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(metadata.get(key) == value for key, value in wanted.items())


def _divided(
    own: Dividing, checkpoint: Checkpoint, new_versions: ChannelVersions
) -> Dividing:
    """Put each value of a checkpoint where it is new, and its parent's name where not."""
    values = checkpoint["channel_values"]
    for channel, version in checkpoint["channel_versions"].items():
        named = channel not in new_versions and own.name(channel, version)
        if not named and channel in values:
            own.add(channel, version, values[channel])
    return own


def _tuple(
    fold: Thread, reading: Reading, saved: Saved, records: set[str]
) -> CheckpointTuple:
    checkpoint, metadata = reading.checkpoint(saved)
    writes = fold.writes(saved.name, records)
    parent = (saved.name[0], saved.parent)
    return CheckpointTuple(
        config=_config(saved.thread, saved.name),
        checkpoint=checkpoint,  # type: ignore[arg-type]  # as it was put
        metadata=metadata,  # type: ignore[arg-type]
        parent_config=_config(saved.thread, parent) if saved.parent else None,
        pending_writes=reading.writes(writes),
    )


def _needs(fold: Thread, reading: Reading, saved: Saved) -> Iterator[Name]:
    """A checkpoint, and those before it that the values of its channels begin at."""
    summed = reading.metadata(saved).get(DELTAS) or {}
    left = {channel for channel in summed if channel not in saved.values}
    for one in fold.ancestors(saved):
        yield one.name
        left -= set(one.values)
        if not left:
            return


def _history(
    fold: Thread, reading: Reading, target: Saved | None, channel: str
) -> DeltaChannelHistory:
    writes: list[tuple[str, str, Any]] = []
    for one in list(fold.ancestors(target))[1:] if target else ():
        own = [w for w in fold.writes(one.name) if w.channel == channel]
        writes[:0] = reading.writes(own)
        if channel in one.values:
            return {"writes": writes, "seed": reading.value(one, channel)}
    return {"writes": writes}
