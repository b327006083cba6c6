"""What of a run needs somebody, and the commands that answer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from nbdurable.engine.past import settle
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.fates import Fate, call_fate
from nbdurable.engine.past.history import History
from nbdurable.engine.past.meant import means, where_it_stands
from nbdurable.engine.past.waits import AnswerKind, Wait, WaitKind, waiting
from nbdurable.engine.telling.waits import typed, waits_for
from nbdurable.engine.values.plainly import visible
from nbdurable.timeline.previews import line
from nbdurable.timeline.views import AskView

_ASKS: Final[Mapping[Past, str]] = {
    Past.IN_DOUBT: "may have happened",
    Past.RAISED_FATAL: "may have happened",
    Past.EDITED: "already happened with an earlier version of the tool, or of what it was given",
    Past.UNRECOVERABLE: "happened, and its result can't be brought back",
    Past.ELSEWHERE: "already happened in another cell",
    Past.FORKED: "already happened in the run that this one was forked from",
    Past.AFRESH: "already happened before this rerun",
    Past.REKEYED: "may be one that already happened",
    Past.UNDIGESTIBLE_TWIN: "may be one that already happened",
    Past.EMPTIED: "already happened, and a part of it now stands outside it",
    Past.STOOD_IN: "happened once, and its result was kept for another call",
    Past.NEW_DATA: "already happened in this cell, with other data",
    Past.OTHER_IN_DOUBT: "may have happened instead of the call that is made now",
    Past.EARLIER_TRY: "already happened in an earlier attempt, with other arguments",
    Past.REPLACED: "already happened, and another tool is to be called so now",
    Past.INSTEAD: "already happened, and another call is to be made now",
}


QUESTION_CHARS_MAX: Final = 2_000
"""Characters of a question; its call's details have the rest."""


def asks(history: History, alive: Collection[str]) -> Iterator[AskView]:
    """What needs somebody: calls that may have happened, and calls that wait."""
    yield from doubts(history, alive)
    yield from _waits(history)


def doubts(history: History, alive: Collection[str]) -> Iterator[AskView]:
    """Calls that somebody has to settle: they may have happened, or happened before."""
    for asked in settle.questions(history):
        step = history.steps.get(asked.call.step)
        if step and call_fate(history, asked.call, step, alive) is Fate.RUNNING:
            continue
        there = where_it_stands(history, asked)
        yield from map(_doubt, (there, asked) if there else (asked,))


def _doubt(asked: settle.Question) -> AskView:
    past = asked.past or Past.IN_DOUBT
    fitting = settle.offered(asked.past)
    command = f"%durable resolve {line(asked.asked)}"
    return AskView(
        reference=line(asked.asked),
        call=line(asked.call.text or asked.call.name),
        says=f"{_ASKS.get(past, past.value)}. It was not repeated.",
        fate=Fate.IN_DOUBT,
        answers=tuple(
            (means(asked.past, said), f"{command} {settle.OPTIONS[said]}")
            for said in fitting
        ),
        said=tuple((s.value, s is settle.Answer.HAPPENED) for s in fitting),
        attempt=asked.call.step,
        id=asked.call.id,
    )


def _waits(history: History) -> Iterator[AskView]:
    """What waits for somebody; nobody answers in a run that is closed."""
    for asked in waiting(history) if history.closed is None else ():
        if asked.wait.kind is WaitKind.TIMER or asked.answered:
            continue
        said = tuple((line(means), line(command)) for means, command in typed(asked))
        yield AskView(
            reference=line(asked.asked),
            call=line(asked.call.text or asked.call.name),
            says=f"waits {line(waits_for(asked.wait))}",
            fate=Fate.WAITING,
            answers=said,
            said=_said(asked.wait, len(said)),
            shown=visible(asked.wait.preview),
            question=_question(asked.wait),
            attempt=asked.call.step,
            id=asked.call.id,
        )


def _question(wait: Wait) -> str:
    """What a person is asked, whole and in its lines: they answer for all of it."""
    if wait.kind not in {WaitKind.APPROVAL, WaitKind.QUESTION}:
        return ""
    text = visible(wait.text[:QUESTION_CHARS_MAX])
    more = max(len(wait.text), len(text)) > QUESTION_CHARS_MAX
    return f"{text[: QUESTION_CHARS_MAX - 1]}…" if more else text


def _said(wait: Wait, answers: int) -> tuple[tuple[str, bool], ...]:
    """What a button says for each answer; where it can't know, somebody types."""
    yes_no = wait.kind is WaitKind.APPROVAL or wait.answer is AnswerKind.YES_NO
    offered = wait.choices or (("yes", "no") if yes_no else ())
    return tuple((said, False) for said in offered[:answers]) or (("", True),)
