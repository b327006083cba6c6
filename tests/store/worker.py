"""A process that appends; ``python -m tests.store.worker JOB FOLDER [COUNT]``.

It prints a line for each append that was acknowledged, so that whoever started it knows
what must never be missing.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from pathlib import Path

import nbdurable_store
from nbdurable_store.protocol import Store
from nbdurable_store.records import Record

LARGE = b"large value " * 8000


def said(line: object) -> None:
    """Tell whoever started this process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def record(store: Store, number: int) -> Record:
    """The record with this number; every fourth has a large value too."""
    values = [f"value {number}".encode(), LARGE + str(number).encode()]
    values = values if number % 4 == 0 else values[:1]
    return Record(
        kind="call.completed",
        run="run",
        subject=str(number),
        at_us=number,
        fields={"pid": os.getpid()},
        blobs=tuple(store.put("raw", value) for value in values),
    )


def append(root: Path, count: int) -> None:
    """Append records one by one, and close."""
    store = nbdurable_store.open(root)
    for number in range(count):
        store.append([record(store, number)], sync=True)
        said(number)
    store.close()


def hold(root: Path, _: int) -> None:
    """Append one record, hold a run, fork a child that lives on, and wait for the end."""
    store = nbdurable_store.open(root)
    store.append([record(store, 1)], sync=True)
    store.claim("run")
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tell, b"x")
        signal.pause()
        os._exit(0)
    os.read(ready, 1)
    said(child)
    signal.pause()


def interrupted(root: Path, count: int) -> None:
    """Append while the main thread is interrupted at every moment of it."""
    store = nbdurable_store.open(root)
    main, over = threading.main_thread(), threading.Event()
    chance = random.Random(7)
    appending = False

    def handle(_signal: int, _frame: object) -> None:
        if appending:
            raise KeyboardInterrupt

    def interrupt() -> None:
        while not over.wait(chance.random() / 2000):
            signal.pthread_kill(main.ident or 0, signal.SIGINT)

    signal.signal(signal.SIGINT, handle)
    acknowledged, cut = [], 0
    threading.Thread(target=interrupt, daemon=True).start()
    while len(acknowledged) < count:
        number = 4 * (len(acknowledged) + cut) + 1
        made = record(store, number)
        try:
            appending = True
            store.append([made], sync=False)
            appending = False
        except KeyboardInterrupt:
            appending = False
            cut += 1
        else:
            acknowledged.append(number)
    over.set()
    said(" ".join(str(number) for number in acknowledged))
    said(cut)
    store.close()


if __name__ == "__main__":
    job, folder, *rest = sys.argv[1:]
    jobs = {"append": append, "hold": hold, "interrupted": interrupted}
    jobs[job](Path(folder), int(rest[0]) if rest else 0)
