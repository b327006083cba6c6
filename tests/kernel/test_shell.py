"""What a user meets at the prompt: errors in our form, hints, help, words, switches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran
from tests.kernel.notebook import kinds_of, lines_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("shell"),
]

SETUP = """
import asyncio
import nbdurable as nd
from IPython.display import display
effects = []

@nd.tool
def pay(who, amount):
    effects.append(who)
    if amount < 0:
        raise ValueError("negative")
    return f"paid {who} {amount}"

@nd.tool(effect="read")
async def search(query):
    await asyncio.sleep(0)
    if query == "bad":
        raise KeyError(query)
    return [query]
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for all: each test uses names of its own."""
    with Kernel(tmp_path_factory.mktemp("shell")) as started:
        assert started.run(SETUP).ok
        yield started


BAD = {
    "%%durable --qiet\nran = 1": ("OptionUnknown", "%%durable --quiet"),
    "%%durable two words\nran = 1": ("NameUnusable", "%%durable two_words"),
    "%%durable review.2\nran = 1": ("NameUnusable", "%%durable review_2"),
    "%%durable\n": ("CellEmpty", "%%durable"),
    "%%durable empty\n\n# only a remark\n": ("CellEmpty", "%%durable"),
    "# durable: --fast\nran = 1": ("OptionUnknown", "--fresh"),
    "%durable stauts": ("OptionUnknown", "%durable status"),
    "%durable resolve review.2": ("CommandIncomplete", "--did-not"),
    "%durable why nowhere": ("ReferenceUnknown", "%durable"),
    "begun = 1\n%%durable late\nran = 1": ("NotOnLineOne", "line 1"),
    "get_ipython().run_cell_magic('durable', '', 'ran = 1')": (
        "NotOnLineOne",
        "line 1",
    ),
}


@pytest.mark.parametrize("code", BAD)
def test_bad_input_is_answered_in_our_form(kernel: Kernel, code: str):
    """Fact, what was not done, what to type; nothing ran, and the kernel lives on."""
    name, remedy = BAD[code]
    kernel.run("%%durable some_step\nsome = 1")
    ran = kernel.run(code)
    assert ran.reply["status"] == "error"
    assert ran.reply["ename"] == name
    assert remedy in ran.text
    assert "Traceback" not in ran.text
    assert "NameError" in kernel.run("ran").text


def test_a_syntax_error_is_pythons_own_and_journals_nothing(kernel: Kernel):
    """The line is the user's, and no step begins."""
    before = kernel.run("%durable status").text
    plain = kernel.run("# plain\nx = 1\ny = (\n")
    ran = kernel.run("%%durable broken\nx = 1\ny = (\n")
    assert ran.reply["ename"] == plain.reply["ename"]
    assert ran.reply["ename"] in {"SyntaxError", "_IncompleteInputError"}  # 3.13.0
    assert "line 3" in ran.text
    assert kinds_of(ran) == []
    assert kernel.run("%durable status").text == before


def test_a_traceback_through_tools_shows_the_users_frames_only(kernel: Kernel):
    """The frames of the engine are nobody's business."""
    ran = kernel.run(
        "%%durable failing\ndef agent():\n    return pay('ann', -1)\nagent()"
    )
    assert ran.reply["ename"] == "ValueError"
    assert "return pay('ann', -1)" in ran.text
    assert 'raise ValueError("negative")' in ran.text
    assert "nbdurable" not in ran.text.partition("failing ·")[0].partition("\n")[2]
    assert "hidden" not in ran.text
    assert kernel.run("%durable resolve failing.1 --did-not").ok


def test_a_traceback_through_awaited_and_grouped_tools_too(kernel: Kernel):
    """Also in tasks, and in the members of an exception group."""
    body = (
        "async with asyncio.TaskGroup() as group:\n    group.create_task(search('bad'))"
    )
    for code, line in (
        ("await search('bad')", "raise KeyError(query)"),
        (body, "ExceptionGroup"),  # IPython 8 doesn't show its members
    ):
        ran = kernel.run(f"%%durable\n{code}")
        assert line in ran.text
        assert "/nbdurable/" not in ran.text


def test_a_kept_name_says_how_to_get_it_back(kernel: Kernel):
    """After a restart a plain cell that misses a name names the command."""
    assert kernel.run("%%durable findings\nhits = [1, 2, 3]").ok
    kernel.restart()
    assert kernel.run(SETUP).ok
    ran = kernel.run("def look():\n    return hits\nlook()")
    last = ran.text.strip().splitlines()[-1]
    assert last.startswith(
        "NameError: name 'hits' is not defined   ← hits is kept (findings,"
    )
    assert last.endswith("%durable restore hits")
    assert ran.reply["evalue"] == "name 'hits' is not defined"
    assert "←" not in kernel.run("never_there").text
    assert kernel.run("%durable restore hits").ok
    assert "[1, 2, 3]" in kernel.run("hits").text


def test_a_call_in_doubt_is_settled_at_the_prompt(kernel: Kernel):
    """The error names the commands; the answer is what the code then sees."""
    cell = "%%durable review\nreceipt = pay('bob', -5)\nreceipt"
    kernel.run(cell)
    asked = kernel.run(cell)
    assert asked.reply["ename"] == "CallInDoubt"
    (happened,) = re.findall(r"(%durable resolve \S+ --happened) VALUE", asked.text)
    assert kernel.run(f'{happened} "in_1Q2w"').ok
    assert "in_1Q2w" in kernel.run(cell).text
    assert "['bob']" in kernel.run("[e for e in effects if e == 'bob']").text


def test_a_display_of_a_replayed_cell_can_be_updated(kernel: Kernel):
    """The handle comes back with the id under which the replay was shown."""
    cell = "%%durable\nhandle = display('one', display_id=True)"
    assert kernel.run(cell).ok
    kernel.restart()
    assert kernel.run(SETUP).ok
    (replayed,) = _displays(kernel.run(cell))
    updated = kernel.run("handle.update('two')").of_type("update_display_data")
    assert replayed["transient"]["display_id"] == updated[0]["transient"]["display_id"]


def test_out_and_underscore_are_those_of_the_replayed_value(kernel: Kernel):
    """`_`, `Out[n]` and `_n` are set as if the cell had run now."""
    cell = "%%durable\nkept = {'a': 1}\nkept"
    assert kernel.run(cell).ok
    kernel.restart()
    assert kernel.run(SETUP).ok
    ran = kernel.run(cell)
    count = ran.reply["execution_count"]
    checks = f"(_ == kept, Out[{count}] is _, _{count} is _)"
    assert "(True, True, True)" in kernel.run(checks).text


def test_the_run_is_shown_as_text_and_picture(kernel: Kernel):
    """`%durable` and `nd.run()` give the same object; without a run, how to begin."""
    assert kernel.run("%%durable shown_step\nx_shown = pay('cid', 2)").ok
    (shown,) = kernel.run("%durable").of_type("execute_result")
    assert "shown_step" in shown["data"]["text/plain"]
    assert "shown_step" in shown["data"]["text/html"]
    same = "str(nd.run()).splitlines()[0] == str(get_ipython().run_line_magic('durable', '')).splitlines()[0]"
    assert "True" in kernel.run(same).text


def test_without_a_run_it_says_how_to_begin(tmp_path: Path):
    """A few lines, and no store is made by looking."""
    with Kernel(tmp_path) as fresh:
        said = fresh.run("%durable").text
    assert "%%durable findings" in said
    assert "%%durable?" in said
    assert not (tmp_path / ".nbdurable").exists()


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("# durabel: x\nplain_1 = 1", "durabel"),
        ("%%time\n%%durable\nplain_2 = 1", "%%time"),
        ("%%capture\n%%durable\nplain_3 = 1", "%%capture"),
    ],
)
def test_what_only_looks_durable_warns_and_runs(kernel: Kernel, code: str, word: str):
    """A cell without protection says so under itself."""
    ran = kernel.run(code)
    assert ran.ok
    assert kinds_of(ran) == ["warning"]
    assert word in lines_of(ran)[0]


def test_quiet_cells_say_nothing(kernel: Kernel):
    """Neither the status line nor the replay mark."""
    assert kernel.run("%%durable\nbefore = 1").ok  # which run it is was told here
    cell = "%%durable --quiet\nhushed = 1\nprint('out')"
    for _ in range(2):
        ran = kernel.run(cell)
        assert kinds_of(ran) == []
        assert ran.text == "out\n"


def test_fresh_cells_never_replay(kernel: Kernel):
    """`--fresh` runs the body each time."""
    cell = "%%durable --fresh\neffects.append('fresh')"
    kernel.run(cell)
    assert kinds_of(kernel.run(cell)) == ["status"]
    assert "2" in kernel.run("effects.count('fresh')").text


def test_off_runs_cells_unprotected_until_on(kernel: Kernel):
    """Each such cell says so."""
    assert kernel.run("%durable off").ok
    ran = kernel.run("%%durable\nunprotected = 1")
    assert kinds_of(ran) == ["warning"]
    assert "%durable on" in lines_of(ran)[0]
    assert "cells are off in this kernel: %durable on" in kernel.run("nd.status()").text
    assert kernel.run("nd.on()").ok
    assert "\ndurable cells are on\n" in kernel.run("%durable status").text
    assert kinds_of(kernel.run("%%durable\nprotected = 1")) == ["status"]


def test_a_cell_run_by_a_cell_is_part_of_it(kernel: Kernel):
    """Durable code inside another durable cell is no step of its own."""
    nested = "get_ipython().run_cell('%%durable inner\\nprint(\"in\")')"
    ran = kernel.run(f"%%durable outer\n_ = {nested}")
    assert "in\n" in ran.text
    assert kinds_of(ran) == ["status"]


def test_the_help_page_explains_the_magic(kernel: Kernel):
    """`%%durable?` and `%durable?` show options and words."""
    cell = kernel.run("%%durable?").reply["payload"][0]["data"]["text/plain"]
    line = kernel.run("%durable?").reply["payload"][0]["data"]["text/plain"]
    assert "--quiet" in cell
    assert "# durable: NAME" in cell
    assert "%durable resolve STEP.CALL@DIGEST --happened VALUE | --did-not" in line


def test_front_ends_complete_and_judge_durable_cells(kernel: Kernel):
    """Completion knows the magic and the names in its body; the cell is complete."""
    magic = "get_ipython().complete('%%dura')[1]"
    assert "%%durable" in kernel.run(magic).text
    judge = "get_ipython().input_transformer_manager.check_complete"
    assert "complete" in kernel.run(f"{judge}('%%durable x\\ny = 1\\n')").text


def test_a_kernel_goes_on_when_nothing_can_be_stored(kernel: Kernel):
    """Values without a codec stay in the namespace, and the line names them."""
    ran = kernel.run(
        "%%durable\nbegun = (i for i in range(3))\nnext(begun)\nnumber = 5"
    )
    assert ran.ok
    assert "not kept: begun" in ran.text
    assert "5" in kernel.run("number").text


def _displays(ran: Ran) -> list[dict]:
    return [c for c in ran.of_type("display_data") if "nbdurable" not in c["metadata"]]


LOST = """class Refuses:
    def __reduce_ex__(self, protocol): raise ValueError("no")
class Breaks:
    def __reduce__(self): return broken, ()
def broken(): raise OSError("on load")
"""


def test_a_name_that_is_lost_says_what_makes_it_again(tmp_path: Path):
    """What could not be kept, or not be loaded, names its step also when others read it."""
    with Kernel(tmp_path) as kernel:
        assert kernel.run(LOST).ok
        assert kernel.run("%%durable made\nrefused, broke = Refuses(), Breaks()").ok
        assert kernel.run("%%durable used\nkind = type(refused).__name__").ok
        kernel.restart()
        assert "refused → %durable rebuild made" in kernel.run("%durable restore").text
        cure = "(made): %durable rebuild made"
        assert f"   ← refused could not be kept {cure}" in kernel.run("refused").text
        told = kernel.run("broke").text
        assert "   ← broke could not be loaded (made): run the cell made" in told
