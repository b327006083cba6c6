"""What saving variables costs: in the store's folder, and what comes back."""

from __future__ import annotations

import dataclasses
import os
import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbdurable_store
from nbdurable.engine import codec
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.steps.snapshot import Group, mark, put_back, take
from nbdurable.engine.values.redact import Secrets
from nbdurable_store import BlobRef, Record
from nbdurable_store.backends.memory import MemoryStore

MB = 1_000_000
SECRETS = Secrets({})
RNG = np.random.default_rng(7)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a store of the test lies."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    return tmp_path / "s"


@pytest.fixture
def store(folder: Path) -> Iterator[nbdurable_store.Store]:
    """A store in a folder."""
    opened = nbdurable_store.open(folder)
    yield opened
    opened.close()


def taken(folder: Path) -> int:
    """What all files of a folder take, in bytes, but for what is made from them.

    DuckDB's file has 270 kB before it holds a row, and is written when there is time.
    """
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "store.duckdb"]
    return sum(p.stat().st_size for p in files)


def save(store: nbdurable_store.Store, value: object) -> BlobRef:
    """Store one variable as a step does, with a record that names it."""
    kept = take({"x": value}, store.put, secrets=SECRETS)
    assert not kept.unstorable
    (group,) = kept.groups
    record = Record(kind="x", run="r", at_us=1, blobs=(group.ref,))
    store.append([record], sync=False)
    return group.ref


def load(store: nbdurable_store.Store, ref: BlobRef) -> Any:
    """The variable again."""
    namespace: dict[str, Any] = {}
    data = store.get(ref, stream=True)
    group = Group(names=("x",), codec=ref.codec, data=data)
    put_back([group], namespace, secrets=SECRETS)
    return namespace["x"]


# --- what is saved again costs what is new -------------------------------------------


def _one_place(array: np.ndarray) -> np.ndarray:
    array[4_000_000 : 4_000_000 + len(array) // 100] = 0.5
    return array


def _frame(array: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({f"c{n}": part for n, part in enumerate(array.reshape(10, -1))})


def _changed_rows(frame: pd.DataFrame) -> pd.DataFrame:
    rows = len(frame) // 100
    frame.iloc[40_000 : 40_000 + rows] = 0.5
    return frame


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "change", "most"),
    [
        (lambda a: a, lambda a: a, 0.1),
        (lambda a: a, _one_place, 3),
        (lambda a: a, lambda a: np.insert(a, 5_000_001, RNG.random(131)), 3),
        (lambda a: a.view("u1"), lambda a: np.insert(a, 77_777_777, [1] * 77), 3),
        (_frame, _changed_rows, 5),
        (_frame, lambda f: f.assign(new=RNG.random(len(f))), 12),
        (lambda a: {"a": [a], "n": 1}, lambda d: d | {"n": 2}, 0.1),
    ],
    ids=["same", "array", "inserted", "odd", "frame", "column", "inside"],
)
def test_a_hundred_megabytes_changed_in_one_place(
    store: nbdurable_store.Store,
    folder: Path,
    make: Callable[[Any], Any],
    change: Callable[[Any], Any],
    most: float,
) -> None:
    """A change in one place of a large value adds what is around it to the store."""
    value = make(RNG.random(12_500_000))
    save(store, value)
    store.flush()
    before = taken(folder)
    value = change(value)
    ref = save(store, value)
    store.flush()
    assert taken(folder) - before <= most * MB
    back = load(store, ref)
    assert digest(back) == digest(value)


@dataclasses.dataclass
class Message:
    """A turn of a chat as an object."""

    role: str
    content: str


def _text(size: int, seed: int) -> str:
    chance = random.Random(seed)
    letters = string.ascii_letters + string.digits + " .,\n"
    return "".join(chance.choices(letters, k=size))


def _prose(size: int, seed: int) -> str:
    chance = random.Random(seed)
    words = [
        "".join(chance.choices(string.ascii_lowercase, k=n % 9 + 2)) for n in range(400)
    ]
    return " ".join(chance.choices(words, k=size // 4))[:size]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "mutated", "write"),
    [
        (dict, False, _text),
        (dict, True, _text),
        (Message, False, _text),
        (Message, True, _prose),
    ],
)
def test_a_growing_chat_costs_its_turns(
    folder: Path,
    kind: Callable[..., Any],
    mutated: bool,
    write: Callable[[int, int], str],
) -> None:
    """Two hundred saves of a chat take at most 1.2 times its unique bytes, all told."""
    store = nbdurable_store.open(folder)
    chat: list[Any] = []
    turns = [write(8_192, n) for n in range(200)]
    refs = []
    for number, text in enumerate(turns):
        marks = mark({"x": chat}, ["x"]) if mutated else None
        chat.append(kind(role=("user", "assistant")[number % 2], content=text))
        kept = take({"x": chat}, store.put, secrets=SECRETS, marks=marks)
        refs.append(kept.groups[0].ref)
        record = Record(kind="x", run="r", at_us=1, blobs=(refs[-1],))
        store.append([record], sync=False)
    store.close()
    assert taken(folder) <= 1.2 * sum(map(len, turns))
    later = nbdurable_store.open(folder)
    assert load(later, refs[-1]) == chat
    assert load(later, refs[49]) == chat[:50]
    later.close()


def test_the_same_text_is_kept_once(store: nbdurable_store.Store, folder: Path) -> None:
    """A long text is one chunk, whatever it stands in."""
    text = _text(60_000, 1).replace("\n", "")
    for value in ([text], {"a": text}, Message("user", text), (1, {text: 1})):
        assert load(store, save(store, value)) == value
    assert taken(folder / "blobs") < 1.1 * 60_000


# --- what is stored comes back -------------------------------------------------------

atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.integers(1, 3).map(lambda n: "long text " * n * 2_000)
    | st.integers(1, 3).map(lambda n: bytes(range(256)) * n * 30)
    | st.integers(0, 90_000).map(np.arange)
    | st.dates()
    | st.decimals()
)
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=20,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(values)
def test_any_value_comes_back_with_its_digest_and_type(value: object) -> None:
    """What was stored has the digest and the type that it had."""
    store = MemoryStore()
    back = load(store, save(store, value))
    assert type(back) is type(value)
    assert digest(back) == digest(value)


LARGE: list[Any] = [
    np.arange(100_000.0),
    np.asfortranarray(np.arange(60_000).reshape(300, 200)),
    np.arange(60_000).astype("M8[s]"),
    np.arange(60_000).astype("m8[D]"),
    np.array(["ä" * 9, "b"] * 9_000),
    np.empty((0, 9)),
    np.array(5),
    np.zeros(100_000, ">i4"),
    np.arange(200_000)[::2],
    np.zeros(9_000, dtype=[("a", "i4"), ("b", "f8")]),
    np.ma.masked_greater(np.arange(9_000), 50),
    "x" * 100_000,
    "\ud800" * 100_000,
    b"\0" * 3_000_000,
    bytearray(range(256)) * 900,
    [b"long" * 5_000] * 3,
    {"k" * 9_000: "v" * 9_000},
    [(n, str(n)) for n in range(30_000)],
    list(range(300_000)),
    [f"text {n}" for n in range(800_000)],
    pd.DataFrame({"a": range(30_000), "b": ["x", "y", None] * 10_000}),
]


@pytest.mark.slow
@pytest.mark.parametrize("value", LARGE, ids=range(len(LARGE)))
def test_large_values_of_every_layer_come_back(value: Any) -> None:
    """A value that is read piece by piece is what it was, and can be written to."""
    store = MemoryStore()
    ref = save(store, value)
    back = load(store, ref)
    assert type(back) is type(value)
    assert digest(back) == digest(value)
    if isinstance(back, np.ndarray):
        assert back.dtype == value.dtype
        assert back.flags.writeable
        assert (
            back.flags.f_contiguous == value.flags.f_contiguous
            or not value.flags.contiguous
        )
    assert save(store, back).id == ref.id or ref.codec != "npy"


def test_names_of_the_layers_are_signed(store: nbdurable_store.Store) -> None:
    """A large value can't be read through a layer that didn't write it."""
    ref = save(store, Message("user", "x" * 50_000))
    assert ref.codec == "pickle5"
    forged = ref._replace(codec="npy")
    with pytest.raises(nbdurable_store.errors.BlobDamaged):
        store.get(forged, stream=True)


# --- secrets -------------------------------------------------------------------------

KEY = "sk-proj-abcdEFGH0123456789abcdEFGH0123456789"


@pytest.mark.parametrize(
    "value",
    [
        ["a" * 5_000, "b" * 70_000 + KEY + "c" * 70_000],
        Message("user", "b" * 70_000 + KEY + "c" * 9_000),
        Message("user", KEY),
        [Message("user", "b" * 9_000)] * 9 + [Message("x", "b" * 30_000 + KEY)],
        np.array(["b" * 40, KEY] * 9_000),
        np.frombuffer(b"b" * 1_048_560 + KEY.encode() + b"c" * 999, "u1"),
        [Message("x", f"{n} {_text(300, n)}") for n in range(900)] + [Message(KEY, "")],
    ],
    ids=range(7),
)
def test_no_secret_reaches_a_file(folder: Path, value: Any) -> None:
    """Not even for a moment: a value with a secret is refused before it is written."""
    written: list[bytes] = []
    store = nbdurable_store.open(folder)
    real = os.writev

    def seen(fd: int, buffers: list[Any]) -> int:
        written.extend(map(bytes, buffers))
        return real(fd, buffers)

    os.writev = seen
    try:
        kept = take({"x": value}, store.put, secrets=Secrets({"OPENAI_API_KEY": KEY}))
    finally:
        os.writev = real
    store.close()
    if kept.groups:  # plain text is cut at its secrets
        assert kept.groups[0].ref.codec == "json"
    else:
        assert "it holds a secret (OPENAI_API_KEY)" in kept.unstorable["x"]
    assert not any(KEY.encode() in piece for piece in written)
    for path in folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_every_layer_is_met() -> None:
    """The tests above go through the layers that they are meant for."""
    store = MemoryStore()
    met = {save(store, v).codec for v in (1, np.arange(3), Message("a", "b"))}
    assert met == {codec.JSON, codec.NPY, codec.PICKLE}
