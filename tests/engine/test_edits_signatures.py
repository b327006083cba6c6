"""A tool whose parameters or name are edited after its writes: they are asked about."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.freezing import Frozen
from nbdurable.engine.calls.pauses import (
    HappenedWithOtherData,
    InsteadOrAlso,
    OtherInDoubt,
)
from nbdurable.engine.calls.refusing import CallNotRecorded
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import AlreadyHappened, CallInDoubt, ResultGone, TwinHappened
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

PAY = """
@tool{options}
def {name}({parameters}):
    return world(f"pay {{{first}}}")
"""
CELL = "r = [pay(x) for x in (1, 2, 3)]"


def pays(parameters: str = "x, note='-'", options: str = "", name: str = "pay") -> str:
    """The tool."""
    first = parameters.partition(",")[0]
    return PAY.format(options=options, name=name, parameters=parameters, first=first)


def opened(*cells: str, nb: Notebook | None = None) -> Notebook:
    """A kernel with tools, on the same store if there is one."""
    if nb is None:
        nb = Notebook()
    else:
        nb.restart()
    for cell in cells:
        nb.plain(cell)
    return nb


EDITS = {
    "added": pays("x, note='-', more=None"),
    "removed": pays("x"),
    "renamed": pays("amount, note='-'"),
    "another default": pays("x, note='+'"),
    "any number": pays("x, note='-', *rest, **more"),
    "left out": pays(options="(ignore='note')"),
    "name=": pays(options="(name='send')"),
}


def asked(nb: Notebook, cell: str = CELL) -> str:
    """Run the cell, which asks about a call that already happened; gives what it told."""
    before = list(nb.world.effects)
    with pytest.raises(AlreadyHappened) as told:
        nb.run(cell, "s", "c1")
    assert nb.world.effects == before
    return str(told.value)


@pytest.mark.wide
@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize("edit", EDITS)
def test_kept_results_are_served_after_an_edit(edit: str, kernel: str) -> None:
    """It asks once, and each call has the result that it had, from then on."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    had = nb.namespace["r"]
    if kernel == "next":
        opened(nb=nb)
    nb.plain(EDITS[edit])
    assert "(1) already happened with an earlier version of" in asked(nb)
    settle(nb, "s.1", Answer.KEEP)
    for cell in (CELL, f"{CELL}\nmore = 1", CELL):
        nb.run(cell, "s", "c1")
        assert nb.namespace["r"] == had
        opened(EDITS[edit], nb=nb)
    assert len(nb.world.effects) == 3


@pytest.mark.parametrize("edit", EDITS)
def test_they_are_made_again_if_told_so(edit: str) -> None:
    """One answer holds for all calls of the tool, and each happens once more."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    opened(EDITS[edit], nb=nb)
    asked(nb)
    settle(nb, "s.1", Answer.AGAIN)
    for cell in (CELL, f"{CELL}\nmore = 1"):
        nb.run(cell, "s", "c1")
        assert nb.namespace["r"] == [f"pay {x}#2" for x in (1, 2, 3)]
        opened(EDITS[edit], nb=nb)
    assert len(nb.world.effects) == 6


@pytest.mark.parametrize("edit", EDITS)
def test_a_call_with_other_arguments_is_just_made(edit: str) -> None:
    """It agrees with none of those that were made."""
    nb = opened(pays())
    nb.run("r = pay(1)", "s", "c1")
    opened(EDITS[edit], nb=nb)
    nb.run("r = pay(2)", "s", "c1")
    assert nb.namespace["r"] == "pay 2#1"


def test_what_is_said_again_leaves_new_calls_alone() -> None:
    """A call that was made with the edited tool before the question happened once."""
    nb = opened(pays())
    nb.run("r = pay(1)", "s", "c1")
    opened(EDITS["left out"], nb=nb)
    with pytest.raises(AlreadyHappened):
        nb.run("q = pay(4)\nr = pay(1)", "s", "c1")
    settle(nb, "s.2", Answer.AGAIN)
    nb.run("q = pay(4)\nr = pay(1)", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 4", "pay 1"]


def test_a_renamed_parameter_keeps_its_value() -> None:
    """Calls in another order are each the one with its own argument."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    opened(EDITS["renamed"], nb=nb)
    swapped = "r = [pay(x) for x in (3, 1, 2)]"
    asked(nb, swapped)
    settle(nb, "s.1", Answer.KEEP)
    nb.run(swapped, "s", "c1")
    assert nb.namespace["r"] == ["pay 3#1", "pay 1#1", "pay 2#1"]


def test_arguments_that_are_no_plain_data_are_told_apart() -> None:
    """Each has a mark of its own, whether or not it is kept."""
    order = "class Order:\n    def __init__(self, n): self.n = n"
    nb = opened(order, pays("x, note='-'").replace("{x}", "{x.n}"))
    cell = "r = [pay(Order(n)) for n in (1, 2)]"
    nb.run(cell, "s", "c1")
    opened(order, pays("x").replace("{x}", "{x.n}"), nb=nb)
    swapped = "r = [pay(Order(n)) for n in (2, 1)]"
    asked(nb, swapped)
    settle(nb, "s.1", Answer.KEEP)
    nb.run(swapped, "s", "c1")
    assert nb.namespace["r"] == ["pay 2#1", "pay 1#1"]


def test_the_recorded_call_is_shown_as_it_was() -> None:
    """A person sees which one is meant where it was written differently."""
    nb = opened(pays("x, note='-'"))
    nb.run("r = pay(1, 'hello')", "s", "c1")
    opened(pays("x"), nb=nb)
    told = asked(nb, "r = pay(1)")
    assert "an earlier version of pay, as pay(1, 'hello')." in told


@pytest.mark.parametrize(("said", "times"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_an_edit_after_an_edit(said: Answer, times: int) -> None:
    """What was renamed is a call of the new name: «keep» holds on, «again» asks anew."""
    nb, cell = opened(pays()), CELL.replace("pay", "charge")
    nb.run(CELL, "s", "c1")
    opened(pays(name="charge"), nb=nb)
    asked(nb, cell)
    settle(nb, "s.1", said)
    nb.run(cell, "s", "c1")
    for edit in ("x, note='-', more=0", "amount, note='-'"):
        opened(pays(edit, name="charge"), nb=nb)
        if said is Answer.AGAIN:
            asked(nb, cell)
        else:
            nb.run(cell, "s", "c1")
            assert nb.namespace["r"] == [f"pay {x}#1" for x in (1, 2, 3)]
    assert len(nb.world.effects) == 3 * times


def test_an_edit_that_is_taken_back_is_served() -> None:
    """The call is found under its first signature too."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    opened(EDITS["added"], nb=nb)
    asked(nb)
    settle(nb, "s.1", Answer.KEEP)
    nb.run(CELL, "s", "c1")
    opened(pays(), nb=nb)
    nb.run(f"{CELL}\nmore = 1", "s", "c1")
    assert len(nb.world.effects) == 3


def test_a_list_that_the_tool_changed_is_changed_again() -> None:
    """Or, where its parameter has another name, somebody says what the result was."""
    fill = "@tool\ndef fill(x, {more}note='-'):\n    {x}.append(1)\n    return world('fill')"
    nb = opened(fill.format(more="", x="x"))
    cell = "got = []\nr = fill(got)"
    nb.run(cell, "s", "c1")
    opened(fill.format(more="more=0, ", x="x"), nb=nb)
    asked(nb, cell)
    settle(nb, "s.1", Answer.KEEP)
    nb.run(cell, "s", "c1")
    assert (nb.namespace["got"], nb.world.effects) == ([1], ["fill"])
    renamed = fill.replace("fill(x,", "fill(into,").format(more="more=0, ", x="into")
    opened(renamed, nb=nb)
    with pytest.raises(ResultGone, match="it changed x, and has no such parameter"):
        nb.run(f"{cell}\nmore = 1", "s", "c1")
    assert nb.world.effects == ["fill"]


UNEDITED = [
    ("pay(1)", "pay(1, 'b')"),
    ("pay(1, 'a')", "pay(1)"),
    ("pay(1, more=2)", "pay(1)"),
    ("pay(1)", "pay(1, more=2)"),
    ("pay(1, more=2)", "pay(1, less=2)"),
]


@pytest.mark.parametrize("body", ["pay", "PAY"])
@pytest.mark.parametrize(("before", "after"), UNEDITED)
def test_a_signature_that_was_not_edited_asks_nothing(
    before: str, after: str, body: str
) -> None:
    """Other arguments are another call, also where the body was edited."""
    tool = pays("x, note='-', **more")
    nb = opened(tool)
    nb.run(f"r = {before}", "s", "c1")
    opened(tool.replace('"pay', f'"{body}'), nb=nb)
    nb.run(f"r = {after}", "s", "c1")
    assert len(nb.world.effects) == 2


def test_leaving_out_an_argument_without_a_digest_asks_once_more() -> None:
    """As the question about it says that advises to do so."""
    nb = opened(pays())
    cell = "r = pay(1, (i for i in ()))"
    nb.run(cell, "s", "c1")
    opened(pays(), nb=nb)
    with pytest.raises(TwinHappened, match="and ask once more"):
        nb.run(f"more = 1\n{cell}", "s", "c1")
    opened(EDITS["left out"], nb=nb)
    asked(nb, cell)
    settle(nb, "s.1", Answer.KEEP)
    nb.run(cell, "s", "c1")
    assert nb.world.effects == ["pay 1"]


def test_an_exception_that_the_code_went_on_from_asks() -> None:
    """After «keep» it is raised again; the declined payment isn't tried once more."""
    fails = "\n    raise ValueError('declined')"
    cell = "try: r = pay(1)\nexcept ValueError as e: r = str(e)"
    nb = opened(pays().replace("return ", "") + fails)
    nb.run(cell, "s", "c1")
    opened(pays("x").replace("return ", "") + fails, nb=nb)
    asked(nb, cell)
    settle(nb, "s.1", Answer.KEEP)
    nb.run(cell, "s", "c1")
    assert (nb.namespace["r"], nb.world.effects) == ("declined", ["pay 1"])


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        ("left out", "the parameters of pay, or its name, were edited"),
        ("name=", "the parameters of send, or its name, were edited"),
        ("renamed", "the code of pay changed"),
    ],
)
def test_frozen_mode_says_what_was_edited(edit: str, why: str) -> None:
    """It refuses the call, and names the record that is the same one."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    opened(EDITS[edit], nb=nb)
    with Frozen("on"), pytest.raises(CallNotRecorded) as told:
        nb.run(CELL, "s", "c1")
    assert f"s.1 is the same call, and is not served, because {why}" in str(told.value)


# ---- a tool that was renamed ---------------------------------------------------------


def test_a_renamed_tool_asks_although_the_old_one_is_in_the_kernel() -> None:
    """What the cell's code reaches counts, not what the notebook holds."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    nb.plain(pays(name="charge"))
    renamed = CELL.replace("pay", "charge")
    assert "version of charge, as pay(1)." in asked(nb, renamed)
    settle(nb, "s.1", Answer.KEEP)
    nb.run(renamed, "s", "c1")
    assert nb.namespace["r"] == [f"pay {x}#1" for x in (1, 2, 3)]


def test_a_second_tool_of_the_same_code_asks_nothing() -> None:
    """As long as the cell can call the first one, that one was not renamed."""
    nb = opened(pays(), pays(name="charge"))
    nb.run("r = pay(1)", "s", "c1")
    nb.run("q = charge(1)\nr = pay(1)", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 1"]


HOLDERS = {
    "list": "tools = [pay, charge]",
    "object": "class Desk: pass\ndesk = Desk(); desk.tools = [pay, charge]",
    "no digest": "import threading\nclass Desk:\n    def __init__(self):\n"
    "        self.lock = threading.Lock(); self.tools = [pay, charge]\ndesk = Desk()",
    "function": "def agent(which): return [pay, charge][which]",
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_tool_that_something_holds_was_not_renamed(holder: str) -> None:
    """A cell can call what its inputs hold, in whatever way."""
    called = {"list": "tools[{}](1)", "function": "agent({})(1)"}
    call = called.get(holder, "desk.tools[{}](1)")
    nb = opened(pays(), pays(name="charge"), HOLDERS[holder])
    nb.run(f"r = {call.format(0)}", "s", "c1")
    nb.run(f"r = {call.format(1)}", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 1"]


def test_a_tool_that_the_cell_defines_was_not_renamed() -> None:
    """It isn't there yet when the cell begins."""
    cell = f"{pays()}{pays(name='charge')}"
    nb = opened()
    nb.run(f"{cell}r = pay(1)", "s", "c1")
    opened(nb=nb)
    nb.run(f"{cell}r = charge(1)", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 1"]


@pytest.mark.parametrize(
    ("edit", "call"), [(("Shop", "Desk"), "Desk"), (("pay", "charge"), "Shop")]
)
def test_a_class_or_method_that_was_renamed_asks(
    edit: tuple[str, str], call: str
) -> None:
    """The class is a part of the object's value, and of the tool's name."""
    shop = (
        "class Shop:\n    def __init__(self, site): self.site = site\n"
        "    @tool\n    def pay(self, x): return world(f'{x} at {self.site}')"
    )
    cell = "r = [Shop('a').pay(x) for x in (1, 2)]"
    nb = opened(shop)
    nb.run(cell, "s", "c1")
    opened(shop.replace(*edit), nb=nb)
    assert f"already happened with an earlier version of {call}" in asked(
        nb, cell.replace(*edit)
    )
    settle(nb, "s.1", Answer.KEEP)
    nb.run(cell.replace(*edit), "s", "c1")
    assert nb.namespace["r"] == ["1 at a#1", "2 at a#1"]


# ---- a doubt of a tool that was renamed ----------------------------------------------

DOUBT = """
@tool{options}
def {name}(x, key=""):
    done = world(f"pay {{x}}")
    if world.fails: raise KeyboardInterrupt
    return done
"""


def in_doubt(cell: str = "r = pay(1)", options: str = "") -> Notebook:
    """A payment that was interrupted, and nobody has settled."""
    nb = opened(DOUBT.format(options=options, name="pay"))
    nb.world.fails = True  # type: ignore[attr-defined]  # what is outside counts nowhere
    with pytest.raises(KeyboardInterrupt):
        nb.run(cell, "s", "c1")
    nb.world.fails = False  # type: ignore[attr-defined]
    return nb


def renamed(nb: Notebook, kernel: str = "next", options: str = "") -> Notebook:
    """The same tool under another name."""
    if kernel == "next":
        opened(nb=nb)
    nb.plain(DOUBT.format(options=options, name="charge"))
    return nb


@pytest.mark.wide
@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize("key", ["", ", key='b'"])
@pytest.mark.parametrize(
    ("said", "payments", "result"),
    [
        (Answer.HAPPENED, 1, "in_1"),
        (Answer.DID_NOT, 2, "pay 1#2"),
        (Answer.AGAIN, 2, "pay 1#2"),
    ],
)
def test_a_doubt_whose_tool_was_renamed_asks(
    kernel: str, key: str, said: Answer, payments: int, result: str
) -> None:
    """Also with a fresh key among the arguments; an answer settles the old one."""
    nb = renamed(in_doubt(f"r = pay(1{key.replace('b', 'a')})"), kernel)
    cell = f"r = charge(1{key})"
    for _ in range(2):
        with pytest.raises(OtherInDoubt) as told:
            nb.run(cell, "s", "c1")
    assert "charge(1" in told.value.fact()
    assert "pay(1" in told.value.fact()
    assert len(nb.world.effects) == 1
    settle(nb, "s.1", said, "in_1" if said is Answer.HAPPENED else None)
    if said is not Answer.AGAIN:
        assert questions(nb.session.history) == []
    for _ in range(2):
        nb.run(cell, "s", "c1")
        assert (len(nb.world.effects), nb.namespace["r"]) == (payments, result)
        renamed(nb)


def test_a_doubt_asks_where_the_code_was_edited_too() -> None:
    """It was made with the same arguments, and nothing else can ask about it."""
    nb = renamed(in_doubt())
    nb.plain(DOUBT.format(options="", name="charge").replace("pay {", "charge {"))
    with pytest.raises(OtherInDoubt):
        nb.run("r = charge(1)", "s", "c1")


@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize("cell", ["r = {}(1)", "r = {}(1, key='a')"])
def test_a_doubt_asks_where_a_default_was_added_too(cell: str, kernel: str) -> None:
    """A default that neither call was given doesn't count; an answer settles it."""
    nb = in_doubt(cell.format("pay"))
    if kernel == "next":
        opened(nb=nb)
    edited = DOUBT.format(options="", name="charge").replace(
        ', key=""', ', key="", n=0'
    )
    nb.plain(edited)
    with pytest.raises(OtherInDoubt):
        nb.run(cell.format("charge"), "s", "c1")
    settle(nb, "s.1", Answer.HAPPENED, "in_1")
    nb.run(cell.format("charge"), "s", "c1")
    assert (nb.namespace["r"], nb.world.effects) == ("in_1", ["pay 1"])


def test_a_doubt_asks_nothing_of_another_tool_with_other_arguments() -> None:
    """With a default added as well, what was given still has to be the same."""
    nb = in_doubt()
    opened("@tool\ndef log(x, n=0): return world(f'log {x}')", nb=nb)
    nb.run("q = log(2)", "s", "c1")
    assert nb.world.effects == ["pay 1", "log 2"]


def test_the_new_tools_on_doubt_lets_it_go() -> None:
    """``retry`` settles the old one, and the new one is made."""
    nb = renamed(in_doubt(), options="(on_doubt='retry')")
    nb.run("r = charge(1)", "s", "c1")
    assert (nb.namespace["r"], questions(nb.session.history)) == ("pay 1#2", [])


@pytest.mark.parametrize(
    ("said", "result"), [(Answer.KEEP, "found 1 a"), (Answer.AGAIN, "pay 1#2")]
)
def test_the_new_tools_on_doubt_finds_out(said: Answer, result: str) -> None:
    """It is asked about the arguments that the old one had; is this that one?"""
    nb = in_doubt("r = pay(1, key='a')")
    opened("def find(x, key): return f'found {x} {key}'", nb=nb)
    nb.plain(DOUBT.format(options="(on_doubt=find)", name="charge"))
    for _ in range(2):
        with pytest.raises(InsteadOrAlso):
            nb.run("q = 1\nr = charge(1, key='b')", "s", "c1")
    settle(nb, "s.1", said)
    nb.run("q = 1\nr = charge(1, key='b')", "s", "c1")
    assert nb.namespace["r"] == result


@pytest.mark.parametrize("kernel", ["same", "next"])
def test_another_write_asks_nothing_about_a_doubt(kernel: str) -> None:
    """Neither one with the same arguments beside it, nor one with others instead of it."""
    log = "@tool\ndef log(x, key=''): return world(f'log {x}')"
    nb = in_doubt()
    if kernel == "next":
        opened(DOUBT.format(options="", name="pay"), nb=nb)
    nb.plain(log)
    with pytest.raises(CallInDoubt):
        nb.run("q = log(1)\nr = pay(1)", "s", "c1")
    nb.run("q = log(2)", "s", "c1")
    assert nb.world.effects == ["pay 1", "log 1", "log 2"]


@pytest.mark.parametrize(
    ("new", "x", "told"),
    [(", note=''", 1, ", with an earlier version of pay."), ("", 2, ".")],
)
def test_a_doubt_that_reads_the_same_is_told_apart(new: str, x: int, told: str) -> None:
    """A default that was added shows in neither call: the version of the tool does."""
    nb = in_doubt()
    made = DOUBT.format(options="", name="pay").replace("):", f"{new}):", 1)
    opened(made, nb=nb)
    with pytest.raises(OtherInDoubt) as asked:
        nb.run(f"r = pay({x})", "s", "c1")
    fact = asked.value.fact()
    assert fact == f"pay({x}) was not made: pay(1) may have happened instead{told}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "result"), [(Answer.KEEP, "pay 2#1"), (Answer.AGAIN, "pay 2#2")]
)
def test_one_answer_about_other_data_is_enough_for_a_renamed_tool(
    said: Answer, result: str
) -> None:
    """It was given about a call that the journal knows by the old name."""
    nb = opened(pays())
    nb.namespace["data"] = 2
    nb.run("r = pay(data)", "s", "c1")
    opened(pays(name="charge"), nb=nb)
    nb.namespace["data"] = 0
    nb.run("r = charge(data)", "s", "c1")
    nb.namespace["data"] = 2
    asked(nb, "r = charge(data)")
    settle(nb, "s.1", Answer.KEEP)
    with pytest.raises(HappenedWithOtherData):
        nb.run("r = charge(data)", "s", "c1")
    settle(nb, "s.1", said)
    nb.run("r = charge(data)", "s", "c1")
    assert nb.namespace["r"] == result
