"""What the tab key offers on lines of `%durable` and `%%durable`, without a kernel."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine.past.history import History
from nbdurable.engine.past.waits import waiting
from nbdurable.kernel.offers import Offer, offer
from nbdurable.kernel.options import OPTIONS
from nbdurable.kernel.words import WORDS
from nbdurable_store.records import Plain
from tests.stories import Story


def story() -> Story:
    """A run with two finished steps, and one that stopped in a write."""
    told = Story()
    told.opens()
    for name in ("findings", "review"):
        step = told.step(name)
        told.calls(step, f"search({name!r})", 1.0)
        told.calls(step, "draft(1)", 1.0)
        told.completes(step, [[f"{name}_a"], [f"{name}_b"]])
    step = told.step("send")
    told.begins(step, "pay('anna')", effect="write")
    told.dies()
    return told


RUN: History = story().history()


def no_run() -> History | None:
    """A notebook without a run."""
    return None


def offered(line: str, run: History | None = RUN) -> tuple[str, ...] | None:
    """What is offered at the end of a line."""
    found = offer(line, 0, len(line), lambda: run)
    return None if found is None else found.instead


COMMANDS = {
    "%durable ": tuple(WORDS),
    "%durable re": ("restore", "rerun", "rebuild", "resolve"),
    "x = %durable st": ("status",),
    "%durable zz": (),
    "%durable zz ": (),
    "%durable why ": ("send", "review", "findings"),
    "%durable why f": ("findings",),
    "%durable why review.": ("review.1", "review.2"),
    "%durable why nothing.": (),
    "%durable why send ": (),
    "%durable rerun r": ("review",),
    "%durable rerun review.": (),
    "%durable resolve ": (
        "send.1@DIGEST",
        "--did-not",
        "--keep",
        "--again",
        "--happened",
    ),
    "%durable resolve send.1 ": ("--did-not", "--keep", "--again", "--happened"),
    "%durable resolve send.1 --d": ("--did-not",),
    "%durable resolve send.1 --did-not ": (),
    "%durable resolve send.1 --happened f": (),
    "%durable restore review_": ("review_b", "review_a"),
    "%durable restore review_a ": (
        "review_b",
        "findings_b",
        "findings_a",
        "--overwrite",
        "--at",
    ),
    "%durable restore --at f": ("findings",),
    "%durable restore --at ": ("send", "review", "findings"),
    "%durable restore --o": ("--overwrite",),
    "%durable restore --overwrite --": ("--at",),
    "%durable fork ": ("--at", "--of"),
    "%durable fork --of r": (),
    "%durable fork --at r": ("review",),
    "%durable fork --at review ": ("--of",),
    "%durable diff r": ("review",),
    "%durable diff review@": ("review@1",),
    "%durable diff review f": ("findings",),
    "%durable back ": (),
    "%durable new ": (),
}


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_completed(line: str) -> None:
    """Words first, then what the word takes, then its options."""
    told = (re.sub("@[0-9a-f]{6}", "@DIGEST", one) for one in offered(line))
    assert tuple(told) == COMMANDS[line]


MARKS = {
    "%%durable --": tuple(OPTIONS),
    "%%durable name --f": ("--fresh",),
    "%%durable name --fresh --": tuple(o for o in OPTIONS if o != "--fresh"),
    "%%durable ": tuple(OPTIONS),
    "# durable: name --q": ("--quiet",),
}


@pytest.mark.parametrize("line", MARKS)
def test_the_first_line_of_a_cell_is_completed(line: str) -> None:
    """Options that are not given yet; blank lines above and code below don't matter."""
    assert offered(line) == MARKS[line]
    cell = f"\n\n{line}\nx = 1"
    found = offer(cell, 2, len(line), no_run)
    assert found is not None
    assert found.instead == MARKS[line]


@pytest.mark.parametrize(
    "line",
    ["", "durable ", "%durables ", "%%durables --", "x = 'durable'", "%%durable"],
)
def test_other_lines_are_left_to_others(line: str) -> None:
    """What is none of ours is not completed by us."""
    assert offered(line) is None


def test_an_option_line_is_the_first() -> None:
    """A mark below code makes no cell durable, so nothing is offered there."""
    assert offer("x = 1\n%%durable --", 1, 12, no_run) is None


@pytest.mark.parametrize("command", ["why", "rerun", "resolve", "restore"])
def test_without_a_run_no_name_is_offered(command: str) -> None:
    """Nothing breaks where nothing ran yet."""
    found = offered(f"%durable {command} ", None)
    assert found is not None
    assert all(option.startswith("--") for option in found)


@pytest.mark.parametrize("line", ["%durable st", "%durable status ", "%%durable --"])
def test_the_run_is_read_only_when_its_names_are_needed(line: str) -> None:
    """Completing a word or an option opens no store."""

    def read() -> History | None:
        raise AssertionError("the run was read")

    assert offer(line, 0, len(line), read) is not None


@pytest.mark.slow
@given(st.text(), st.integers(0, 30))
def test_anything_may_be_typed(text: str, back: int) -> None:
    """Whatever stands before the cursor, what is offered continues it."""
    line = f"%durable {text}".replace("\n", " ")
    column = max(0, len(line) - back)
    found = offer(line, 0, column, lambda: RUN)
    if found is not None:
        assert isinstance(found, Offer)
        assert line[:column].endswith(found.word)
        assert all(word.startswith(found.word) for word in found.instead)


def test_what_waits_is_offered_as_it_is_answered() -> None:
    """With the digest of what was shown, which nobody types by heart; timers aren't."""
    told = Story()
    told.opens()
    for kind in ("approval", "timer"):
        wait: dict[str, Plain] = {"kind": kind, "text": "Send this?"}
        told.begins(told.step(kind), f"nd.{kind}()", kind=kind, wait=wait)
    run = told.history()
    asked = waiting(run)[0].asked
    assert offered("%durable approve ", run) == (asked, "--no")
    assert offered("%durable answer appr", run) == (asked,)
