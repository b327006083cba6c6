"""A question about an edited tool says what of it is another one by now."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.forking import fork
from nbdurable.engine.calls.pauses import OtherInDoubt
from nbdurable.engine.past.forks import HappenedInParent
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import AlreadyHappened, CallPause
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_edits_signatures import in_doubt, opened
from tests.engine.test_forks_edits import paid, tool_of

TOOL = "OTHER = 3\nRUNID = {run!r}\n@tool\ndef pay(x{more}):\n    return world(f'pay {{x}} {{RUNID}}')"
BY_DEFAULT = (
    "RUNID = {run!r}\n@tool\ndef pay(x, run=RUNID): return world(f'pay {{x}} {{run}}')"
)


def tool(run: str = "r1", more: str = "", text: str = TOOL) -> str:
    """A tool that reads a constant."""
    return text.format(run=run, more=more)


def asked(
    before: str, after: str, kind: type[CallPause] = AlreadyHappened
) -> CallPause:
    """What is asked about a payment whose tool was this, and is that."""
    nb = opened(before)
    nb.run("r = pay(1)", "s", "c1")
    opened(after, nb=nb)
    with pytest.raises(kind) as told:
        nb.run("r = pay(1)", "s", "c1")
    return told.value


def test_a_constant_is_named_with_what_it_was() -> None:
    """It is the only thing that was edited, and others of the notebook don't count."""
    told = asked(tool(), tool("r2").replace("OTHER = 3", "OTHER = 4"))
    assert told.fact() == "pay(1) already happened with another RUNID."
    assert told.detail().startswith("RUNID was 'r1', is 'r2'.\nIt was not repeated.")


def test_data_that_it_reads_is_told_as_well() -> None:
    """As far as it is small and plain."""
    data = tool().replace("'r1'", "{'ann': 1, 'bob': 2}")
    told = asked(data, data.replace("2}", "5}"))
    assert told.fact() == "pay(1) already happened with another RUNID."
    assert told.detail().startswith("RUNID.bob was 2, is 5.\n")


def test_code_that_was_edited_too_is_told_first() -> None:
    """Both are named."""
    told = asked(tool(), tool("r2").replace("f'pay", "f'PAY"))
    assert told.fact() == (
        "pay(1) already happened with an earlier version of pay and another RUNID."
    )


def test_code_alone_is_told_as_ever() -> None:
    """The constants are as they were."""
    told = asked(tool(), tool().replace("f'pay", "f'PAY"))
    assert told.fact() == "pay(1) already happened with an earlier version of pay."
    assert told.detail().startswith("It was not repeated.")


def test_a_default_is_named_with_what_it_was() -> None:
    """Nobody gave the argument: both calls read the same."""
    told = asked(tool(text=BY_DEFAULT), tool("r2", text=BY_DEFAULT))
    assert told.fact() == "pay(1) already happened with an earlier version of pay."
    assert told.detail().startswith("run was 'r1' by default, is 'r2'.\n")


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("", ", note='-'", "note is a parameter that it did not have."),
        (", note='-'", "", "note is no parameter any more."),
    ],
)
def test_a_parameter_is_named(before: str, after: str, line: str) -> None:
    """With a default it shows in neither call."""
    told = asked(tool(more=before), tool(more=after))
    assert told.detail().startswith(f"{line}\n")


def test_a_parameter_is_named_beside_a_doubt() -> None:
    """Nobody knows whether that one happened; it reads as this one does."""
    nb = in_doubt()
    opened("@tool\ndef pay(x, key='', note=''): return world('pay')", nb=nb)
    with pytest.raises(OtherInDoubt) as told:
        nb.run("r = pay(1)", "s", "c1")
    assert "note is a parameter that it did not have." in told.value.detail()


# ---- in a fork -----------------------------------------------------------------------


@pytest.mark.parametrize("more", ["", ", note=''"])
def test_one_answer_is_enough_for_an_edited_tool_of_a_fork(more: str) -> None:
    """The question says that the tool was edited: «keep» is said of that, too."""
    nb = paid()
    fork(nb.session, "t0")
    nb.plain(tool_of("pay", f"who{more}").replace('f"pay', 'f"paid'))
    with pytest.raises(HappenedInParent) as told:
        nb.run("r = pay('ann')", "bills")
    assert told.value.fact() == (
        "pay('ann') already happened in run 1, with an earlier version of pay."
    )
    settle(nb, told.value.reference, Answer.KEEP)
    for _ in range(2):
        nb.run("r = pay('ann')", "bills")
        assert nb.namespace["r"] == "pay ann#1"
    assert len(nb.world.effects) == 2


def test_an_edit_behind_the_answer_asks() -> None:
    """It was said of the tool as it was then."""
    nb: Notebook = paid()
    fork(nb.session, "t0")
    with pytest.raises(HappenedInParent) as told:
        nb.run("r = pay('ann')", "bills")
    assert "version" not in told.value.fact()
    settle(nb, told.value.reference, Answer.KEEP)
    nb.run("r = pay('ann')", "bills")
    nb.plain(tool_of().replace('f"pay', 'f"paid'))
    with pytest.raises(AlreadyHappened):
        nb.run("r = pay('ann')", "bills")
