"""What waits for somebody, in all runs of a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.past.history import History
from nbdurable.engine.past.waits import Waiting, WaitKind, waiting
from nbdurable.engine.telling.waits import answer_by, until
from nbdurable.engine.values.plainly import visible
from nbdurable.engine.waits.pauses import shown_lines
from nbdurable.engine.where.moments import Now, since
from nbdurable.timeline.asks import doubts
from nbdurable.timeline.previews import line
from nbdurable.timeline.show import history_of, living
from nbdurable.timeline.views import AskView
from nbdurable_store.protocol import Store

EMPTY: Final = "nothing waits for an answer"


@dataclass(frozen=True, slots=True)
class Pending:
    """A question, and the run that asks it."""

    history: History
    waiting: Waiting

    def told(self, now: Now) -> str:
        """What is asked, where and since when, with what is shown."""
        call, wait = self.waiting.call, self.waiting.wait
        choices = f" ({', '.join(wait.choices)})" if wait.choices else ""
        form = f" ({', '.join(wait.form)})" if wait.form else ""
        lines = shown_lines(visible(wait.preview))
        return (
            f"? {line(wait.text)}{line(choices or form)}"
            f" · {line(self.history.notebook)},"
            f" since {since(call.started_us, now)}{until(wait, now)}"
            + "".join(f"\n    {part}" for part in lines)
        )


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A run with calls that may have happened, or that are not to happen again unasked.

    Attributes:
        history: The run.
        calls: The calls, each with why it is asked about.
        own: Whether it is the reader's run, so that `%durable` settles its calls.
    """

    history: History
    calls: tuple[AskView, ...]
    own: bool = False

    @property
    def command(self) -> str:
        """What shows the run that they are of."""
        return f"nbdurable show {self.history.run}"

    def __str__(self) -> str:
        told = [part for call in self.calls for part in self._told(call)]
        return "\n".join([*told, f"    {self.command}"])

    def _told(self, call: AskView) -> Iterator[str]:
        """A call, and what settles it: a reference alone means the reader's own run."""
        notebook = line(self.history.notebook)
        yield f"? {call.call} {call.says} · {call.reference}, {notebook}"
        width = max((len(means) for means, _ in call.answers), default=0)
        elsewhere = f"nbdurable resolve --run {self.history.run} "
        for means, command in call.answers:
            typed = command.removeprefix("%durable resolve ")
            said = command if self.own else f"{elsewhere}{typed}"
            yield f"    {means:<{width}}  {said}"


@dataclass(frozen=True, slots=True, repr=False)
class Inbox:
    """What waits for somebody, oldest first; it shows itself as text.

    Attributes:
        pending: The questions.
        now: The present as the reader sees it.
        unsettled: Runs with calls that nobody repeats before they are settled.
    """

    pending: tuple[Pending, ...]
    now: Now
    unsettled: tuple[Unsettled, ...] = ()

    def __len__(self) -> int:
        return len(self.pending) + len(self.unsettled)

    def __str__(self) -> str:
        told = [self._told(asked) for asked in self.pending]
        return "\n".join([*told, *map(str, self.unsettled)]) or EMPTY

    def __repr__(self) -> str:
        return str(self)

    def _told(self, asked: Pending) -> str:
        return f"{asked.told(self.now)}\n    {line(answer_by(asked.waiting))}"

    def data(self) -> list[dict[str, object]]:
        """The same for programs."""
        waits: list[dict[str, object]] = [
            {
                "reference": asked.waiting.reference,
                "asked": asked.waiting.asked,
                "run": asked.history.run,
                "notebook": asked.history.notebook,
                "kind": asked.waiting.wait.kind.value,
                "text": asked.waiting.wait.text,
                "shown": asked.waiting.wait.preview,
                "since_us": asked.waiting.call.started_us,
                "deadline_us": asked.waiting.wait.deadline_us,
                "command": asked.waiting.command,
            }
            for asked in self.pending
        ]
        doubted: list[dict[str, object]] = [
            {
                "reference": ask.reference.partition("@")[0],
                "asked": ask.reference,
                "run": run.history.run,
                "notebook": run.history.notebook,
                "kind": "doubt",
                "text": f"{ask.call} {ask.says}",
                "command": run.command,
            }
            for run in self.unsettled
            for ask in run.calls
        ]
        return waits + doubted


def inbox_of(store: Store, runs: Iterable[str], now: Now, own: str = "") -> Inbox:
    """What these runs wait for; timers wait for nobody.

    Args:
        store: Where they are.
        runs: Their ids.
        now: The present as the reader sees it.
        own: The run that the reader's kernel works in, or "".
    """
    histories = [history_of(store, run) for run in runs]
    found = [
        Pending(history, asked)
        for history in histories
        for asked in waiting(history)
        if asked.wait.kind is not WaitKind.TIMER and not asked.answered
    ]
    found.sort(key=lambda asked: asked.waiting.call.started_us)
    alive = living(store)
    asked_about = (
        Unsettled(h, tuple(doubts(h, alive)), own=h.run == own) for h in histories
    )
    return Inbox(tuple(found), now, tuple(run for run in asked_about if run.calls))
