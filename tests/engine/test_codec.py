"""What goes into the codec comes out equal, rebuilt, or is refused by name."""

from __future__ import annotations

import contextlib
import decimal
import gc
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dill
import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbdurable.engine import codec
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.values.redact import Secrets
from tests.engine.codec_kinds import ENVIRONMENT, KINDS, Delegate

SECRETS = Secrets(ENVIRONMENT)
NAN = "nan, which equals nothing"


def _round(value: object) -> Any:
    encoded = codec.encode(value, secrets=SECRETS)
    return codec.decode(encoded.codec, encoded.data, secrets=SECRETS)


def _same_array(a: Any, b: Any) -> bool:
    layout = a.flags.f_contiguous == b.flags.f_contiguous
    alike = a.dtype == b.dtype and a.shape == b.shape and layout
    return bool(alike and a.tolist() == b.tolist())


def _same_frame(a: Any, b: Any) -> bool:
    return bool(a.equals(b)) and repr(getattr(a, "dtypes", a)) == repr(
        getattr(b, "dtypes", b)
    )


def _same_items(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(map(_equal, a, b))


def _same_elements(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(any(_equal(x, y) for y in b) for x in a)


SAME: dict[Any, Any] = {
    (float, complex): lambda a, b: repr(a) == repr(b),
    decimal.Decimal: lambda a, b: (
        str(a) == str(b)
    ),  # a signalling NaN can't be compared
    (list, tuple): _same_items,
    dict: lambda a, b: _same_items(list(a.items()), list(b.items())),
    (set, frozenset): _same_elements,
    (pd.DataFrame, pd.Series, pd.Index): _same_frame,
    np.ndarray: _same_array,
    object: lambda a, b: bool(a == b),
}


def _equal(a: Any, b: Any) -> bool:
    same = next(same for kinds, same in SAME.items() if isinstance(a, kinds))
    return type(a) is type(b) and same(a, b)


@pytest.mark.parametrize("name", [n for n, k in KINDS.items() if k.category == "equal"])
@pytest.mark.filterwarnings("ignore:unclosed")
def test_equal(name: str) -> None:
    """The value comes back with the same type and content, from the expected layer."""
    kind = KINDS[name]
    value = kind.make()
    encoded = codec.encode(value, secrets=SECRETS)
    assert encoded.codec == kind.codec
    back = codec.decode(*_pair(encoded), secrets=SECRETS)
    assert name == "a cycle" or _equal(back, value)
    with contextlib.suppress(Undigestible):
        assert digest(back) == digest(value)


@pytest.mark.parametrize(
    "name", [n for n, k in KINDS.items() if k.category == "rebuilt"]
)
def test_rebuilt(name: str) -> None:
    """An object of the same type, made anew, comes back from the expected layer."""
    kind = KINDS[name]
    value = kind.make()
    encoded = codec.encode(value, secrets=SECRETS)
    assert encoded.codec == kind.codec
    back = codec.decode(*_pair(encoded), secrets=SECRETS)
    assert type(back) is type(value)
    for opened in (value, back):
        if isinstance(opened, sqlite3.Connection):
            opened.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [n for n, k in KINDS.items() if k.category == "refused"]
)
@pytest.mark.filterwarnings("ignore:unclosed")
@pytest.mark.filterwarnings("ignore:Pickle, copy, and deepcopy")  # itertools, 3.12 on
def test_refused(name: str) -> None:
    """What is tied to the process is refused, with its place, even deep inside."""
    value = KINDS[name].make()
    with pytest.raises(codec.Unstorable) as raised:
        codec.encode({"rows": [1, (value,)]}, secrets=SECRETS)
    assert raised.value.path.startswith("['rows'][1][0]")
    assert raised.value.final
    if hasattr(value, "close"):
        value.close()
    gc.collect()


def _pair(encoded: codec.Encoded) -> tuple[str, bytes]:
    return encoded.codec, encoded.data


def test_the_table_is_long_enough() -> None:
    """At least sixty kinds are tried."""
    assert len(KINDS) >= 60


def _is_nan(value: Any) -> bool:
    return "nan" in repr(value).lower() and not isinstance(value, str | bytes)


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(codec=None, categories=None))
    | st.binary()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals()
    | st.uuids()
)
HASHABLE = st.recursive(
    ATOMS.filter(lambda v: not _is_nan(v)),  # a set couldn't find it again
    lambda c: st.tuples(c, c) | st.frozensets(c, max_size=3),
    max_leaves=6,
)
TREES = st.recursive(
    ATOMS,
    lambda c: (
        st.lists(c, max_size=4)
        | st.tuples(c, c)
        | st.dictionaries(st.text(max_size=3) | st.just("$"), c, max_size=4)
        | st.dictionaries(HASHABLE, c, max_size=3)
        | st.sets(HASHABLE, max_size=3)
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(TREES)
@settings(max_examples=300)
def test_any_plain_tree_round_trips(value: object) -> None:
    """Plain data of any shape keeps type, value, order and structure, without trust."""
    encoded = codec.encode(value, secrets=SECRETS)
    assert encoded.codec in {"json", "pickle5"}
    decoded = codec.decode(*_pair(encoded), secrets=SECRETS)
    assert _equal(decoded, value)
    assert digest(decoded) == digest(value)


@pytest.mark.slow
@given(st.sets(st.text() | st.integers(), max_size=20), st.randoms())
def test_equal_sets_are_equal_bytes(value: set[object], random: Any) -> None:
    """The order in which a set was built doesn't show."""
    shuffled = list(value)
    random.shuffle(shuffled)
    other = set(shuffled)
    assert codec.encode(value, secrets=SECRETS) == codec.encode(other, secrets=SECRETS)


def test_a_kilobyte_costs_little_more_than_json() -> None:
    """Encoding and decoding plain data stay close to what JSON alone takes."""
    value = {"id": 17, "text": "solid-state batteries, 2026 " * 32, "tags": ["a", "b"]}
    data = codec.encode(value, secrets=SECRETS).data

    def ours() -> None:
        codec.encode(value, secrets=SECRETS)
        codec.decode("json", data, secrets=SECRETS)

    def floor() -> None:
        json.loads(json.dumps(value))

    assert _best(ours) < 2.5 * _best(floor)


def _best(work: Callable[[], None]) -> float:
    def once() -> float:
        began = time.thread_time()
        for _ in range(500):
            work()
        return time.thread_time() - began

    return min(once() for _ in range(9))


def test_aliases_and_cycles_survive() -> None:
    """One list met twice is one list again, also inside itself."""
    aliases = _round(KINDS["aliases"].make())
    assert aliases[0] is aliases[1]
    cycle = _round(KINDS["a cycle"].make())
    assert cycle[1] is cycle


def test_an_array_can_be_written_to_again() -> None:
    """Arrays, also inside frames and other objects, come back writable."""
    for value in (np.arange(5), {"a": np.arange(5000)}):
        back = _round(value)
        array = back["a"] if isinstance(back, dict) else back
        array[0] = 7
        assert array[0] == 7


def test_a_view_stays_a_view() -> None:
    """Two arrays over one memory still share it."""
    base = np.arange(100.0)
    back, view = _round([base, base[10:60]])
    back[10] = -1
    assert view[0] == -1


def test_a_small_view_does_not_keep_its_base() -> None:
    """A tenth of a large array is stored alone."""
    base = np.arange(100_000.0)
    encoded = codec.encode(base[::10], secrets=SECRETS)
    assert len(encoded.data) < base.nbytes / 5


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        (lambda base: [base[:10], base[10:20]], False),
        (lambda base: [base[::1000], base[1::1000]], False),
        (lambda base: [base[:10], base[9:20]], True),
        (lambda base: [base[:10], base], True),
        (lambda base: [base[:10], {"in": (base,)}], True),
        (lambda base: [base[n : n + 250] for n in range(0, 99_000, 250)], True),
        (lambda base: [base[n::5000] for n in range(200)], True),
    ],
    ids=[
        *("apart", "interleaved", "overlapping", "the array", "in a container"),
        *("most of it", "too many to compare"),
    ],
)
def test_an_array_is_kept_beside_parts_that_would_be_parted(
    cut: Callable[[Any], Any], whole: bool
) -> None:
    """Parts that share memory share it again; others don't cost a large array."""
    base = np.arange(100_000.0)
    parts = cut(base)
    encoded = codec.encode(parts, secrets=SECRETS)
    assert (len(encoded.data) > base.nbytes) == whole
    assert digest(_round(parts)) == digest(parts)


UNFOLLOWED = 20_000
"""Deeper than pickle follows in any Python; how deep that is differs between them."""


def _nested(depth: int, wrap: Callable[[Any], Any]) -> Any:
    value: Any = []
    for _ in range(depth):
        value = wrap(value)
    return value


@pytest.mark.slow
def test_nesting_chooses_the_layer() -> None:
    """Deep plain data goes to pickle, and what pickle can't follow is plain in pieces."""
    for depth, expected in ((100, "json"), (200, "pickle5"), (UNFOLLOWED, "json")):
        value = _nested(depth, lambda inner: [inner])
        assert codec.encode(value, secrets=SECRETS).codec == expected
        assert digest(_round(value)) == digest(value)


WRAPS: dict[str, Callable[[Any], Any]] = {
    "list": lambda inner: [1, inner, "x"],
    "dict": lambda inner: {"a": inner, "b": [None]},
    "odd keys": lambda inner: {(1, 2): inner, "$": b"x"},
    "tuple": lambda inner: (inner, {3}),
    "mixed": lambda inner: [{"rows": ((inner,),)}],
}


@pytest.mark.slow
@pytest.mark.parametrize("wrap", WRAPS)
def test_plain_data_of_any_depth_is_kept(wrap: str) -> None:
    """Ten thousand levels come back with type, order and value, without trust."""
    value = _nested(10_000, WRAPS[wrap])
    encoded = codec.encode(value, secrets=SECRETS)
    assert encoded.codec == "json"
    assert digest(codec.decode(*_pair(encoded), secrets=SECRETS)) == digest(value)


def test_what_is_met_twice_in_deep_data_is_one_object_again() -> None:
    """Also where the number of ways to it is beyond counting."""
    back = _round(_nested(2000, lambda inner: [inner, inner]))
    for _ in range(2000):
        assert back[0] is back[1]
        back = back[0]
    assert back == []


def test_deep_values_that_are_not_plain_are_refused_by_name() -> None:
    """An object far inside, and a value in itself."""
    ring = _nested(5000, lambda inner: [inner])
    ring.append(ring)
    for value in (_nested(5000, lambda inner: [inner, object()]), ring):
        with pytest.raises(codec.Unstorable, match="nested too deeply"):
            codec.encode(value, secrets=SECRETS)


@pytest.mark.slow
def test_a_secret_in_deep_data_is_put_back() -> None:
    """It is cut out as in any plain data, and never in the text."""
    value = _nested(UNFOLLOWED, lambda inner: [inner, ENVIRONMENT["OPENAI_API_KEY"]])
    encoded = codec.encode(value, secrets=SECRETS)
    assert ENVIRONMENT["OPENAI_API_KEY"].encode() not in encoded.data
    assert digest(codec.decode(*_pair(encoded), secrets=SECRETS)) == digest(value)


class _Bad:
    """Misbehaves wherever it is asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise ZeroDivisionError("no")

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError("no")

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)

    __hash__ = None


def test_an_object_that_misbehaves_is_refused_by_name() -> None:
    """Whatever its methods raise, the refusal says where it is and what it said."""
    with pytest.raises(codec.Unstorable) as raised:
        codec.encode({"a": [_Bad()]}, secrets=SECRETS)
    assert raised.value.path == "['a'][0]"
    assert "ZeroDivisionError" in raised.value.why


class OnlyDill:
    """Refuses pickle; dill has been told how to keep it."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("not like this")


def test_what_only_dill_keeps_is_marked() -> None:
    """The last layer is used where the others refuse, and its name says so."""
    dill.register(OnlyDill)(lambda p, v: p.save_reduce(OnlyDill, (), obj=v))
    encoded = codec.encode([OnlyDill()], secrets=SECRETS)
    assert encoded.codec == "dill"
    assert type(codec.decode(*_pair(encoded), secrets=SECRETS)[0]) is OnlyDill
    for beside in (sys._getframe(), ENVIRONMENT["OPENAI_API_KEY"]):
        with pytest.raises(codec.Unstorable):
            codec.encode([OnlyDill(), beside], secrets=SECRETS)


def test_a_delegating_object_loads() -> None:
    """An object whose ``__getattr__`` needs its own state doesn't recurse on load."""
    assert _round(Delegate()).inner == [1]


def test_a_result_that_is_being_read_is_left_alone() -> None:
    """Storing a DuckDB connection doesn't end a query on it; it can't be kept now."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT * FROM range(3)")
    connection.execute("SELECT * FROM t")
    assert connection.fetchone() == (0,)
    with pytest.raises(codec.Unstorable, match="result is being read"):
        codec.encode(connection, secrets=SECRETS)
    assert connection.fetchall() == [(1,), (2,)]
    connection.close()


@pytest.mark.wide
@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("BEGIN; INSERT INTO t VALUES (9)", "in a transaction"),
        ("CREATE TEMP TABLE s AS SELECT 1", "temporary tables or views"),
        ("CREATE TEMP VIEW v AS SELECT 1", "temporary tables or views"),
        ("CREATE TEMP SEQUENCE n", "temporary tables or views"),
        ("CREATE TEMP MACRO more(a) AS a + 1", "temporary tables or views"),
    ],
)
@pytest.mark.parametrize("place", [":memory:", "some.duckdb"])
def test_what_only_a_connection_sees_is_never_lost(
    tmp_path: Path, place: str, what: str, why: str
) -> None:
    """A DuckDB connection with more than its database is refused, and stays as it is."""
    named = place if place == ":memory:" else str(tmp_path / place)
    with duckdb.connect(named) as connection:
        connection.execute("CREATE TABLE t AS SELECT * FROM range(3)")
        assert codec.encode(connection, secrets=SECRETS).data
        connection.execute(what)
        with pytest.raises(codec.Unstorable, match=why):
            codec.encode(connection, secrets=SECRETS)
        rows = connection.execute("SELECT count(*) FROM t").fetchone()
        assert rows == (4 if "INSERT" in what else 3,)


@pytest.mark.slow
@pytest.mark.parametrize(
    "raising",
    [
        "{}[1]",
        "pydantic.TypeAdapter(int).validate_python('x')",
        "raise Own(1)",
    ],
)
def test_an_exception_that_dask_would_pickle_with_its_traceback(raising: str) -> None:
    """Once tblib has registered all exceptions, ours still come back without traces."""
    program = (
        "import distributed, pydantic, tblib.pickling_support\n"
        "from nbdurable.engine.codec import decode, encode\n"
        "from nbdurable.engine.values.redact import Secrets\n"
        "class Own(Exception):\n"
        "    def __reduce__(self):\n        return type(self), self.args\n"
        "tblib.pickling_support.install()\n"
        f"try:\n    {raising}\nexcept Exception as error:\n    kept = error\n"
        "made = encode(kept, secrets=Secrets({}))\n"
        "back = decode(made.codec, made.data, secrets=Secrets({}))\n"
        "print(repr(back) == repr(kept), type(back) is type(kept), back.__traceback__)"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True True None"
