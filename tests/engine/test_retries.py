"""A call that is tried again: how often, when, and never where it may have happened."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from nbdurable.engine.calls import waits
from nbdurable.engine.past.history import CallPast
from nbdurable.engine.past.retry import Retry
from nbdurable.errors import CallInDoubt, NotDone, ToolRefused
from tests.engine.clocks import HandClock
from tests.engine.notebooks import Notebook

TOOL = """
@tool(effect={effect!r}, retry=Retry(attempts={attempts}, jitter=0{more}){options})
def act(x):
    world(f"act {{x}}")
    raise_next()
    return f"done {{x}}"
"""

NESTED = """
@tool
def pay(x): return world(f"pay {x}")

@tool(effect="read")
def look(x): return world(f"look {x}")

@tool(effect={effect!r}, retry=Retry(attempts=3, jitter=0))
def book(x):
    found = look(x)
    paid = pay(x)
    raise_next()
    return found, paid
"""


class Half:
    """Draws one half each time."""

    def fraction(self) -> float:
        """One half."""
        return 0.5


class Trouble:
    """What the next attempts raise, in order, None for nothing; then nothing."""

    def __init__(self) -> None:
        self.errors: list[BaseException | None] = []

    def __reduce__(self) -> tuple[object, ...]:
        """What it will raise is no input of a cell."""
        return Trouble, ()

    def __call__(self) -> None:
        """Raise the next one."""
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error


class Failing(Notebook):
    """A notebook with a clock of its own, whose tools raise what a test says."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.trouble = Trouble()
        self.cells: list[str] = []
        super().__init__()

    def restart(self) -> None:
        """A fresh kernel on the same clock, plain cells run again."""
        super().restart()
        self.session.clock = self.clock
        self.session.chance = Half()
        self.namespace |= {
            "Retry": Retry,
            "NotDone": NotDone,
            "raise_next": self.trouble,
        }
        for cell in self.cells:
            self.plain(cell)

    def tools(self, source: str) -> None:
        """Define tools, in this kernel and in those after it."""
        self.cells.append(source)
        self.plain(source)

    def act(self, effect: str, attempts: int = 4, more: str = "", options: str = ""):
        """Define the tool `act`."""
        source = TOOL.format(
            effect=effect,
            attempts=attempts,
            more=more and f", {more}",
            options=options and f", {options}",
        )
        self.tools(source)

    def fails(self, *errors: BaseException | None) -> None:
        """The next attempts raise these."""
        self.trouble.errors += errors

    @property
    def only(self) -> CallPast:
        """The only outer call of the run."""
        (call,) = (c for c in self.session.history.calls.values() if not c.parent)
        return call


@pytest.fixture
def nb() -> Iterator[Failing]:
    """A notebook whose tools fail."""
    return Failing()


def killed(nb: Failing, source: str) -> None:
    """Run a cell in a kernel that stops in the wait after the first failure."""

    def stop(_: float) -> None:
        raise SystemExit

    nb.clock.sleep = stop
    with pytest.raises(SystemExit):
        nb.run(source, "s", "c1")
    del nb.clock.sleep
    nb.restart()


def test_a_read_is_tried_again_with_doubled_waits(nb: Failing) -> None:
    """Three failures wait 1, 2 and 4 seconds; the code sees the result alone."""
    nb.act("read")
    nb.fails(OSError("a"), ValueError("b"), OSError("c"))
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    assert nb.world.effects == ["act 1"] * 4
    assert nb.clock.total_s == 7


def test_the_last_failure_reaches_the_code(nb: Failing) -> None:
    """After the last attempt its own exception is raised, without those before it."""
    nb.act("read", attempts=2)
    last = OSError("second")
    nb.fails(OSError("first"), last)
    with pytest.raises(OSError, match="second") as caught:
        nb.run("act(1)", "s", "c1")
    assert caught.value is last
    assert last.__context__ is None


def test_each_attempt_is_journaled(nb: Failing) -> None:
    """A call of three attempts has three starts and three outcomes under one id."""
    nb.act("read")
    nb.fails(OSError("a"), OSError("b"))
    nb.run("act(1)", "s", "c1")
    call = nb.only
    assert call.attempts == 3
    assert [c.fields.get("again_ms") for c in call.earlier] == [1000, 2000]
    assert [c.tries for c in (*call.earlier, call)] == [1, 2, 3]
    (step,) = nb.session.history.steps.values()
    assert step.used == (call.id,)
    assert step.fields["ran"] == 1


def test_a_write_that_may_have_happened_is_not_tried_again(nb: Failing) -> None:
    """An exception that doesn't say that nothing happened ends a write at once."""
    nb.act("write", more="on=ConnectionRefusedError")
    nb.fails(ConnectionResetError("in the middle"))
    with pytest.raises(ConnectionResetError):
        nb.run("act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"]
    nb.restart()
    with pytest.raises(CallInDoubt):
        nb.run("act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"]


@pytest.mark.parametrize("on_doubt", ["retry", "fail"])
def test_a_policy_for_doubts_retries_nothing_in_place(nb: Failing, on_doubt) -> None:
    """`on_doubt=` settles what a stopped cell left behind; it tries nothing again."""
    nb.act("write", options=f"on_doubt={on_doubt!r}")
    nb.fails(OSError("perhaps"))
    with pytest.raises(OSError, match="perhaps"):
        nb.run("act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"]


@pytest.mark.parametrize(
    ("more", "options", "error"),
    [
        ("on=ConnectionRefusedError", "", ConnectionRefusedError()),
        ("on=(ValueError, ConnectionRefusedError)", "", ConnectionRefusedError()),
        ("", "not_done=ConnectionRefusedError", ConnectionRefusedError()),
        ("", "", NotDone("declined")),
    ],
)
def test_a_write_is_tried_again_where_nothing_happened(
    nb: Failing, more: str, options: str, error: Exception
) -> None:
    """`on=`, `not_done=` and `NotDone` say that nothing happened."""
    nb.act("write", more=more, options=options)
    nb.fails(error, error)
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    assert nb.world.effects == ["act 1"] * 3


def test_on_narrows_what_a_read_is_tried_again_after(nb: Failing) -> None:
    """With `on=` a read is tried again after those types, and after no other."""
    nb.act("read", more="on=ConnectionError")
    nb.fails(ConnectionResetError(), KeyError("a mistake"))
    with pytest.raises(KeyError):
        nb.run("act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"] * 2


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit()])
def test_what_ends_the_cell_is_never_tried_again(nb: Failing, stop) -> None:
    """The stop button and `SystemExit` end a call, whatever its policy."""
    nb.act("read", more="on=BaseException")
    nb.fails(stop)
    with pytest.raises(type(stop)):
        nb.run("act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"]


def test_a_restart_continues_the_count_and_the_wait(nb: Failing) -> None:
    """A kernel stopped in a wait of 8 s comes back after 3: 5 s are left, one attempt."""
    nb.act("read", attempts=2, more="wait=8")
    nb.fails(OSError("first"))
    killed(nb, "x = act(1)")
    nb.clock.passes(3)
    nb.fails(OSError("second"))
    with pytest.raises(OSError, match="second"):
        nb.run("x = act(1)", "s", "c1")
    assert nb.clock.total_s == 5
    assert nb.world.effects == ["act 1"] * 2


def test_a_wait_that_is_over_takes_no_time(nb: Failing) -> None:
    """After a night nobody waits; a clock that jumped back adds nothing either."""
    nb.act("read", attempts=9, more="wait=8")
    nb.fails(OSError("first"))
    killed(nb, "x = act(1)")
    nb.clock.passes(40_000)
    nb.run("x = act(1)", "s", "c1")
    assert nb.clock.total_s == 0

    nb.fails(OSError("first"))
    killed(nb, "y = act(2)")
    nb.clock.us -= 3_600_000_000
    nb.run("y = act(2)", "s", "c1")
    assert nb.clock.total_s == 8


def test_an_attempt_that_was_cut_off_counts(nb: Failing) -> None:
    """A kernel that stops in the second attempt of three leaves one."""
    nb.act("read", attempts=3)
    nb.fails(OSError("first"), KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.run("x = act(1)", "s", "c1")
    nb.restart()
    nb.fails(OSError("third"))
    with pytest.raises(OSError, match="third"):
        nb.run("x = act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"] * 3


def test_a_series_that_has_ended_begins_afresh(nb: Failing) -> None:
    """After the last failure ended the cell, running it again makes all attempts."""
    nb.act("read", attempts=2)
    nb.fails(OSError("1"), OSError("2"))
    with pytest.raises(OSError, match="2"):
        nb.run("x = act(1)", "s", "c1")
    nb.restart()
    nb.fails(OSError("3"))
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    assert nb.world.effects == ["act 1"] * 4


def test_a_retried_call_is_not_served_its_failure(nb: Failing) -> None:
    """A wait that was cut off while other calls went on is no exception anybody saw."""
    nb.act("read")
    nb.fails(OSError("first"))
    nb.tools("@tool\ndef other(): return world('other')")
    source = "try:\n    x = act(1)\nexcept SystemExit:\n    other()\n    raise"
    killed(nb, source)
    nb.run(source, "s", "c1")
    assert nb.namespace["x"] == "done 1"


def test_a_read_that_became_a_write_is_in_doubt(nb: Failing) -> None:
    """What was to be tried again as a read asks once its author says it writes."""
    nb.act("read")
    nb.fails(OSError("first"))
    killed(nb, "act(1)")
    nb.act("write")
    with pytest.raises(CallInDoubt):
        nb.run("act(1)", "s", "c1")


def test_a_served_call_costs_no_attempt(nb: Failing) -> None:
    """What came of three attempts is served after a restart, without a wait."""
    nb.act("read")
    nb.fails(OSError("a"), OSError("b"))
    nb.run("x = act(1)", "s", "c1")
    nb.restart()
    nb.run("x = act(1)", "s", "c1")
    nb.run("x = act(1); y = 2", "s", "c1")
    assert nb.world.effects == ["act 1"] * 3
    assert nb.clock.total_s == 3


def test_an_async_tool_lets_the_loop_go_on(nb: Failing) -> None:
    """Two tasks wait at the same time, and a third one has its turns meanwhile."""
    nb.tools(
        TOOL.format(effect="read", attempts=4, more="", options="").replace(
            "def act", "async def act"
        )
    )
    nb.fails(OSError("a"), OSError("b"))
    source = (
        "import asyncio\nturns = []\n"
        "async def count():\n"
        "    while len(done) < 2:\n        turns.append(1); await asyncio.sleep(0)\n"
        "async def one(x):\n    done.append(await act(x))\n"
        "async def all_of_them():\n"
        "    await asyncio.gather(one(1), one(2), count())\n"
        "done = []\nasyncio.run(all_of_them())"
    )
    nb.run(source, "s", "c1")
    assert sorted(nb.namespace["done"]) == ["done 1", "done 2"]
    assert len(nb.namespace["turns"]) > 4


def test_a_long_wait_is_told(nb: Failing) -> None:
    """A wait of seconds says what failed, which attempt is next, and when."""
    nb.act("read", attempts=5, more="wait=8")
    nb.fails(OSError("first"))
    nb.run("act(1)", "s", "c1")
    assert "act(1) raised OSError: attempt 2 of 5 in 8.0 s" in "\n".join(nb.told)


def test_the_line_says_how_many_attempts_a_call_took(nb: Failing) -> None:
    """One call ran, and it took three attempts; two of them took more."""
    nb.act("read")
    nb.fails(OSError("first"), OSError("second"))
    line = nb.run("x = act(1)", "s", "c1")
    assert line.startswith("s · 1 call ran · act took 3 attempts")
    nb.fails(OSError("first"), None, OSError("once more"))
    line = nb.run("x = act(2), act(3), act(4)", "t", "c2")
    assert line.startswith("t · 3 calls ran · 2 calls took 4 attempts")
    nb.restart()
    assert "attempts" not in nb.run("x = act(1)\ny = 1", "s", "c1")


def test_a_short_wait_is_not(nb: Failing) -> None:
    """Nobody reads a line about a second."""
    nb.act("read")
    nb.fails(OSError("first"))
    nb.run("act(1)", "s", "c1")
    assert "attempt 2" not in "\n".join(nb.told)


def test_the_users_random_numbers_are_left_alone(nb: Failing) -> None:
    """Jitter draws from a source of its own."""
    nb.act("read")
    nb.session.chance = type(nb.session.chance)()
    random.seed(7)
    before = random.getstate()
    nb.fails(OSError("first"))
    nb.run("act(1)", "s", "c1")
    assert random.getstate() == before


def test_a_write_inside_is_not_made_again(nb: Failing) -> None:
    """A tool that is tried again is served what it finished inside the first time."""
    nb.tools(NESTED.replace("{effect!r}", "'read'"))
    nb.fails(OSError("after the payment"))
    nb.run("x = book(1)", "s", "c1")
    assert nb.namespace["x"] == ("look 1#1", "pay 1#1")
    assert nb.world.effects == ["look 1", "pay 1"]
    calls = nb.session.history.calls.values()
    assert sorted((c.name, c.attempts) for c in calls) == [
        ("book", 2),
        ("look", 1),
        ("pay", 1),
    ]
    (step,) = nb.session.history.steps.values()
    assert len(step.used) == len(set(step.used)) == 3
    nb.restart()
    nb.run("x = book(1)\ny = 1", "s", "c1")
    assert nb.world.effects == ["look 1", "pay 1"]


def test_a_doubt_inside_stops_the_series(nb: Failing) -> None:
    """A write inside that may have happened asks, and isn't made by the second try."""
    nb.tools(
        "@tool\ndef pay(x):\n    world(f'pay {x}')\n    raise_next()\n"
        "@tool(effect='read', retry=Retry(attempts=3, jitter=0))\n"
        "def book(x): return pay(x)"
    )
    nb.fails(OSError("perhaps paid"))
    with pytest.raises(CallInDoubt):
        nb.run("x = book(1)", "s", "c1")
    assert nb.world.effects == ["pay 1"]


def test_a_not_done_from_inside_is_not_the_tools_own(nb: Failing) -> None:
    """`NotDone` of a call inside says nothing of what its caller did before it."""
    nb.tools(
        "@tool\ndef pay(x): raise_next()\n"
        "@tool(effect='write', retry=Retry(attempts=3, jitter=0))\n"
        "def book(x):\n    world(f'book {x}')\n    pay(x)"
    )
    nb.fails(NotDone("no funds"))
    with pytest.raises(NotDone):
        nb.run("book(1)", "s", "c1")
    assert nb.world.effects == ["book 1"]
    nb.restart()
    with pytest.raises(CallInDoubt):
        nb.run("book(1)", "s", "c1")
    assert nb.world.effects == ["book 1"]


def test_another_retry_makes_no_call_again(nb: Failing) -> None:
    """Changing how often a tool is tried makes no call again, and asks nothing."""
    nb.act("write", attempts=2)
    nb.run("x = act(1)", "s", "c1")
    nb.cells.clear()
    nb.restart()
    nb.act("write", attempts=7)
    assert "1 replayed" in nb.run("x = act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"]


def test_a_shared_retry_is_no_input_of_a_cell(nb: Failing) -> None:
    """A cell replays although the `Retry` that its tool was given is another one."""
    nb.cells.append("patience = Retry(attempts=2)")
    tool = "@tool(retry=patience)\ndef act(): return world('act')"
    nb.plain(nb.cells[0])
    nb.tools(tool)
    nb.run("x = act()", "s", "c1")
    nb.cells[0] = "patience = Retry(attempts=7, on=OSError)"
    nb.restart()
    assert "nothing ran" in nb.run("x = act()", "s", "c1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"attempts": True},
        {"attempts": 1.5},
        {"wait": -1},
        {"wait": float("nan")},
        {"max_wait": float("inf")},
        {"jitter": "1"},
        {"on": "OSError"},
        {"on": (OSError, 3)},
    ],
)
def test_a_retry_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    """Numbers and types are looked at where they are written."""
    with pytest.raises(ToolRefused):
        Retry(**wrong)


@pytest.mark.parametrize("option", ["retry=Retry()", "timeout=3"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_tool_that_yields_takes_none(nb: Failing, option: str, kind: str) -> None:
    """What its caller has seen can't be taken back, so there is no second attempt."""
    with pytest.raises(ToolRefused, match="act yields"):
        nb.plain(f"@tool({option})\n{kind} act():\n    yield 1")


def test_a_new_run_ends_a_series(nb: Failing) -> None:
    """A call that outlives its run ends with its exception, and disturbs nobody."""
    nb.act("read")
    nb.namespace["new_run"] = nb.session.new_run
    nb.tools(
        "@tool(effect='read', retry=Retry(attempts=3, wait=0))\n"
        "def last():\n    new_run()\n    raise OSError('late')"
    )
    with pytest.raises(OSError, match="late"):
        nb.run("last()", "s", "c1")


def test_a_tool_takes_a_retry_and_nothing_else(nb: Failing) -> None:
    """A number of attempts alone is refused at the decorator."""
    with pytest.raises(ToolRefused, match=r"retry= takes nd.Retry"):
        nb.plain("@tool(retry=3)\ndef act(): pass")


# ---- the wait ------------------------------------------------------------------------

NOW_US = 1_800_000_000_000_000  # Fri, 15 Jan 2027 08:00:00 GMT


class Answer:
    """A response with headers."""

    def __init__(self, **headers: str) -> None:
        self.headers = {k.replace("_", "-").title(): v for k, v in headers.items()}


def refused(**headers: str) -> Exception:
    """An exception as SDKs raise it, with the answer that it comes from."""
    error = OSError("429")
    error.response = Answer(**headers)
    return error


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "250", "retry_after": "7"}, 0.25),
        ({"retry_after": "Fri, 15 Jan 2027 08:01:30 GMT"}, 90),
        ({"retry_after": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0),
        ({"retry_after": "soon"}, 0),
        ({"retry_after": "-3"}, 0),
        ({"retry_after": "nan"}, 0),
        ({"retry_after": "9" * 1000}, 0),
        ({"retry_after_ms": "soon", "retry_after": "7"}, 7),
        ({}, 0),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], seconds: float) -> None:
    """Seconds, milliseconds and dates; what can't be read counts as nothing."""
    assert waits.asked_s(refused(**headers), NOW_US) == seconds


def test_retry_after_is_found_behind_a_wrapper() -> None:
    """An exception that a tool raises from another one has that one's answer."""
    wrapper = NotDone("busy")
    wrapper.__cause__ = refused(retry_after="7")
    assert waits.asked_s(wrapper, NOW_US) == 7


def test_retry_after_of_aws_and_aiohttp() -> None:
    """Botocore keeps the headers in a dict, aiohttp at the exception itself."""
    aws = OSError()
    headers = {"retry-after": "7"}
    aws.response = {"ResponseMetadata": {"HTTPHeaders": headers}}
    bare = OSError()
    bare.headers = headers
    assert [waits.asked_s(e, NOW_US) for e in (aws, bare)] == [7, 7]


def test_an_exception_that_lies_about_its_headers_is_ignored() -> None:
    """Whatever stands at ``response`` can't break a wait."""

    class Hostile(OSError):
        @property
        def response(self) -> object:
            raise RuntimeError("no")

    assert waits.asked_s(Hostile(), NOW_US) == 0
    error = OSError()
    error.response = {"ResponseMetadata": None}
    assert waits.asked_s(error, NOW_US) == 0


def test_real_clients_say_when() -> None:
    """The exceptions of httpx, openai and requests are read as they are."""
    import httpx
    import httpx2
    import openai
    import requests

    for library in (httpx, httpx2):
        request = library.Request("POST", "http://localhost/")
        response = library.Response(429, headers={"Retry-After": "7"}, request=request)
        with pytest.raises(library.HTTPStatusError) as caught:
            response.raise_for_status()
        assert waits.asked_s(caught.value, NOW_US) == 7
    limited = openai.RateLimitError("slow", response=response, body=None)
    answer = requests.Response()
    answer.status_code, answer.headers["retry-after"] = 429, "7"
    failed = requests.HTTPError(response=answer)
    assert [waits.asked_s(e, NOW_US) for e in (limited, failed)] == [7, 7]


def test_waits_double_up_to_their_limit() -> None:
    """1, 2, 4, 8 and then 10 seconds, with half of the jitter on each that has room."""
    retry = Retry(attempts=1000, wait=1, max_wait=10, jitter=1)
    found = [waits.wait_s(retry, n, 0.5, 0) for n in (1, 2, 3, 4, 5, 999)]
    assert found == [1.5, 2.5, 4.5, 8.5, 10, 10]
    assert waits.wait_s(retry, 1000, 0.5, 0) is None


def test_retry_after_is_never_come_before() -> None:
    """The wait is at least what is asked for; more than the limit ends the series."""
    retry = Retry(attempts=5, wait=1, max_wait=10, jitter=0)
    assert waits.wait_s(retry, 1, 0.0, 7) == 7
    assert waits.wait_s(retry, 4, 0.0, 7) == 8
    assert waits.wait_s(retry, 1, 0.0, 10.5) is None


def test_an_answer_that_asks_for_too_long_ends_the_series(nb: Failing) -> None:
    """A service that is closed for an hour isn't called every minute."""
    nb.act("read", more="max_wait=60")
    nb.fails(refused(retry_after="3600"))
    with pytest.raises(OSError, match="429"):
        nb.run("act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"]


def test_a_cancelled_wait_is_continued(nb: Failing) -> None:
    """A task that is cancelled in a wait leaves the count where it is."""
    nb.tools(
        TOOL.format(effect="read", attempts=2, more="", options="").replace(
            "def act", "async def act"
        )
    )
    nb.fails(OSError("first"))

    async def stop(_: float) -> None:
        """The wait is cancelled."""
        raise asyncio.CancelledError

    nb.clock.pause = stop
    with pytest.raises(asyncio.CancelledError):
        nb.run("import asyncio\nx = asyncio.run(act(1))", "s", "c1")
    del nb.clock.pause
    nb.restart()
    nb.fails(OSError("second"))
    with pytest.raises(OSError, match="second"):
        nb.run("import asyncio\nx = asyncio.run(act(1))", "s", "c1")
