"""A call with a time limit: what it raises, what is in doubt, and what comes late."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from nbdurable.engine.calls import late
from nbdurable.engine.past.pasts import CallPast, CallState
from nbdurable.engine.past.retry import Retry
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import CallInDoubt, NotDone, TimedOut, ToolRefused
from nbdurable_store.clock import SYSTEM_CLOCK
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

TOOL = """
@tool(effect={effect!r}, timeout={timeout}{options})
def act(x):
    world(f"act {{x}}")
    return hold(x)
"""


class Hold:
    """Holds calls until the test lets them go, and says when one has come."""

    def __init__(self) -> None:
        self.gates: dict[object, threading.Event] = {}
        self.free: set[object] = set()
        self.error: BaseException | None = None
        self.threads: list[threading.Thread] = []

    def __reduce__(self) -> tuple[object, ...]:
        """A service outside."""
        return Hold, ()

    def __call__(self, x: object) -> str:
        """Wait for the test, unless it has let this one go."""
        self.threads.append(threading.current_thread())
        if x not in self.free:
            assert self.gates.setdefault(x, threading.Event()).wait(60)
        if self.error is not None:
            raise self.error
        return f"done {x}"

    def let_go(self, x: object) -> None:
        """Let a held call go on, and wait until its thread has ended."""
        self.free.add(x)
        self.gates.setdefault(x, threading.Event()).set()
        for thread in threading.enumerate():  # one may not have come as far as here
            if thread.name == "nbdurable-call":
                thread.join(60)


class Slow(Notebook):
    """A notebook whose tools take as long as a test says."""

    def __init__(self) -> None:
        self.hold = Hold()
        self.cells: list[str] = []
        super().__init__()

    def restart(self) -> None:
        """A fresh kernel, plain cells run again."""
        super().restart()
        self.namespace |= {"hold": self.hold, "Retry": Retry, "TimedOut": TimedOut}
        for cell in self.cells:
            self.plain(cell)

    def tools(self, source: str) -> None:
        """Define tools, in this kernel and in those after it."""
        self.cells.append(source)
        self.plain(source)

    def act(
        self, effect: str = "write", options: str = "", timeout: float = 0.05
    ) -> None:
        """Define the tool `act`."""
        options = options and f", {options}"
        self.tools(TOOL.format(effect=effect, options=options, timeout=timeout))

    @property
    def only(self) -> CallPast:
        """The only call of the run."""
        (call,) = self.session.history.calls.values()
        return call


@pytest.fixture
def nb() -> Iterator[Slow]:
    """A notebook; no thread of it is left at the end."""
    notebook = Slow()
    yield notebook
    for x in list(notebook.hold.gates):
        notebook.hold.let_go(x)


def test_a_call_in_time_is_as_ever(nb: Slow) -> None:
    """A function that ends within its limit gives its value, and is served."""
    nb.act(timeout=60)
    nb.hold.free.add(1)
    nb.run("x = act(1)", "s", "c1")
    nb.restart()
    nb.run("x = act(1); y = 1", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    assert nb.world.effects == ["act 1"]


def test_an_exception_in_time_is_the_tools_own(nb: Slow) -> None:
    """A `TimeoutError` of the function itself is no limit of ours."""
    nb.act(timeout=60)
    nb.hold.free.add(1)
    nb.hold.error = TimeoutError("of the service")
    with pytest.raises(TimeoutError, match="of the service") as caught:
        nb.run("act(1)", "s", "c1")
    assert not isinstance(caught.value, TimedOut)


def test_a_write_that_timed_out_is_in_doubt(nb: Slow) -> None:
    """The cell returns on time; run again, it asks instead of paying twice."""
    nb.act()
    with pytest.raises(TimedOut) as caught:
        nb.run("x = act(1)", "s", "c1")
    told = str(caught.value)
    assert "act(1) had no result after 0.05 s." in told
    (question,) = questions(nb.session.history)
    assert f"%durable resolve {question.asked} --happened VALUE" in told
    nb.restart()
    with pytest.raises(CallInDoubt, match="It had no result after"):
        nb.run("x = act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"]
    assert [q.reference for q in questions(nb.session.history)] == ["s.1"]


def test_what_comes_late_settles_the_doubt(nb: Slow) -> None:
    """A function that returns after its time has made the call; that is served."""
    nb.act()
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    nb.hold.let_go(1)
    assert nb.only.state is CallState.COMPLETED
    assert nb.only.fields["late"] is True
    assert "returned after all" in nb.told[-1]
    assert questions(nb.session.history) == []
    nb.restart()
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    assert nb.world.effects == ["act 1"]


def test_what_comes_late_outweighs_an_opinion(nb: Slow) -> None:
    """«It did not» was wrong: the result is served, and nothing is made again."""
    nb.act()
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    settle(nb, "s.1", Answer.DID_NOT)
    nb.hold.let_go(1)
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    assert nb.world.effects == ["act 1"]


def test_an_answer_that_was_given_stands(nb: Slow) -> None:
    """The value that a person gave is kept: the notebook went on with it."""
    nb.act()
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    settle(nb, "s.1", Answer.HAPPENED, "as I said")
    nb.hold.let_go(1)
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "as I said"


def test_what_comes_late_of_an_earlier_attempt_is_told(nb: Slow) -> None:
    """The call was made again meanwhile: its own result counts, and the user hears."""
    nb.act()
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    settle(nb, "s.1", Answer.DID_NOT)
    gate = nb.hold.gates.pop(1)
    nb.hold.free.add(1)
    nb.run("x = act(1)", "s", "c1")
    assert nb.only.attempts == 2
    gate.set()
    for thread in nb.hold.threads:
        if thread is not threading.current_thread():
            thread.join(60)
    assert "may have happened twice" in nb.told[-1]
    assert nb.only.attempts == 2
    assert nb.only.fields.get("late") is None


def test_what_comes_late_settles_no_later_attempt(nb: Slow) -> None:
    """The first of two attempts returns late: the second one is still in doubt."""
    nb.act()
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    settle(nb, "s.1", Answer.DID_NOT)
    first = nb.hold.gates.pop(1)
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    first.set()
    nb.hold.threads[0].join(60)
    assert "may have happened twice" in nb.told[-1]
    assert (nb.only.attempts, nb.only.state) == (2, CallState.RAISED)
    with pytest.raises(CallInDoubt):
        nb.run("x = act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"] * 2


def test_a_late_exception_that_says_nothing_happened_settles(nb: Slow) -> None:
    """The function says late that it did nothing: it may run."""
    nb.act(options="not_done=ConnectionRefusedError")
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    nb.hold.error = ConnectionRefusedError()
    nb.hold.let_go(1)
    nb.hold.error = None
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    assert nb.world.effects == ["act 1"] * 2


def test_another_late_exception_leaves_the_doubt(nb: Slow) -> None:
    """Whatever else comes late says nothing of whether it happened."""
    nb.act()
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    nb.hold.error = OSError("perhaps")
    nb.hold.let_go(1)
    assert nb.only.fields.get("timed_out") is True
    with pytest.raises(CallInDoubt, match="It had no result after"):
        nb.run("x = act(1)", "s", "c1")


def test_an_agent_may_see_it_and_sees_it_again(nb: Slow) -> None:
    """Caught, it is an answer like any other: served again, and nothing is in doubt."""
    nb.act()
    nb.tools("@tool\ndef other(): return world('other')")
    source = "try:\n    x = act(1)\nexcept Exception as e:\n    x = type(e).__name__\nother()"
    nb.run(source, "s", "c1")
    nb.restart()
    nb.run(f"{source}\ny = 1", "s", "c1")
    assert nb.namespace["x"] == "TimedOut"
    assert nb.world.effects == ["act 1", "other"]


def test_a_read_that_timed_out_is_asked_again(nb: Slow) -> None:
    """Nothing is in doubt where nothing is changed."""
    nb.act("read")
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    nb.hold.free.add(1)
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    assert nb.world.effects == ["act 1"] * 2


def test_a_read_that_timed_out_is_tried_again(nb: Slow) -> None:
    """The limit is that of one attempt; a late result of the first changes nothing."""
    nb.act("read", options="retry=Retry(attempts=2, wait=0, jitter=0)")
    first = nb.hold.gates.setdefault(1, threading.Event())
    wait = first.wait

    def wait_once(timeout: float) -> bool:
        """The second call isn't held."""
        nb.hold.free.add(1)
        return wait(timeout)

    first.wait = wait_once
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    nb.hold.let_go(1)
    assert nb.only.attempts == 2
    assert nb.only.fields.get("late") is None


def test_a_write_that_timed_out_is_not_tried_again(nb: Slow) -> None:
    """Retries of a write are for what did not happen."""
    nb.act(options="retry=Retry(attempts=5, wait=0, on=OSError), on_doubt='retry'")
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"]


def test_an_async_tool_is_cancelled(nb: Slow) -> None:
    """It sees CancelledError and can clean up; other tasks go on."""
    nb.tools(
        "import asyncio\nseen = []\n"
        "@tool(timeout=0.05)\n"
        "async def act(x):\n"
        "    try:\n        await asyncio.Event().wait()\n"
        "    except asyncio.CancelledError:\n        seen.append(x); raise\n"
        "async def both():\n"
        "    return await asyncio.gather(act(1), asyncio.sleep(0.01, 'slept'),"
        " return_exceptions=True)"
    )
    nb.run("found = asyncio.run(both())", "s", "c1")
    found = nb.namespace["found"]
    assert isinstance(found[0], TimedOut)
    assert "It was cancelled." in str(found[0])
    assert found[1] == "slept"
    assert nb.namespace["seen"] == [1]


def test_a_cancelled_task_is_no_time_limit(nb: Slow) -> None:
    """Who cancels the task sees CancelledError, whatever the limit."""
    nb.tools("@tool(timeout=60)\nasync def act(x):\n    await asyncio.Event().wait()")
    source = (
        "async def main():\n"
        "    task = asyncio.create_task(act(1))\n    await asyncio.sleep(0)\n"
        "    task.cancel()\n    await task\nasyncio.run(main())"
    )
    nb.namespace["asyncio"] = asyncio
    with pytest.raises(asyncio.CancelledError):
        nb.run(source, "s", "c1")


def test_an_interrupt_leaves_the_function_running(nb: Slow) -> None:
    """The stop button ends the wait; what comes then is late, and settles the doubt."""
    nb.act(timeout=60)

    class Stopped(type(SYSTEM_CLOCK)):
        """The stop button, once the function has begun."""

        def wait(self, event: threading.Event, timeout_s: float) -> bool:
            """Interrupt the wait for the function, and no other."""
            if threading.current_thread() is not threading.main_thread():
                return super().wait(event, timeout_s)
            while 1 not in nb.hold.gates:
                event.wait(0.01)
            raise KeyboardInterrupt

    nb.session.clock = Stopped()
    with pytest.raises(KeyboardInterrupt):
        nb.run("x = act(1)", "s", "c1")
    nb.hold.let_go(1)
    nb.restart()
    nb.run("x = act(1)", "s", "c1")
    assert nb.namespace["x"] == "done 1"
    assert nb.world.effects == ["act 1"]


def test_calls_inside_belong_to_the_call(nb: Slow) -> None:
    """The thread has the context of the caller: calls inside are recorded inside."""
    nb.tools(
        "@tool\ndef pay(x): return world(f'pay {x}')\n"
        "@tool(timeout=60)\ndef book(x): return pay(x)"
    )
    nb.run("x = book(1)", "s", "c1")
    outer, inner = sorted(nb.session.history.calls.values(), key=lambda c: c.order)
    assert inner.parent == outer.id
    assert nb.namespace["x"] == "pay 1#1"


def test_an_overtaken_function_makes_no_calls(nb: Slow) -> None:
    """What was left running doesn't pay beside the attempt that was made instead."""
    nb.tools(
        "@tool\ndef pay(x): return world(f'pay {x}')\n"
        "@tool(effect='read', timeout=0.05)\n"
        "def book(x):\n    hold(x)\n    return pay(x)"
    )
    with pytest.raises(TimedOut):
        nb.run("x = book(1)", "s", "c1")
    gate = nb.hold.gates.pop(1)
    nb.hold.free.add(1)
    nb.run("x = book(1)", "s", "c1")
    gate.set()
    for thread in nb.hold.threads:
        if thread is not threading.current_thread():
            thread.join(60)
    assert nb.world.effects == ["pay 1"]


def test_threads_are_forgotten_when_they_end(nb: Slow) -> None:
    """Nothing is kept of a function that has ended."""
    nb.act()
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    assert nb.only.id in late._left
    nb.hold.let_go(1)
    assert nb.only.id not in late._left


def test_a_pause_inside_reaches_the_cell(nb: Slow) -> None:
    """A question that comes up in the thread ends the cell as ever."""
    nb.tools(
        "@tool\ndef pay(x):\n    world(f'pay {x}')\n    raise OSError\n"
        "@tool(effect='read', timeout=60)\ndef book(x): return pay(x)"
    )
    with pytest.raises(OSError):  # noqa: PT011  # any will do
        nb.run("x = book(1)", "s", "c1")
    with pytest.raises(CallInDoubt):
        nb.run("x = book(1)", "s", "c1")
    assert nb.world.effects == ["pay 1"]


def test_a_named_limit_may_say_that_nothing_happened(nb: Slow) -> None:
    """An author who names `TimedOut` in `on=` says so, and it is tried again."""
    nb.act(options="retry=Retry(attempts=2, wait=0, jitter=0, on=TimedOut)")
    with pytest.raises(TimedOut):
        nb.run("x = act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"] * 2


@pytest.mark.parametrize("wrong", ["0", "-1", "'5m'", "float('nan')", "True"])
def test_a_limit_that_makes_no_sense_is_refused(nb: Slow, wrong: str) -> None:
    """A limit is a number of seconds."""
    with pytest.raises(ToolRefused, match=r"timeout= takes seconds"):
        nb.plain(f"@tool(timeout={wrong})\ndef act(): pass")


def test_not_done_in_time_is_not_done(nb: Slow) -> None:
    """Exceptions keep their meaning in the thread."""
    nb.act(timeout=60)
    nb.hold.free.add(1)
    nb.hold.error = NotDone("no")
    with pytest.raises(NotDone):
        nb.run("act(1)", "s", "c1")
    nb.hold.error = None
    nb.run("x = act(1)", "s", "c1")
    assert nb.world.effects == ["act 1"] * 2
