"""What answers a view, over a store."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline.protocol import (
    Changed,
    Message,
    Refused,
    Snapshot,
    Told,
    Watched,
    plain,
)
from nbdurable.timeline.source import Source
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.clock import SystemClock
from tests.stories import Story, doubtful, research
from tests.timeline.test_waits import asking

OPEN = {"type": "open", "version": 1}


def source_of(story: Story) -> Source:
    """A source over a store that holds the story; its kernel is gone."""
    world = World()
    gone = MemoryStore(world)
    story.into(gone)
    gone.close()
    store = MemoryStore(world)
    return Source(store=store, run=story.run, secrets=lambda: Secrets({}))


def one(messages: list[Message]) -> Message:
    """The only message."""
    (message,) = messages
    return message


def test_a_view_opens_and_nothing_changes() -> None:
    """A view gets a snapshot; while nothing is appended, nothing more is told."""
    source = source_of(research())
    assert source.poll() == []
    shown = one(source.hear(OPEN))
    assert isinstance(shown, Snapshot)
    assert shown.seq == 0
    assert len(shown.calls.id) == 47
    assert source.poll() == []


def test_what_is_appended_is_told() -> None:
    """A call that somebody appends is told by the next look, with the next number."""
    story = doubtful()
    source = source_of(story)
    source.hear(OPEN)
    told = len(story.entries)
    step = story.step("mail")
    story.calls(step, "send('ann')", 1.0)
    for entry in story.entries[told:]:
        blobs = tuple(
            source.store.put(b.codec, story.get(b)) for b in entry.record.blobs
        )
        source.store.append((entry.record._replace(blobs=blobs),), sync=True)
    changed = one(source.poll())
    assert isinstance(changed, Changed)
    assert changed.seq == 1
    assert changed.calls.text == ("send('ann')",)
    assert changed.cells[-1].name == "mail"


def test_a_button_settles_a_call() -> None:
    """«It happened» with a value is `resolve`: it is told, and nothing is asked any more."""
    source = source_of(doubtful())
    shown = one(source.hear(OPEN))
    assert isinstance(shown, Snapshot)
    (need,) = shown.needs
    said = {
        "type": "resolve",
        "call": need.reference,
        "said": "happened",
        "text": "in_7",
    }
    told, changed = source.hear(said)
    assert isinstance(told, Told)
    assert told.about == need.reference
    assert isinstance(changed, Changed)
    assert changed.needs == ()


def test_who_watches_hears_only_what_is_needed() -> None:
    """A view that draws nothing is told what needs somebody, once, and when it changes."""
    source = source_of(doubtful())
    watched = one(source.hear({"type": "watch", "version": 1}))
    assert isinstance(watched, Watched)
    (need,) = watched.needs
    assert source.poll() == []
    said = {"type": "resolve", "call": need.reference, "said": "did-not"}
    told, now = source.hear(said)
    assert isinstance(told, Told)
    assert now == Watched(needs=(), run="run-1")
    assert isinstance(one(source.hear(OPEN)), Snapshot)


def test_who_marks_cells_hears_how_they_stand() -> None:
    """A view that watches is told of the cells if it asks for them, and when they change."""
    source = source_of(doubtful())
    watched = one(source.hear({"type": "watch", "version": 1, "cells": True}))
    assert isinstance(watched, Watched)
    (cell,) = watched.cells
    assert (cell.name, cell.cell_id, cell.would) == (
        "review",
        "cell-review",
        "asks you first",
    )
    text = "%%durable review\nreport = draft(client, notes)"
    assert cell.written == zlib.crc32(text.encode())
    assert source.poll() == []
    resolve = {"type": "resolve", "call": "review.2", "said": "did-not"}
    (_, again) = source.hear(resolve)
    assert isinstance(again, Watched)
    assert again.needs == ()
    assert again.cells[0].would == "goes on, 1 call replayed"


class Slow(SystemClock):
    """Each look at it takes a second."""

    now_s = 0.0

    def monotonic_s(self) -> float:
        """A second later than before."""
        self.now_s += 1.0
        return self.now_s


def test_marks_take_a_small_part_of_the_kernels_time() -> None:
    """After a look at the cells that took long only what is needed is looked for, a while."""
    story = doubtful()
    source, clock = source_of(story), Slow()
    source.clock = clock
    source.hear({"type": "watch", "version": 1, "cells": True})
    told = len(story.entries)
    story.calls(story.step("mail"), "send('ann')", 1.0)
    for entry in story.entries[told:]:
        source.store.append((entry.record,), sync=True)
    assert source.poll() == []
    clock.now_s += 100.0
    watched = one(source.poll())
    assert isinstance(watched, Watched)
    assert [cell.name for cell in watched.cells] == ["review", "mail"]
    assert source.poll() == []


def test_who_watches_is_told_of_the_kernels_own_run() -> None:
    """A view that showed another run, and is hidden, hears what its kernel's run needs."""
    other = research()
    other.run = "run-2"
    other.relabel()
    world = World()
    for story in (doubtful(), other):
        story.into(MemoryStore(world))
    store = MemoryStore(world)
    source = Source(store=store, run="run-1", secrets=lambda: Secrets({}))
    source.hear({**OPEN, "run": "run-2"})
    watched = one(source.hear({"type": "watch", "version": 1, "cells": True}))
    assert isinstance(watched, Watched)
    assert [cell.name for cell in watched.cells] == ["review"]


def test_an_answer_that_does_not_fit_is_refused() -> None:
    """What is refused says why and what to type, and changes nothing."""
    source = source_of(doubtful())
    source.hear(OPEN)
    for said in (
        {"type": "resolve", "call": "review.2", "said": "keep"},
        {"type": "resolve", "call": "review.99", "said": "did-not"},
        {"type": "signal", "call": "review.2", "text": "yes"},
        {"type": "resolve", "call": "review.2", "said": "perhaps"},
        {"type": "cancel", "call": "review.2"},
        {"type": "detail", "attempt": "nothing"},
        {"type": "open", "version": 99},
        "nonsense",
    ):
        refused = one(source.hear(said))
        assert isinstance(refused, Refused), said
        assert refused.line
    assert source.poll() == []


def test_details_and_older_calls_are_read_only() -> None:
    """Looking closer appends nothing."""
    source = source_of(research())
    shown = one(source.hear(OPEN))
    assert isinstance(shown, Snapshot)
    calls = shown.calls
    said = {
        "type": "detail",
        "attempt": calls.names[calls.attempt[0]],
        "call": calls.id[0],
    }
    assert one(source.hear(said)).type == "details"
    assert one(source.hear({"type": "older", "left_out": 3})).type == "page"
    assert source.poll() == []


def test_what_is_sent_is_json() -> None:
    """Every message survives JSON."""
    source = source_of(doubtful())
    for message in [*source.hear(OPEN), *source.hear("?")]:
        sent = plain(message)
        assert isinstance(sent, Mapping)
        assert json.loads(json.dumps(sent)) == sent


def test_what_becomes_stale_is_told() -> None:
    """When the kernel finds that a cell would run again, the view hears it, with its cost."""
    source = source_of(research())
    found: list[dict[str, str] | None] = [None]
    source.staleness = lambda: found[0]
    shown = one(source.hear(OPEN))
    assert isinstance(shown, Snapshot)
    assert shown.cells[0].would == "replays if nothing changed"
    found[0] = {}
    (known,) = source.poll()
    assert isinstance(known, Changed)
    assert known.cells[0].would == "replays, free"
    assert known.calls.id == ()
    found[0] = {"cell-findings": "PROMPT changed"}
    (stale,) = source.poll()
    assert isinstance(stale, Changed)
    assert stale.cells[0].stale == "PROMPT changed"
    assert stale.cells[0].would.startswith("runs again, ~")
    assert source.poll() == []


def test_what_is_asked_twice_is_done_once() -> None:
    """A request that comes again, by another comm too, is answered as it was and no more."""
    source = source_of(doubtful())
    other = Source(
        store=source.store, run=source.run, secrets=source.secrets, once=source.once
    )
    shown = one(source.hear(OPEN))
    assert isinstance(shown, Snapshot)
    need = shown.needs[0].reference
    said = {"type": "resolve", "call": need, "said": "did-not", "ask": "a1"}
    told = source.hear(said)[0]
    assert isinstance(told, Told)
    assert told.to == "a1"
    assert other.hear(said)[0] == told
    assert isinstance(source.hear({**said, "ask": "a2"})[0], Refused)


def test_an_answer_that_another_source_took_counts_once() -> None:
    """Sent to a server and then to a kernel, a click on «yes» is one answer."""
    story = asking()
    source = source_of(story)
    other = Source(store=source.store, run=source.run, secrets=source.secrets)
    shown = one(source.hear(OPEN))
    assert isinstance(shown, Snapshot)
    said = {"type": "signal", "call": shown.needs[0].reference, "text": "yes"}
    assert isinstance(source.hear({**said, "ask": "a1"})[0], Told)
    assert isinstance(other.hear({**said, "ask": "a1"})[0], Told)
    assert isinstance(other.hear({**said, "ask": "a2"})[0], Refused)


def test_what_makes_no_sense_is_answered_by_its_name() -> None:
    """Who asks for something that there isn't learns which of its requests that was."""
    source = source_of(doubtful())
    refused = one(source.hear({"type": "act", "what": "dance", "ask": "a1"}))
    assert isinstance(refused, Refused)
    assert refused.to == "a1"
