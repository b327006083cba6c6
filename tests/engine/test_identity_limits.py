"""Digests of what is long, deep or shared, and of any value in another process."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbdurable.engine.identity.canonical import digest
from tests.engine import identity_values as values
from tests.engine.test_identity_values import TREES, same

ROOT = Path(__file__).parents[2]

MEASURE = """
import resource, sys
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.values.redact import Secrets
scrub = Secrets({{"API_TOKEN": "0123456789abcdef"}}).scrub

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PER_MB

PER_MB = 1024 if sys.platform == "linux" else 1 << 20
digest([{{"a": [1]}}] * 10_000, redact=scrub)
value = {value}
before = peak_mb()
digest(value, redact=scrub)
print(peak_mb() - before)
"""

LONG = {
    "ten million numbers": "[0.5] * 10_000_000",
    "and an odd one": "[0.5] * 9_999_999 + [range(3)]",
    "ten million texts": "('text',) * 10_000_000",
    "two million items": "dict.fromkeys(range(2_000_000), 'text')",
    "inside something": "{'a': [[0.5] * 10_000_000]}",
}
EXTRA_MB_MAX = 64


@pytest.mark.slow
@pytest.mark.parametrize("case", LONG)
def test_long_values_take_no_memory_of_their_size(case: str) -> None:
    """Ten million elements are hashed within 64 MB."""
    code = MEASURE.format(value=LONG[case])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) <= EXTRA_MB_MAX


def shared(depth: int) -> object:
    """Four times the same child, at each level."""
    tree: object = ["leaf"]
    for _ in range(depth):
        tree = [tree] * 4
    return tree


DEEP = {
    "ten thousand lists": lambda: values.nested(10_000),
    "ten thousand dicts": lambda: _chain(10_000),
    "ten thousand objects": lambda: values.linked(10_000),
    "sixty shared levels": lambda: shared(60),
}
CPU_S_MAX = 3
"""A second on a quiet machine; threads of one core make each other's CPU time longer."""


def _chain(depth: int) -> object:
    value: object = None
    for _ in range(depth):
        value = {"next": value, "name": "x"}
    return value


@pytest.mark.slow
@pytest.mark.parametrize("case", DEEP)
def test_deep_values_take_no_stack_and_little_time(case: str) -> None:
    """No recursion, and shared children are hashed once."""
    value = DEEP[case]()
    start = time.process_time()
    found = digest(value)
    assert time.process_time() - start < CPU_S_MAX
    assert found == digest(DEEP[case]())


ANSWER = """
import json, pickle, sys
from nbdurable.engine.identity.canonical import digest
for line in sys.stdin:
    values = pickle.loads(bytes.fromhex(line))
    print(json.dumps([digest(value).hex() for value in values]), flush=True)
"""


@pytest.fixture(scope="module")
def other() -> Iterator[subprocess.Popen[str]]:
    """A process with another hash seed that answers with digests."""
    worker = subprocess.Popen(
        [sys.executable, "-c", ANSWER],
        env={**os.environ, "PYTHONHASHSEED": "271828"},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with worker:
        yield worker
        assert worker.stdin
        worker.stdin.close()


@pytest.mark.slow
@given(st.lists(TREES, min_size=2, max_size=12))
@settings(max_examples=200)
def test_equal_means_equal_digest_in_another_process(
    other: subprocess.Popen[str], trees: list[object]
) -> None:
    """A value here and one there have one digest if and only if they are the same."""
    assert other.stdin
    assert other.stdout
    other.stdin.write(pickle.dumps(trees).hex() + "\n")
    other.stdin.flush()
    there = json.loads(other.stdout.readline())
    for tree, found in zip(trees, there, strict=True):
        assert [found == digest(one).hex() for one in trees] == [
            same(one, tree) for one in trees
        ]


ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def test_addresses_are_in_nothing_that_is_hashed() -> None:
    """Objects whose repr holds an address have one digest wherever they lie."""
    kept = []
    found = set()
    for _ in range(50):
        value = [
            values.Plain(a=values.Slotted(1, len)),
            values.looped("x"),
            {values.Words},
        ]
        assert ADDRESS.search(repr(value))
        kept.append(value)  # so that the next ones get other addresses
        found.add(digest(value))
    assert len(found) == 1
