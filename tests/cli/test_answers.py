"""Answers from shells: two at the same moment, and into a store of somebody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from tests.cli.projects import Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ASKS = """%%durable review
import nbdurable as nd
plan = nd.ask("Which?", ["A", "B"])
"""


@pytest.fixture
def asked(tmp_path: Path) -> Project:
    """A folder whose notebook asked, and whose kernel is gone."""
    home = tmp_path / ".kernel"
    with Kernel(tmp_path) as kernel:
        ran = kernel.send(ASKS, metadata={"cellId": "c1"})
        kernel.wait_for(ran, lambda: "review.1 waits" in ran.text)
        kernel.kill()
    return Project(tmp_path, home)


def seen(asked: Project) -> str:
    """The question that waits, as it is to be answered."""
    (waits,) = asked.nbdurable("inbox", "--json").data
    return str(waits["asked"])


def test_two_shells_at_the_same_moment(asked: Project) -> None:
    """One answer counts, and only its shell is told that it does."""
    question = seen(asked)
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda a: asked.nbdurable("answer", question, a), "ABAB")
        )
    counted = [a for a, done in zip("ABAB", answers, strict=True) if done.code == 0]
    assert len(counted) == 1, [a.text for a in answers]
    assert all("NotWaiting" in a.text for a in answers if a.code)
    with Kernel(asked.folder) as kernel:
        assert kernel.run(ASKS, metadata={"cellId": "c1"}).ok
        assert kernel.run("print(plan)").text.strip() == counted[0]


@pytest.mark.parametrize(
    "words", [("answer", "review.1", "A"), ("approve", "review.1"), ("inbox",)]
)
def test_a_store_of_somebody_else_takes_no_answer(
    asked: Project, words: tuple[str, ...]
) -> None:
    """It is refused, and not a byte is written."""
    before = asked.stored()
    other = Project(asked.folder, asked.folder.parent / "other-home")
    done = other.nbdurable(*words)
    assert done.code == 5, done.text
    assert "StoreForeign" in done.text
    assert asked.stored() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("answer", "SEEN", "C"), "it is none of A, B"),
        (("approve", "SEEN"), "is no approval: nbdurable answer review.1@"),
        (("answer", "review.1", "A"), "doesn't say which question was seen"),
        (("answer", "review.1@000000", "A"), "isn't the question that is asked there"),
        (("answer", "review.2", "A"), "ReferenceUnknown"),
        (("send", "paid", "3"), "nothing waits for it yet"),
    ],
)
def test_what_does_not_fit_is_told(
    asked: Project, words: tuple[str, ...], told: str
) -> None:
    """And the question stays open."""
    typed = [seen(asked) if word == "SEEN" else word for word in words]
    assert told in asked.nbdurable(*typed).text
    assert "review.1" in asked.nbdurable("inbox").text


def test_a_value_goes_to_the_run_that_waits_for_it(asked: Project) -> None:
    """Also if another notebook's run was active later."""
    cell = "%%durable ship\nimport nbdurable as nd\npaid = nd.wait_for('paid')"
    with Kernel(asked.folder) as waits:
        ran = waits.send(cell, metadata={"cellId": "c2"})
        waits.wait_for(ran, lambda: "ship.1 waits" in ran.text)
        with Kernel(asked.folder, env={"NBDURABLE_NOTEBOOK": "/b.ipynb"}) as later:
            assert later.run("%%durable own\nx = 1").ok
        assert asked.nbdurable("send", "paid", "17").text.strip() == "paid is sent"
        assert waits.wait(ran).ok
        assert waits.run("print(paid)").text == "17\n"
