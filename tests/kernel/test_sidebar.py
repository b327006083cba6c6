"""The sidebar's comm in a real kernel: from before the first durable cell to after a restart."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from queue import Empty
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nbdurable.kernel.sidebar import TARGET, Sidebar
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran
from nbdurable_store.clock import SYSTEM_CLOCK
from tests.kernel.test_asking import SETUP, SYNC, Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FIRST = """%%durable first
import nbdurable as nd
@nd.tool(effect="read")
def search(q): return q
search("a")
"""


class Panel(Page):
    """A front end with the sidebar, on a subshell as JupyterLab's is."""

    def __init__(self, kernel: Kernel, name: str = "panel") -> None:
        super().__init__(kernel)
        self.heard: list[dict[str, Any]] = []
        self.closed = False
        self._listen()
        self.open()
        self.begin(name)

    def _listen(self) -> None:
        """Hear what is told to the comm also while a test waits for a cell."""
        receive = self.kernel.client.get_iopub_msg

        def received(**options: float) -> dict[str, Any]:
            message: dict[str, Any] = receive(**options)
            self._note(message)
            return message

        self.kernel.client.get_iopub_msg = received

    def begin(self, name: str, page: str = "") -> None:
        """Open a comm, as a page does when it is loaded anew: the one before stays open."""
        self.name = name
        opened = {"comm_id": name, "target_name": TARGET, "data": {"page": page}}
        self._send("shell", "comm_open", opened)
        self.say(type="open", version=1)

    def say(self, **said: object) -> None:
        """What the view sends."""
        self.comm(self.name, said)

    def hears(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; later ones stay."""
        deadline = SYSTEM_CLOCK.monotonic_s() + 60
        while not any(m["type"] == kind for m in self.heard):
            assert SYSTEM_CLOCK.monotonic_s() < deadline, self.heard
            self._look(Ran("nobody"))
        nth = next(n for n, m in enumerate(self.heard) if m["type"] == kind)
        return self.heard.pop(nth)

    def shows(self, number: int, *cells: str, title: str = "") -> None:
        """Wait until the run of this number is told with these cells, and this title."""
        deadline = SYSTEM_CLOCK.monotonic_s() + 60
        while not any(
            m["type"] in {"snapshot", "changed"}
            and m["head"]["number"] == number
            and [cell["name"] for cell in m["cells"]] == [*cells]
            and title in {"", m["head"]["title"]}
            for m in self.heard
        ):
            assert SYSTEM_CLOCK.monotonic_s() < deadline, self.heard
            self._look(Ran("nobody"))

    def _look(self, ran: Ran) -> None:
        with contextlib.suppress(Empty):
            self.kernel.client.get_iopub_msg(timeout=0.1)

    def _note(self, message: dict[str, Any]) -> None:
        content = message["content"]
        mine = content.get("comm_id") == self.name
        self.closed |= mine and message["msg_type"] == "comm_close"
        if mine and message["msg_type"] == "comm_msg":
            assert message["parent_header"] == {}
            self.heard.append(content["data"])


def test_a_run_that_begins_is_told(kernel: Kernel) -> None:
    """Before the first durable cell it says how to begin; then the run comes by itself."""
    panel = Panel(kernel)
    assert "%%durable" in panel.hears("refused")["line"]
    kernel.send(FIRST, metadata={"cellId": "c1"})
    panel.shows(1, "first")


def test_it_opens_and_answers_while_a_cell_blocks(kernel: Kernel) -> None:
    """A page that comes while a cell waits sees the question, and its answer is heard."""
    kernel.run(SETUP)
    kernel.run(FIRST, metadata={"cellId": "c1"})
    ran = kernel.send(SYNC, metadata={"cellId": "c2"})
    kernel.wait_for(ran, lambda: "review.1 waits" in ran.text)
    panel = Panel(kernel)
    (need,) = panel.hears("snapshot")["needs"]
    assert need["reference"].startswith("review.1")
    panel.say(type="signal", call=need["reference"], text="yes")
    assert panel.hears("told")["about"] == need["reference"]
    kernel.wait(ran)
    assert ran.ok, ran.text


def test_a_run_is_found_by_the_tags_of_its_cells(kernel: Kernel) -> None:
    """What the front end sends of a cell's tags is recorded; ours, and no text, isn't one."""
    about = {"cellId": "c1", "tags": ["nightly", "durable", 7]}
    kernel.run(FIRST.replace("%%durable", "# durable:"), metadata=about)
    panel = Panel(kernel)
    panel.shows(1, "first")
    panel.say(type="find", tag="NIGHT")
    [found] = panel.hears("runs")["runs"]
    assert found["tags"] == ["nightly"]
    panel.say(type="find", tag="durable")
    assert panel.hears("runs")["runs"] == []


def test_after_a_restart_the_run_is_there(kernel: Kernel) -> None:
    """A new kernel that ran no cell shows the run of its notebook, and what it kept."""
    kernel.run(FIRST, metadata={"cellId": "c1"})
    kernel.restart()
    Panel(kernel).shows(1, "first")


def test_where_nothing_is_stored_nothing_is_made(kernel: Kernel) -> None:
    """A sidebar beside a notebook without durable cells makes no store."""
    Panel(kernel).hears("refused")
    assert kernel.run("1").ok
    assert not (kernel.folder / ".nbdurable").exists()


def test_another_run_is_told_from_its_beginning(kernel: Kernel) -> None:
    """When the kernel goes on in a new run, the panel shows that one."""
    kernel.run(FIRST, metadata={"cellId": "c1"})
    panel = Panel(kernel)
    panel.shows(1, "first")
    kernel.send("%durable new")
    kernel.send(FIRST, metadata={"cellId": "c1"})
    panel.shows(2, "first")


def test_a_kernel_without_the_extension_closes_it(kernel: Kernel) -> None:
    """Where nbdurable isn't loaded, and where it was unloaded, the comm is closed at once."""
    kernel.run("%unload_ext nbdurable")
    panel = Panel(kernel)
    panel.until(Ran("nobody"), lambda: panel.closed)
    assert panel.heard == []


LOOKING = "import threading; print(sum(t.name == 'nbdurable-view' for t in threading.enumerate()))"
LOOKS = """import nbdurable.kernel.port as p
looks, old = [], p.Port.look
def look(self):
    looks.append(1)
    old(self)
p.Port.look = look
"""


def threads(kernel: Kernel, panel: Panel, number: int) -> None:
    """Wait until so many views are looked for in a kernel."""
    panel.until(Ran("nobody"), lambda: kernel.run(LOOKING).text.strip() == str(number))


def test_a_page_that_was_loaded_anew_is_one_view(kernel: Kernel) -> None:
    """What a page left is ended when it comes again; another page stays."""
    kernel.run(FIRST)
    panel = Panel(kernel)
    for n in range(5):
        panel.begin(f"again-{n}", page="window notebook")
        panel.hears("snapshot")
    threads(kernel, panel, 2)


def test_views_are_so_many(kernel: Kernel) -> None:
    """Where pages never come again, whoever was silent longest rests; it goes on when asked."""
    kernel.run(f"import nbdurable.kernel.sidebar as s; s.TALKS_MAX = 3\n{SETUP}")
    panel = Panel(kernel)
    for n in range(5):
        panel.begin(f"page-{n}", page=f"page-{n}")
        panel.hears("refused")
    threads(kernel, panel, 3)
    panel.heard.clear()
    panel.name = "page-1"
    panel.say(type="open", version=1)
    assert "%%durable" in panel.hears("refused")["line"]
    threads(kernel, panel, 3)


HELD = """
import time
from pathlib import Path
Path("began").touch()
while not Path("go").exists():
    time.sleep(0.01)
"""


def begun(kernel: Kernel, ran: Ran) -> None:
    """Wait until a cell runs that waits for a test."""
    kernel.wait_for(ran, (kernel.folder / "began").exists)


def attempt(panel: Panel, name: str = "first") -> str:
    """Id of the latest attempt of a cell, as the panel was told it."""
    shown = panel.hears("snapshot")
    while shown["cells"][-1]["name"] != name:
        panel.say(type="open", version=1)
        shown = panel.hears("snapshot")
    last = len(shown["cells"]) - 1
    return str([a["id"] for a in shown["attempts"] if a["cell"] == last][-1])


def test_what_has_ended_interrupts_nothing(kernel: Kernel) -> None:
    """«Stop it» of a cell that is done leaves the cell alone that runs by now."""
    kernel.run(FIRST, metadata={"cellId": "c1"})
    panel = Panel(kernel)
    ran = kernel.send(HELD)
    begun(kernel, ran)
    panel.say(type="act", what="cancel", about=f"first@{attempt(panel)}", ask="q")
    assert "isn't running any more" in panel.hears("refused")["line"]
    (kernel.folder / "go").touch()
    kernel.wait(ran)
    assert ran.ok, ran.text


def test_what_runs_is_interrupted(kernel: Kernel) -> None:
    """«Stop it» of the cell that runs does what the stop button does."""
    kernel.run(FIRST, metadata={"cellId": "c1"})
    panel = Panel(kernel)
    ran = kernel.send(f"%%durable held{HELD}", metadata={"cellId": "c2"})
    begun(kernel, ran)
    panel.say(
        type="act", what="cancel", about=f"held@{attempt(panel, 'held')}", ask="q"
    )
    assert panel.hears("told")["line"] == "interrupted"
    kernel.wait(ran)
    assert ran.reply["ename"] == "KeyboardInterrupt"


def test_what_was_clicked_in_one_run_is_not_done_to_the_next(kernel: Kernel) -> None:
    """What waits for a cell that goes on in another run is refused, and says why."""
    kernel.run(FIRST, metadata={"cellId": "c1"})
    panel = Panel(kernel)
    run = panel.hears("snapshot")["head"]["id"]
    ran = kernel.send(f"{HELD}\nget_ipython().run_line_magic('durable', 'fork')")
    begun(kernel, ran)
    for what in ("restore", "fork"):
        panel.say(type="act", what=what, about="first", ask=what, run=run)
        assert "asked for" in panel.hears("told")["line"]
    (kernel.folder / "go").touch()
    kernel.wait(ran)
    for what in ("restore", "fork"):
        refused = panel.hears("refused")
        assert (refused["to"], refused["about"]) == (what, "first")
        assert "went on in another run" in refused["line"]
    panel.shows(2, "first")


def test_a_defect_is_told_who_waits_for_it(kernel: Kernel) -> None:
    """Whoever clicked learns that it was not done, whatever was in the way."""
    kernel.run(FIRST, metadata={"cellId": "c1"})
    kernel.run(
        "import nbdurable.kernel.acts as a; a._DOES['restore'] = lambda _: 1 / 0"
    )
    panel = Panel(kernel)
    panel.say(type="act", what="restore", ask="q")
    refused = panel.hears("refused")
    assert (refused["to"], refused["about"]) == ("q", "")
    assert "restore is not done: ZeroDivisionError" in refused["line"]


def test_requests_without_a_run_are_no_looks(kernel: Kernel) -> None:
    """While a cell is in the way, what asks for no run puts nothing in the kernel's queue."""
    kernel.run(LOOKS)
    panel = Panel(kernel)
    panel.hears("refused")
    ran = kernel.send("from pathlib import Path\nwhile not Path('go').exists(): pass")
    for _ in range(50):
        panel.say(type="detail", attempt="a", call="b")
    for _ in range(5):
        panel.say(type="open", version=1)
    for _ in range(55):
        panel.hears("refused")
    (kernel.folder / "go").touch()
    kernel.wait(ran)
    assert int(kernel.run("print(len(looks))").text) <= 2


def listening() -> tuple[Sidebar, Callable[[Any], None]]:
    """A sidebar, and what opens a comm of one page, in whatever thread."""
    told: dict[str, Any] = {}
    manager = SimpleNamespace(
        targets={},
        register_target=told.__setitem__,
        unregister_target=lambda *_: None,
    )
    shell: Any = SimpleNamespace(kernel=SimpleNamespace(comm_manager=manager))
    sidebar = Sidebar(shell, cast("Any", None))
    opened = {"content": {"data": {"page": "window notebook"}}}
    return sidebar, lambda comm: told[TARGET](comm, opened)


def comm(name: str, close: Callable[[], object]) -> Any:
    """A comm that says that it is closed."""
    nothing = dict.fromkeys(("on_msg", "on_close"), lambda _: None)
    return SimpleNamespace(comm_id=name, close=close, **nothing)


def test_a_comm_that_comes_while_it_is_closed() -> None:
    """Opened by a subshell while the main thread unloads, a comm is closed, not kept."""
    closed: list[str] = []
    sidebar, opens = listening()
    sidebar.close()
    opens(comm("late", lambda: closed.append("late")))
    assert closed == ["late"]


def test_two_comms_of_a_page_that_come_at_once() -> None:
    """A page that isn't answered soon opens another one, in another thread: one is left."""
    closed: list[str] = []
    sidebar, opens = listening()
    third = comm("third", lambda: closed.append("third"))
    other = threading.Thread(target=opens, args=(third,))

    def meanwhile() -> None:
        closed.append("first")
        other.start()
        other.join(1)  # it has its turn behind the second one

    opens(comm("first", meanwhile))
    opens(comm("second", lambda: closed.append("second")))
    other.join()
    assert closed == ["first", "second"]
    sidebar.close()
    assert closed == ["first", "second", "third"]
