"""What the answers to a question mean, in words, and where else it may be answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.history import History
from nbdurable.engine.past.settle import Answer, Question
from nbdurable.engine.past.tally import number_of

_MEANS: Final[Mapping[Answer, str]] = {
    Answer.HAPPENED: "it happened",
    Answer.DID_NOT: "it did not",
    Answer.KEEP: "keep that result",
    Answer.AGAIN: "do it again",
}

_ALSO: Final[Mapping[Answer, str]] = {
    Answer.KEEP: "instead: keep that one's result",
    Answer.AGAIN: "also: make this one",
}

_OF_ANOTHER: Final[Mapping[Past, Mapping[Answer, str]]] = {
    Past.OTHER_IN_DOUBT: {
        Answer.HAPPENED: "it happened, and is the call that is made now",
        Answer.AGAIN: "this is another call: make it",
    },
    Past.INSTEAD: _ALSO,
    Past.REPLACED: _ALSO,
    Past.EARLIER_TRY: {
        Answer.KEEP: "the same: keep that one's result",
        Answer.AGAIN: "another one: make it as well",
    },
}
"""Where two calls are spoken of, an answer says of which: «it happened» alone would serve
the call that is made now what became of the other one, and it would never be made."""


def means(past: Past | None, said: Answer) -> str:
    """What an answer to a question says.

    Args:
        past: What is asked; None for a call in doubt that nobody asked about.
        said: The answer.

    Example:
        >>> means(Past.OTHER_IN_DOUBT, Answer.HAPPENED)
        'it happened, and is the call that is made now'
    """
    of_another = _OF_ANOTHER.get(past, {}) if past else {}
    return of_another.get(said, _MEANS[said])


def where_it_stands(history: History, asked: Question) -> Question | None:
    """The question what became of a call in doubt, if another call waits for its sake.

    Whoever answers that one says nothing of the call that is made now.

    Args:
        history: The run.
        asked: A question.
    """
    step = history.steps.get(asked.call.step)
    if asked.past is not Past.OTHER_IN_DOUBT or step is None:
        return None
    return Question(
        call=asked.call,
        slot=asked.call.slot,
        step=step.name,
        number=number_of(history, asked.call),
        run=asked.run,
    )
