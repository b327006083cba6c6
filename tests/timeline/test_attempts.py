"""The attempts of a call, where people look: `%durable`, `why` and the page."""

from __future__ import annotations

import pytest

from nbdurable.engine.past.fates import Fate
from nbdurable.engine.past.present import Present
from nbdurable.engine.telling.explain import why
from nbdurable.engine.where.moments import Now
from nbdurable.errors import TimedOut
from nbdurable.timeline.model import run_view
from nbdurable.timeline.pages import page
from nbdurable.timeline.text import text
from nbdurable.timeline.views import CallView, RunView
from tests.engine.test_retries import Failing


def view(nb: Failing) -> RunView:
    """The run as it is shown, in a kernel that lives."""
    history = nb.session.history
    return run_view(history, Now(nb.clock.us), alive={nb.store.owner})


def call(nb: Failing) -> CallView:
    """The only call of the latest step attempt."""
    (found,) = view(nb).attempts[-1].calls
    return found


@pytest.fixture
def nb() -> Failing:
    """A run in which one call took three attempts."""
    notebook = Failing()
    notebook.act("read")
    notebook.fails(OSError("busy"), ValueError("busy"))
    notebook.run("x = act('<b>')", "s", "c1")
    return notebook


def test_each_attempt_is_told(nb: Failing) -> None:
    """What each raised, and when the next one came."""
    assert call(nb).tries == 3
    assert call(nb).attempts == (
        "attempt 1 raised OSError after 0 ms, to be tried again 1.0 s later",
        "attempt 2 raised ValueError after 0 ms, to be tried again 2.0 s later",
        "attempt 3 returned after 0 ms",
    )


def test_the_bar_is_as_long_as_all_of_them(nb: Failing) -> None:
    """In the picture the call begins with its first attempt, and its waits belong to it."""
    first, *_ = nb.only.earlier
    nb.only.ms = 5.0
    assert call(nb).started_us == first.started_us
    assert call(nb).ms == 3_005


def test_the_run_as_text_counts_them(nb: Failing) -> None:
    """`%durable` names the call that was tried again."""
    assert "    act('<b>'): 3 attempts" in text(view(nb))
    nb.restart()
    nb.run("x = act('<b>'); y = 1", "s", "c1")
    assert "attempts" not in text(view(nb))


def test_the_page_lists_them(nb: Failing) -> None:
    """The page of the run has a line for each, escaped as everything is."""
    shown = page(view(nb), "")
    assert "attempt 2 raised ValueError after 0 ms, to be tried again" in shown
    assert "act(&#x27;&lt;b&gt;&#x27;)" in shown or "act('&lt;b&gt;')" in shown


def test_why_lists_them(nb: Failing) -> None:
    """`%durable why s.1` says why it ran again, and how each attempt ended."""
    told = str(why(nb.session.history, "s.1", Present(Now(nb.clock.us))))
    assert "ran again, because attempt 2 raised ValueError" in told
    assert "attempt 1 raised OSError" in told


def test_a_call_that_waits_is_shown_as_waiting() -> None:
    """Between two attempts it neither runs nor has it failed."""
    nb = Failing()
    nb.act("read", more="wait=9")
    nb.fails(OSError("busy"))
    seen: list[CallView] = []
    sleep = nb.clock.sleep

    def look(seconds: float) -> None:
        """Look at the run in the middle of a wait."""
        seen.append(call(nb))
        sleep(seconds)

    nb.clock.sleep = look
    nb.run("x = act(1)", "s", "c1")
    assert seen[0].fate is Fate.WAITING
    assert seen[0].why.startswith("waits: attempt 1 raised OSError")
    assert call(nb).fate is Fate.RAN


def test_a_limit_is_told_as_one() -> None:
    """A call that timed out says so, and not the name of a class."""
    nb = Failing()
    nb.tools(
        "import threading\ngate = threading.Event()\n"
        "@tool(timeout=0.02)\ndef act(x): gate.wait(60)"
    )
    with pytest.raises(TimedOut):
        nb.run("act(1)", "s", "c1")
    assert "may have happened: it timed out" in call(nb).why
    nb.namespace["gate"].set()


def test_many_attempts_are_told_shortly() -> None:
    """Of thirty attempts the first and the latest are told."""
    nb = Failing()
    nb.act("read", attempts=30, more="wait=0")
    nb.fails(*(OSError("busy") for _ in range(29)))
    nb.run("x = act(1)", "s", "c1")
    told = call(nb).attempts
    assert len(told) == 21
    assert told[1] == "… 10 more"
    assert told[-1].startswith("attempt 30 returned")
