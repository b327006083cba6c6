"""Steps: when they replay, what comes back, what is told."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from nbdurable.engine.asking import commands
from nbdurable.engine.asking.restore import restore
from nbdurable.errors import AlreadyHappened, ReferenceUnknown
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.clock import SystemClock
from nbdurable_store.errors import BlobDamaged
from nbdurable_store.protocol import Lease
from nbdurable_store.records import BlobRef
from tests.engine.notebooks import Notebook

KEY = "sk-proj-0123456789abcdefghijklmnop"
READ = "@tool(effect='read')\ndef read(x): return world(f'read {x}')"


@pytest.fixture
def nb() -> Notebook:
    """A notebook with one reading tool."""
    notebook = Notebook()
    notebook.plain(READ)
    return notebook


def restart(nb: Notebook) -> None:
    """A fresh kernel in which the plain cell has run."""
    nb.restart()
    nb.plain(READ)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = read(1)", "a = read(1)  # a comment"),
        ("a = read(1)", "a   =  read( 1 )"),
        ("a = read(1)\n\n\nb = 2", "a = read(1)\nb = 2"),
        ("a = 'x'", 'a = "x"'),
    ],
)
def test_comments_and_formatting_replay(nb: Notebook, before: str, after: str) -> None:
    """A cell changed only in comments or formatting runs nothing."""
    nb.run(before, "s", "c1")
    restart(nb)
    assert "nothing ran" in nb.run(after, "s", "c1")


@pytest.mark.parametrize("after", ["a = read(2)", "a = read(1.0)", "b = read(1)"])
def test_other_code_runs(nb: Notebook, after: str) -> None:
    """A cell whose code means something else runs."""
    nb.run("a = read(1)", "s", "c1")
    restart(nb)
    assert "ran again because its code changed" in nb.run(after, "s", "c1")


def test_a_changed_input_runs_and_a_changed_back_input_replays(nb: Notebook) -> None:
    """The step key holds the values that the cell reads."""
    nb.plain("q = 'a'")
    nb.run("a = read(q)", "s", "c1")
    nb.plain("q = 'b'")
    assert "ran again because q changed" in nb.run("a = read(q)", "s", "c1")
    nb.plain("q = 'a'")
    assert "nothing ran" in nb.run("a = read(q)", "s", "c1")
    assert nb.namespace["a"] == "read a#1"


def test_the_body_of_a_replayed_cell_does_not_run(nb: Notebook) -> None:
    """A counter inside the cell stays unchanged."""
    nb.run("world('body'); a = 1", "s", "c1")
    restart(nb)
    nb.run("world('body'); a = 1", "s", "c1")
    assert nb.world.effects == ["body"]


def test_the_last_expression_comes_back(nb: Notebook) -> None:
    """A replayed step has the value of its last expression."""
    nb.run("x = [1, 2]\nx", "s", "c1")
    restart(nb)
    nb.run("x = [1, 2]\nx", "s", "c1")
    assert nb.result == [1, 2]
    assert nb.result is nb.namespace["x"]


def test_an_input_changed_in_place_is_an_output(nb: Notebook) -> None:
    """What a step did to a list is done again to the list that others hold."""
    nb.plain("x = [1]; other = x")
    nb.run("x.append(2)", "s", "c1")
    restart(nb)
    nb.plain("x = [1]; other = x")
    assert "nothing ran" in nb.run("x.append(2)", "s", "c1")
    assert nb.namespace["other"] == [1, 2]


def test_a_deleted_name_is_deleted_again(nb: Notebook) -> None:
    """`del` is part of the outcome."""
    nb.plain("x = 1")
    nb.run("y = x; del x", "s", "c1")
    restart(nb)
    nb.plain("x = 1")
    nb.run("y = x; del x", "s", "c1")
    assert "x" not in nb.namespace
    assert nb.namespace["y"] == 1


def test_aliases_stay_aliases(nb: Notebook) -> None:
    """Two names of one object are two names of one object after a replay."""
    nb.run("x = [1]; y = x; z = {'x': x}", "s", "c1")
    restart(nb)
    nb.run("x = [1]; y = x; z = {'x': x}", "s", "c1")
    names = nb.namespace
    assert names["x"] is names["y"]
    assert names["z"]["x"] is names["x"]  # type: ignore[index]  # a dict


def test_an_input_without_a_digest_runs_and_says_so(nb: Notebook) -> None:
    """A cell that reads a generator can't be told apart from another one."""
    nb.plain("g = (i for i in range(3))")
    nb.run("a = read(1); b = next(g)", "s", "c1")
    restart(nb)
    nb.plain("g = (i for i in range(3))")
    line = nb.run("a = read(1); b = next(g)", "s", "c1")
    assert "g has no digest" in line
    assert nb.world.effects == ["read 1"]


def test_fresh_serves_nothing(nb: Notebook) -> None:
    """`--fresh` begins the step afresh each time."""
    nb.run("a = read(1)", "s", "c1")
    line = nb.run("a = read(1)", "s", "c1", fresh=True)
    assert line == "s · ran again because its line says --fresh · 1 new"
    assert nb.world.effects == ["read 1", "read 1"]


def test_a_fresh_cell_does_not_promise_to_be_free(nb: Notebook) -> None:
    """Its first line says that its calls are paid again, also where it failed."""
    assert "--fresh: paid again" in nb.run("a = read(1)", "s", "c1", fresh=True)
    with pytest.raises(ZeroDivisionError):
        nb.run("a = read(1)\n1 / 0", "t", "c2", fresh=True)
    assert "--fresh: paid again" in nb.told[-1]
    assert "not paid again" not in nb.told[-1]


def test_two_cells_of_one_name_say_so(nb: Notebook) -> None:
    """Each has its own history, and the second one tells."""
    nb.run("a = read(1)", "s", "c1")
    nb.run("a = read(1)", "s", "c2")
    assert any("two cells are named s" in told for told in nb.told)
    assert nb.world.effects == ["read 1", "read 1"]


@pytest.mark.parametrize(("interactive", "told"), [(False, 1), (True, 0)])
def test_two_headless_cells_of_one_name_are_told(interactive: bool, told: int) -> None:
    """Without ids they share a history: said once where nobody edits, never at a prompt."""
    nb = Notebook(interactive=interactive)
    for source in ("x = 1", "x = 1", "y = 2", "z = 3"):
        nb.run(source, name="review")
    assert sum("two cells are named review" in line for line in nb.told) == told


def test_a_name_finds_its_slot_under_a_new_cell_id(nb: Notebook) -> None:
    """A cell that was cut and pasted has a new id, and its name."""
    nb.run("a = read(1)", "s", "c1")
    restart(nb)
    assert "1 new, 1 replayed" in nb.run("a = read(1); b = read(2)", "s", "c9")


def test_damaged_values_run_again_and_say_so(nb: Notebook) -> None:
    """A blob that can't be loaded is never handed out; the step runs."""
    nb.run("a = read(1)", "s", "c1")
    restart(nb)
    get, seen = nb.store.get, []

    def damaged(ref: BlobRef, **how: Any) -> Any:
        seen.append(ref)
        if len(seen) == 2:
            raise BlobDamaged(id=ref.id.hex(), place="memory", why="a bit is flipped")
        return get(ref, **how)

    nb.store.get = damaged  # type: ignore[method-assign]  # a fault of the disk
    nb.run("a = read(1)", "s", "c1")
    assert any("s runs again" in told for told in nb.told)
    assert nb.world.effects == ["read 1"]
    assert nb.namespace["a"] == "read 1#1"


def test_restore_brings_names_back_and_keeps_yours(nb: Notebook) -> None:
    """Names come from the last step that made them; assigned ones are left alone."""
    nb.run("a = read(1); b = {'k': [1]}", "s", "c1")
    nb.run("c = b", "t", "c2")
    restart(nb)
    nb.plain("a = 'mine'")
    nb.session.attend(nb.facts, "%durable restore")
    done = restore(nb.session, nb.namespace)
    assert nb.namespace["a"] == "mine"
    assert nb.namespace["b"] == {"k": [1]}
    assert done.back == {"b": "s", "c": "t"}
    assert done.kept == ("a",)
    assert done.line.startswith("2 of 3 names as of ")
    again = restore(nb.session, nb.namespace, ["b"])
    assert again.line == "nothing was brought back: b is there already (--overwrite)"
    restore(nb.session, nb.namespace, ["a"], overwrite=True)
    assert nb.namespace["a"] == "read 1#1"


def test_restore_names_what_is_not_kept(nb: Notebook) -> None:
    """What couldn't be stored is named with what makes it; unknown names are errors."""
    nb.run("g = (i for i in range(3)); next(g); x = 1", "s", "c1")
    restart(nb)
    nb.session.attend(nb.facts, "%durable restore")
    done = restore(nb.session, nb.namespace)
    assert done.not_back == {"g": "%durable rebuild s"}
    with pytest.raises(ReferenceUnknown, match="no name nope"):
        restore(nb.session, nb.namespace, ["nope"])


def test_secrets_of_the_source_are_not_stored() -> None:
    """A key typed into a cell stands nowhere in the journal."""
    key = KEY
    nb = Notebook(environ={"OPENAI_API_KEY": key})
    nb.plain(READ)
    nb.run(f"key = {key!r}; a = read(key); print(key)", "s", "c1")
    entries, _ = nb.store.read(nb.session.history.run)
    told = json.dumps([repr(e.record) for e in entries])
    blobs = [nb.store.get(ref) for e in entries for ref in e.record.blobs]
    assert key not in told
    assert not any(key.encode() in blob for blob in blobs)


DOORS = {
    "an argument": "read({'auth': [key]})",
    "a result": "keyed('x')",
    "an error that the cell survives": "try: fail()\nexcept ValueError: pass",
    "an error that ends the cell": "fail()",
    "an error of the cell": "raise KeyError(key)",
    "a value": "a = {'k': (key,)}",
    "bytes": "b = [key.encode()]",
    "a function": f"def f(x={KEY!r}): return {KEY!r}",
    "an instance": "class C: pass\nc = C()\nc.headers = {'Authorization': key}",
    "the last expression": "[key]",
}
"""Ways for a key into the journal."""


@pytest.mark.parametrize("door", DOORS)
def test_no_door_lets_a_key_into_the_journal(door: str) -> None:
    """Whatever a cell does with the key, no record and no blob holds it."""
    nb = Notebook(environ={"OPENAI_API_KEY": KEY})
    nb.plain(READ)
    nb.plain("@tool(effect='read')\ndef keyed(x): return [key]")
    nb.plain("@tool(effect='read')\ndef fail(): raise ValueError('bad ' + key)")
    nb.plain(f"key = {KEY!r}")
    with contextlib.suppress(ValueError, KeyError):
        nb.run(DOORS[door], "s", "c1")
    entries, _ = nb.store.read(nb.session.history.run)
    assert KEY not in json.dumps([repr(e.record) for e in entries])
    blobs = [nb.store.get(ref) for e in entries for ref in e.record.blobs]
    assert len(blobs) >= 2
    assert not any(KEY.encode() in blob for blob in blobs)


def test_a_new_run_serves_nothing_of_the_old_one(nb: Notebook) -> None:
    """`%durable new` begins afresh and says which writes can happen again."""
    nb.run("a = read(1)", "s", "c1")
    assert "begins a new run" in commands.new(nb.session).line
    nb.run("a = read(1)", "s", "c1")
    assert nb.world.effects == ["read 1", "read 1"]


class Patient(SystemClock):
    """A clock on which another kernel lets go of its run after five looks."""

    looks = 0
    lease: Lease

    def now_us(self) -> int:
        """A second passes with each look."""
        return super().now_us() + self.looks * 1_000_000

    def sleep(self, seconds: float) -> None:
        """Time passes for the other kernel."""
        assert seconds > 0
        self.looks += 1
        if self.looks == 5:
            self.lease.release()


def test_a_wait_for_a_busy_run_is_told_once() -> None:
    """However long it takes: one line, with who has it."""
    world, clock = World(), Patient()
    nb = Notebook(store=MemoryStore(world, clock))
    nb.plain(READ)
    nb.run("a = read(1)", "s", "c1")
    clock.lease = MemoryStore(world).claim(nb.session.history.run)
    nb.session.clock = clock
    nb.run("a = read(1); b = 2", "s", "c1")
    assert clock.looks == 5
    assert sum("waiting for process" in told for told in nb.told) == 1


def test_what_is_asked_before_the_first_cell_is_heeded(nb: Notebook) -> None:
    """A `%durable rerun` at the start of a kernel counts when the cell runs."""
    nb.run("a = read(1)", "s", "c1")
    restart(nb)
    history = nb.session.attend(nb.facts, "%durable rerun")
    commands.rerun(nb.session, next(iter(history.steps.values())))
    assert "you asked for a rerun" in nb.run("a = read(1)", "s", "c1")


def test_a_closed_run_is_shown_whole(nb: Notebook) -> None:
    """After `%durable new` the old run still holds what this kernel did in it."""
    nb.run("a = read(1)", "s", "c1")
    commands.new(nb.session)
    history = nb.session.attend(nb.facts, "%durable")
    assert [s.name for s in history.steps.values()] == ["s"]
    assert history.closed is not None


def test_a_closed_file_does_not_keep_a_step_from_replaying(
    nb: Notebook, tmp_path: Path
) -> None:
    """`with open(...) as f` leaves a closed file, which is one again."""
    cell = (
        f"with open({str(tmp_path / 'notes')!r}, 'w') as f: f.write('x')\na = read(1)"
    )
    assert "not kept" not in nb.run(cell, "s", "c1")
    restart(nb)
    assert "nothing ran" in nb.run(cell, "s", "c1")
    assert nb.namespace["f"].closed  # type: ignore[attr-defined]  # a file


def test_a_pool_that_ended_does_not_keep_a_step_from_replaying(nb: Notebook) -> None:
    """`with ThreadPoolExecutor() as pool` leaves a pool of which nothing is kept."""
    nb.plain("from concurrent.futures import ThreadPoolExecutor")
    cell = "with ThreadPoolExecutor(2) as pool: a = list(pool.map(read, range(3)))"
    assert "not kept" not in nb.run(cell, "s", "c1")
    restart(nb)
    nb.plain("from concurrent.futures import ThreadPoolExecutor")
    assert "nothing ran" in nb.run(cell, "s", "c1")
    assert nb.namespace["a"] == ["read 0#1", "read 1#1", "read 2#1"]


@pytest.mark.parametrize("raised", ["ValueError", "KeyboardInterrupt"])
def test_a_call_that_ended_its_cell_is_not_said_to_be_free(
    nb: Notebook, raised: str
) -> None:
    """It runs again when the cell does, so only the others are not paid again."""
    bad = f"@tool(effect='read')\ndef bad(): raise {raised}"
    nb.plain(bad)
    with pytest.raises((ValueError, KeyboardInterrupt)):
        nb.run("read(1)\nbad()", "s", "c1")
    assert "2 calls ran" in nb.told[-1]
    assert nb.told[-1].endswith("1 of them is not paid again")
    with pytest.raises((ValueError, KeyboardInterrupt)):
        nb.run("bad()", "t", "c2")
    assert "1 call ran" in nb.told[-1]
    assert "paid" not in nb.told[-1]


def test_a_call_whose_error_the_cell_survived_is_free(nb: Notebook) -> None:
    """The cell went on from it, so it is served as it was."""
    nb.plain("@tool(effect='read')\ndef bad(): raise ValueError")
    cell = "try: bad()\nexcept ValueError: pass\na = read(1)"
    assert nb.run(cell, "s", "c1").endswith("these 2 are not paid again")


def test_a_tool_without_an_effect_is_told_once(nb: Notebook) -> None:
    """That it counts as a write is said at its first call in a kernel."""
    nb.plain("@tool\ndef pay(x): return world(f'pay {x}')")
    assert "pay has no effect=" in nb.run("pay(1)", "s", "c1")
    assert "pay has no effect=" not in nb.run("pay(2)", "s", "c1")


def test_a_question_says_too_that_a_tool_counts_as_a_write(nb: Notebook) -> None:
    """It is the first call in a new kernel, and asks because of that."""
    nb.plain("@tool\ndef pay(x): return world(f'pay {x}')")
    nb.run("pay(1)", "s", "c1")
    nb.restart()
    nb.plain("@tool\ndef pay(x): return world(f'pays {x}')")
    for _ in range(2):
        with pytest.raises(AlreadyHappened):
            nb.run("pay(1); more = 1", "s", "c1")
        assert sum("pay has no effect=" in line for line in nb.told) == 1
