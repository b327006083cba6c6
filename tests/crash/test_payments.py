"""Money, with processes killed at random moments: charges are the distinct payments.

Each test prints its seed; `SEED=n` repeats it.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

import pytest

from nbdurable.testing.account import read
from nbdurable.testing.processes import Running, start
from nbdurable_store.clock import SYSTEM_CLOCK
from tests.crash import paying

KILLS: Final = 100
"""For each of the two services: 200 in all."""

LIVES_MAX: Final = 12
"""Killed lives of one run before it may end."""

MEASURED: Final = 3
"""Runs that nobody kills, first. The quickest says when a life can be killed: by what
took longer on a busy machine, most lives would have ended."""

LIFE_S: Final = 120.0
"""A life that nobody kills has this long."""


@pytest.fixture(scope="module")
def forking() -> ForkServerContext:
    """Imports once, and forks a process for each life."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.paying"])
    return context


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    """The payment service."""
    with start("nbdurable.testing.effects", tmp_path / "effects.jsonl") as running:
        yield running


def life(
    forking: ForkServerContext, about: tuple[str, str, int, str], seconds: float
) -> int | None:
    """Let a process live so long; gives its exit code, or None if it was killed."""
    process = forking.Process(target=paying.live, args=about)
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        return None
    return process.exitcode


def charges(service: Running) -> Counter[tuple[int, int, str]]:
    """How often each payment arrived: run, payment, key."""
    seen = [a.more for a in read(service.log) if a.more.get("tool") == "pay"]
    args = [m["args"] for m in seen]
    return Counter((a["run"], a["i"], a.get("key", "")) for a in args)  # type: ignore[call-overload,index]  # our own account


def killed(
    forking: ForkServerContext, service: Running, kind: str, folder: Path, kills: int
) -> int:
    """Kill lives at random moments until there were so many; gives the number of runs."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"SEED={seed}", flush=True)
    chance, done, runs, whole_s = random.Random(seed), 0, 0, LIFE_S
    while done < kills:
        runs += 1
        place = folder / f"run {runs}"
        place.mkdir()
        about = (str(place), service.url, runs, kind)
        lives = chance.randint(2, LIVES_MAX) if runs > MEASURED else 0
        for _ in range(lives):
            if life(forking, about, chance.uniform(0, whole_s)) is not None:
                break
            done += 1
            assert service.wait_quiet()  # what was on its way has arrived by now
        began_s = SYSTEM_CLOCK.monotonic_s()
        assert life(forking, about, LIFE_S) == 0
        if runs <= MEASURED:
            whole_s = min(whole_s, SYSTEM_CLOCK.monotonic_s() - began_s)
        assert paying.answer_of(place) == paying.ANSWER
    print(f"{done} kills in {runs} runs of {whole_s:.2f} s", flush=True)
    return runs


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_service_that_counts_every_request(
    forking: ForkServerContext, service: Running, tmp_path: Path
) -> None:
    """`on_doubt` asks it whether a payment happened: each was made exactly once."""
    runs = killed(forking, service, "counts every request", tmp_path, KILLS)
    made = charges(service)
    assert set(made) == {(n, i, "") for n in range(1, runs + 1) for i in range(24)}
    assert set(made.values()) == {1}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_service_that_counts_a_key_once(
    forking: ForkServerContext, service: Running, tmp_path: Path
) -> None:
    """With `nd.idempotency_key()` a payment has one key, however often it is sent."""
    runs = killed(forking, service, "counts a key once", tmp_path, KILLS)
    made = charges(service)
    assert len(made) == 24 * runs
    assert len({key for _, _, key in made}) == len(made)
    assert {(n, i) for n, i, _ in made} == {
        (n, i) for n in range(1, runs + 1) for i in range(24)
    }


@pytest.mark.slow
def test_a_person_settles_it_at_the_command_line(
    forking: ForkServerContext, service: Running, tmp_path: Path
) -> None:
    """A payment killed in flight stops the cell until somebody says what happened."""
    about = (str(tmp_path), service.url, 1, "asks a person")
    service.rule(when='"i": 5', do="hold")
    process = forking.Process(target=paying.live, args=about)
    process.start()
    assert service.wait_held()
    process.kill()
    process.join()
    service.clear()
    assert service.wait_quiet()
    assert life(forking, about, LIFE_S) == 1
    asked = nbdurable(tmp_path, "why", "agent.9")
    assert "may have happened" in asked.stdout, asked
    settled = nbdurable(tmp_path, "resolve", "agent.9", "--happened", "paid 5")
    assert settled.returncode == 0, settled
    assert life(forking, about, LIFE_S) == 0
    assert paying.answer_of(tmp_path) == paying.ANSWER
    assert set(charges(service).values()) == {1}
    assert len(charges(service)) == 24


def nbdurable(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "nbdurable", *words]
    return subprocess.run(  # our own program
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
