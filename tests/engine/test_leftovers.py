"""A step whose cell left tasks, threads or functions in pools running."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from nbdurable.engine.calls.leftovers import Overtaken
from nbdurable.engine.past.history import StepPast, StepState
from nbdurable.engine.steps import starting
from nbdurable.errors import CallInDoubt
from tests.engine.notebooks import Notebook

TOOLS = """
import asyncio, threading
from concurrent.futures import ThreadPoolExecutor

@tool(effect="read")
def read(x): return world(f"read {x}")

@tool(effect="write")
def write(x): return world(f"write {x}")

@tool(effect="write")
def slow(x):
    world(f"slow {x}")
    world.wait()
    return x

def start(work, daemon=False):
    threading.Thread(target=work, name="left", daemon=daemon).start()
"""

THREAD = """
got = []
def work():
    world.wait()
    got.append(read(1))
    got.append(read(2))
start(work)
"""


@pytest.fixture
def nb() -> Iterator[Notebook]:
    """A notebook with tools, and a way to start a thread."""
    notebook = Notebook()
    notebook.plain(TOOLS)
    yield notebook
    open_gate(notebook)


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What threads end with."""
    seen: list[object] = []
    monkeypatch.setattr(
        threading, "excepthook", lambda args: seen.append(args.exc_value)
    )
    return seen


def restarted(nb: Notebook) -> Notebook:
    """The notebook in a fresh kernel, the plain cell run again."""
    nb.restart()
    nb.plain(TOOLS)
    return nb


def left() -> list[threading.Thread]:
    """The threads that cells started and that run."""
    return [t for t in threading.enumerate() if t.name == "left"]


def open_gate(nb: Notebook) -> None:
    """Let the threads go on, and wait for their end."""
    nb.world.gate.set()
    for thread in left():
        thread.join(60)


def step(nb: Notebook, name: str = "s") -> StepPast:
    """The latest attempt of a step."""
    found = nb.session.history.named(name)
    assert found is not None
    return found


async def others_end() -> None:
    """All tasks but this one have ended, however they did."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)


def in_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """Run a test in an event loop, so that its cells may start tasks."""

    @functools.wraps(test)
    def run(**fixtures: object) -> None:
        asyncio.run(test(**fixtures))

    return run


def test_a_step_runs_until_its_thread_has_ended(nb: Notebook) -> None:
    """The cell is over at once; the step is with its thread, and then it replays."""
    assert nb.run(THREAD, "s", "c1") == "s · still running: 1 thread"
    assert step(nb).state is StepState.RUNNING
    open_gate(nb)
    assert step(nb).state is StepState.COMPLETED
    assert nb.told[-1].startswith("s · 2 calls ran")
    assert "nothing ran" in restarted(nb).run(THREAD, "s", "c1")
    assert nb.namespace["got"] == ["read 1#1", "read 2#1"]


def test_a_kernel_killed_before_the_thread_ended_runs_the_step_again(
    nb: Notebook,
) -> None:
    """The step isn't replayed as if it were complete; what had finished is served."""
    cell = (
        "got = []\ndef work():\n    got.append(write(1))\n    world.wait()\n"
        "    got.append(write(2))\nstart(work)\nwhile not got: pass"
    )
    nb.run(cell, "s", "c1")
    told = restarted(nb).run(cell, "s", "c1")
    assert told == "s · 1 call replayed, none ran · still running: 1 thread"
    assert nb.world.effects == ["write 1"]


def test_a_name_has_its_value_of_the_end_of_the_step(nb: Notebook) -> None:
    """Names are those of the cell's end; another cell's values are not taken."""
    cell = f"{THREAD}\nkept, i = 'mine', 1"
    nb.run(cell, "s", "c1")
    nb.plain("i = 'another cell'\nnew = 2")
    open_gate(nb)
    restarted(nb).run(cell, "s", "c1")
    names = ("got", "kept", "i")
    assert [nb.namespace[n] for n in names] == [["read 1#1", "read 2#1"], "mine", 1]
    assert "new" not in nb.namespace


def test_a_name_that_a_function_binds_is_taken_when_the_step_ends(
    nb: Notebook,
) -> None:
    """``global`` in what the cell left running makes names of the step too."""
    cell = (
        "def work():\n    global answer\n    world.wait()\n    answer = read(1)\n"
        "start(work)"
    )
    nb.run(cell, "s", "c1")
    open_gate(nb)
    assert "nothing ran" in restarted(nb).run(cell, "s", "c1")
    assert nb.namespace["answer"] == "read 1#1"


def test_a_daemon_thread_without_a_call_is_not_waited_for(nb: Notebook) -> None:
    """A server that the cell starts is no work of the step."""
    cell = "start(world.wait, daemon=True)\na = read(1)"
    assert "still running" not in nb.run(cell, "s", "c1")
    assert step(nb).state is StepState.COMPLETED
    open_gate(nb)


def test_a_daemon_thread_that_makes_calls_is_waited_for(nb: Notebook) -> None:
    """Once it makes a call it takes part in the step."""
    cell = "start(lambda: slow(1), daemon=True)\nwhile not world.effects: pass"
    assert "still running: 1 thread" in nb.run(cell, "s", "c1")
    open_gate(nb)
    assert step(nb).state is StepState.COMPLETED


def test_an_idle_pool_is_not_waited_for(nb: Notebook) -> None:
    """A pool without shutdown keeps its threads, and nothing of the step."""
    cell = "pool = ThreadPoolExecutor(2)\na = list(pool.map(read, range(3)))"
    assert nb.run(cell, "s", "c1").startswith("s · 3 calls ran")
    assert step(nb).state is StepState.COMPLETED


def test_functions_that_wait_in_a_pool_are_waited_for(nb: Notebook) -> None:
    """Also those that have no thread yet; a call of theirs belongs to the step."""
    cell = (
        "pool = ThreadPoolExecutor(1)\nfirst = pool.submit(world.wait)\n"
        "more = [pool.submit(write, i) for i in range(2)]"
    )
    assert "still running: 3 futures" in nb.run(cell, "s", "c1")
    nb.world.gate.set()
    pool = nb.namespace["pool"]
    assert isinstance(pool, ThreadPoolExecutor)
    pool.shutdown()
    assert step(nb).state is StepState.COMPLETED
    assert len(step(nb).used) == 2


def test_functions_cancelled_in_a_pool_have_ended(nb: Notebook) -> None:
    """A function that never began made no call: its step is complete."""
    cell = (
        "pool = ThreadPoolExecutor(1)\nfirst = pool.submit(world.wait)\n"
        "more = [pool.submit(write, i) for i in range(2)]"
    )
    nb.run(cell, "s", "c1")
    pool = nb.namespace["pool"]
    assert isinstance(pool, ThreadPoolExecutor)
    pool.shutdown(wait=False, cancel_futures=True)
    nb.world.gate.set()
    pool.shutdown()
    assert step(nb).state is StepState.COMPLETED
    assert nb.world.effects == []


def test_a_pool_of_another_cell_serves_the_step_that_asks(nb: Notebook) -> None:
    """A call belongs to the step that gave it to the pool, not to the pool's maker."""
    nb.run("pool = ThreadPoolExecutor(1)\na = list(pool.map(read, [1]))", "one", "c1")
    nb.run("b = list(pool.map(read, [2]))", "two", "c2")
    used = {len(step(nb, "one").used), len(step(nb, "two").used)}
    assert used == {1}
    nb.plain("list(pool.map(read, [3]))")
    assert len(nb.session.history.calls) == 2


def test_a_thread_that_raises_ends_the_step_as_a_cell_does(
    nb: Notebook, raised: list[object]
) -> None:
    """Its calls are kept, the one that raised is in doubt, and the cell runs again."""
    nb.plain(
        "@tool(effect='write')\ndef pay(x):\n    world(f'pay {x}')\n    raise ValueError('no funds')"
    )
    cell = "def work():\n    world.wait()\n    write(1)\n    pay(2)\nstart(work)"
    nb.run(cell, "s", "c1")
    open_gate(nb)
    assert [str(e) for e in raised] == ["no funds"]
    assert nb.told[-1].startswith("s · stopped by ValueError: no funds · 2 calls ran")
    assert (step(nb).state, step(nb).how) == (StepState.FAILED, "raised")
    assert len(step(nb).blamed) == 1
    with pytest.raises(CallInDoubt):
        nb.run("pay(2)", "s", "c1")
    assert nb.world.effects == ["write 1", "pay 2"]


def test_a_question_is_asked_wherever_it_comes_up(
    nb: Notebook, raised: list[object]
) -> None:
    """A thread that asks before its cell ends leaves the step without completion."""
    nb.plain(
        "@tool(effect='write')\ndef pay(x):\n    world(f'pay {x}')\n"
        "    raise KeyboardInterrupt"
    )
    with pytest.raises(KeyboardInterrupt):
        nb.run("pay(1)", "s", "c1")
    cell = "thread = threading.Thread(target=lambda: pay(1))\nthread.start()"
    told = nb.run(f"{cell}\nthread.join()", "s", "c1")
    assert told.splitlines()[0].startswith("s · waits for your answer")
    assert "%durable resolve s.1" in told
    assert [type(e) for e in raised] == [CallInDoubt]
    assert step(nb).state is StepState.FAILED


@pytest.mark.parametrize(
    ("taking", "state"),
    [
        ("", StepState.FAILED),
        ("fs[1].exception()", StepState.COMPLETED),
        ("list(asyncio.run(all()))", StepState.COMPLETED),
    ],
)
def test_an_exception_that_the_cell_took_fails_nothing(
    nb: Notebook, taking: str, state: StepState
) -> None:
    """One that nobody took fails the step, whether it came before the cell's end."""
    cell = (
        "def bad(x):\n    read(x)\n    1 / 0\n"
        "async def all(): return await asyncio.gather("
        "*map(asyncio.wrap_future, fs), return_exceptions=True)\n"
        "with ThreadPoolExecutor(1) as pool: fs = [pool.submit(f, 1) for f in (read, bad)]"
    )
    nb.run(f"{cell}\n{taking}", "s", "c1")
    assert step(nb).state is state


def test_a_cell_that_failed_ends_with_what_it_left(nb: Notebook) -> None:
    """The step has failed, and not before its thread has ended."""
    with pytest.raises(ZeroDivisionError):
        nb.run(f"{THREAD}\n1 / 0", "s", "c1")
    told = "s · stopped by the error above · still running: 1 thread"
    assert nb.told[-1] == told
    assert step(nb).state is StepState.RUNNING
    open_gate(nb)
    assert step(nb).state is StepState.FAILED
    assert nb.told[-1].startswith("s · stopped by the error above · 2 calls ran")


def test_a_cell_run_again_takes_over(nb: Notebook, raised: list[object]) -> None:
    """The thread of before makes no further call; what it finished is served."""
    cell = "def work():\n    write(1)\n    world.wait()\n    write(2)\nstart(work)"
    nb.run(f"{cell}\nwhile not world.effects: pass", "s", "c1")
    nb.run(cell, "s", "c1")
    assert nb.told[-1].startswith("s · still running from before: 1 thread")
    open_gate(nb)
    assert [type(e) for e in raised] == [Overtaken]
    assert nb.world.effects == ["write 1", "write 2"]
    first, second = nb.session.history.steps.values()
    assert (first.state, first.how) == (StepState.FAILED, "interrupted")
    assert second.state is StepState.COMPLETED
    assert second.served == 1


def test_a_call_in_flight_is_waited_for_by_who_takes_over(nb: Notebook) -> None:
    """The new execution doesn't make it again, it gets the result of the old one."""
    nb.run("start(lambda: slow(1))\nwhile not world.effects: pass", "s", "c1")
    nb.plain("threading.Timer(0.1, world.gate.set).start()")
    nb.run("a = slow(1)", "s", "c1")
    assert nb.namespace["a"] == 1
    assert nb.world.effects == ["slow 1"]
    open_gate(nb)


def test_a_new_run_takes_over_from_every_cell(
    nb: Notebook, raised: list[object]
) -> None:
    """No call of the run before is made in the new one, and none is folded into it."""
    nb.run("start(lambda: (slow(1), write(2)))\nwhile not world.effects: pass", "s")
    nb.session.new_run()
    nb.run("a = 1", "other")
    open_gate(nb)
    assert [type(e) for e in raised] == [Overtaken]
    assert nb.world.effects == ["slow 1"]
    assert not nb.session.history.calls


def test_an_orderly_end_completes_what_made_no_call(
    nb: Notebook, raised: list[object]
) -> None:
    """A server thread doesn't keep a finished notebook unfinished; work does."""
    nb.run("start(world.wait)\na = read(1)", "server", "c1")
    nb.run("start(lambda: slow(1))\nwhile 'slow 1' not in world.effects: pass", "work")
    history = nb.session.history
    nb.session.close()
    server, work = history.steps.values()
    assert server.state is StepState.COMPLETED
    assert work.state is StepState.RUNNING
    open_gate(nb)
    assert [type(e).__name__ for e in raised] == ["StoreUnwritable"]


@in_loop
async def test_closing_puts_back_what_was_watched(nb: Notebook) -> None:
    """Threads, pools and the loop's task factory are Python's own again."""
    loop = asyncio.get_running_loop()
    nb.run("1", "s")
    assert threading.Thread.start is not starting._start
    assert loop.get_task_factory() is not None
    nb.session.close()
    assert threading.Thread.start is starting._start
    assert ThreadPoolExecutor.submit is starting._submit
    assert loop.get_task_factory() is None


TASKS = """


@tool(effect="read")
async def ask(x):
    world(f"ask {x}")
    await asyncio.sleep(0)
    if x == 13: raise ValueError("unlucky")
    return x

async def agent(*xs):
    for x in xs: got.append(await ask(x))

def begin(*xs): asyncio.create_task(agent(*xs))
"""

AGENT = "got = []\nbegin(1, 2)"


@in_loop
async def test_a_step_runs_until_its_tasks_have_ended(nb: Notebook) -> None:
    """Tasks that tasks create belong to the step as well."""
    nb.plain(TASKS)
    assert nb.run(AGENT, "s", "c1") == "s · still running: 1 task"
    await others_end()
    assert step(nb).state is StepState.COMPLETED
    assert len(step(nb).used) == 2
    nested = "async def more():\n    begin(3)\nasyncio.create_task(more())\ngot = []"
    nb.run(nested, "t", "c2")
    await others_end()
    await others_end()
    assert step(nb, "t").state is StepState.COMPLETED
    assert len(step(nb, "t").used) == 1


@in_loop
async def test_a_task_that_raises_loses_no_call(nb: Notebook) -> None:
    """What it did is served when the cell runs again, and the failed call is made."""
    nb.plain(TASKS)
    cell = "got = []\nbegin(1, 13)"
    nb.run(cell, "s", "c1")
    await others_end()
    assert (step(nb).state, step(nb).how) == (StepState.FAILED, "raised")
    assert "stopped by ValueError: unlucky" in nb.told[-1]
    nb.run(cell, "s", "c1")
    await others_end()
    assert nb.world.effects == ["ask 1", "ask 13", "ask 13"]


@in_loop
async def test_an_error_that_another_task_may_catch_fails_nothing(nb: Notebook) -> None:
    """Only what a task on its own ends with ends the step."""
    nb.plain(TASKS)
    careful = (
        "got = []\nasync def careful():\n"
        "    await asyncio.gather(ask(13), ask(1), return_exceptions=True)\n"
        "asyncio.create_task(careful())\nNone"
    )
    nb.run(careful, "s", "c1")
    await others_end()
    assert step(nb).state is StepState.COMPLETED


@in_loop
async def test_a_cancelled_task_is_unfinished_work(nb: Notebook) -> None:
    """The cell runs again; a task that had made no call changes nothing."""
    nb.plain(TASKS)
    for name, cell, how in (
        ("s", "got = []\nbegin(1, 2)", "interrupted"),
        ("t", "asyncio.create_task(asyncio.sleep(60))\nNone", ""),
    ):
        nb.run(cell, name, name)
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await others_end()
        assert step(nb, name).how == how


@in_loop
async def test_a_cell_run_again_takes_over_from_tasks(nb: Notebook) -> None:
    """Both go on in one loop, and no call is made twice."""
    nb.plain(TASKS)
    nb.run(AGENT, "s", "c1")
    await asyncio.sleep(0)
    assert nb.world.effects == ["ask 1"]
    nb.run(AGENT, "s", "c1")
    await others_end()
    assert nb.world.effects == ["ask 1", "ask 2"]
    assert nb.namespace["got"] == [1, 2]
    first, second = nb.session.history.steps.values()
    assert (first.state, second.state) == (StepState.FAILED, StepState.COMPLETED)


def counting(
    made: list[object],
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[None, None, None],
) -> asyncio.Task[None]:
    """Make a task as a library's own task factory does."""
    made.append(coro)
    return asyncio.Task(coro, loop=loop)


@in_loop
async def test_a_task_factory_of_the_user_still_makes_the_tasks(nb: Notebook) -> None:
    """What a library installed on the loop is asked as before."""
    made: list[object] = []
    factory = functools.partial(counting, made)
    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)  # type: ignore[arg-type]
    nb.plain(TASKS)
    nb.run(AGENT, "s", "c1")
    assert len(made) == 1
    await others_end()
    assert step(nb).state is StepState.COMPLETED
    nb.session.close()
    assert loop.get_task_factory() is factory
