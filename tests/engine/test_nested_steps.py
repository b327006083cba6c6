"""`nd.step`: a nested scope of its own, entered again until it completes."""

from __future__ import annotations

import inspect

import pytest

from nbdurable.engine.asking import commands
from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.nested import step
from nbdurable.engine.calls.refusing import CallNotRecorded
from nbdurable.engine.codec import decode, encode
from nbdurable.engine.past.fates import Fate
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.settle import questions
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.telling.explain import why
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.moments import Now
from nbdurable.errors import CallInDoubt, HappenedBeforeRerun, ToolRefused
from nbdurable.timeline.model import run_view
from nbdurable.timeline.text import text
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import TOOLS
from tests.stories import MONDAY_0914_US

PRESENT = Present(Now(MONDAY_0914_US), frozenset())

RESEARCH = """
@step
def research(topic):
    world(f"enter {topic}")
    found = read(topic)
    return [found, write("draw")]
"""


@pytest.fixture
def nb() -> Notebook:
    """A notebook with tools, and a step that calls two of them."""
    notebook = Notebook()
    begun(notebook)
    return notebook


def begun(nb: Notebook, research: str = RESEARCH) -> Notebook:
    """A fresh kernel in which the plain cells have run."""
    nb.restart()
    nb.namespace["step"] = step
    nb.plain(TOOLS)
    nb.plain(research)
    return nb


def test_a_completed_step_is_served_whole(nb: Notebook) -> None:
    """An edited cell does not enter it again; what it held counts as replayed."""
    nb.run("r = research('a')", "s", "c1")
    first = nb.namespace["r"]
    told = begun(nb).run("edited = 1; r = research('a')", "s", "c1")
    assert nb.namespace["r"] == first
    assert nb.world.effects == ["enter a", "read a", "write draw"]
    assert "2 replayed" in told


def test_an_edited_step_goes_on_against_its_children(nb: Notebook) -> None:
    """Its new code runs, and pays only for what is new."""
    nb.run("r = research('a')", "s", "c1")
    begun(nb, RESEARCH.replace("return [", "return [read('b'), "))
    told = nb.run("r = research('a')", "s", "c1")
    assert nb.world.effects == [
        *("enter a", "read a", "write draw"),
        *("enter a", "read b"),
    ]
    assert "1 new, 2 replayed" in told


def test_what_a_step_reads_counts_as_its_code(nb: Notebook) -> None:
    """A variable of the notebook that it reads has changed: it is entered again."""
    code = "LIMITS = [{}]\n@step\ndef limited(): return [world('enter'), *LIMITS]"
    nb.plain(code.format(1))
    nb.run("r = limited()", "s", "c1")
    begun(nb).plain(code.format(2))
    nb.run("r = limited()", "s", "c1")
    assert nb.namespace["r"] == ["enter#2", 2]


def test_a_step_that_changes_a_variable_of_the_notebook_is_entered_again(
    nb: Notebook,
) -> None:
    """Serving its result alone would leave the change out."""
    code = "seen = []\n@step\ndef note(x):\n    seen.append(read(x))\n    return x"
    nb.plain(code)
    told = nb.run("r = note(1)", "s", "c1")
    assert "not kept: note (it changed variables of the notebook)" in told
    begun(nb).plain(code)
    nb.run("edited = 1; r = note(1)", "s", "c1")
    assert nb.namespace["seen"] == ["read 1#1"]
    assert nb.world.effects == ["read 1"]


def test_a_step_that_reads_what_has_no_digest_is_entered_again(nb: Notebook) -> None:
    """Nobody can tell whether it is the same, and its calls are served anyway."""
    code = "import threading\nlock = threading.Lock()\n@step\ndef locked(x):\n    with lock: return read(x)"
    nb.plain(code)
    nb.run("r = locked(1)", "s", "c1")
    begun(nb).plain(code)
    nb.run("edited = 1; r = locked(1)", "s", "c1")
    assert nb.world.effects == ["read 1"]
    told = str(why(nb.session.history, "s.1", PRESENT))
    assert "lock (_thread.lock) has no digest" in told


def test_equal_calls_in_two_steps_are_told_apart(nb: Notebook) -> None:
    """Two steps that are swapped take their own draws along, edited or not."""
    nb.run("a = research('a'); b = research('b')", "s", "c1")
    first = nb.namespace["a"], nb.namespace["b"]
    assert first[0][1] != first[1][1]  # type: ignore[index]  # lists
    begun(nb, RESEARCH.replace("found = ", "found = None or "))
    nb.run("b = research('b'); a = research('a')", "s", "c1")
    assert (nb.namespace["a"], nb.namespace["b"]) == first
    assert nb.world.effects.count("write draw") == 2


def test_equal_calls_in_steps_of_tasks_are_told_apart(nb: Notebook) -> None:
    """The step counts before the task, whose number may be another one."""
    code = "import asyncio\n@step\nasync def agent(n):\n    await asyncio.sleep(0)\n    return [n, write('draw')]"
    cell = "async def main(): return await asyncio.gather(agent({}), agent({}))\nr = asyncio.run(main())"
    nb.plain(code)
    nb.run(cell.format(1, 2), "s", "c1")
    first = nb.namespace["r"]
    begun(nb).plain(code.replace("[n, ", "['edited', n, "))
    nb.run(cell.format(2, 1), "s", "c1")
    edited = nb.namespace["r"]
    assert [x[1:] for x in reversed(edited)] == first  # type: ignore[call-overload]  # a list
    assert nb.world.effects == ["write draw", "write draw"]


def test_a_step_that_was_cut_off_is_never_in_doubt(nb: Notebook) -> None:
    """The call in it may be; the step itself is entered again, unasked."""
    cut = "@tool\ndef cut(x):\n    world(f'cut {x}')\n    raise KeyboardInterrupt"
    outer = "@step\ndef outer(x): return [read(x), cut(x)]"
    for cell in (cut, outer):
        nb.plain(cell)
    with pytest.raises(KeyboardInterrupt):
        nb.run("r = outer(1)", "s", "c1")
    begun(nb).plain(cut)
    nb.plain(outer)
    with pytest.raises(CallInDoubt, match=r"cut\(1\) may or may not"):
        nb.run("r = outer(1)", "s", "c1")
    assert nb.world.effects == ["read 1", "cut 1"]
    assert [q.reference for q in questions(nb.session.history)] == ["s.1.2"]
    assert "did not end" in str(why(nb.session.history, "s.1", PRESENT))


def test_a_step_raises_again_what_the_cell_caught(nb: Notebook) -> None:
    """An exception that the code went on from is a result of the step."""
    nb.plain("@step\ndef fails(x):\n    read(x)\n    raise ValueError('no')")
    cell = "try: fails(1)\nexcept ValueError as e: r = str(e)\nz = read(2)"
    for edit in range(2):
        nb.run(f"edit = {edit}\n{cell}", "s", "c1")
        assert nb.namespace["r"] == "no"
    assert nb.world.effects == ["read 1", "read 2"]


def test_a_read_in_a_step_runs_again_after_a_new_write(nb: Notebook) -> None:
    """The world has changed before it: the step is entered, its write is served."""
    nb.run("r = research('a')", "s", "c1")
    nb.run("write('new'); r = research('a')", "s", "c1")
    assert nb.world.effects.count("read a") == 2
    assert nb.world.effects.count("write draw") == 1


def test_a_call_of_a_step_may_move_out_of_it(nb: Notebook) -> None:
    """Who takes a step apart pays nothing."""
    nb.run("r = research('a')", "s", "c1")
    nb.run("r = [read('a'), write('draw')]", "s", "c1")
    assert nb.world.effects == ["enter a", "read a", "write draw"]


def test_calls_may_move_into_a_step(nb: Notebook) -> None:
    """Extracting an `nd.step` pays nothing, and then it is served whole."""
    nb.run("r = [read('a'), write('draw')]", "s", "c1")
    nb.run("r = research('a')", "s", "c1")
    assert nb.world.effects == ["read a", "write draw", "enter a"]
    begun(nb).run("edited = 1; r = research('a')", "s", "c1")
    assert nb.world.effects == ["read a", "write draw", "enter a"]


def test_steps_are_no_calls_in_what_is_counted(nb: Notebook) -> None:
    """Line, `why` and run view count the calls that steps hold, at any depth."""
    nb.plain("@step\ndef both(): return [research('a'), research('b')]")
    assert "5 calls ran" in nb.run("r = both(); z = read('z')", "s", "c1")
    ledger = Ledger(nb.session.history)
    assert ledger.whole().ran == 5
    nb.run("e = 1; r = both(); z = read('z')", "s", "c1")
    (_, latest) = nb.session.history.steps.values()
    tally = Ledger(nb.session.history).attempt(latest)
    assert (tally.served, tally.ran) == (5, 0)
    view = run_view(nb.session.history, PRESENT.now)
    assert "((▮▮)(▮▮))▮ (↺×4)↺" in text(view)


def test_a_step_is_a_group_in_the_run_view(nb: Notebook) -> None:
    """Its calls follow it, one deeper, and are called by its number."""
    nb.run("r = research('a')", "s", "c1")
    (cell,) = run_view(nb.session.history, PRESENT.now).cells
    shown = [(c.reference, c.depth, c.effect, c.fate) for c in cell.latest.calls]
    assert shown == [
        ("s.1", 0, "step", Fate.RAN),
        ("s.1.1", 1, "read", Fate.RAN),
        ("s.1.2", 1, "write", Fate.RAN),
    ]
    assert "read('a')" in str(why(nb.session.history, "s.1.1", PRESENT))


def test_a_step_in_a_tool_belongs_to_the_tool(nb: Notebook) -> None:
    """The tool is one call, whatever steps are in it."""
    nb.plain("@tool(effect='read')\ndef outer(x): return research(x)")
    assert "1 call ran" in nb.run("r = outer('a')", "s", "c1")
    assert Ledger(nb.session.history).whole().ran == 1


def test_code_that_makes_a_generator_again_goes_through_steps(nb: Notebook) -> None:
    """A step that was not kept is run through; each of its calls is served."""
    code = "seen = []\n@step\ndef note(x):\n    seen.append(read(x))\n    return x"
    nb.plain(code)
    nb.run("note(1); r = research('a'); g = (x for x in r)", "s", "c1")
    begun(nb).plain(code)
    nb.run("note(1); r = research('a'); g = (x for x in r)", "s", "c1")
    assert [*nb.namespace["g"]] == nb.namespace["r"]  # type: ignore[misc]  # a generator
    assert [e for e in nb.world.effects if not e.startswith("enter")] == [
        *("read 1", "read a", "write draw"),
    ]


def test_frozen_mode_runs_through_a_step(nb: Notebook) -> None:
    """Entering one is no new call; a call in it that is not recorded is refused."""
    nb.run("r = research('a')", "s", "c1")
    try:
        frozen.switch(True)
        nb.run("edited = 1; r = research('a')", "s", "c1")
        nb.plain("step(lambda: 1)()")
        with pytest.raises(CallNotRecorded, match=r"read\('b'\)"):
            nb.run("r = research('b')", "s", "c1")
    finally:
        frozen.switch(False)
    assert nb.world.effects[3:] == ["enter a", "enter b"]


def test_rerun_enters_a_step_again(nb: Notebook) -> None:
    """No recorded result is served after `rerun`, not that of a step."""
    nb.run("r = research('a')", "s", "c1")
    (found,) = nb.session.history.steps.values()
    commands.rerun(nb.session, found)
    with pytest.raises(HappenedBeforeRerun):
        nb.run("r = research('a')", "s", "c1")
    assert nb.world.effects == ["enter a", "read a", "write draw", "enter a", "read a"]


def test_a_step_outside_a_cell_is_the_plain_function(nb: Notebook) -> None:
    """Nothing is journaled there, and its signature is that of the function."""
    nb.plain("r = research('a'); r = research('a')")
    assert nb.world.effects.count("enter a") == 2
    research = nb.namespace["research"]
    assert str(inspect.signature(research)) == "(topic)"  # type: ignore[arg-type]  # a function


def test_a_step_is_brought_back_as_a_step(nb: Notebook) -> None:
    """A variable that holds one is one in the next kernel."""
    nb.run("@step(name='named')\ndef made(x): return read(x)", "s", "c1")
    stored = encode(nb.namespace["made"], secrets=Secrets({}))
    back = decode(stored.codec, stored.data, secrets=Secrets({}))
    assert back.__nbdurable_tool__ == {"name": "named", "nd.step": True}  # type: ignore[attr-defined]  # a step


@pytest.mark.parametrize(
    "decorated",
    [
        "step(effect='read')(len)",
        "step(effect='read')(research)",
        "step(3)",
        "@step\ndef many():\n    yield 1",
        "@step\nasync def many():\n    yield 1",
        "step(ignore='nothing')(research)",
    ],
)
def test_what_makes_no_step_is_refused(nb: Notebook, decorated: str) -> None:
    """Only functions do, and they take few options."""
    with pytest.raises(ToolRefused):
        nb.plain(decorated)


class Agent:
    """Counts its turns."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    @step
    def turn(self, x: int) -> int:
        """One more."""
        self.seen.append(x)
        return len(self.seen)


def test_a_method_may_be_a_step(nb: Notebook) -> None:
    """What it changed of its object is changed again when it is served."""
    for edit in range(2):
        nb.namespace["Agent"] = Agent
        nb.run(f"edit = {edit}\na = Agent(); r = [a.turn(1), a.turn(1)]", "s", "c1")
        assert nb.namespace["a"].seen == [1, 1]  # type: ignore[attr-defined]  # an Agent
        assert nb.namespace["r"] == [1, 2]
    assert [c.attempts for c in nb.session.history.calls.values()] == [1, 1]
