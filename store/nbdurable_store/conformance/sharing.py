"""Promises about processes and threads: who lives, who executes, who may append."""

from __future__ import annotations

import threading

from nbdurable_store.conformance.harness import Check, Harness, promise, record, refuses
from nbdurable_store.errors import DurableError, RunBusy

CHECKS: list[Check] = []


@promise(CHECKS)
def threads_share_a_store(harness: Harness) -> None:
    """Appends of many threads are all there, once, in the order of each thread."""
    store = harness.open()

    def append(who: int) -> None:
        for n in range(20):
            store.append([record(fields={"who": who, "n": n})], sync=n % 2 == 0)

    threads = [threading.Thread(target=append, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = harness.open().read("run")[0]
    assert [e.seq for e in entries] == list(range(1, 161))
    said = [(e.record.fields["who"], e.record.fields["n"]) for e in entries]
    for number in range(8):
        assert [n for who, n in said if who == number] == list(range(20))


@promise(CHECKS)
def one_process_executes_in_a_run(harness: Harness) -> None:
    """A run belongs to one process until it lets go; runs don't hinder each other."""
    one, other = harness.open(), harness.open()
    first = one.claim("run")
    again = one.claim("run")
    refuses(RunBusy, lambda: other.claim("run"))
    other.claim("another run").release()
    first.release()
    first.release()
    refuses(RunBusy, lambda: other.claim("run"))
    again.release()
    other.claim("run").release()


@promise(CHECKS)
def death_gives_a_run_back(harness: Harness) -> None:
    """A run of a killed or closed process is free at once."""
    for end in (harness.kill, lambda store: store.close()):
        holder = harness.open()
        holder.append([record()], sync=False)
        holder.claim("run")
        end(holder)
        harness.open().claim("run").release()


@promise(CHECKS)
def a_busy_run_names_its_holder(harness: Harness) -> None:
    """`RunBusy` says which process holds the run, and since when."""
    one, other = harness.open(), harness.open()
    one.append([record()], sync=False)
    one.claim("run")
    busy = refuses(RunBusy, lambda: other.claim("run"))
    pids = {owner.id: owner.pid for owner in other.owners()}
    assert (busy.run, busy.pid) == ("run", pids[one.owner])
    assert busy.age_s >= 0


@promise(CHECKS)
def a_pepper_is_the_stores(harness: Harness) -> None:
    """Who opens the store has the same 32 bytes, which stand for no other name of it."""
    one, other = harness.open(), harness.open()
    assert one.pepper == other.pepper
    assert len(one.pepper) == 32
    assert one.pepper.hex() != one.id


@promise(CHECKS)
def owners_live_until_they_end(harness: Harness) -> None:
    """Owners are those who appended; they live until killed or closed."""
    killed, closed, living = harness.open(), harness.open(), harness.open()
    assert living.owners() == ()
    for store in (killed, closed, living):
        store.append([record()], sync=False)
    harness.kill(killed)
    closed.close()
    alive = {owner.id: owner.alive for owner in living.owners()}
    assert alive == {killed.owner: False, closed.owner: False, living.owner: True}


@promise(CHECKS)
def errors_are_ours(harness: Harness) -> None:
    """What a store refuses is told in one form, with a page under ``docs/errors``."""
    store = harness.open()
    store.close()
    error = refuses(DurableError, lambda: store.append([record()], sync=True))
    assert error.slug
    assert store.place in str(error)
