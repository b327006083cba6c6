"""Calls of tools in durable cells: what is served, what runs, what asks."""

from __future__ import annotations

import asyncio

import pytest

from nbdurable.engine.asking import commands, which
from nbdurable.engine.calls.requests import (
    ARGUMENTS_BYTES_MAX,
    ARGUMENTS_FIELD_BYTES_MAX,
)
from nbdurable.engine.past.nothing import NothingToSettle
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.engine.past.tally import Ledger
from nbdurable.errors import (
    AlreadyHappened,
    CallInDoubt,
    CallRefused,
    HappenedBeforeRerun,
    HappenedElsewhere,
    NotDone,
    ReferenceUnknown,
    ResultGone,
    ToolRefused,
    TwinHappened,
)
from tests.engine.notebooks import Notebook

TOOLS = """
@tool(effect="read")
def read(x): return world(f"read {x}")

@tool
def write(x): return world(f"write {x}")

@tool(effect="pure")
def pure(x): return world(f"pure {x}")
"""

BROKEN = """
@tool{options}
def pay(x):
    world(f"pay {{x}}")
    raise {error}
"""

MENDED = """
@tool{options}
def pay(x):
    return world(f"pay {{x}}")
"""


@pytest.fixture
def nb() -> Notebook:
    """A notebook with a tool of each effect."""
    notebook = Notebook()
    notebook.plain(TOOLS)
    return notebook


def restarted(nb: Notebook, *cells: str) -> Notebook:
    """The notebook in a fresh kernel, plain cells run again."""
    nb.restart()
    for cell in cells or (TOOLS,):
        nb.plain(cell)
    return nb


def settle(nb: Notebook, reference: str, said: Answer, value: object = None) -> None:
    """Answer a question as the user would."""
    session = nb.session
    run = commands.OpenRun(
        store=nb.store,
        history=session.history,
        clock=session.clock,
        secrets=session.secrets,
        executing=frozenset(session.executing),
    )
    asked = which.question(session.history, reference)
    _, records = commands.resolve(run, asked, said, value)
    session.append(records, sync=True)


def rerun(nb: Notebook) -> None:
    """Ask for a rerun of the only step."""
    (step,) = nb.session.history.steps.values()
    commands.rerun(nb.session, step)


def test_a_completed_step_replays_after_a_restart(nb: Notebook) -> None:
    """An unchanged cell in a fresh kernel gives its variables and runs nothing."""
    nb.run("a = read(1); b = write(2); c = pure(3)", "s", "c1")
    before = list(nb.world.effects)
    restarted(nb)
    line = nb.run("a = read(1); b = write(2); c = pure(3)", "s", "c1")
    assert nb.world.effects == before == ["read 1", "write 2", "pure 3"]
    assert nb.namespace["b"] == "write 2#1"
    assert "nothing ran" in line


def test_an_edited_cell_is_served_its_unchanged_calls(nb: Notebook) -> None:
    """Calls match by content: an edit pays only for the call that is new."""
    nb.run("a = read(1); b = write(2)", "s", "c1")
    restarted(nb)
    line = nb.run("a = read(1); b = write(2); c = write(3)", "s", "c1")
    assert nb.world.effects == ["read 1", "write 2", "write 3"]
    assert nb.namespace["b"] == "write 2#1"
    assert "1 new, 2 replayed" in line


def test_a_cell_that_failed_pays_nothing_twice(nb: Notebook) -> None:
    """After a typo at the end, the calls before it are served."""
    with pytest.raises(NameError):
        nb.run("a = [write(i) for i in range(6)]\nnope", "s", "c1")
    nb.run("a = [write(i) for i in range(6)]\nyes = 1", "s", "c1")
    assert nb.world.effects == [f"write {i}" for i in range(6)]


def test_swapped_calls_keep_their_own_results(nb: Notebook) -> None:
    """Two calls swapped by an edit each get what they asked for."""
    nb.run("a = write(1); b = write(2)", "s", "c1")
    restarted(nb)
    nb.run("b = write(2); a = write(1)", "s", "c1")
    assert (nb.namespace["a"], nb.namespace["b"]) == ("write 1#1", "write 2#1")
    assert len(nb.world.effects) == 2


def test_equal_calls_are_told_apart_by_order(nb: Notebook) -> None:
    """Three equal calls are three calls; a fourth runs, the three are served."""
    nb.run("a = [write(1) for _ in range(3)]", "s", "c1")
    restarted(nb)
    nb.run("a = [write(1) for _ in range(4)]", "s", "c1")
    assert nb.namespace["a"] == [f"write 1#{n}" for n in (1, 2, 3, 4)]
    assert len(nb.world.effects) == 4


def test_arguments_are_bound_to_the_signature(nb: Notebook) -> None:
    """Positional and keyword arguments make one call."""
    nb.run("a = write(1)", "s", "c1")
    nb.run("a = write(x=1) ", "s", "c1")
    assert nb.world.effects == ["write 1"]


def test_a_copy_of_a_finished_cell_pays(nb: Notebook) -> None:
    """A call belongs to its cell while that cell is known to exist."""
    nb.run("a = write(1)", "", "c1")
    nb.run("a = write(1)", "", "c2")
    assert nb.world.effects == ["write 1", "write 1"]


def test_a_call_of_an_edited_cell_is_free(nb: Notebook) -> None:
    """A cell that is split pays nothing: the moved call is adopted."""
    nb.run("a = write(1); b = write(2)", "", "c1")
    nb.run("a = write(1)", "", "c1")
    nb.run("b = write(2)", "", "c2")
    assert nb.world.effects == ["write 1", "write 2"]
    nb.run("b = write(2)\nc = 1", "", "c2")
    assert nb.world.effects == ["write 1", "write 2"]


def test_a_write_of_a_cell_nobody_knows_asks(nb: Notebook) -> None:
    """After a restart a moved write asks, a moved read is served."""
    nb.run("a = read(1); b = write(2)", "", "c1")
    restarted(nb)
    with pytest.raises(HappenedElsewhere, match="already happened in the cell"):
        nb.run("x = 1; a = read(1); b = write(2)", "two", "c2")
    assert nb.world.effects == ["read 1", "write 2"]


@pytest.mark.parametrize(
    ("said", "effects"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)], ids=["keep", "again"]
)
def test_the_answer_about_a_moved_write_holds(
    nb: Notebook, said: Answer, effects: int
) -> None:
    """«The same call» is served, «a second call» runs."""
    nb.run("b = write(2)", "", "c1")
    restarted(nb)
    with pytest.raises(HappenedElsewhere):
        nb.run("x = 1; b = write(2)", "two", "c2")
    settle(nb, "two.1", said)
    nb.run("x = 1; b = write(2)", "two", "c2")
    assert len(nb.world.effects) == effects


def test_an_interrupted_write_is_in_doubt(nb: Notebook) -> None:
    """A write that was interrupted is not repeated without being asked about."""
    options, error = "", "KeyboardInterrupt"
    nb.plain(BROKEN.format(options=options, error=error))
    with pytest.raises(KeyboardInterrupt):
        nb.run("a = pay(1)", "s", "c1")
    restarted(nb, MENDED.format(options=options))
    with pytest.raises(CallInDoubt, match="may or may not have happened") as stop:
        nb.run("a = pay(1)", "s", "c1")
    assert f"%durable resolve {stop.value.reference} --did-not" in str(stop.value)
    assert nb.world.effects == ["pay 1"]


def test_an_interrupted_read_runs_again(nb: Notebook) -> None:
    """A read in doubt is asked again."""
    options = '(effect="read")'
    nb.plain(BROKEN.format(options=options, error="KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        nb.run("a = pay(1)", "s", "c1")
    restarted(nb, MENDED.format(options=options))
    nb.run("a = pay(1)", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 1"]


@pytest.mark.parametrize(
    ("said", "value", "effects", "result"),
    [
        (Answer.HAPPENED, "in_1", 1, "in_1"),
        (Answer.DID_NOT, None, 2, "pay 1#2"),
        (Answer.AGAIN, None, 2, "pay 1#2"),
    ],
)
def test_a_doubt_is_settled_by_a_person(
    nb: Notebook, said: Answer, value: object, effects: int, result: str
) -> None:
    """`resolve` gives the value, or lets the call run."""
    nb.plain(BROKEN.format(options="", error="KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        nb.run("a = pay(1)", "s", "c1")
    restarted(nb, MENDED.format(options=""))
    with pytest.raises(CallInDoubt):
        nb.run("a = pay(1)", "s", "c1")
    settle(nb, "s.1", said, value)
    nb.run("a = pay(1)", "s", "c1")
    assert len(nb.world.effects) == effects
    assert nb.namespace["a"] == result


@pytest.mark.parametrize(
    ("options", "raises", "effects"),
    [
        ('(on_doubt="retry")', None, 2),
        ('(on_doubt="fail")', CallRefused, 1),
        ("(on_doubt=lambda x: 'found')", None, 1),
    ],
)
def test_on_doubt_settles_a_doubt(
    nb: Notebook, options: str, raises: type[BaseException] | None, effects: int
) -> None:
    """The tool's author settles doubts in advance."""
    nb.plain(BROKEN.format(options=options, error="KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        nb.run("a = pay(1)", "s", "c1")
    restarted(nb, MENDED.format(options=options))
    if raises is None:
        nb.run("a = pay(1)", "s", "c1")
    else:
        with pytest.raises(raises):
            nb.run("a = pay(1)", "s", "c1")
    assert len(nb.world.effects) == effects


def test_on_doubt_may_find_out_that_nothing_happened(nb: Notebook) -> None:
    """An `on_doubt` function that raises NotDone lets the call run."""
    nb.namespace["NotDone"] = NotDone
    find_out = "def find_out(x): raise NotDone\n"
    options = "(on_doubt=find_out)"
    nb.plain(find_out + BROKEN.format(options=options, error="KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        nb.run("a = pay(1)", "s", "c1")
    nb.restart()
    nb.namespace["NotDone"] = NotDone
    nb.plain(find_out + MENDED.format(options=options))
    nb.run("a = pay(1)", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 1"]


def test_a_write_whose_error_ended_the_cell_is_in_doubt(nb: Notebook) -> None:
    """An error doesn't say that nothing happened."""
    nb.plain(BROKEN.format(options="", error="ValueError('no')"))
    with pytest.raises(ValueError, match="no"):
        nb.run("a = pay(1)", "s", "c1")
    with pytest.raises(CallInDoubt, match="It raised ValueError") as caught:
        nb.run("a = pay(1)\nb = 1", "s", "c1")
    commands = [remedy.command for remedy in caught.value.remedies()]
    assert "@nd.tool(not_done=ValueError)" in commands


def test_a_wrapped_error_is_in_doubt_too(nb: Notebook) -> None:
    """An exception that a framework wraps is found by cause and context."""
    nb.plain(BROKEN.format(options="", error="ValueError('no')"))
    cell = "try: pay(1)\nexcept ValueError as e: raise RuntimeError('wrapped') from e"
    with pytest.raises(RuntimeError):
        nb.run(cell, "s", "c1")
    with pytest.raises(CallInDoubt):
        nb.run(cell, "s", "c1")


def test_not_done_types_run_again(nb: Notebook) -> None:
    """An exception type in `not_done` says that nothing happened."""
    options = "(not_done=ConnectionError)"
    nb.plain(BROKEN.format(options=options, error="ConnectionError()"))
    with pytest.raises(ConnectionError):
        nb.run("a = pay(1)", "s", "c1")
    nb.plain(MENDED.format(options=options))
    nb.run("a = pay(1)", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 1"]


def test_an_exception_that_the_agent_saw_is_replayed(nb: Notebook) -> None:
    """Where the attempt went on after an exception, it is raised again."""
    nb.plain(BROKEN.format(options="", error="ValueError('declined')"))
    cell = "try: pay(1)\nexcept ValueError as e: seen = str(e)\nlater = 1"
    nb.run(cell, "s", "c1")
    nb.run(cell + "\nmore = 2", "s", "c1")
    assert nb.world.effects == ["pay 1"]
    assert nb.namespace["seen"] == "declined"


def test_an_edited_tool_asks_before_it_writes_again(nb: Notebook) -> None:
    """A write that completed with earlier code asks; keep holds for later versions."""
    nb.run("a = write(1)\nb = write(2)", "s", "c1")
    edited = TOOLS.replace('f"write {x}"', 'f"write  {x}"')
    restarted(nb, edited)
    with pytest.raises(AlreadyHappened):
        nb.run("a = write(1)\nb = write(2)", "s", "c1")
    settle(nb, "s.1", Answer.KEEP)
    nb.run("a = write(1)\nb = write(2)", "s", "c1")
    assert nb.world.effects == ["write 1", "write 2"]
    restarted(nb, edited.replace("write  {x}", "write   {x}"))
    nb.run("a = write(1)\nb = write(2)", "s", "c1")
    assert nb.world.effects == ["write 1", "write 2"]


def test_an_edited_read_runs_again(nb: Notebook) -> None:
    """A read whose code was edited gives a fresh answer."""
    nb.run("a = read(1)", "s", "c1")
    restarted(nb, TOOLS.replace('f"read {x}"', 'f"read  {x}"'))
    nb.run("a = read(1)", "s", "c1")
    assert nb.world.effects == ["read 1", "read  1"]


def test_a_read_after_a_new_write_runs_again(nb: Notebook) -> None:
    """The world has changed: what was read before it is asked again."""
    nb.run("write(1); a = read(1)", "s", "c1")
    nb.run("write(2); a = read(1)", "s", "c1")
    assert nb.world.effects == ["write 1", "read 1", "write 2", "read 1"]


def test_a_result_that_cannot_be_stored_asks(nb: Notebook) -> None:
    """A write whose result is gone asks for the value; the live result is handed on."""
    nb.plain("@tool\ndef stream(x):\n    world('s')\n    return (i for i in range(x))")
    with pytest.raises(ZeroDivisionError):
        nb.run("n = sum(stream(4)); 1 / 0", "s", "c1")
    told = "\n".join(nb.told)
    assert (
        "not kept: stream (a generator that a call returned is tied to this process)"
        in told
    )
    with pytest.raises(ResultGone) as gone:
        nb.run("n = sum(stream(4))", "s", "c1")
    assert "a generator that a call returned is tied to this process." in str(
        gone.value
    )
    settle(nb, "s.1", Answer.HAPPENED, [1, 2])
    nb.run("n = sum(stream(4))", "s", "c1")
    assert (nb.namespace["n"], nb.world.effects) == (3, ["s"])


def test_an_argument_without_a_digest_asks_about_its_twin(nb: Notebook) -> None:
    """A write that may be a recorded one asks and offers `ignore=`."""
    nb.plain("@tool\ndef send(x, log):\n    return world(f'send {x}')")
    cell = "a = send(1, (i for i in ()))"
    nb.run(cell, "s", "c1")
    with pytest.raises(TwinHappened, match='ignore=\\("log",\\)') as asked:
        nb.run(cell + "\nb = 1", "s", "c1")
    assert "log (generator) has no digest, and" in str(asked.value)
    assert nb.world.effects == ["send 1"]


@pytest.mark.parametrize("size", [5, ARGUMENTS_FIELD_BYTES_MAX + 1])
def test_arguments_are_kept_beside_the_call(nb: Notebook, size: int) -> None:
    """Small arguments are a field of the record, larger ones a blob; both are told."""
    nb.run(f"read('a' * {size})", "first")
    (call,) = nb.session.history.calls.values()
    assert isinstance(call.arguments, str) is (size == 5)
    assert commands.present(nb.session).arguments(call) == {"x": "a" * size}


def test_arguments_that_are_too_large_are_not_kept(nb: Notebook) -> None:
    """A long conversation is not stored once more with each call."""
    nb.run(f"read('a' * {ARGUMENTS_BYTES_MAX})", "first")
    (call,) = nb.session.history.calls.values()
    assert call.arguments is None
    assert commands.present(nb.session).arguments(call) is None


def test_ignored_arguments_do_not_count(nb: Notebook) -> None:
    """`ignore=` leaves a parameter out of the key."""
    nb.plain("@tool(ignore='log')\ndef send(x, log):\n    return world(f'send {x}')")
    nb.run("a = send(1, (i for i in ()))", "s", "c1")
    nb.run("a = send(1, (i for i in ()))\nb = 1", "s", "c1")
    assert nb.world.effects == ["send 1"]


def test_pure_calls_are_served_from_any_run(nb: Notebook) -> None:
    """A pure call is not computed again in another run of the store."""
    nb.run("a = pure(1); b = read(2)", "s", "c1")
    commands.new(nb.session)
    restarted(nb)
    nb.run("a = pure(1); b = read(2)", "s", "c1")
    assert nb.world.effects == ["pure 1", "read 2", "read 2"]


def test_rerun_serves_nothing_and_asks_about_writes_once(nb: Notebook) -> None:
    """After `rerun` reads run again; writes that happened are one question."""
    cell = "a = read(1); b = write(2); c = write(3)"
    nb.run(cell, "s", "c1")
    rerun(nb)
    with pytest.raises(HappenedBeforeRerun, match="and 1 more"):
        nb.run(cell, "s", "c1")
    settle(nb, "s.2", Answer.KEEP)
    nb.run(cell, "s", "c1")
    assert nb.world.effects == ["read 1", "write 2", "write 3", "read 1"]


@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_a_fresh_cell_goes_on_with_the_answer(
    nb: Notebook, said: Answer, payments: int
) -> None:
    """What was said of its writes holds until it has completed, and then it asks anew."""
    cell = "a = write(1)"
    nb.run(cell, "s", "c1", fresh=True)
    with pytest.raises(HappenedBeforeRerun):
        nb.run(cell, "s", "c1", fresh=True)
    settle(nb, "s.1", said)
    nb.run(cell, "s", "c1", fresh=True)
    assert nb.world.effects == ["write 1"] * payments
    with pytest.raises(HappenedBeforeRerun):
        nb.run(cell, "s", "c1", fresh=True)


def test_a_rerun_of_one_call_makes_that_one_afresh(nb: Notebook) -> None:
    """The cell runs again, one read is asked anew, and all else is served."""
    cell = "a = read(1); b = write(2); c = read(3)"
    nb.run(cell, "s", "c1")
    found = which.to_rerun(nb.session.history, "s.1")
    assert isinstance(found, CallPast)
    told = commands.rerun_call(nb.session, "s.1", found)
    assert str(told) == "s.1 · read(1) is made afresh when its cell runs again"
    restarted(nb)
    line = nb.run(cell, "s", "c1")
    assert "ran again because you asked for a rerun · 1 new, 2 replayed" in line
    assert nb.world.effects == ["read 1", "write 2", "read 3", "read 1"]
    assert "nothing ran" in nb.run(cell, "s", "c1")


@pytest.mark.parametrize(("said", "writes"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_a_rerun_of_one_write_asks(nb: Notebook, said: Answer, writes: int) -> None:
    """It happened, so it is not repeated unasked; other writes are not asked about."""
    cell = "a = write(1); b = write(2)"
    nb.run(cell, "s", "c1")
    found = which.to_rerun(nb.session.history, "s.2")
    assert isinstance(found, CallPast)
    told = commands.rerun_call(nb.session, "s.2", found)
    assert "it already happened: you are asked first" in str(told)
    with pytest.raises(HappenedBeforeRerun, match=r"write\(2\) already happened"):
        nb.run(cell, "s", "c1")
    settle(nb, "s.2", said)
    nb.run(cell, "s", "c1")
    assert nb.world.effects.count("write 2") == writes
    assert nb.world.effects.count("write 1") == 1


def test_a_rerun_of_a_call_is_one_of_what_it_made_inside(nb: Notebook) -> None:
    """What is made afresh is made afresh within."""
    nb.plain("@tool(effect='read')\ndef outer(x): return [read(x), read(x + 1)]")
    nb.run("a = outer(1)", "s", "c1")
    found = which.to_rerun(nb.session.history, "s.1")
    assert isinstance(found, CallPast)
    commands.rerun_call(nb.session, "s.1", found)
    nb.run("a = outer(1)", "s", "c1")
    assert nb.world.effects == ["read 1", "read 2"] * 2


def test_a_call_without_an_outcome_has_no_rerun(nb: Notebook) -> None:
    """What is in doubt is settled, and not begun afresh."""
    nb.plain(BROKEN.format(options="", error="KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        nb.run("a = pay(1)", "s", "c1")
    found = which.to_rerun(nb.session.history, "s.1")
    assert isinstance(found, CallPast)
    with pytest.raises(NothingToSettle):
        commands.rerun_call(nb.session, "s.1", found)


@pytest.mark.parametrize("text", ["s.9", "t", "t.1"])
def test_a_rerun_of_nothing_names_what_there_is(nb: Notebook, text: str) -> None:
    """A step or call that the run doesn't have is told as everywhere else."""
    nb.run("a = read(1)", "s", "c1")
    with pytest.raises(ReferenceUnknown, match=r"It has: s"):
        which.to_rerun(nb.session.history, text)
    step = which.to_rerun(nb.session.history, "")
    assert which.to_rerun(nb.session.history, "s") is step


def test_rerun_does_writes_again_if_told_so(nb: Notebook) -> None:
    """The answer «again» holds for all writes of the step."""
    cell = "b = write(2); c = write(3)"
    nb.run(cell, "s", "c1")
    rerun(nb)
    with pytest.raises(HappenedBeforeRerun):
        nb.run(cell, "s", "c1")
    settle(nb, "s.1", Answer.AGAIN)
    nb.run(cell, "s", "c1")
    assert nb.world.effects == ["write 2", "write 3"] * 2


def test_async_calls_are_matched_by_task(nb: Notebook) -> None:
    """Equal calls of two tasks in `gather` keep their own results."""
    nb.plain(
        "import asyncio\n@tool\nasync def awrite(x):\n"
        "    await asyncio.sleep(0)\n    return world(f'awrite {x}')"
    )
    cell = (
        "async def agent(n): return [await awrite(1), await awrite(n)]\n"
        "async def main(): return await asyncio.gather(agent(7), agent(8))\n"
        "r = asyncio.run(main())"
    )
    nb.run(cell, "s", "c1")
    first = nb.namespace["r"]
    nb.run(cell + "\nmore = 1", "s", "c1")
    assert nb.namespace["r"] == first
    assert len(nb.world.effects) == 4
    assert asyncio.iscoroutinefunction(nb.namespace["awrite"])


@pytest.mark.slow
def test_a_call_that_is_being_executed_is_not_settled(nb: Notebook) -> None:
    """Who says that it didn't happen while it does would have it done twice."""
    refused = []

    def say() -> None:
        with pytest.raises(NothingToSettle, match="is being executed now") as told:
            settle(nb, "s.1", Answer.DID_NOT)
        refused.append(told.value)

    nb.namespace["say"] = say
    nb.plain("@tool\ndef pay(x):\n    say()\n    return world(f'pay {x}')")
    nb.run("a = pay(1)", "s", "c1")
    nb.run("a = pay(1)  # again", "s", "c1")
    assert len(refused) == 1
    assert nb.world.effects == ["pay 1"]


def test_calls_in_a_thread_pool_find_their_step(nb: Notebook) -> None:
    """Calls of pool threads are journaled in the only active step."""
    cell = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool: r = list(pool.map(write, range(8)))"
    )
    nb.run(cell, "s", "c1")
    restarted(nb)
    nb.run(cell + "\nmore = 1", "s", "c1")
    assert len(nb.world.effects) == 8
    assert nb.namespace["r"] == [f"write {i}#1" for i in range(8)]


def test_a_completed_outer_call_replays_without_its_inner_ones(nb: Notebook) -> None:
    """Nested calls are a tree; the outer result stands for all of it."""
    nb.plain("@tool(effect='read')\ndef outer(x): return [read(x), read(x + 1)]")
    nb.run("a = outer(1)", "s", "c1")
    nb.run("a = outer(1)\nb = 1", "s", "c1")
    assert nb.world.effects == ["read 1", "read 2"]


def test_outside_a_durable_cell_a_tool_is_the_plain_function(nb: Notebook) -> None:
    """A plain cell runs the function each time and journals nothing."""
    nb.plain("a = write(1); b = write(1)")
    assert nb.world.effects == ["write 1", "write 1"]
    assert not nb.session.run_id


@pytest.mark.parametrize(
    "source",
    [
        "@tool(effect='writes')\ndef f(): ...",
        "@tool(ignore='nope')\ndef f(x): ...",
        "@tool(efect='read')\ndef f(x): ...",
        "tool(3)",
    ],
)
def test_what_makes_no_tool_is_refused(nb: Notebook, source: str) -> None:
    """A wrong decorator is an error at once, in our form."""
    with pytest.raises(ToolRefused, match="No tool was made"):
        nb.plain(source)


def test_after_a_pause_no_further_write_starts(nb: Notebook) -> None:
    """An agent loop that swallows everything can't pay on after a question."""
    nb.plain(BROKEN.format(options="", error="KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        nb.run("pay(1)", "s", "c1")
    nb.plain(MENDED.format(options=""))
    with pytest.raises(CallInDoubt):
        nb.run("try: pay(1)\nexcept BaseException: pass\nwrite(2)", "s", "c1")
    assert nb.world.effects == ["pay 1"]


NESTED = """
@tool(effect="read")
def draft(x):
    return [read(x), read(x + 1)]

@tool(effect="read")
def deliver(x):
    read(x)
    return hand_over(x)
"""

FAILING = """
@tool(effect="write")
def hand_over(x):
    world(f"hand over {x}")
    raise KeyboardInterrupt
"""

WORKING = """
@tool(effect="write")
def hand_over(x): return world(f"hand over {x}")
"""


def numbers(nb: Notebook) -> dict[str, str]:
    """The number of each call of the latest attempt, by how the call reads."""
    history = nb.session.history
    step = history.named("s")
    assert step is not None
    numbered = Ledger(history).numbered(step)
    return {number: history.calls[i].text for i, number in numbered.items()}


def test_calls_of_the_cell_are_numbered_without_gaps(nb: Notebook) -> None:
    """Calls inside a call have one more number, and don't count as the cell's."""
    nb.plain(NESTED)
    nb.run("a = draft(1); b = write(2); c = draft(5)", "s", "c1")
    assert numbers(nb) == {
        "1": "draft(1)",
        "1.1": "read(1)",
        "1.2": "read(2)",
        "2": "write(2)",
        "3": "draft(5)",
        "3.1": "read(5)",
        "3.2": "read(6)",
    }
    step = nb.session.history.named("s")
    assert step is not None
    assert (step.fields["ran"], step.fields["replayed"]) == (3, 0)
    nb.run("a = draft(1); b = write(2); c = draft(7)", "s", "c1")
    assert [numbers(nb)[n] for n in ("1", "2", "3", "3.2")] == [
        "draft(1)",
        "write(2)",
        "draft(7)",
        "read(8)",
    ]
    step = nb.session.history.named("s")
    assert step is not None
    assert (step.fields["ran"], step.fields["replayed"]) == (1, 2)


def test_a_question_inside_a_call_is_answered_by_its_number(nb: Notebook) -> None:
    """What the error says to type, ``s.2.2@…``, settles the call inside the call."""
    nb.plain(NESTED)
    nb.plain(FAILING)
    cell = "a = read(9); b = deliver(1)"
    with pytest.raises(KeyboardInterrupt):
        nb.run(cell, "s", "c1")
    restarted(nb, TOOLS, NESTED, WORKING)
    with pytest.raises(CallInDoubt) as asked:
        nb.run(cell, "s", "c1")
    assert asked.value.reference.startswith("s.2.2@")
    assert "s, call 2.2, attempt 1" in str(asked.value)
    settle(nb, asked.value.reference, Answer.HAPPENED, "by hand")
    nb.run(cell, "s", "c1")
    assert nb.namespace["b"] == "by hand"
    assert nb.world.effects.count("hand over 1") == 1


def test_a_doubt_that_nobody_asked_about_is_answered_by_its_number(
    nb: Notebook,
) -> None:
    """After a stop the call inside is known by its number, before the cell runs."""
    nb.plain(NESTED)
    nb.plain(FAILING)
    with pytest.raises(KeyboardInterrupt):
        nb.run("a = read(9); b = deliver(1)", "s", "c1")
    (open_one,) = questions(nb.session.history)
    assert open_one.reference == "s.2.2"
    settle(nb, "s.2.2", Answer.DID_NOT)
    assert questions(nb.session.history) == []
