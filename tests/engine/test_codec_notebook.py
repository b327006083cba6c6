"""Functions, classes and objects of a notebook, saved in one process, loaded in another.

Each test loads in a fresh interpreter, as a restarted kernel would.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PRELUDE = """
import linecache, os, pathlib, sys
from nbdurable.engine import codec
from nbdurable.engine.values.redact import Secrets

SECRETS = Secrets(os.environ)

def cell(number, source):
    # As IPython does: a file name for each cell, its text in linecache.
    name = f"/tmp/ipykernel_{os.getpid()}/{number}.py"
    lines = source.splitlines(keepends=True)
    linecache.cache[name] = (len(source), None, lines, name)
    exec(compile(source, name, "exec"), globals())

def load(name):
    layer, data = pathlib.Path(name).read_bytes().split(b"\\n", 1)
    return codec.decode(layer.decode(), data, secrets=SECRETS)

def save(name, value):
    encoded = codec.encode(value, secrets=SECRETS)
    pathlib.Path(name).write_bytes(encoded.codec.encode() + b"\\n" + encoded.data)
"""

CELL = '''
import dataclasses, enum, functools, math
from openai import OpenAI

RATE = 3
BIG = list(range(100_000))

@dataclasses.dataclass
class Hit:
    """A hit."""
    score: float = 1.0
    def twice(self):
        return Hit(self.score * RATE)
    @functools.cached_property
    def half(self):
        return self.score / 2

class Better(Hit):
    def twice(self):
        return super().twice()

class Colour(enum.Enum):
    RED = 1

class Meta(type):
    pass

class Made(metaclass=Meta):
    count = 0

def helper(x):
    return math.floor(x) * RATE

def outer(x):
    return helper(x) + 1

def counter():
    n = 0
    def step():
        nonlocal n
        n += 1
        return n
    return step

def uses_big():
    return len(BIG)

def recursive(n):
    return 1 if n == 0 else n * recursive(n - 1)

@functools.lru_cache(maxsize=7)
def cached(x):
    return outer(x)

import nbdurable.engine.calls.tool

@nbdurable.engine.calls.tool.tool(effect="read", name="look")
def search(query):
    """Search."""
    return helper(len(query))

@nbdurable.engine.calls.tool.tool
async def fetch(query):
    return query

literal = "ghp_aB3daB3daB3daB3daB3daB3daB3daB3daB3d"
step = counter()
step()
client = OpenAI(max_retries=5)
'''

SAVE = f"""
cell(1, {CELL!r})
save("hits", [Hit(2.0), Better(3.0)])
save("Hit", Hit)
save("colour", Colour.RED)
save("made", Made())
save("outer", outer)
save("step", step)
save("uses_big", uses_big)
save("recursive", recursive)
save("cached", cached)
save("client", client)
save("bound", Hit(4.0).twice)
save("search", search)
save("fetch", fetch)
Hit.count = 2
save("counted", Hit)
save("error", [ZeroDivisionError("x")])
"""


def _run(folder: Path, script: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'kernel_ext'}{os.pathsep}{ROOT / 'store'}",
        "OPENAI_API_KEY": "sk-test-0123456789abcdef",
        "PYTHONHASHSEED": "random",
    }
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with objects of a notebook whose process has ended."""
    folder = tmp_path_factory.mktemp("saved")
    _run(folder, SAVE)
    return folder


LOADS = {
    "objects bring their class along": """
hits = load("hits")
assert [type(h).__name__ for h in hits] == ["Hit", "Better"]
assert hits[1].twice().score == 9.0, "a method calls its class and a global"
assert isinstance(hits[1], type(hits[0]))
assert type(hits[0]).__doc__ == "A hit."
assert hits[0].half == 1.0 and hits[0].__dict__["half"] == 1.0
""",
    "a live class of equal code is used": """
cell(9, "# moved\\n" + CELL)
hits = load("hits")
assert type(hits[0]) is Hit and hits[0] == Hit(2.0) and isinstance(hits[1], Better)
assert load("Hit") is Hit
assert load("colour") is Colour.RED
""",
    "a live class of other code is not": """
cell(9, CELL.replace("self.score * RATE", "self.score"))
hits = load("hits")
assert type(hits[0]) is not Hit
assert hits[0].twice().score == 6.0
""",
    "two loads share one class": """
hits = load("hits")
assert load("Hit") is type(hits[0])
assert load("bound")().score == 12.0
assert type(load("bound").__self__) is type(hits[0])
""",
    "a class that has gone on is not set back by an older object": """
hits = load("hits")
Hit = load("counted")
assert type(hits[0]) is Hit and Hit.count == 2
older = load("hits")[0]
assert type(older) is Hit and Hit.count == older.count == hits[0].count == 2
Hit.count = 3
assert load("counted") is Hit and Hit.count == 2
""",
    "an enum member is the member of its class": """
red = load("colour")
assert red.name == "RED" and red is type(red)(1) and red is load("colour")
""",
    "a metaclass comes along": """
assert type(type(load("made"))).__name__ == "Meta" and load("made").count == 0
""",
    "a function brings the code it calls": """
outer = load("outer")
assert outer(2.5) == 7
assert outer.__globals__ is globals()
assert RATE == 3
""",
    "a function sees the names of today": """
RATE = 10
outer = load("outer")
assert outer(2.5) == 21
""",
    "a closure keeps its state": """
step = load("step")
assert step() == 2 and step() == 3
""",
    "large data does not travel inside a function": """
assert pathlib.Path("uses_big").stat().st_size < 5000
uses_big = load("uses_big")
try:
    uses_big()
except NameError as error:
    assert error.name == "BIG"
BIG = [1]
assert uses_big() == 1
""",
    "a recursive function finds itself": """
assert load("recursive")(4) == 24
""",
    "a cached function is cached again": """
cached = load("cached")
assert cached(1) == 4 and cached.cache_parameters()["maxsize"] == 7
assert cached(1) and cached.cache_info().hits == 1
""",
    "tracebacks show the line of the cell": """
import inspect, traceback
outer = load("outer")
assert "return helper(x) + 1" in inspect.getsource(outer)
try:
    outer("no number")
except TypeError:
    assert "return math.floor(x) * RATE" in traceback.format_exc()
""",
    "a key in the text of the cell is masked": """
load("outer")
texts = ["".join(e[2]) for name, e in linecache.cache.items() if "ipykernel" in name]
assert texts and all("ghp_aB3d" not in text for text in texts)
assert any("secret:github-token" in text for text in texts)
""",
    "a tool is wrapped again": """
from nbdurable.engine import codec
search, fetch = load("search"), load("fetch")
assert search("abc") == 9 and search.__doc__ == "Search."
assert getattr(search, codec.TOOL_MARK) == {"effect": "read", "name": "look"}
import inspect
assert inspect.iscoroutinefunction(fetch) and hasattr(fetch, codec.TOOL_MARK)
""",
    "a client has its configuration and the key of the environment": """
client = load("client")
assert client.max_retries == 5 and client.api_key == "sk-test-0123456789abcdef"
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", LOADS)
def test_in_a_fresh_process(saved: Path, behaviour: str) -> None:
    """What the name of the case says holds in an interpreter that knows nothing."""
    _run(saved, f"CELL = {CELL!r}\n{LOADS[behaviour]}")


@pytest.mark.slow
def test_code_of_another_python_is_not_run(saved: Path) -> None:
    """Bytecode is only loaded by the Python version that wrote it."""
    data = (saved / "outer").read_bytes()
    major, minor = sys.version_info[:2]
    here, there = (b"K%cK%c" % (major, n) for n in (minor, minor + 1))
    assert here in data
    (saved / "other").write_bytes(data.replace(here, there))
    out = _run(
        saved,
        """
try:
    load("other")
except codec.Unreadable as error:
    print(error.why)
""",
    )
    assert out.startswith("it holds code of Python 3.")


@pytest.mark.slow
def test_a_value_without_code_is_of_any_python(saved: Path) -> None:
    """An object of an importable class doesn't say which Python wrote it."""
    body = (saved / "error").read_bytes().split(b"\n", 1)[1]
    assert body[4:6] == b"\0\0"
