"""An answer that a front end of this kernel gives, while the cell waits for it."""

from __future__ import annotations

from nbdurable.engine.asking import answering
from nbdurable.engine.asking.commands import OpenRun
from nbdurable.engine.past.waits import Waiting
from nbdurable.engine.steps.session import Session
from nbdurable.engine.waits.sending import account


def reply(session: Session, asked: Waiting, value: object, via: str) -> None:
    """Answer a call that waits in this process; from any thread.

    Args:
        session: The session.
        asked: The question as it was shown.
        value: The answer.
        via: From where: ``widget``, ``input``.

    Raises:
        NotWaiting: It doesn't wait any more, or it has its answer.
        AnswerMisfit: It is no answer to that question.
    """
    session.refresh()
    with session.lock:
        found = answering.unanswered(session.history, asked)
    run = OpenRun(
        store=session.store,
        history=session.history,
        clock=session.clock,
        secrets=session.secrets,
        executing=frozenset(session.executing),
    )
    sender = {"by": account(), "via": via, "signal": session.ids.new()}
    _, records = answering.answer(run, found, value, **sender)
    session.append(records, sync=True)
    session.parked.heard()
    session.refresh()
    with session.lock:
        answering.must_count(session.history, found, sender["signal"])
