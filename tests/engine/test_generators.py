"""Tools that yield: the completed stream is the result, a cut one has none."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from nbdurable.engine.past.settle import Answer
from nbdurable.errors import CallInDoubt, ResultGone
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

TOOLS = """
import asyncio
@tool(effect={effect!r})
def count(n):
    for i in range(n):
        yield world(f"count {{i}}")
    return "end"
@tool(effect={effect!r})
async def acount(n):
    for i in range(n):
        yield world(f"count {{i}}")
@tool(effect="read")
def look(x): return world(f"look {{x}}")
@tool(effect="read")
def looks(n):
    for i in range(n):
        yield look(i)
@tool
def echo():
    got = None
    while got != "stop":
        got = yield world(f"echo {{got}}")
@tool
def boxes():
    for i in range(2):
        yield [world(f"box {{i}}")]
async def read(stream, n=99):
    got = []
    async for value in stream:
        got.append(value)
        if len(got) == n: break
    await stream.aclose()
    return got
def all_of(stream):
    return (yield from stream)
def whole(stream):
    got = []
    while True:
        try: got.append(next(stream))
        except StopIteration as stop: return got, stop.value
"""


def opened(effect: str = "write") -> Notebook:
    """A notebook with tools that yield."""
    nb = Notebook()
    nb.plain(TOOLS.format(effect=effect))
    return nb


def again(nb: Notebook, effect: str = "write") -> Notebook:
    """The notebook in a fresh kernel."""
    nb.restart()
    nb.plain(TOOLS.format(effect=effect))
    return nb


def test_a_stream_is_yielded_again_with_what_it_returned() -> None:
    """All values and the value of `return` come from the journal."""
    nb = opened()
    nb.run("r = whole(count(2))", "s")
    assert nb.namespace["r"] == (["count 0#1", "count 1#1"], "end")
    again(nb).run("r = whole(count(2)); more = 1", "s")
    assert nb.namespace["r"] == (["count 0#1", "count 1#1"], "end")
    assert nb.world.effects == ["count 0", "count 1"]


def test_values_come_before_the_stream_is_complete() -> None:
    """Nothing is collected before it is handed on."""
    nb = opened()
    nb.run("seen = []\nfor v in count(3): seen.append(len(world.effects))", "s")
    assert nb.namespace["seen"] == [1, 2, 3]


@pytest.mark.parametrize(
    "cut",
    ["next(count(5))", "asyncio.run(read(acount(5), 1))", "g = count(5); next(g)"],
    ids=["closed", "async", "left"],
)
def test_a_cut_write_is_in_doubt(cut: str) -> None:
    """A write whose stream nobody read to its end has no outcome."""
    nb = opened()
    nb.run(f"r = {cut}" if "=" not in cut else cut, "s")
    with pytest.raises(CallInDoubt):
        again(nb).run(f"{cut}\nmore = 1", "s")
    assert nb.world.effects == ["count 0"]


def test_a_cut_read_is_read_again() -> None:
    """A read without an outcome is asked again."""
    nb = opened("read")
    nb.run("r = next(count(5))", "s")
    again(nb, "read").run("r = [*count(2)]; more = 1; r = next(count(5))", "s")
    assert nb.world.effects.count("count 0") == 3


def test_a_stream_that_is_left_goes_on_without_its_step() -> None:
    """A later cell reads the rest of the plain generator."""
    nb = opened()
    nb.run("g = count(3); first = next(g)", "s")
    nb.plain("rest = list(g)")
    assert nb.namespace["rest"] == ["count 1#1", "count 2#1"]


def test_what_is_called_inside_is_a_call_inside() -> None:
    """Calls of the function belong to the stream, and are served with it."""
    nb = opened()
    nb.run("r = [look(7), *looks(2)]", "s")
    inner = [c for c in nb.session.history.calls.values() if c.parent]
    assert [c.text for c in inner] == ["look(0)", "look(1)"]
    again(nb).run("r = [*looks(2)]", "s")
    assert nb.world.effects.count("look 0") == 1


def test_a_stream_that_was_spoken_to_has_no_result() -> None:
    """Values that were sent into it are no arguments: a write asks."""
    nb = opened()
    nb.run(
        "g = echo(); next(g); g.send('a')\ntry: g.send('stop')\nexcept StopIteration: pass",
        "s",
    )
    with pytest.raises(ResultGone, match="values were sent into it"):
        again(nb).run("next(echo())", "s")


def test_a_yielded_value_that_is_changed_is_not_served_changed() -> None:
    """What a consumer does to a value is no part of the stream."""
    nb = opened()
    nb.run("for b in boxes(): b.append(1)", "s")
    with pytest.raises(ResultGone, match="changed before its end"):
        again(nb).run("r = [*boxes()]", "s")


def test_what_a_person_says_is_its_values() -> None:
    """`--happened` gives the values of the stream."""
    nb = opened()
    nb.run("r = next(count(5))", "s")
    with pytest.raises(CallInDoubt):
        again(nb).run("r = [*count(5)]", "s")
    settle(nb, "s.1", Answer.HAPPENED, ["x", "y"])
    nb.run("r = [*count(5)]", "s")
    assert nb.namespace["r"] == ["x", "y"]


def test_a_tool_that_yields_is_what_it_was() -> None:
    """Frameworks see a generator function, and outside cells it is the plain one."""
    nb = opened()
    assert inspect.isgeneratorfunction(nb.namespace["count"])
    assert inspect.isasyncgenfunction(nb.namespace["acount"])
    nb.plain("r = whole(all_of(count(1)))\na = asyncio.run(read(acount(1)))")
    assert nb.namespace["r"] == (["count 0#1"], "end")
    assert nb.namespace["a"] == ["count 0#2"]
    assert not nb.session.run_id


def test_an_async_stream_is_yielded_again() -> None:
    """The same for `async for`, and an exception thrown in reaches the function."""
    nb = opened()
    nb.run("r = asyncio.run(read(acount(2)))", "s")
    again(nb).run("r = asyncio.run(read(acount(2))); more = 1", "s")
    assert nb.namespace["r"] == ["count 0#1", "count 1#1"]
    assert len(nb.world.effects) == 2


def test_an_exception_thrown_into_a_stream_reaches_the_function() -> None:
    """Who throws into the generator throws into the author's function."""
    nb = opened()
    nb.plain(
        "@tool\nasync def patient():\n"
        "    try: yield 1\n    except ValueError: yield world('caught')"
    )

    async def throw() -> str:
        """Throws into the stream, as a framework may."""
        stream = nb.namespace["patient"]()  # type: ignore[operator]
        await stream.__anext__()
        caught: str = await stream.athrow(ValueError())
        await stream.aclose()
        return caught

    nb.namespace["throw"] = throw
    nb.run("r = asyncio.run(throw())", "s")
    assert nb.namespace["r"] == "caught#1"
    assert asyncio.iscoroutinefunction(throw)
