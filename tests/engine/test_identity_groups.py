"""Equal values have equal digests, different ones differ, everywhere and every time.

What the groups hold is in the tables, one for each family of libraries.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from nbdurable.engine.codec import decode, encode
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.values.redact import Secrets
from tests.conftest import TORCH_IS_HERE
from tests.engine.digests_all import TABLES, groups
from tests.pythons import pythons

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("identity_golden.json")
STAND_IN = Path(__file__).with_name("stand_in")
"""Holds a module `blake3` for Pythons that lack the real one: the forms count."""

SECRETS = Secrets({})
TORCH = ("digests_torch",) if TORCH_IS_HERE else ()
"""Torch is no dependency of the tests; conftest says where it was not tried."""

EQUAL = dict(groups(TABLES + TORCH, "EQUAL"))
DIFFERENT = dict(groups(TABLES + TORCH, "DIFFERENT"))
REFUSED = dict(groups(TABLES + TORCH, "REFUSED"))


@pytest.mark.wide
@pytest.mark.parametrize("group", EQUAL)
def test_equal_values_have_equal_digests(group: str) -> None:
    """Interning, sharing, order of sets, memory layout, parents and caches don't count."""
    assert len({digest(make()) for make in EQUAL[group]}) == 1


@pytest.mark.parametrize("group", DIFFERENT)
def test_unequal_values_differ(group: str) -> None:
    """No two values of a group share a digest."""
    found = [digest(make()) for make in DIFFERENT[group]]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("group", REFUSED)
def test_refusals_name_type_and_path(group: str) -> None:
    """What has no digest is named, with where in the value it was found."""
    make, name, path = REFUSED[group]
    with pytest.raises(Undigestible) as caught:
        digest(make())
    assert (caught.value.type, caught.value.path) == (name, path)
    assert "0x" not in str(caught.value)


UNSTEADY = {"digests_torch: generator"}
"""Pickle sees something else each time it looks at these."""


@pytest.mark.slow
@pytest.mark.parametrize("group", sorted(EQUAL.keys() - UNSTEADY))
def test_hashing_leaves_a_value_as_it_was(group: str) -> None:
    """What pickle sees of a value is the same before and after it is hashed."""
    value = EQUAL[group][-1]()
    seen(value)  # looking at it once may change what is seen
    before = seen(value)
    digest(value)
    assert seen(value) == before


def seen(value: object) -> object:
    """What pickle sees of a value, or of what can be seen of it at all."""
    try:
        return pickle.dumps(value)
    except Exception as problem:
        return type(problem), sys.getsizeof(value)


NOT_KEPT = {
    "digests_objects: reduced": "its methods keep nothing of what they are given",
}
"""Values that storage can't bring back, and whose fault it is."""


@pytest.mark.slow
@pytest.mark.parametrize("group", sorted(EQUAL.keys() - NOT_KEPT.keys()))
def test_a_round_trip_through_the_codec_keeps_digest_and_type(group: str) -> None:
    """What was stored comes back as a value of the same type with the same digest."""
    value = EQUAL[group][0]()
    encoded = encode(value, secrets=SECRETS)
    back = decode(encoded.codec, encoded.data, secrets=SECRETS)
    assert type(back) is type(value)
    assert digest(back) == digest(value)


def in_process(tables: tuple[str, ...], **environment: str) -> dict[str, list[str]]:
    """The digests of some tables, made by another process."""
    python = environment.pop("python", sys.executable)
    done = subprocess.run(
        [python, "-W", "ignore", "-m", "tests.engine.digests_all", *tables],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


FITTED = "digests_science: model"
"""What a model learns depends in its last bits on the processor and its cores."""


@pytest.mark.slow
def test_processes_agree() -> None:
    """Processes with other hash seeds make the same digests, those that are committed."""
    one, other = (in_process(TABLES, PYTHONHASHSEED=seed) for seed in ("0", "4711"))
    assert one == other
    lasting = {name: made for name, made in one.items() if FITTED not in name}
    assert lasting == json.loads(GOLDEN.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("python", pythons().values())
def test_pythons_agree(python: str) -> None:
    """Every Python here makes the same digests of what needs no other library."""
    path = os.pathsep.join(
        [str(STAND_IN), str(ROOT / "kernel_ext"), str(ROOT / "store")]
    )
    here, there = (
        in_process(("digests_standard",), python=p, PYTHONPATH=path, PYTHONHASHSEED=s)
        for p, s in ((sys.executable, "1"), (python, "2"))
    )
    assert there == here


WITHOUT = """
import json, sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
{setup}
from nbdurable.engine.identity.canonical import digest
print(json.dumps([digest(value).hex() for value in values]))
"""
POLARS = """
import datetime, polars as pl
values = [
    pl.Series("x", elements)
    for elements in (
        [1, None, 3], [1.5, None, -0.0], ["a", None, "é"], [True, None, False],
        [b"x", None], [[1, None], None, []], [{"a": 1}, None], [None, None],
        [datetime.date(2026, 1, 1), None], [datetime.datetime(2026, 1, 1), None],
    )
]
values += [pl.Series("x", [1, 0, 3], dtype=t) for t in (pl.Int8, pl.UInt64, pl.Float32)]
values += [pl.DataFrame(values[0])]
"""
TEXTS = """
import pandas as pd
values = [
    pd.Series(["a", None, "é", ""]), pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    pd.Index(["a", "b"]), pd.Series(["a", None], dtype="string"),
    pd.Series(list(map(str, range(300_000)))), pd.Series(["a", "b"], dtype="category"),
]
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setup", "libraries"), [(POLARS, "numpy,pyarrow"), (TEXTS, "pyarrow")]
)
def test_digests_are_the_same_without_other_libraries(
    setup: str, libraries: str
) -> None:
    """A frame of texts or of polars has one digest, whatever is installed beside it."""
    found = []
    for absent in (libraries, "nothing_of_this_name"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", WITHOUT.format(setup=setup), absent],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]
    assert len(set(found[0])) == len(found[0])
