"""«This is another call», said beside a doubt: which calls that holds for. Pure.

Theory of operation. A `write` of which nobody knows whether it happened is asked about
beside each call of the tool that may be it. That one of them is another call says
nothing of the next one, which may be the doubt itself: in a loop over a set, killed in
a payment, the order is another one in each kernel, and so is a fresh key. So the answer
is kept with the arguments and the place of the call that it was given for. It holds for
a call that shares more with that one than with the doubt, and where both share as
much, at the same place. It was asked about the nearest doubt, so it holds for those
that are further off, too.
"""

from __future__ import annotations

from nbdurable.engine.past.circumstances import Circumstances, holds
from nbdurable.engine.past.edits import Marks
from nbdurable.engine.past.history import CallPast, History
from nbdurable.engine.past.near import shared
from nbdurable.engine.past.pasts import Another


def is_another(
    history: History,
    where: Circumstances,
    doubt: CallPast,
    marks: Marks | None,
    number: str,
) -> bool:
    """Whether a person said of a call like this one that it is not this doubt.

    Args:
        history: The fold of the run.
        where: The attempt that is about to make it.
        doubt: A write that may have happened.
        marks: The marks of the call's arguments, if it has some.
        number: The number of the call in its attempt.
    """
    equal = shared(doubt.marks, marks)
    return any(
        holds(history, where, it.said)
        and (it.doubt == doubt.id or equal < _to_asked(history, it, marks))
        and (as_then, it.number == number) >= (equal, True)
        for it in history.others.get((where.slot, doubt.name), ())
        for as_then in [shared(it.marks, marks)]
    )


def _to_asked(history: History, it: Another, marks: Marks | None) -> int:
    asked = history.calls.get(it.doubt)
    return shared(asked.marks, marks) if asked is not None else 0
