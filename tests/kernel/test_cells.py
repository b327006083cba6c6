"""Every kind of cell shows the same plainly, as a durable cell, and replayed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran
from tests.kernel.notebook import comparable, in_notebook, kinds_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("cells"),
]

SETUP = """
import asyncio, base64, sys, threading
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML, Image, clear_output, display

def ran(name):
    with open("ran.txt", "a") as file:
        print(name, file=file)
"""


@dataclass(frozen=True)
class Case:
    """One cell: its body, and the line or tag that makes it durable."""

    name: str
    body: str
    mark: str = "%%durable {name}"
    tags: list[str] = field(default_factory=list)
    fails: bool = False

    @property
    def plain(self) -> str:
        """The cell without durability, with the same line numbers where it matters."""
        return self._code if self.body.startswith("%%") else f"# plain\n{self._code}"

    @property
    def durable(self) -> str:
        """The cell as a durable one."""
        mark = self.mark.format(name=self.name)
        return f"{mark}\n{self._code}"

    @property
    def _code(self) -> str:
        return self.body.replace("RAN", f'ran("{self.name}")')

    @property
    def metadata(self) -> dict:
        """What JupyterLab sends with the request."""
        return {"cellId": f"id-{self.name}", "tags": self.tags}


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

CASES = [
    Case(
        "sync", "RAN\nfor i in range(3):\n    print(i)\nprint('err', file=sys.stderr)\n"
    ),
    Case(
        "order",
        "RAN\nprint('a')\nprint('b', file=sys.stderr)\ndisplay('c')\nprint('d')",
    ),
    Case("await", "RAN\nawait asyncio.sleep(0.01)\nprint('slept')\n7"),
    Case(
        "async_with_for",
        "RAN\nclass Gate:\n"
        "    async def __aenter__(self):\n        return 'in'\n"
        "    async def __aexit__(self, *_):\n        print('out')\n"
        "async def count():\n"
        "    for i in range(2):\n        yield i\n"
        "async with Gate() as where:\n    print(where)\n"
        "async for i in count():\n    print(i)\n",
    ),
    Case("shell", "RAN\n!echo hello"),
    Case("shell_value", "RAN\nlisting = !echo one two\nprint(listing)"),
    Case("line_magic", "RAN\n%config IPCompleter.greedy\n%pwd"),
    Case("over_time", "%%time\nRAN\ntimed = 1"),
    Case("last_expression", "RAN\nvalue = [1, 2]\nvalue"),
    Case("semicolon", "RAN\n6 * 7;"),
    Case("no_output", "RAN\nquiet = 1"),
    Case("unicode", "RAN\nprint('naïve 😀 ‹x›\\x1b[31mred\\x1b[0m')\n'ß'"),
    Case(
        "display_update",
        "RAN\nfirst = display('one', display_id='an-id')\n"
        "display('between')\nfirst.update('two')\nfirst.update('three')",
    ),
    Case(
        "clear", "RAN\nprint('gone')\ndisplay('gone')\nclear_output()\nprint('stays')"
    ),
    Case(
        "clear_wait",
        "RAN\nfor i in range(3):\n    clear_output(wait=True)\n    print('step', i)\n",
    ),
    Case("clear_wait_last", "RAN\nprint('stays')\nclear_output(wait=True)"),
    Case("png", f"RAN\nImage(data=base64.b64decode('{PNG}'), format='png')"),
    Case("html", "RAN\ndisplay(HTML('<b>bold</b>'))\nHTML('<i>i</i>')"),
    Case(
        "vega",
        "RAN\ndisplay({'application/vnd.vegalite.v5+json': {'mark': 'bar', 'data':"
        " {'values': [{'a': 1.5, 'b': None}]}}, 'text/plain': 'chart'}, raw=True)",
    ),
    Case(
        "plotly",
        "RAN\ndisplay({'application/vnd.plotly.v1+json': {'data': [{'y': [1, 2]}],"
        " 'layout': {}}, 'text/plain': 'figure'}, raw=True, metadata={'a': {'b': 1}})",
    ),
    Case(
        "data_frame", "RAN\nframe = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})\nframe"
    ),
    Case("figure_shown", "RAN\nplt.plot([1, 2])\nplt.show()\nprint('after')"),
    Case("figure_left", "RAN\nplt.plot([2, 1])\nprint('before')"),
    Case(
        "thread",
        "RAN\ndef work():\n    print('from a thread')\n"
        "worker = threading.Thread(target=work)\nworker.start()\nworker.join()\n"
        "del worker\nprint('joined')",
    ),
    Case(
        "shown_error",
        "RAN\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n"
        "    get_ipython().showtraceback()\nprint('goes on')",
    ),
    Case(
        "progress", "RAN\nfor i in range(20):\n    print(f'\\r{i:3}%', end='')\nprint()"
    ),
    Case("error", "RAN\n\ndef inner():\n    1 / 0\n\ninner()", fails=True),
    Case("error_after_await", "RAN\nawait asyncio.sleep(0)\n\n{}['key']", fails=True),
    Case("syntax_error", "x = 1\n\ndef broken(:\n    pass", fails=True),
    Case("return_outside", "RAN\n\nreturn 1", fails=True),
    Case("exit", "RAN\nraise SystemExit(3)", fails=True),
    Case("comment", "RAN\nprint('by comment')\n5", mark="# durable: {name}"),
    Case("tag", "RAN\nprint('by tag')\n6", mark="# {name}", tags=["durable"]),
    Case("tag_over_time", "%%time\nRAN\ntimed = 2", mark="", tags=["durable"]),
]


@dataclass(frozen=True)
class Runs:
    """All cases executed three times."""

    plain: dict[str, Ran]
    durable: dict[str, Ran]
    replayed: dict[str, Ran]
    ran: dict[str, list[str]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The table of cells in a plain kernel, a durable one, and a fresh one after it."""
    folder = tmp_path_factory.mktemp("cells")
    counter, ran = folder / "ran.txt", {}
    with Kernel(folder, extension=False) as kernel:
        plain = _run_all(kernel, durable=False)
    ran["plain"] = _counted(counter)
    with Kernel(folder) as kernel:
        durable = _run_all(kernel, durable=True)
        ran["durable"] = _counted(counter)
        kernel.kill()
        kernel.restart()
        replayed = _run_all(kernel, durable=True)
        ran["replayed"] = _counted(counter)
    return Runs(plain, durable, replayed, ran)


def _run_all(kernel: Kernel, *, durable: bool) -> dict[str, Ran]:
    assert kernel.run(SETUP).ok
    return {
        case.name: kernel.run(case.durable, metadata=case.metadata)
        if durable
        else kernel.run(case.plain)
        for case in CASES
    }


def _counted(counter: Path) -> list[str]:
    names = counter.read_text().split() if counter.exists() else []
    counter.unlink(missing_ok=True)
    return names


cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@cases
def test_a_durable_cell_shows_what_a_plain_one_shows(case: Case, runs: Runs):
    """Outputs and the reply's status are those of IPython without the extension."""
    plain, durable = runs.plain[case.name], runs.durable[case.name]
    assert _shown(durable, case) == _shown(plain, case)
    assert durable.reply["status"] == plain.reply["status"]
    assert durable.ok is not case.fails


@cases
def test_a_replayed_cell_shows_what_it_showed(case: Case, runs: Runs):
    """In a fresh kernel the outputs are the same, byte for byte where it was replayed."""
    durable, replayed = runs.durable[case.name], runs.replayed[case.name]
    assert _shown(replayed, case) == _shown(durable, case)
    assert replayed.reply["status"] == durable.reply["status"]


@cases
def test_the_body_of_a_replayed_cell_does_not_run(case: Case, runs: Runs):
    """A counter inside the cell moves once; a cell that failed runs again."""
    once = 1 if "RAN" in case.body else 0
    assert runs.ran["durable"].count(case.name) == once
    assert runs.ran["replayed"].count(case.name) == (once if case.fails else 0)


@cases
def test_results_carry_the_present_execution_count(case: Case, runs: Runs):
    """`Out[n]` has the number of the request, also when it is replayed."""
    for ran in (runs.durable[case.name], runs.replayed[case.name]):
        for result in ran.of_type("execute_result"):
            assert result["execution_count"] == ran.reply["execution_count"]


@cases
def test_a_replayed_cell_says_so_and_nothing_old(case: Case, runs: Runs):
    """Lines of our own are never recorded: only the mark of this replay is there."""
    expected = ["status"] if case.fails else ["replayed"]
    if "clear_output(wait=True)" in case.body.splitlines()[-1]:
        pending = []  # a line would be the output that clears the cell's own
        assert kinds_of(runs.durable[case.name]) == pending
    if case.name != "syntax_error":
        assert kinds_of(runs.replayed[case.name]) == expected


def _shown(ran: Ran, case: Case) -> list[dict]:
    outputs = comparable(in_notebook(ran))
    mark = case.mark.format(name=case.name)
    for output in outputs:  # line 1 is the only line that differs
        if "traceback" in output and mark:
            text = "\n".join(output["traceback"])
            output["traceback"] = [text.replace(f"# {mark}", "# plain")]
    return outputs
