"""Calls that wait: for people, for signals and for time; answered from elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from nbdurable.engine.asking import answering
from nbdurable.engine.asking.commands import OpenRun
from nbdurable.engine.calls.parked import Asked
from nbdurable.engine.past.history import History
from nbdurable.engine.past.waits import waiting
from nbdurable.engine.waits.pauses import (
    AnswerMisfit,
    NoAnswer,
    NotWaiting,
    WaitingForAnswer,
)
from nbdurable_store.clock import SystemClock
from tests.engine.notebooks import Notebook

DAY_S = 86_400.0

WAITS = 16
"""Waits for one name at the same time."""


class Hand(SystemClock):
    """A clock that a test moves; who waits on it moves it to where it wants to be."""

    def __init__(self) -> None:
        self.wall_us, self.life_s = 1_700_000_000_000_000, 1000.0
        self.pauses: list[float] = []
        self.on_wait: Callable[[], None] = lambda: None

    def now_us(self) -> int:
        """Wall clock."""
        return self.wall_us

    def monotonic_s(self) -> float:
        """The process's own."""
        return self.life_s

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Let the time pass at once, for whoever runs the cell."""
        if threading.current_thread() is not threading.main_thread():
            return event.wait(60)
        self.pauses.append(timeout_s)
        self.on_wait()
        self.go(timeout_s)
        return event.is_set()

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self.life_s += seconds
        self.wall_us += round(seconds * 1_000_000)


@pytest.fixture
def clock() -> Hand:
    """Time in the test's hands."""
    return Hand()


@pytest.fixture
def notebook(clock: Hand) -> Iterator[Notebook]:
    """A notebook on that clock."""
    nb = Notebook()
    use(nb, clock)
    return nb


def use(nb: Notebook, clock: Hand) -> None:
    """Put a kernel on the test's clock, with the doors imported."""
    nb.session.clock = clock
    nb.plain("import nbdurable as nd")


def run_of(nb: Notebook) -> OpenRun:
    """The run as somebody elsewhere opens it."""
    history = History(nb.session.history.run)
    entries, _ = nb.store.read(history.run)
    history.apply(entries)
    return OpenRun(
        store=nb.store,
        history=history,
        clock=nb.session.clock,
        secrets=nb.session.secrets,
    )


def answer(nb: Notebook, value: object, call: str = "", signal: str = "s1") -> str:
    """Answer from elsewhere."""
    run = run_of(nb)
    found = answering.find(run.history, call, "nbdurable answer")
    told, records = answering.answer(
        run, found, value, by="ann", via="command", signal=signal
    )
    nb.store.append(records, sync=True)
    return str(told)


def send(nb: Notebook, name: str, value: object, signal: str) -> None:
    """Send from elsewhere."""
    _, records = answering.send(
        run_of(nb), name, value, by="ann", via="command", signal=signal
    )
    nb.store.append(records, sync=True)


def when_asked(nb: Notebook, do: Callable[[Asked], object]) -> None:
    """Do something once a question is shown."""
    shown: list[Asked] = []

    def ask(asked: Asked) -> None:
        shown.append(asked)

    nb.session.parked.ask = ask
    clock = nb.session.clock
    assert isinstance(clock, Hand)

    def on_wait() -> None:
        while shown:
            do(shown.pop())

    clock.on_wait = on_wait


REVIEW = 'sent = nd.approve("Send this to Anna?", show=report)'


def test_an_approval_waits_for_its_answer(notebook: Notebook) -> None:
    """A blocked cell goes on with what somebody answered elsewhere."""
    notebook.plain("report = 'r1'")
    when_asked(notebook, lambda _: answer(notebook, True))
    notebook.run(REVIEW, name="review")
    assert notebook.namespace["sent"] is True


def test_an_answer_is_not_asked_for_again(notebook: Notebook, clock: Hand) -> None:
    """After a restart an edited cell is served what was answered."""
    notebook.plain("report = 'r1'")
    when_asked(notebook, lambda _: answer(notebook, False))
    notebook.run(REVIEW, name="review")
    notebook.restart()
    use(notebook, clock)
    notebook.plain("report = 'r1'")
    notebook.run(REVIEW + "; more = 1", name="review")
    assert notebook.namespace["sent"] is False


def test_a_changed_report_asks_again(notebook: Notebook) -> None:
    """The answer is bound to what was shown."""
    asked: list[str] = []

    def say(question: Asked) -> None:
        asked.append(question.waiting.wait.preview)
        answer(notebook, True, signal=f"s{len(asked)}")

    when_asked(notebook, say)
    for report in ("r1", "r2", "r1"):
        notebook.plain(f"report = {report!r}")
        notebook.run(REVIEW, name="review")
    assert asked == ["r1", "r2"]


def test_swapped_approvals_keep_their_answers(notebook: Notebook) -> None:
    """Two questions that change places never get each other's answer."""
    first, second = 'a = nd.approve("Delete?")', 'b = nd.approve("Pay?")'
    said = {"Delete?": False, "Pay?": True}
    count = iter(range(9))
    when_asked(
        notebook,
        lambda q: answer(notebook, said[q.waiting.wait.text], signal=f"s{next(count)}"),
    )
    notebook.run(f"{first}\n{second}", name="review")
    notebook.run(f"{second}\n{first}", name="review")
    assert (notebook.namespace["a"], notebook.namespace["b"]) == (False, True)
    assert next(count) == 2


def test_an_answer_survives_the_kernel(notebook: Notebook, clock: Hand) -> None:
    """Asked, interrupted, answered while no cell runs: the next run takes it at once."""
    notebook.plain("report = 'r1'")

    def interrupt(_: Asked) -> None:
        raise KeyboardInterrupt

    when_asked(notebook, interrupt)
    with pytest.raises(KeyboardInterrupt):
        notebook.run(REVIEW, name="review")
    assert [w.reference for w in waiting(run_of(notebook).history)] == ["review.1"]
    assert answer(notebook, True) == (
        "review.1 is answered and goes on when its cell runs again"
    )
    notebook.restart()
    use(notebook, clock)
    notebook.plain("report = 'r1'")
    notebook.run(REVIEW, name="review")
    assert notebook.namespace["sent"] is True
    assert len(clock.pauses) == 1


def test_a_wait_looks_four_times_a_second(notebook: Notebook) -> None:
    """So an answer from elsewhere releases its cell within a quarter of a second and a bit."""
    clock = notebook.session.clock
    assert isinstance(clock, Hand)
    notebook.run("x = nd.wait_for('paid', timeout=60, default=0)", name="a")
    assert sum(clock.pauses) == pytest.approx(60)
    assert max(clock.pauses) <= 0.25


def test_the_first_answer_counts(notebook: Notebook) -> None:
    """From two places at once: the journal's order says who was first."""
    notebook.plain("report = 'r1'")
    run = None

    def both(_: Asked) -> None:
        nonlocal run
        run = run_of(notebook)
        found = answering.find(run.history, "", "nbdurable answer")
        for value, signal in ((False, "s1"), (True, "s2")):
            _, records = answering.answer(
                run, found, value, by="ann", via="command", signal=signal
            )
            notebook.store.append(records, sync=True)

    when_asked(notebook, both)
    notebook.run(REVIEW, name="review")
    assert notebook.namespace["sent"] is False
    with pytest.raises(NotWaiting, match="has its answer"):
        answer(notebook, True, "review.1", signal="s3")


def test_an_answer_of_another_kind_is_refused(notebook: Notebook) -> None:
    """The question stays open, and says what fits."""
    told: list[str] = []

    def say(_: Asked) -> None:
        for nth, value in enumerate(("maybe", {"amount": "much"}, {"amount": 12.5})):
            try:
                answer(notebook, value, signal=f"s{nth}")
            except AnswerMisfit as misfit:
                told.append(misfit.why)

    when_asked(notebook, say)
    notebook.run('x = nd.ask("How much?", {"amount": float})', name="ask")
    assert notebook.namespace["x"] == {"amount": 12.5}
    assert told == ["it has to have the fields amount", "amount is no number"]


def test_a_wait_ends_at_its_deadline(notebook: Notebook, clock: Hand) -> None:
    """An unanswered question raises what a program may catch, or gives its default."""
    notebook.run('x = nd.ask("Who?", timeout=60, default="nobody")', name="a")
    assert notebook.namespace["x"] == "nobody"
    with pytest.raises(NoAnswer, match="no answer came in 60 s: Who else"):
        notebook.run('nd.ask("Who else?", timeout=60)', name="b")
    assert sum(clock.pauses) == pytest.approx(120)
    with pytest.raises(NotWaiting, match="isn't asked any more"):
        answer(notebook, "ann", "a.1")


def test_what_is_answered_already_is_not_shown(notebook: Notebook) -> None:
    """A parked question whose answer has come is taken without being asked again."""
    notebook.plain("report = 'r1'")
    shown: list[Asked] = []
    notebook.session.parked.ask = shown.append

    def interrupt() -> None:
        raise KeyboardInterrupt

    clock = notebook.session.clock
    assert isinstance(clock, Hand)
    clock.on_wait = interrupt
    with pytest.raises(KeyboardInterrupt):
        notebook.run(REVIEW, name="review")
    answer(notebook, True)
    notebook.run(REVIEW, name="review")
    assert len(shown) == 1


def test_a_line_takes_the_place_of_a_question(notebook: Notebook) -> None:
    """Who answered what, and when; or that nobody did."""
    ended: list[str] = []

    def ask(_: Asked) -> Callable[[str], None]:
        return ended.append

    notebook.session.parked.ask = ask
    clock = notebook.session.clock
    assert isinstance(clock, Hand)
    clock.on_wait = lambda: answer(notebook, True) and None
    notebook.plain("report = 'r1'")
    notebook.run(REVIEW, name="review")
    clock.on_wait = lambda: None
    notebook.run('x = nd.ask("Who?", timeout=60, default="nobody")', name="a")
    assert [line[:-5] for line in ended[:1]] == ["Send this to Anna? · yes, ann, "]
    assert ended[1:] == ["Who? · no answer came in 60 s"]


def test_waits_at_once_take_a_signal_each(notebook: Notebook) -> None:
    """Each value that is sent goes to one wait, also where many threads look at once."""
    notebook.run("x = 1", name="first")
    for nth in range(WAITS):
        send(notebook, "paid", nth, f"s{nth}")
    cell = (
        "import contextlib, threading\n"
        f"together = threading.Barrier({WAITS})\n"
        "def wait(_):\n"
        "    with contextlib.suppress(threading.BrokenBarrierError):\n"
        "        together.wait(20)\n"
        "    return nd.wait_for('paid', timeout=60)\n"
        f"found = nd.map(wait, range({WAITS}), limit={WAITS})"
    )
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        notebook.run(cell, name="ship")
    finally:
        sys.setswitchinterval(usual)
    assert not notebook.namespace["together"].broken
    assert sorted(notebook.namespace["found"]) == list(range(WAITS))


def test_a_frame_is_read_in_the_inbox(notebook: Notebook) -> None:
    """Whoever answers at a shell sees what is decided about."""
    notebook.plain("import pandas as pd\nreport = pd.DataFrame({'hours': [12]})")
    seen: list[str] = []

    def say(asked: Asked) -> None:
        seen.append(asked.waiting.wait.preview)
        answer(notebook, True)

    when_asked(notebook, say)
    notebook.run(REVIEW, name="review")
    assert seen == ["   hours\n0     12"]


def test_a_whole_number_is_whole(notebook: Notebook) -> None:
    """`int` takes 12 and not 12.5; true and false are no numbers."""
    told: list[str] = []

    def say(_: Asked) -> None:
        for nth, value in enumerate((12.5, True, 12)):
            try:
                answer(notebook, value, signal=f"s{nth}")
            except AnswerMisfit as misfit:
                told.append(misfit.why)

    when_asked(notebook, say)
    notebook.run('x = nd.ask("How many?", int)', name="ask")
    assert notebook.namespace["x"] == 12
    assert told == ["it is no whole number"] * 2


def test_a_two_day_sleep_survives_a_restart(notebook: Notebook, clock: Hand) -> None:
    """A timer counts from when it first began, over kernels."""
    cell, began_us = f"nd.sleep({2 * DAY_S}); woke = True", clock.wall_us

    def jump() -> None:
        clock.go(DAY_S)
        raise KeyboardInterrupt

    clock.on_wait = jump
    with pytest.raises(KeyboardInterrupt):
        notebook.run(cell, name="wait")
    notebook.restart()
    use(notebook, clock)
    clock.on_wait = lambda: clock.go(DAY_S)
    notebook.run(cell, name="wait")
    assert notebook.namespace["woke"] is True
    assert (clock.wall_us - began_us) / 1e6 == pytest.approx(2 * DAY_S, abs=1)


def test_a_clock_that_is_set_moves_no_deadline(notebook: Notebook, clock: Hand) -> None:
    """Within one kernel the wall clock isn't asked again."""

    def back() -> None:
        clock.wall_us -= round(DAY_S * 1_000_000)

    clock.on_wait = back
    notebook.run("nd.sleep(1)", name="nap")
    assert sum(clock.pauses) == pytest.approx(1)


def test_signals_are_taken_in_order(notebook: Notebook) -> None:
    """What was sent before is kept; each wait takes the next one."""
    notebook.run("x = 1", name="first")
    send(notebook, "paid", {"id": 1}, "s1")
    send(notebook, "paid", {"id": 2}, "s2")
    notebook.run('a, b = nd.wait_for("paid"), nd.wait_for("paid")', name="ship")
    assert (notebook.namespace["a"], notebook.namespace["b"]) == ({"id": 1}, {"id": 2})


def test_a_cell_sends_once(notebook: Notebook, clock: Hand) -> None:
    """`nd.send` in a durable cell is a write: a replay sends nothing."""
    for _ in range(2):
        notebook.run('nd.send("paid", 7)', name="pay")
        notebook.restart()
        use(notebook, clock)
    notebook.run('x = nd.wait_for("paid")', name="ship")
    assert notebook.namespace["x"] == 7
    assert len(run_of(notebook).history.signals) == 1


def test_without_a_person_the_cell_stops(notebook: Notebook, clock: Hand) -> None:
    """Headless a question is a pause that no `except Exception` swallows."""
    nb = Notebook(interactive=False)
    use(nb, clock)
    cell = "try:\n    ok = nd.approve('Send?')\nexcept Exception:\n    ok = None\n"
    with pytest.raises(WaitingForAnswer, match=r"review.1 waits for an answer: Send\?"):
        nb.run(cell, name="review")
    assert clock.pauses == []
    answer(nb, True)
    nb.restart()
    use(nb, clock)
    nb.run(cell, name="review")
    assert nb.namespace["ok"] is True
