"""Promises about records: what was appended is read, in order, by everybody."""

from __future__ import annotations

from nbdurable_store.conformance.harness import (
    Check,
    Harness,
    facts,
    promise,
    record,
    refuses,
    subjects,
)
from nbdurable_store.errors import StoreUnwritable
from nbdurable_store.protocol import START
from nbdurable_store.records import NO_KEY, Kind, Plain

CHECKS: list[Check] = []


@promise(CHECKS)
def appended_entries_are_read_back(harness: Harness) -> None:
    """What was appended is read back by the appender and by others, and is equal."""
    one, other = harness.open(), harness.open()
    made = [record(subject=f"c{n}", fields={"n": n}, key=bytes(32)) for n in range(3)]
    entries = one.append(made, sync=True)
    assert [e.record for e in entries] == made
    assert one.read("run")[0] == entries
    assert other.read("run")[0] == entries


@promise(CHECKS)
def sequence_numbers_count_from_one(harness: Harness) -> None:
    """An owner's entries are numbered from 1, without gaps, in the order of appending."""
    store = harness.open()
    entries = [e for n in range(4) for e in store.append([record()] * n, sync=False)]
    assert [e.seq for e in entries] == [1, 2, 3, 4, 5, 6]
    assert {e.owner for e in entries} == {store.owner}


@promise(CHECKS)
def later_entries_come_later(harness: Harness) -> None:
    """Who has read an entry appends behind it, whatever the wall clocks say."""
    one, other = harness.open(), harness.open()
    for turn in range(4):
        store = (one, other)[turn % 2]
        store.read("run")
        store.append([record(subject=str(turn), at_us=9 - turn)], sync=False)
    assert subjects(one.read("run")[0]) == ["0", "1", "2", "3"]
    assert facts(one.read("run")[0]) == facts(other.read("run")[0])
    for store in (one, other):
        store.flush()
        store.close()
    later = harness.open()
    later.read("run")
    later.append([record(subject="4")], sync=False)
    assert subjects(later.read("run")[0]) == ["0", "1", "2", "3", "4"]


@promise(CHECKS)
def readers_see_what_was_written_before(harness: Harness) -> None:
    """A reader that has read before sees what anybody wrote since, synced or not."""
    one, other = harness.open(), harness.open()
    one.append([record(subject="a")], sync=True)
    assert subjects(other.read("run")[0]) == ["a"]
    one.append([record(subject="b", key=b"k" * 32)], sync=False)
    assert subjects(other.read("run")[0]) == ["a", "b"]
    assert subjects(other.lookup([b"k" * 32])) == ["b"]
    assert subjects(other.scan([Kind.CALL_STARTED])[0]) == ["a", "b"]


@promise(CHECKS)
def a_cursor_hands_out_each_entry_once(harness: Harness) -> None:
    """Reading on from a cursor gives what is new, and nothing when nothing is."""
    one, other = harness.open(), harness.open()
    cursor, seen = START, []
    for turn in range(6):
        (one, other)[turn % 2].append([record(subject=str(turn))], sync=False)
        entries, cursor = one.read("run", cursor)
        seen += subjects(entries)
    assert seen == ["0", "1", "2", "3", "4", "5"]
    assert one.read("run", cursor)[0] == ()


@promise(CHECKS)
def a_scan_goes_on_from_a_cursor(harness: Harness) -> None:
    """Scanning on gives what is new of a kind in any run, wherever it is by now."""
    one, other = harness.open(), harness.open()
    cursor, seen = START, []
    for turn in range(6):
        (one, other)[turn % 2].append([record(subject=str(turn))], sync=False)
        other.append([record(subject="x", kind=Kind.RUN_OPENED)], sync=False)
        if turn % 3 == 0:
            one.flush()
        entries, cursor = one.scan([Kind.CALL_STARTED], cursor)
        seen += subjects(entries)
    assert seen == ["0", "1", "2", "3", "4", "5"]
    assert one.scan([Kind.CALL_STARTED], cursor)[0] == ()
    two_on, _ = harness.open().scan([Kind.CALL_STARTED], START)
    assert subjects(two_on) == seen


@promise(CHECKS)
def a_cursor_can_pass_own_entries(harness: Harness) -> None:
    """An appender moves its cursor past its own entries and doesn't read them again."""
    one, other = harness.open(), harness.open()
    _, cursor = one.read("run")
    mine = one.append([record(subject="mine")], sync=False)
    other.append([record(subject="other")], sync=False)
    entries, _ = one.read("run", cursor.past(mine))
    assert subjects(entries) == ["other"]


@promise(CHECKS)
def runs_are_apart(harness: Harness) -> None:
    """A run's entries are its own; scan and lookup go over all runs."""
    store = harness.open()
    store.append([record("a", subject="1"), record("b", subject="2")], sync=False)
    store.append([record("a", subject="3", kind=Kind.RUN_OPENED)], sync=False)
    assert subjects(store.read("a")[0]) == ["1", "3"]
    assert subjects(store.read("b")[0]) == ["2"]
    assert store.read("c")[0] == ()
    assert subjects(store.scan([Kind.CALL_STARTED])[0]) == ["1", "2"]
    both = [Kind.RUN_OPENED, Kind.CALL_STARTED]
    assert subjects(store.scan(both)[0]) == list("123")


@promise(CHECKS)
def calls_with_a_field_are_all_there(harness: Harness) -> None:
    """Reading a part of a run's calls leaves out nothing of them, nor what is no call."""
    store = harness.open()
    said: dict[str, Plain] = {"wait": {"text": 'a "wait": \u00fc'}}
    store.append([record(subject=f"c{n}") for n in range(3)], sync=False)
    store.append([record(subject="w", fields=said)], sync=False)
    store.flush()
    store.append([record(subject="s", kind=Kind.STEP_STARTED)], sync=False)
    store.append([record(subject="w", kind=Kind.CALL_COMPLETED)], sync=False)
    other = harness.open()
    for reader in (store, other):
        found, cursor = reader.read("run", calls_with="wait")
        mine = [subject for subject in subjects(found) if subject in {"w", "s"}]
        assert mine == ["w", "s", "w"]
        assert {e.record.run for e in found} == {"run"}
        assert reader.read("run", cursor, calls_with="wait")[0] == ()
    store.flush()
    later = harness.open().read("run", calls_with="wait")[0]
    assert [s for s in subjects(later) if s in {"w", "s"}] == ["w", "s", "w"]


@promise(CHECKS)
def lookup_finds_by_the_whole_key(harness: Harness) -> None:
    """Lookup finds by all of a key, also where two keys begin alike."""
    store = harness.open()
    keys = [b"12345678" + bytes([n]) * 24 for n in range(3)]
    store.append([record(subject=str(n), key=k) for n, k in enumerate(keys)], sync=True)
    store.append([record(subject="none", key=NO_KEY)], sync=True)
    assert subjects(store.lookup([keys[1]])) == ["1"]
    assert subjects(store.lookup([keys[2], keys[0]])) == ["0", "2"]
    assert store.lookup([b"x" * 32]) == ()
    assert store.lookup([]) == ()


@promise(CHECKS)
def written_records_survive_a_kill(harness: Harness) -> None:
    """What was written, synced or not, is there after the process was killed."""
    store = harness.open()
    store.append([record(subject="a")], sync=True)
    store.append([record(subject="b"), record(subject="c")], sync=False)
    harness.kill(store)
    assert subjects(harness.open().read("run")[0]) == ["a", "b", "c"]


@promise(CHECKS)
def closed_stores_keep_everything(harness: Harness) -> None:
    """Closing loses nothing; a closed store refuses to append; closing twice is fine."""
    store = harness.open()
    ref = store.put("json", b"1" * 100_000)
    store.append(
        [record(subject="a", blobs=(ref, store.put("json", b"2")))], sync=False
    )
    store.close()
    store.close()
    refuses(StoreUnwritable, lambda: store.append([record()], sync=False))
    later = harness.open()
    (entry,) = later.read("run")[0]
    assert [later.get(r) for r in entry.record.blobs] == [b"1" * 100_000, b"2"]


@promise(CHECKS)
def a_whole_store_checks_clean(harness: Harness) -> None:
    """Checking a whole store counts what is there, finds nothing, changes nothing."""
    store = harness.open()
    refs = tuple(store.put("raw", b"x" * size) for size in (10, 100_000))
    store.append([record(blobs=refs), record()], sync=True)
    for _ in range(2):
        checked = store.check()
        assert checked.findings == ()
        assert (checked.records, checked.blobs) == (2, 2)
    assert len(store.read("run")[0]) == 2


@promise(CHECKS)
def flushing_changes_no_answer(harness: Harness) -> None:
    """After a flush every reader gets the same answers as before."""
    one, other = harness.open(), harness.open()
    one.append(
        [record(subject=str(n), key=bytes([n]) * 32) for n in range(9)], sync=False
    )
    other.append([record(subject="x", blobs=(other.put("raw", b"v"),))], sync=False)
    before, cursor = one.read("run")
    for store in (one, other, harness.open()):
        store.flush()
        assert store.read("run")[0] == before
        assert store.read("run", cursor)[0] == ()
        assert subjects(store.lookup([bytes([3]) * 32])) == ["3"]
        assert [store.get(r) for e in store.read("run")[0] for r in e.record.blobs] == [
            b"v"
        ]
    one.append([record(subject="new")], sync=False)
    assert subjects(other.read("run", cursor)[0]) == ["new"]
