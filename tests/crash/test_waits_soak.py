"""Waits, timers and signals under random kills, with a person and an account outside.

`make soak MINUTES=30` runs it; each round prints its seed, and `SEED=n` repeats one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nbdurable.cli import inbox
from nbdurable.engine.waits.pauses import NotWaiting
from nbdurable.testing.account import body_digest, read
from nbdurable.testing.effects import receipt
from nbdurable.testing.kernel import Kernel, KernelDiedError
from nbdurable.testing.processes import Running
from nbdurable.testing.ran import Ran
from nbdurable.timeline import history_of
from nbdurable_store import open as open_store
from nbdurable_store.clock import SYSTEM_CLOCK
from nbdurable_store.errors import NotAStore
from nbdurable_store.killpoints import CALL_POINTS, STEP_POINTS
from tests.crash.kills import TOOLS

KILLS_MAX = 5
"""Kernels killed in one round before it may end."""

POINTS = sorted(CALL_POINTS | STEP_POINTS)

CELL = """%%durable s
name = nd.ask("Name?")
nd.sleep(0.3)
paid = [nd.wait_for("paid"), nd.wait_for("paid")]
ok = nd.approve("Send?", show=[name, *paid])
r = call(0) if ok else None
nd.sleep(0.1)
print(name, paid, ok, r)
"""

ANSWERS = {"Name?": "ann", "Send?": "yes"}

_sizes = itertools.count(1_000_000)


@dataclass
class Person:
    """Somebody at a shell, who answers each question once and pays twice.

    Attributes:
        folder: Where the store is.
        chance: When they do it.
        answered: How often an answer to each question was accepted.
        paid: How often they paid.
    """

    folder: Path
    chance: random.Random
    answered: Counter[str] = field(default_factory=Counter)
    paid: int = 0

    def acts(self) -> bool:
        """Look at what waits, and maybe do something about it; whether they did."""
        try:
            waits = self._said("inbox")
        except NotAStore:  # no kernel has got so far
            return False
        if not waits or self.chance.random() < 0.3:
            return False
        asked = waits[0]
        if asked["kind"] == "signal":
            return self._pays()
        with_value = {"call": asked["asked"], "value": ANSWERS[asked["text"]]}
        try:
            self._said("answer", **with_value)
        except NotWaiting:  # it has its answer, and was not run since
            return False
        self.answered[asked["text"]] += 1
        return True

    def _pays(self) -> bool:
        if self.paid == 2:
            return False
        self.paid += 1
        self._said("send", name="paid", value=str(self.paid))
        return True

    def _said(self, command: str, **words: str) -> Any:
        store = str(self.folder / ".nbdurable")
        given = argparse.Namespace(store=store, run="", command=command, **words)
        return getattr(inbox, command)(given).data


@dataclass
class World:
    """One notebook, its kernels, and what happened outside."""

    folder: Path
    account: Running
    person: Person
    key: str
    size: int = field(default_factory=lambda: next(_sizes))

    def kernel(self, killpoints: str = "") -> Kernel:
        """A kernel on this folder, killed at a named moment if one is given."""
        env = {
            "NBDURABLE_EFFECTS": self.account.url,
            "NBDURABLE_KILLPOINTS": killpoints,
            "NBDURABLE_KEY_FILE": self.key,
        }
        return Kernel(self.folder, env=env)

    def runs(self, kernel: Kernel, *, until: int) -> Ran:
        """Run the cell until it ends, or until the person has done so many things."""
        values = {"effect": "write", "size": self.size, "padding": 0}
        assert kernel.run(TOOLS.format(**values)).ok, kernel.log
        ran = kernel.send(CELL, metadata={"cellId": "c1"})
        did = 0

        def enough() -> bool:
            nonlocal did
            did += self.person.acts()
            return did >= until

        return kernel.wait_for(ran, enough)

    def ends(self, kernel: Kernel) -> Ran:
        """Run the cell to its end; a call that may have happened is looked up."""
        for _ in range(3):
            ran = self.runs(kernel, until=1000)
            if ran.ok:
                return ran
            assert "may or may not have happened" in ran.text, ran.text
            number = ran.text.partition("%durable resolve s.")[2].split()[0]
            said = f'--happened "{self.receipt}"' if self.sent else "--did-not"
            assert kernel.run(f"%durable resolve s.{number} {said}").ok
        raise AssertionError("more questions than calls")

    @property
    def sent(self) -> int:
        """How often it was sent."""
        mine = [a.more["args"] for a in read(self.account.log) if "args" in a.more]
        return sum(args.get("size") == self.size for args in mine)

    @property
    def receipt(self) -> str:
        """What the account gives for it."""
        body = {"tool": "call", "args": {"i": 0, "size": self.size}}
        return receipt("call", body_digest(json.dumps(body).encode()))


@pytest.fixture
def begin(
    account: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], None]:
    """Plays one round with this seed, in a folder of its own."""
    key = tmp_path / "key" / "key"
    key.parent.mkdir(mode=0o700)
    monkeypatch.setenv("NBDURABLE_KEY_FILE", str(key))

    def play(seed: int) -> None:
        print(f"SEED={seed}", flush=True)
        folder = tmp_path / str(seed)
        folder.mkdir()
        chance = random.Random(seed)
        _round(World(folder, account, Person(folder, chance), str(key)), chance)

    return play


def _seed() -> int:
    return int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_waits_are_killed_at_random(begin: Callable[[int], None]) -> None:
    """Each question is asked and answered once, each signal taken once, one is sent."""
    begin(_seed())


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_waits_under_random_kills(begin: Callable[[int], None]) -> None:
    """The same, for as long as one wishes."""
    minutes = float(os.environ.get("NBDURABLE_SOAK_MINUTES", "0"))
    until_s = SYSTEM_CLOCK.monotonic_s() + minutes * 60
    for seed in itertools.count(_seed()):
        begin(seed)
        if SYSTEM_CLOCK.monotonic_s() >= until_s:
            return


def _round(world: World, chance: random.Random) -> None:
    for _ in range(chance.randint(1, KILLS_MAX)):
        point = f"{chance.choice(POINTS)}#{chance.randint(1, 9)}=kill"
        with world.kernel(chance.choice([point, ""])) as kernel:
            try:
                world.runs(kernel, until=chance.randint(1, 4))
            except KernelDiedError:
                continue
            kernel.kill()
    with world.kernel() as kernel:
        ran = world.ends(kernel)
        told = f"ann [1, 2] True {world.receipt}"
        assert told in ran.text or told in kernel.run("print(name, paid, ok, r)").text
    assert world.sent == 1
    assert world.person.answered == {"Name?": 1, "Send?": 1}
    assert world.person.paid == 2
    _one_of_each(world.folder)


def _one_of_each(folder: Path) -> None:
    """In the journal, too: no question was asked twice, no signal was taken twice."""
    store = open_store(folder / ".nbdurable", named=True)
    try:
        runs = {e.record.run for e in store.scan(frozenset({"run.opened"}))[0]}
        calls = [c for run in runs for c in history_of(store, run).calls.values()]
    finally:
        store.close()
    kinds = Counter(c.kind for c in calls)
    assert kinds == {"question": 1, "timer": 2, "signal": 2, "approval": 1, "tool": 1}
    took = [c.fields["took"] for c in calls if "took" in c.fields]
    assert len(took) == len(set(took)) == 4
