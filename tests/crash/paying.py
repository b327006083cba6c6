"""One life of a process that runs an agent's cell of 30 calls, until it is killed.

The payments go to a service in another process, which counts each before it answers.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbdurable_store
from nbdurable.testing.effects import VARIABLE
from tests.engine.notebooks import Notebook

TOOLS = """
import asyncio
from nbdurable import idempotency_key
from nbdurable.errors import NotDone
from nbdurable.testing.effects import effect
from nbdurable.testing.processes import call

def found(i):
    for seen in call(URL + "/effects")["effects"]:
        if seen["tool"] == "pay" and seen["args"] == {"run": RUN, "i": i}:
            return f"paid {i}"
    raise NotDone

@tool(effect="read")
def search(i):
    effect("search", run=RUN, i=i)
    return i

@tool(on_doubt=%(on_doubt)s)
def pay(i):
    effect("pay", run=RUN, i=i%(key)s)
    return f"paid {i}"

@tool(on_doubt=%(on_doubt)s)
async def apay(i):
    await asyncio.to_thread(effect, "pay", run=RUN, i=i%(key)s)
    return f"paid {i}"
"""

CELL = """
r = []
for k in range(6):
    r += [pay(2 * search(k)), pay(2 * k + 1)]
async def main():
    return await asyncio.gather(*(apay(12 + n) for n in range(12)))
r += asyncio.run(main())
"""
"""30 calls: 6 searches, 12 payments one after the other, and 12 at a time."""

ANSWER = [f"paid {i}" for i in range(24)]

SERVICES = {
    "counts every request": {"on_doubt": "found", "key": ""},
    "counts a key once": {"on_doubt": "'retry'", "key": ", key=idempotency_key()"},
    "asks a person": {"on_doubt": "'ask'", "key": ""},
}


def answer_of(folder: Path) -> list[str] | None:
    """What the cell gave, once it has."""
    file = folder / "answer.json"
    return json.loads(file.read_text()) if file.exists() else None


def live(folder: str, url: str, run: int, service: str) -> None:
    """Open the store, run the cell, and say what it gave."""
    os.environ[VARIABLE] = url
    store = nbdurable_store.open(Path(folder) / ".nbdurable", named=True)
    nb = Notebook(store=store, root=Path(folder))
    nb.namespace |= {"URL": url, "RUN": run}
    nb.plain(TOOLS % SERVICES[service])
    nb.run(CELL, "agent", "c1")
    answer = Path(folder) / "answer.json"
    answer.with_suffix(".tmp").write_text(json.dumps(nb.namespace["r"]))
    answer.with_suffix(".tmp").rename(answer)
    nb.session.close()
