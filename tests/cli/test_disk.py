"""`nbdurable gc`, `rm`, `pin`: what they say, what they do, and what they never take."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

import nbdurable_store
from nbdurable.timeline import history_of
from nbdurable_store import Kind, Record
from nbdurable_store.folder.survey import folder_bytes
from tests.stories import MONDAY_0914_US, Story, research

Run = Callable[..., str]
DAY_US = 86_400_000_000


def _plain(number: int, *, closed: bool = False, size: int = 1_000) -> Story:
    """A run with two calls, one of them with a result of so many bytes."""
    story = Story(run=f"run-{number}", us=MONDAY_0914_US + number * DAY_US)
    story.opens(number)
    step = story.step("findings")
    story.calls(step, "search(1)", 3.0, tokens_in=700, tokens_out=300)
    result = blake3(story.run.encode()).digest(length=size)
    story.calls(step, "search(2)", 2.0, result=result)
    story.completes(step)
    if closed:
        story.append(Kind.RUN_CLOSED, {"reason": "finished"}, subject=story.run)
    return story


def _waiting(number: int) -> Story:
    story = Story(run=f"run-{number}", us=MONDAY_0914_US + number * DAY_US)
    story.opens(number)
    story.fails(story.step("review"), "paused")
    return story


def _doubtful(number: int) -> Story:
    story = Story(run=f"run-{number}", us=MONDAY_0914_US + number * DAY_US)
    story.opens(number)
    story.begins(story.step("review"), "send('ann')", effect="write")
    return story


def _told(home: Path, *stories: Story) -> None:
    for story in stories:
        store = nbdurable_store.open(home / ".nbdurable")
        story.into(store)
        store.flush()
        store.close()


def _listed(cli: Run) -> list[str]:
    return [run["id"] for run in json.loads(cli("runs", "--json"))]


def test_a_removal_is_said_before_it_is_done(home: Path, cli: Run) -> None:
    """`rm` without an answer says bytes and what making it again costs; nothing goes."""
    _told(home, _plain(1), _plain(2, size=500_000))
    said = cli("rm", "2")
    assert "would remove run 2 of research.ipynb" in said
    assert "again: 2 calls, 5.0 s, 1,000 tokens" in said
    assert said.endswith("do it: add --yes")
    assert _listed(cli) == ["run-2", "run-1"]


def test_a_removed_run_is_gone_with_its_bytes(home: Path, cli: Run) -> None:
    """`rm --yes` removes it, the folder gets smaller by about what was said."""
    _told(home, _plain(1), _plain(2, size=800_000))
    about = json.loads(cli("rm", "2", "--json"))
    assert about["done"] is False
    assert about["runs"][0]["again"] == {"calls": 2, "seconds": 5.0, "tokens": 1_000}
    before = folder_bytes(home / ".nbdurable")
    done = json.loads(cli("rm", "2", "--yes", "--json"))
    after = folder_bytes(home / ".nbdurable")
    assert done["done"] is True
    assert abs((before - after) - about["freed_bytes"]) < 60_000
    assert _listed(cli) == ["run-1"]
    assert "run-unknown" in cli("show", "2", code=2)
    assert cli("fsck").endswith("all whole")


@pytest.mark.parametrize("runs", [1, 19])
def test_small_runs_free_what_is_said(home: Path, cli: Run, runs: int) -> None:
    """What the store takes without any run isn't told as freed, and is not missed after."""
    _told(home, *(_plain(number) for number in range(1, 21)))
    names = [str(number) for number in range(1, runs + 1)]
    about = json.loads(cli("rm", *names, "--json"))["freed_bytes"]
    before = folder_bytes(home / ".nbdurable")
    freed = json.loads(cli("rm", *names, "--yes", "--json"))["freed_bytes"]
    after = folder_bytes(home / ".nbdurable")
    assert 0 < about < (before - after) * 1.25
    assert abs(freed - (before - after)) < 24_000  # DuckDB shrinks as it is opened, too


def test_gc_alone_removes_no_run(home: Path, cli: Run) -> None:
    """Without options only what no run needs goes; `--dry-run` is what happens anyway."""
    _told(home, _plain(1))
    store = nbdurable_store.open(home / ".nbdurable")
    store.put("raw", blake3(b"unnamed").digest(length=400_000))
    store.close()
    dry = json.loads(cli("gc", "--json"))
    assert dry == json.loads(cli("gc", "--dry-run", "--json"))
    assert dry["unneeded_bytes"] > 0
    assert dry["runs"] == []
    assert len(list((home / ".nbdurable" / "blobs").iterdir())) == 1
    assert "freed" in cli("gc", "--yes")
    assert list((home / ".nbdurable" / "blobs").iterdir()) == []
    assert cli("gc").endswith("nothing to free")
    assert _listed(cli) == ["run-1"]


def test_old_runs_go_and_the_others_are_named(home: Path, cli: Run) -> None:
    """`--older-than` takes what nobody used since, and says of each run why it stays."""
    _told(home, _plain(1), _waiting(2), _doubtful(3), _plain(4), _plain(5))
    cli("pin", "4")
    young = _plain(6)
    young.us = nbdurable_store.clock.SYSTEM_CLOCK.now_us()
    made = Record(
        kind=Kind.RUN_RENAMED,
        run="run-5",
        subject="run-5",
        at_us=young.us,
        fields={"notebook": "research.ipynb"},
    )
    store = nbdurable_store.open(home / ".nbdurable")
    store.append([made], sync=True)
    store.close()
    said = cli("gc", "--older-than", "7d")
    assert "would remove run 1" in said
    assert "kept run 2 of research.ipynb · review waits for you" in said
    assert "kept run 3 of research.ipynb · review.1 may have happened" in said
    assert re.search(r"nbdurable resolve review\.1@\w{6} --did-not --run run-3", said)
    assert "kept run 4 of research.ipynb · it is pinned · nbdurable unpin run-4" in said
    assert "run 5" not in said
    cli("gc", "--older-than", "7d", "--yes")
    assert sorted(_listed(cli)) == ["run-2", "run-3", "run-4", "run-5"]
    cli("unpin", "4")
    cli("resolve", "review.1", "--did-not", "--run", "run-3")
    assert "would remove run 4" in cli("gc", "--older-than", "7d")


def test_runs_go_until_the_store_is_small_enough(home: Path, cli: Run) -> None:
    """`--size` takes closed runs first, the oldest first, and no more than it has to."""
    size = 700_000
    stories = [
        _plain(1, size=size),
        _plain(2, size=size + 1, closed=True),
        _plain(3, size=size + 2, closed=True),
    ]
    _told(home, *stories)
    total = folder_bytes(home / ".nbdurable")
    one = json.loads(cli("gc", "--size", str(total - 1_000), "--json"))
    assert [run["id"] for run in one["runs"]] == ["run-2"]
    all_but = json.loads(cli("gc", "--size", "1kb", "--json"))
    assert [run["id"] for run in all_but["runs"]] == ["run-2", "run-3", "run-1"]
    done = json.loads(cli("gc", "--size", str(total - 1_000), "--yes", "--json"))
    assert folder_bytes(home / ".nbdurable") < total - 1_000
    assert done["freed_bytes"] > 0
    assert _listed(cli) == ["run-3", "run-1"]


@pytest.mark.parametrize(
    ("story", "why"),
    [(_waiting, "waits for you"), (_doubtful, "may have happened")],
)
def test_rm_refuses_what_is_to_be_decided(
    home: Path, cli: Run, story: Callable[[int], Story], why: str
) -> None:
    """A run that waits or is in doubt stays, and the others that were named too."""
    _told(home, _plain(1), story(2))
    assert why in cli("rm", "1", "2", "--yes", code=2)
    assert _listed(cli) == ["run-2", "run-1"]


def test_rm_asks_whose_run_is_meant(home: Path, cli: Run) -> None:
    """Two notebooks have a run 1: neither goes before it is said which."""
    other = _plain(7)
    other.run = "run-7"
    one = _plain(1)
    for at, entry in enumerate(other.entries):
        told = {**entry.record.fields}
        if entry.record.kind == Kind.RUN_OPENED:
            told |= {"number": 1, "notebook": "/there/other.ipynb"}
        other.entries[at] = entry._replace(record=entry.record._replace(fields=told))
    _told(home, one, other)
    said = cli("rm", "1", "--yes", code=2)
    assert "run-unclear" in said
    assert "of other.ipynb" in said
    assert sorted(_listed(cli)) == ["run-1", "run-7"]
    cli("rm", "other.ipynb:1", "--yes")
    assert _listed(cli) == ["run-1"]


def test_rm_refuses_a_run_of_a_living_kernel(home: Path, cli: Run) -> None:
    """A run that a living process has worked in stays, and `gc` names the process."""
    _told(home, research())
    living = nbdurable_store.open(home / ".nbdurable")
    _plain(4).into(living)
    assert "has worked in it" in cli("rm", "run-4", "--yes", code=2)
    assert "has worked in it" in cli("gc", "--size", "1kB")
    living.close()
    cli("rm", "run-4", "--yes")
    assert _listed(cli) == ["run-1"]


def test_a_pinned_run_says_so(home: Path, cli: Run) -> None:
    """`runs` shows pins, and `rm` refuses them with the way out."""
    _told(home, _plain(1, closed=True))
    assert cli("pin", "1") == "run 1 of research.ipynb stays until it is unpinned"
    assert cli("runs").endswith("closed, pinned")
    assert "nbdurable unpin run-1" in cli("rm", "1", "--yes", code=2)
    cli("unpin", "1")
    assert cli("runs").endswith("closed")
    assert "freed" in cli("rm", "1", "--yes")


@pytest.mark.parametrize("words", [("--older-than", "soon"), ("--size", "small")])
def test_an_age_or_size_that_is_none(cli: Run, words: tuple[str, str]) -> None:
    """What can't be understood ends with code 2 before anything is opened."""
    assert "is no" in cli("gc", *words, code=2)


def test_a_damaged_segment_is_named_and_left_as_it_is(home: Path, cli: Run) -> None:
    """What can't be read stays where it is; the runs that were named go all the same."""
    _told(home, _plain(1), _plain(2))
    damaged = sorted((home / ".nbdurable" / "journal").glob("*.zst"))
    for path in damaged:
        raw = bytearray(path.read_bytes())
        raw[-1] ^= 1
        path.write_bytes(raw)
    said = cli("gc")
    assert (
        f"left as it is: journal/{damaged[0].name.partition('.')[0]}, damaged: " in said
    )
    assert json.loads(cli("gc", "--json"))["damaged"]
    before = [path.read_bytes() for path in damaged]
    said = cli("rm", "1", "--yes")
    assert "left as it is, with what those runs have in it: journal/" in said
    assert [path.read_bytes() for path in damaged] == before
    assert _listed(cli) == ["run-2"]
    assert cli("gc").endswith("nothing to free")


def _fork(number: int, parent: str, until: int = 9_999) -> Story:
    story = Story(run=f"run-{number}", us=MONDAY_0914_US + number * DAY_US)
    told = {"notebook": "research.ipynb", "number": number, "parent": parent}
    fields = {**told, "until": [until, "", 0], "at": "findings"}
    story.append(Kind.RUN_OPENED, fields, subject=story.run)
    return story


def test_a_run_with_a_fork_stays_until_the_fork_is_gone(home: Path, cli: Run) -> None:
    """A fork's history is its parent's, so the fork goes first, or with it."""
    _told(home, _plain(1, closed=True), _fork(2, "run-1"))
    refused = cli("rm", "run-1", "--yes", code=2)
    assert "run 2 of research.ipynb was forked from it" in refused
    assert "remove both  nbdurable rm run-2 run-1" in refused
    said = cli("gc", "--older-than", "1d", "--dry-run")
    assert "would remove run 1" in said
    assert "would remove run 2" in said
    cli("rm", "run-1", "run-2", "--yes")
    assert cli("runs") == "no runs in this store"


def test_a_fork_that_waits_is_the_reason_and_its_answer_the_way_out(
    home: Path, cli: Run
) -> None:
    """The remedy is what the fork waits for, and once it is answered both can go."""
    parent = _plain(1)
    paid = parent.calls(parent.step("pay"), "pay('ann')", 1.0, effect="write")
    fork = _fork(2, "run-1", until=0)
    fork.counts["pay"] = 1
    step = fork.step("pay")
    fork.fails(step, "paused", asked={"1": [paid, "FORKED"]})
    _told(home, parent)
    store = nbdurable_store.open(home / ".nbdurable")
    store.read("run-1")  # what a fork appends comes after what it has read
    fork.into(store)
    store.close()
    refused = cli("rm", "1", "--yes", code=2)
    assert (
        "run 2 of research.ipynb was forked from it, and there pay.1 waits" in refused
    )
    assert re.search(
        r"settle it  nbdurable resolve pay\.1@\w{6} --keep --run run-2", refused
    )
    cli("resolve", "pay.1", "--keep", "--run", "run-2")
    assert "remove both  nbdurable rm run-2 run-1" in cli("rm", "1", "--yes", code=2)
    assert "freed" in cli("rm", "run-2", "run-1", "--yes")


def test_a_fork_is_judged_by_what_is_its_own(home: Path, cli: Run) -> None:
    """A pin, a doubt or a call of its parent neither keeps a fork nor counts for it."""
    parent = _plain(1)
    parent.begins(parent.step("review"), "send('ann')", effect="write")
    _told(home, parent, _fork(2, "run-1"))
    cli("pin", "run-1")
    said = cli("rm", "run-2")
    assert "would remove run 2" in said
    assert "again: 0 calls" in said
    store = nbdurable_store.open(home / ".nbdurable")
    fork = history_of(store, "run-2")
    store.close()
    assert "send" in {call.name for call in fork.calls.values()}
    assert not fork.pinned
    cli("rm", "run-2", "--yes")
    assert "review.1" in cli("show", "run-1")
