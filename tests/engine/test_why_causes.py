"""`why` names each injected cause, with the place, the old and the new."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from nbdurable.engine.asking import commands
from nbdurable.engine.identity import keys
from nbdurable.engine.telling.explain import why
from tests.engine.notebooks import Notebook
from tests.engine.why_causes import CALLS, STEPS, TOOLS, Injected, stopped


def told(nb: Notebook, about: str) -> str:
    """What `why` says."""
    return str(why(nb.session.history, about, commands.present(nb.session)))


def twice(nb: Notebook, injected: Injected) -> None:
    """Run the cell, let the cause happen, run it again."""
    for nth, (setup, cell, files) in enumerate(
        [
            (injected.setup, injected.cell, injected.files),
            (injected.setup_after, injected.cell_after, injected.files_after),
        ]
    ):
        for name, text in files.items():
            (nb.root / name).write_text(text)
        if setup:
            nb.plain(setup)
        if nth:
            injected.between(nb)
        source = injected.cell if cell is None else cell
        nb.run(source, "work", fresh=injected.fresh)


@pytest.mark.wide
@pytest.mark.parametrize("name", [*STEPS, *CALLS])
def test_a_cause_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place, the old and the new stand in the explanation; nothing is unknown."""
    injected = {**STEPS, **CALLS}[name]
    monkeypatch.chdir(tmp_path)
    nb = Notebook(root=tmp_path)
    with contextlib.closing(nb.session):
        twice(nb, injected)
        text = told(nb, injected.about)
    assert [part for part in injected.says if part not in text] == [], text
    assert "unknown" not in text


BROKEN = """
@tool(effect="read")
def shaky(x):
    if world(f"shaky {x}").endswith("#1"):
        raise OSError("try later")
    return x
"""


def test_a_stopped_attempt_and_its_call_say_how_they_ended() -> None:
    """The step says what ended the attempt before it, the call what it raised."""
    nb = Notebook()
    with contextlib.closing(nb.session):
        nb.plain(BROKEN)
        stopped(nb, "a = shaky(1)", OSError)
        nb.run("a = shaky(1)", "work")
        assert "because its last attempt ended with an error" in told(nb, "work")
        assert "attempt 1 raised OSError" in told(nb, "work.1")


def test_a_swallowed_exception_is_served_as_such() -> None:
    """A call whose exception the code caught says that the same one was raised again."""
    nb = Notebook()
    with contextlib.closing(nb.session):
        nb.plain(BROKEN)
        cell = "try:\n    a = shaky(1)\nexcept OSError:\n    a = 0"
        nb.run(cell, "work")
        nb.run(f"{cell}\nb = 1", "work")
        assert "the same exception, it ran" in told(nb, "work.1")
        assert nb.world.effects == ["shaky 1"]


def test_a_copied_cell_says_whose_calls_it_does_not_have() -> None:
    """A copy of a finished cell is new, and names the cell that keeps its calls."""
    nb = Notebook()
    with contextlib.closing(nb.session):
        nb.plain(TOOLS)
        nb.run("a = ask([])", "first", "id-1")
        nb.run("a = ask([])", "work", "id-2")
        assert "first is an equal cell, and keeps the calls" in told(nb, "work")
        assert "the equal call belongs to first" in told(nb, "work.1")


def test_a_cell_whose_payment_another_one_took_says_so() -> None:
    """Failed after it, left to another cell, and made anew when it ran again."""
    nb = Notebook()
    with contextlib.closing(nb.session):
        nb.plain("@tool\ndef pay(x): return world(f'pay {x}')\nbad = True")
        cell = "a = pay(1)\nif bad: 1 / 0"
        with pytest.raises(ZeroDivisionError):
            nb.run(cell, "first", "id-1")
        nb.run("b = pay(1)", "second", "id-2")
        nb.plain("bad = False")
        nb.run(cell, "first", "id-1")
        assert nb.world.effects == ["pay 1", "pay 1"]
        said = "the equal call was served to second and is its own now"
        assert said in told(nb, "first.1")


def test_an_adopted_call_says_from_where() -> None:
    """A call served from a cell that was edited names that cell."""
    nb = Notebook()
    with contextlib.closing(nb.session):
        nb.plain(TOOLS)
        nb.run("a = ask([])\nb = fetch('x')", "first", "id-1")
        nb.run("b = fetch('x')", "first", "id-1")
        nb.run("a = ask([])", "work", "id-2")
        text = told(nb, "work.1")
        assert "was replayed in work (now its own)" in text
        assert text.splitlines()[0].endswith("in first")


def test_another_version_of_the_keys_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade that changes how keys are computed the release is named."""
    nb = Notebook()
    with contextlib.closing(nb.session):
        nb.run("a = 1", "work")
        monkeypatch.setattr(keys, "ALGORITHM", "2")
        monkeypatch.setattr(keys, "ALGORITHMS", {"1": "0.1.0", "2": "0.2.0"})
        nb.run("a = 2", "work")
        assert "differently since version 0.2.0" in told(nb, "work")


def test_an_edited_module_and_an_upgraded_package_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a local module the line that differs is shown, of a package its versions."""
    module = tmp_path / "prices_of_ours.py"
    module.write_text("def price():\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    nb = Notebook(root=tmp_path)
    versions = {"attr": "attrs 1.0"}
    with contextlib.closing(nb.session):
        monkeypatch.setattr(
            nb.session.sources, "version_of", lambda m: versions.get(m, "")
        )
        nb.plain("import attr")
        cell = "import prices_of_ours\np = 1 if attr else 2"
        nb.run(cell, "work")
        module.write_text("def price():\n    return 200\n")
        nb.run(cell, "work")
        text = told(nb, "work")
        assert "because prices_of_ours changed" in text
        assert "prices_of_ours: was «return 1», is «return 200»" in text
        versions["attr"] = "attrs 2.0"
        nb.run(cell, "work")
        assert "attr was attrs 1.0, is attrs 2.0" in told(nb, "work")


def test_secrets_are_not_written_down_for_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a cell is given is scrubbed before it is written down."""
    nb = Notebook(environ={"SERVICE_TOKEN": "tok-0123456789-abcdef"})
    with contextlib.closing(nb.session):
        nb.plain(
            "x = ['tok-0123456789-abcdef', 1]\ndef f(): return 'tok-0123456789-abcdef'"
        )
        nb.run("y = len(x) + len(f())", "work")
        nb.plain("x = ['tok-0123456789-abcdef', 2]")
        nb.run("y = len(x) + len(f())", "work")
        step = nb.session.history.named("work")
        assert step is not None
        kept = b"".join(nb.session.store.get(ref) for ref in step.inputs)
        assert b"tok-0123456789" not in kept
        assert "x[1] was 1, is 2" in told(nb, "work")


def test_what_a_function_reaches_is_told_and_not_its_digest() -> None:
    """Of a function whose own text is the same, only what it reaches is told."""
    nb = Notebook()
    with contextlib.closing(nb.session):
        nb.plain("PROMPT = 'one'\ndef ask(): return PROMPT\nclass A: pass\na = A()")
        nb.run("x = ask(), a", "work")
        nb.plain("PROMPT = 'two'\na.n = 1")
        nb.run("x = ask(), a", "work")
        lines = told(nb, "work").splitlines()
    assert lines[1] == "  PROMPT was 'one', is 'two'"
    assert "ask was" not in "".join(lines)
    assert "a (A) is another one" in lines[2]


def test_comments_are_no_difference() -> None:
    """A cell whose comments changed replays, and says that its code is the same."""
    nb = Notebook()
    with contextlib.closing(nb.session):
        nb.run("a = 1  # one", "work")
        nb.run("# first\na = 1", "work")
        assert told(nb, "work").startswith("work was replayed today")
