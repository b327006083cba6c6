"""Frozen mode: what is recorded is served, and a new call is refused with its nearest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.engine.asking.commands import status
from nbdurable.engine.asking.freezing import Frozen
from nbdurable.engine.asking.undoing import undo
from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.refusing import CallNotRecorded
from nbdurable.engine.past.decide import FROZEN, TABLE, Past, Verdict, decide
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import OptionUnknown
from tests.engine.notebooks import HIDDEN, Notebook
from tests.engine.test_calls import settle

TOOLS = """
class Flaky(Exception): pass

@tool(effect="read")
def ask(prompt, length=1):
    return world(f"ask {prompt}")

@tool(effect="write")
def send(to):
    return world(f"send {to}")

@tool(effect="pure")
def double(x):
    world("double")
    return 2 * x

@tool(effect="write", not_done=(Flaky,))
def try_it(x):
    world(f"try {x}")
    raise Flaky(x)
"""
CELL = "notes = [ask(p) for p in ('one', 'two')]\nreceipt = send('anna')"


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """However a test ends, the next one begins without frozen mode."""
    yield
    frozen.switch(False)


@pytest.fixture
def nb(tmp_path: Path) -> Notebook:
    """A notebook with a completed step, seen from a fresh kernel in frozen mode."""
    notebook = Notebook(root=tmp_path)
    notebook.plain(TOOLS)
    notebook.run(CELL, "s", "c1")
    thaw(notebook)
    frozen.switch(True)
    return notebook


def thaw(notebook: Notebook) -> None:
    """A fresh kernel that has run its plain cell."""
    notebook.restart()
    notebook.plain(TOOLS)


def refused(notebook: Notebook, cell: str, name: str = "s") -> CallNotRecorded:
    """Run a cell that is refused; nothing happened in the world."""
    before = list(notebook.world.effects)
    with pytest.raises(CallNotRecorded) as caught:
        notebook.run(cell, name, "c1")
    assert notebook.world.effects == before
    return caught.value


# ---- what is decided ---------------------------------------------------------------------


@pytest.mark.parametrize("past", Past)
@pytest.mark.parametrize("effect", Effect)
def test_nothing_new_happens(past: Past, effect: Effect) -> None:
    """Whatever is known of a call, it is served or refused; nobody is asked."""
    verdict = decide(past, Policy(effect=effect), frozen=True)
    served = {Verdict.REPLAY, Verdict.REPLAY_EXCEPTION}
    assert verdict in served | {Verdict.REFUSE}
    assert (verdict in served) == (past in FROZEN or TABLE[past][effect] in served)


# ---- what is served ----------------------------------------------------------------------


def test_a_replayed_step_says_that_it_is_frozen(nb: Notebook) -> None:
    """A step that replays does so, and its line has the word."""
    assert "· frozen ·" in nb.run(CELL, "s", "c1")
    assert nb.namespace["notes"] == ["ask one#1", "ask two#1"]


def test_an_edited_cell_runs_against_the_journal(nb: Notebook) -> None:
    """Its code runs, its calls are served, its line has the word."""
    line = nb.run(f"{CELL}\nmore = len(notes)", "s", "c1")
    assert line.endswith("· frozen")
    assert nb.namespace["more"] == 2
    assert nb.world.effects == ["ask one", "ask two", "send anna"]


def test_an_exception_that_was_seen_is_seen_again(tmp_path: Path) -> None:
    """Also one that says that nothing happened, which runs again otherwise."""
    notebook = Notebook(root=tmp_path)
    notebook.plain(TOOLS)
    cell = "try:\n    try_it(1)\nexcept Exception as e:\n    told = type(e).__name__"
    notebook.run(cell, "s", "c1")
    thaw(notebook)
    frozen.switch(True)
    notebook.run(f"{cell}\nmore = 1", "s", "c1")
    assert notebook.namespace["told"] == "Flaky"
    assert notebook.world.effects == ["try 1"]


def test_a_write_of_the_same_cell_with_other_data_is_served(tmp_path: Path) -> None:
    """It would ask; here serving it repeats nothing, so the first new call is told."""
    notebook = Notebook(root=tmp_path)
    notebook.plain(f"{TOOLS}\nwho = 'one'")
    cell = "receipt = send('anna')\nnote = ask(who)"
    notebook.run(cell, "s", "c1")
    notebook.restart()
    notebook.plain(f"{TOOLS}\nwho = 'two'")
    frozen.switch(True)
    error = refused(notebook, cell)
    assert error.call == "ask('two')"
    assert error.differs == ("prompt was 'one', is 'two'",)


def test_a_cell_that_begins_afresh_is_served(nb: Notebook) -> None:
    """`--fresh` would make every call again, which is what frozen mode is there to stop."""
    nb.run(CELL, "s", "c1", fresh=True)
    assert nb.namespace["notes"] == ["ask one#1", "ask two#1"]


# ---- what is refused ---------------------------------------------------------------------


def test_a_new_call_names_the_nearest_and_what_differs(nb: Notebook) -> None:
    """The recorded call in its place, and the argument with its old and new text."""
    error = refused(nb, CELL.replace("'two'", "'three'"))
    assert error.reference == "s.2"
    assert error.nearest == "s.2"
    assert error.differs == ("prompt was 'two', is 'three'",)
    told = error.told()
    assert "ask('three') is not in the journal" in told
    assert "The nearest recorded call is s.2:\n    prompt was 'two', is 'three'" in told


def test_a_call_that_was_served_is_not_the_nearest(nb: Notebook) -> None:
    """An inserted call is compared with one that nothing was served from yet."""
    error = refused(nb, "a = ask('one'); b = ask('zero')")
    assert error.nearest == "s.2"


def test_one_more_equal_call_is_refused(nb: Notebook) -> None:
    """A record is served once per attempt; the error says that it is one too many."""
    error = refused(nb, f"{CELL}\nsecond = send('anna')")
    assert error.why == "It is one more equal call than was recorded (s.3)"


def test_an_edited_tool_is_told_by_its_line(nb: Notebook) -> None:
    """A `write` of another code would ask and a `read` run; both are refused here."""
    nb.plain(TOOLS.replace('f"ask {prompt}"', 'f"asks {prompt}"'))
    error = refused(nb, CELL)
    assert (
        "s.1 is the same call, and is not served, because the code of ask" in error.why
    )
    assert "asks" in error.why


def test_a_changed_file_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that looked into it would look again."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "prices.txt"
    file.write_text("1")
    tool = '@tool(effect="read")\ndef look(name):\n    return Path(name).read_text()'
    notebook = Notebook(root=tmp_path)
    notebook.namespace["Path"] = Path
    notebook.plain(tool)
    notebook.run("price = look('prices.txt')", "s", "c1")
    file.write_text("22")
    notebook.restart()
    notebook.namespace["Path"] = Path
    notebook.plain(tool)
    frozen.switch(True)
    error = refused(notebook, "price = look('prices.txt')")
    assert error.why == (
        "s.1 is the same call, and is not served, because what it read has changed"
        " (prices.txt)"
    )


def test_a_tool_without_any_record_is_told_as_that(nb: Notebook) -> None:
    """There is no nearest call of a tool that was never called."""
    assert refused(nb, "x = double(1)").why == "No other call of double is recorded"


def test_a_swallowed_refusal_counts(nb: Notebook) -> None:
    """Code that catches everything ends in a failed step, and is remembered."""
    cell = "try:\n    send('bob')\nexcept BaseException:\n    pass"
    line = nb.run(cell, "s", "c1")
    assert "stopped by CallNotRecorded: send('bob') is not in the journal" in line
    assert [r.call for r in frozen.refusals()] == ["send('bob')"]


def test_the_step_goes_on_when_new_calls_may_run(nb: Notebook) -> None:
    """A refused attempt costs nothing: what it was served is served again."""
    cell = CELL.replace("'two'", "'three'")
    refused(nb, cell)
    frozen.switch(False)
    nb.run(cell, "s", "c1")
    assert nb.world.effects == ["ask one", "ask two", "send anna", "ask three"]


def test_outside_of_steps_only_pure_tools_run(nb: Notebook) -> None:
    """Nothing is recorded there, so whatever may reach the world is refused."""
    nb.plain("twice = double(2)")
    for call in ("ask('one')", "send('anna')"):
        with pytest.raises(CallNotRecorded) as caught:
            nb.plain(call)
        assert "outside of durable cells" in caught.value.why
        assert "%%durable NAME" in caught.value.told()
    assert nb.world.effects[3:] == ["double"]


def test_a_question_that_nobody_answered_is_refused(nb: Notebook) -> None:
    """Nobody is asked, and nothing is waited for."""
    error = refused(nb, "import nbdurable as nd\nok = nd.approve('Send it?')")
    assert error.call.startswith("nd.approve('Send it?'")


def test_a_draw_is_served_and_a_new_one_refused(tmp_path: Path) -> None:
    """Time and chance are calls like others."""
    notebook = Notebook(root=tmp_path)
    notebook.run("import nbdurable as nd\nx = nd.random()", "s", "c1")
    first = notebook.namespace["x"]
    notebook.restart()
    frozen.switch(True)
    notebook.run("import nbdurable as nd\nx = nd.random()\nedited = 1", "s", "c1")
    assert notebook.namespace["x"] == first
    with pytest.raises(CallNotRecorded):
        notebook.run("import nbdurable as nd\nx = nd.uuid4()", "s", "c1")


def test_each_item_of_a_map_is_served(tmp_path: Path) -> None:
    """Many calls at once are so many calls; a new item is refused by its value."""
    notebook = Notebook(root=tmp_path)
    notebook.plain(TOOLS)
    cell = "import nbdurable as nd\ngot = nd.map(ask, {})"
    notebook.run(cell.format("['a', 'b', 'c']"), "s", "c1")
    thaw(notebook)
    frozen.switch(True)
    notebook.run(cell.format("['c', 'a']"), "s", "c1")
    assert notebook.namespace["got"] == ["ask c#1", "ask a#1"]
    before = list(notebook.world.effects)
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # of whichever kind
        notebook.run(cell.format("['a', 'd']"), "s", "c1")
    assert "ask('d') is not in the journal" in str(caught.value)
    assert notebook.world.effects == before


# ---- the switch --------------------------------------------------------------------------


def test_a_block_throws_the_switch_back() -> None:
    """As a context manager it is for the block alone, also inside another one."""
    with Frozen("on"):
        with Frozen("off") as inner:
            assert (frozen.is_on(), repr(inner)) == (
                False,
                "not frozen: a new call is made",
            )
        assert frozen.is_on()
    assert not frozen.is_on()


def test_another_word_is_refused() -> None:
    """Only on and off; nothing is switched."""
    with pytest.raises(OptionUnknown):
        Frozen("of")
    assert not frozen.is_on()


def test_the_status_says_so(nb: Notebook) -> None:
    """One line, with the command that ends it."""
    nb.run(CELL, "s", "c1")
    told = str(status(nb.session, nb.facts, on=True))
    assert told.endswith("\nfrozen: a new call is refused: %durable frozen off")


@pytest.mark.parametrize("how", ["undone", "did-not"])
def test_what_does_not_count_as_done_is_refused(tmp_path: Path, how: str) -> None:
    """A run would make it, so nothing that was recorded of it is served."""
    notebook = Notebook(root=tmp_path)
    stops = "" if how == "undone" else "raise KeyboardInterrupt"
    notebook.plain(
        "@tool(undo=lambda r: world('undo'))\n"
        f"def book(who):\n    {stops}\n    return world(f'book {{who}}')"
    )
    with contextlib.suppress(KeyboardInterrupt):
        notebook.run("r = book('ann')", "s", "c1")
    if how == "undone":
        (step,) = notebook.session.history.steps.values()
        undo(notebook.session, step, notebook.namespace, notebook.facts, HIDDEN)
    else:
        settle(notebook, "s.1", Answer.DID_NOT)
    frozen.switch(True)
    error = refused(notebook, "r = book('ann')")
    said = {"undone": "it was undone", "did-not": "you said that it did not happen"}
    assert error.why.endswith(f"not served, because {said[how]}")
