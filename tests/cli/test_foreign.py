"""Looking at somebody else's store: unverified, unchanged, and whatever is in it."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nbdurable_store
from nbdurable.cli import main
from nbdurable.engine.values.plainly import READABLE
from nbdurable_store.errors import StoreForeign
from nbdurable_store.journal.frames import HEADER, MAGIC
from tests.cli import hostile
from tests.stories import doubtful, gallery, research

Looked = Callable[..., str]

LOOKS = [
    ("runs",),
    ("show",),
    ("show", "--json"),
    ("why",),
    ("why", "review.2"),
    ("why", "a.1", "--json"),
    ("runs", "--json"),
]


@pytest.fixture
def theirs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that another user's kernels wrote."""
    with monkeypatch.context() as other:
        other.setenv("JUPYTER_DATA_DIR", str(home / "theirs"))
        store = nbdurable_store.open(home / "sent")
        for nth, story in enumerate((gallery(), research())):
            story.run = f"run-{nth}"
            story.relabel()
            story.into(store)
        store.close()
    return home / "sent"


@pytest.fixture
def look(capsys: pytest.CaptureFixture[str]) -> Looked:
    """Runs the command; what it printed, if it ended with the expected code."""

    def run(*words: object, code: int = 0) -> str:
        capsys.readouterr()
        assert main([str(word) for word in words]) == code
        printed = capsys.readouterr()
        return (printed.err or printed.out).rstrip("\n")

    return run


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = (p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): p.read_bytes() for p in files}


def tame(printed: str) -> bool:
    """Whether nothing in a text acts on a terminal."""
    return all(c == "\n" or c.isprintable() for c in printed)


# ---- what is shown ---------------------------------------------------------------------


@pytest.mark.parametrize("word", ["runs", "show", "why"])
def test_a_foreign_store_is_shown_with_one_line_of_warning(
    theirs: Path, look: Looked, word: str
) -> None:
    """The first line says whose it is not, what isn't read, and how to trust it."""
    first, blank, *rest = look(word, theirs).splitlines()
    assert first.startswith(f"{theirs} is foreign: its key is not among yours")
    assert "nothing below is verified, and the commands there are refused" in first
    assert "pickled and large values and its store.duckdb are not read" in first
    assert first.endswith(f'nbdurable trust "{theirs}"')
    assert (blank, bool(rest)) == ("", True)
    assert look(word, "--store", theirs).splitlines()[0] == first


def test_it_is_shown_as_its_owner_sees_it(
    theirs: Path, home: Path, look: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs, cells, calls and previews are those that the owner's own command shows."""
    words = [("runs",), ("show", "run-1"), ("why", "findings.3"), ("show", "--json")]
    seen = [look(w[0], theirs, *w[1:]) for w in words]
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(home / "theirs"))
    own = [look(w[0], theirs, *w[1:]) for w in words]
    assert [text.partition("\n\n")[2] for text in seen[:3]] == own[:3]
    answer, verified = json.loads(seen[3])["answer"], json.loads(own[3])
    assert "is foreign" in json.loads(seen[3])["unverified"]
    assert answer["cells"] == verified["cells"]


def test_looking_changes_nothing_and_makes_nothing(theirs: Path, look: Looked) -> None:
    """Not a byte is written into the folder, whatever is asked."""
    (theirs / "store.duckdb").unlink(missing_ok=True)
    before = tree(theirs)
    for word, *more in LOOKS[:3]:
        look(word, theirs, *more)
    assert tree(theirs) == before


@pytest.mark.parametrize(
    "words",
    [
        ["fsck"],
        ["resolve", "review.2", "--did-not"],
        ["timeline", "--html", "run.html"],
    ],
)
def test_what_is_more_than_a_look_is_refused(
    theirs: Path, look: Looked, words: list[str]
) -> None:
    """Only `runs`, `show` and `why` look; the error says so, and how to trust it."""
    told = look(*words, "--store", theirs, code=5)
    assert told.startswith("StoreForeign")
    assert f'nbdurable runs "{theirs}"' in told
    assert f'nbdurable trust "{theirs}"' in told


def test_a_path_or_a_run_may_stand_first(theirs: Path, look: Looked) -> None:
    """A folder that is a store, or a word with a slash, is the store's; others aren't."""
    for path in ("sent", "./sent", str(theirs)):
        assert "is foreign" in look("show", path)
    assert "run 3" in look("show", "sent", "run-1")
    assert look("show", "run-1", code=2).startswith("NothingDurable")
    assert look("runs", "nowhere", code=2).startswith("NotAStore")
    assert look("why", "no/where", code=2).startswith("NotAStore")
    assert "nb/a.ipynb:7" in look(
        "show", "nb/a.ipynb:7", "--store", theirs, code=2
    ).replace("'", "")


# ---- what is never done ----------------------------------------------------------------


class Trap:
    """Unpickled, it leaves a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("sprung",)


@pytest.mark.parametrize("codec", ["dill", "pickle", "json"])
def test_nothing_is_unpickled(home: Path, look: Looked, codec: str) -> None:
    """A value of a codec that can run code is named, and bytes that lie are no JSON."""
    root, trap = hostile.make(home / "sent"), pickle.dumps(Trap())
    call = hostile.with_value(hostile.call(3, "c"), codec, trap)
    done = hostile.record("call.completed", 4, "c")
    done = hostile.with_value({**done, "step": "s"}, codec, trap)
    heads = [*hostile.begun(), call, done]
    hostile.segment(root, hostile.frames(heads, [b"", b"", trap, trap]))
    answer = json.loads(look("show", root, "--json"))["answer"]
    (shown,) = answer["cells"][0]["attempts"][0]["calls"]
    assert shown["result"]["note"].startswith(codec)
    look("why", root, "a.1")
    assert not Path("sprung").exists()


def test_no_value_of_a_codec_that_runs_code_leaves_the_store(home: Path) -> None:
    """The bytes themselves aren't handed out, so no caller can unpickle them."""
    store = nbdurable_store.look(hostile.make(home / "sent"), plain=READABLE)
    with pytest.raises(StoreForeign):
        store.get(hostile.ref("dill", b"x"))


def test_a_foreign_store_takes_nothing(theirs: Path) -> None:
    """Whatever would write, execute or vouch raises, so no durable cell can use it."""
    store = nbdurable_store.look(theirs)
    refused: list[Callable[[], object]] = [
        lambda: store.append([], sync=True),
        lambda: store.put("json", b"1"),
        lambda: store.claim("run-0"),
        store.check,
    ]
    for what in refused:
        with pytest.raises(StoreForeign):
            what()
    store.close()


# ---- hostile bytes ---------------------------------------------------------------------


def test_oversized_lengths_are_bounded(home: Path, look: Looked) -> None:
    """A frame that claims gigabytes ends the reading; what stood before it is shown."""
    root = hostile.make(home / "sent")
    whole = hostile.frames(hostile.begun())
    claims = [(0xFFFFFFFF, 0), (0, 0xFFFFFFFF), (1 << 24, 1 << 28), (10, 10)]
    for nth, (head, body) in enumerate(claims):
        bad = HEADER.pack(MAGIC, 0, head, body, 2, hostile.NO_MAC, hostile.NO_MAC)
        hostile.segment(root, whole + bad * 2_000, f"{nth:016x}.seg")
    assert "n.ipynb" in look("runs", root)
    assert "▶" not in look("show", root)


@pytest.mark.parametrize("size", [0, 1, 4, 1 << 16, 1 << 40])
def test_a_value_that_lies_about_itself_is_not_shown(
    home: Path, look: Looked, size: int
) -> None:
    """Size and digest have to fit before a value's bytes are handed out."""
    root, data = hostile.make(home / "sent"), b"[1]"
    call = hostile.with_value(hostile.call(3, "c"), "json", data)
    call["refs"][0][2] = size  # type: ignore[index]  # heads are JSON
    hostile.segment(root, hostile.frames([*hostile.begun(), call], [b"", b"", data]))
    answer = json.loads(look("show", root, "--json"))["answer"]
    (shown,) = answer["cells"][0]["attempts"][0]["calls"]
    assert "[" not in shown["arguments"].get("text", "")
    assert shown["arguments"]["note"]


def test_a_large_value_is_not_read(home: Path) -> None:
    """Files of values are not opened, whatever they are called."""
    store = nbdurable_store.look(hostile.make(home / "sent"), plain=READABLE)
    with pytest.raises(StoreForeign):
        store.get(hostile.ref("json", b"[1]" * 50_000))


def test_a_bomb_is_unpacked_up_to_the_limit(
    home: Path, look: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sealed segment that unpacks to gigabytes stops, and says that parts are left."""
    from nbdurable_store.folder import foreign

    monkeypatch.setattr(foreign, "STORE_BYTES_MAX", 1 << 22)
    root = hostile.make(home / "sent")
    packer = zstandard.ZstdCompressor()
    begun = packer.compress(hostile.frames(hostile.begun()))
    bomb = packer.compress(bytes(1 << 24)) * 64
    hostile.segment(root, begun + bomb, f"{hostile.OWNER}.seg.zst")
    printed = look("runs", root)
    assert "n.ipynb" in printed
    assert "1 part of it can't be read" in printed


def test_records_that_are_none_are_left_out(home: Path, look: Looked) -> None:
    """Bad JSON, wrong types, deep nesting and absurd numbers cost only their record."""
    root = hostile.make(home / "sent")
    good = hostile.begun()
    spoilt = [
        {**good[1], name: value}
        for name in ("kind", "run", "step", "subject", "key", "tick", "at", "refs")
        for value in (None, [], {}, -1, 10**30, 0.5, [[1]], float("nan"))
    ]
    broken: list[object] = [1, None, [], "x", {}, *spoilt]
    deep = b"[" * 100_000
    data = hostile.frames([good[0], *broken, *good[1:]])
    hostile.segment(root, data)
    hostile.segment(
        root,
        hostile.encode_frame(0, b"\0" * 32, b"\0" * 32, deep, b""),
        f"{'b' * 16}.seg",
    )
    assert "n.ipynb" in look("runs", root)
    assert "a" in look("show", root)
    assert "of it can't be read" in look("why", root)


@pytest.mark.parametrize("name", ["FORMAT", f"journal/{hostile.OWNER}.seg"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_files_that_are_none_hang_nobody(
    home: Path, look: Looked, name: str, kind: str
) -> None:
    """Pipes, links and folders in the place of files are not opened or not read."""
    root = hostile.make(home / "sent")
    hostile.segment(root, hostile.frames(hostile.begun()))
    path = root / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    code = 2 if name == "FORMAT" else 0
    printed = look("runs", root, code=code)
    assert (
        printed.startswith("NotAStore") if code else "no runs in this store" in printed
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"key": "\x1b[31mred"},
        {"key": "f" * 4000},
        {"made": float("inf")},
        {"journal": "../elsewhere"},
        {"version": "1"},
        {"store": "\n"},
    ],
)
def test_a_format_that_lies_is_no_format(
    home: Path, look: Looked, claims: dict[str, object]
) -> None:
    """What FORMAT claims is shown, so it has to have the shape that ours has."""
    printed = look("runs", hostile.make(home / "sent", **claims), code=2)
    assert printed.startswith("NotAStore")
    assert tame(printed)


EVIL = "\x1b[2J\x1b]0;x\x07\r\x08\x9b\u202e\u2028\ud800<script>alert(1)</script>"


def evil(value: object) -> object:
    """A value with escape sequences, marks and tags in every text."""
    if isinstance(value, str):
        return value + EVIL
    if isinstance(value, list):
        return [evil(item) for item in value]
    if isinstance(value, dict):
        return {key: evil(item) for key, item in value.items()}
    return value


def test_no_text_of_a_stranger_acts(home: Path, look: Looked) -> None:
    """Escape sequences, bells, returns and reordering marks are shown, never sent."""
    root = hostile.make(home / "sent")
    stories = gallery(), doubtful()
    heads = [{**h, "fields": evil(h["fields"])} for h in hostile.heads_of(*stories)]
    values = [b"".join([json.dumps(EVIL).encode()] * bool(h["refs"])) for h in heads]
    carried = [
        hostile.with_value(h, "json", v) if v else h
        for h, v in zip(heads, values, strict=True)
    ]
    hostile.segment(root, hostile.frames(carried, values))
    assert "review" in look("show", root)
    for word, *more in LOOKS[:4]:
        printed = look(word, root, *more)
        assert tame(printed), printed
    json.loads(look("show", root, "--json"))


@pytest.mark.parametrize(
    "shape", ["same call", "nested calls", "steps", "cycle", "used"]
)
@pytest.mark.timeout(100)
def test_shapes_that_are_slow_or_deep_end(home: Path, look: Looked, shape: str) -> None:
    """Thousands of attempts, levels and loops end in a page, not in a hang."""
    count = 1_000
    step = hostile.begun()[1]
    used = [f"c{n % 9}" for n in range(100_000)]
    shapes: dict[str, list[hostile.Head]] = {
        "same call": [hostile.call(n + 3, "c") for n in range(count)],
        "nested calls": [
            hostile.call(n + 3, f"c{n}", parent=f"c{n - 1}") for n in range(count)
        ],
        "steps": [{**step, "tick": n + 3, "subject": f"s{n}"} for n in range(count)],
        "cycle": [
            hostile.call(n + 3, f"c{n}", parent=f"c{(n + 1) % 9}") for n in range(9)
        ],
        "used": [
            hostile.call(3, "c0"),
            {**hostile.record("step.completed", 4, "s", used=used), "step": "s"},
        ],
    }
    root = hostile.make(home / "sent")
    hostile.segment(root, hostile.frames([*hostile.begun(), *shapes[shape]]))
    for word, *more in LOOKS[:4]:
        assert "is foreign" in look(word, root, *more)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(),
    st.sampled_from([10**18, 10**400, EVIL, "a" * 3_000, {"$": 5}, {"1": ["c", "x"]}]),
    st.text(),
    st.lists(
        st.text() | st.integers() | st.lists(st.integers(), max_size=3), max_size=3
    ),
)

HEADS = hostile.heads_of(gallery(), research(), doubtful())
NAMES = sorted({n for h in HEADS for n in h["fields"]} | {"asked", "files", "changed"})  # type: ignore[attr-defined]  # heads are JSON
BODIES = hostile.bodies_of(gallery(), research(), doubtful())


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.integers(0, len(HEADS) - 1), st.sampled_from(NAMES), ODD),
        max_size=40,
    )
)
def test_any_fields_can_be_shown(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    spoilt: list[tuple[int, str, object]],
) -> None:
    """Whatever JSON stands in a record's fields, each command ends and is tame."""
    root = home / "sent"
    if not root.exists():
        hostile.make(root)
    heads = json.loads(json.dumps(HEADS))
    for nth, name, value in spoilt:
        heads[nth]["fields"][name] = value
    hostile.segment(root, hostile.frames(heads, BODIES))
    for word, *more in LOOKS:
        assert main([word, str(root), *more]) in {0, 2}
        assert tame(capsys.readouterr().out)
