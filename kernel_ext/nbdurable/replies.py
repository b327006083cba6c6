"""What waits, and what is sent into a run from this kernel: `nd.inbox`, `nd.answer`."""

from __future__ import annotations

from dataclasses import replace

from nbdurable.api import Front, attended, front_of, open_run
from nbdurable.engine.asking import answering
from nbdurable.engine.asking.told import Told
from nbdurable.engine.past import runs
from nbdurable.engine.past.history import History
from nbdurable.engine.past.waits import WaitKind, waiting
from nbdurable.engine.telling import reference
from nbdurable.engine.telling.lines import now
from nbdurable.engine.waits.sending import account, send_from_step
from nbdurable.engine.where.folders import is_store, place_of
from nbdurable.engine.where.frames import current_frame
from nbdurable.errors import NothingDurable
from nbdurable.timeline import Inbox, history_of, inbox_of
from nbdurable_store.records import Record


def inbox() -> Inbox:
    """What waits for an answer, in all runs of this store that aren't closed."""
    front = front_of("%durable inbox")
    try:
        return _open(_beside("%durable inbox"))
    except NothingDurable:  # where nothing ran, nothing waits
        return Inbox((), now(front.session.clock.now_us()))


def _beside(command: str) -> Front:
    """This process, in a run or not: another notebook's questions are answered too."""
    try:
        return attended(command)[0]
    except NothingDurable:
        here = front_of(command)
        if not is_store(place_of(here.facts())):
            raise
        here.session.open(here.facts())
        return here


def _open(front: Front) -> Inbox:
    session = front.session
    rows = runs.rows(session.store.scan(runs.INDEX_KINDS)[0], ())
    ids = [row.id for row in rows if not row.closed]
    own = session.history.run
    return inbox_of(session.store, ids, now(session.clock.now_us()), own)


def answer(call: str, value: object = True, *, typed: str = "") -> Told:  # noqa: FBT002  # a yes, as people say it
    """Answer what a run waits for: this notebook's, else another one of the store.

    Args:
        call: STEP.CALL@DIGEST, such as ``review.2@3fa2c1``, as the question and
            `inbox` show it: an answer is bound to what was seen.
        value: The answer.
        typed: The answer as text instead, read as the question wants it: ``yes``, ``12``.

    Raises:
        QuestionUnseen: The digest is missing, or another question is asked there now.
        NotWaiting: It doesn't wait, or it has its answer.
        AnswerMisfit: It is no answer to that question.
        ReferenceUnknown: The run has no such call.
    """
    front = _beside("%durable answer")
    run = open_run(front)
    elsewhere = _elsewhere(front, call)
    if elsewhere is not None:
        run = replace(run, history=elsewhere, executing=frozenset())
    found = answering.seen(run.history, call, "%durable answer")
    said = answering.typed(found.wait, typed) if typed else value
    sender = _sender(front)
    told = _sent(front, answering.answer(run, found, said, **sender))
    after = history_of(run.store, run.history.run)
    answering.must_count(after, found, sender["signal"])
    return told


def _elsewhere(front: Front, call: str) -> History | None:
    """Another run that waits for this call, where this notebook's own doesn't."""
    pending = _open(front).pending
    exactly = next((p.history for p in pending if p.waiting.asked == call), None)
    history = front.session.history
    if exactly is not None:
        return None if exactly.run == history.run else exactly
    meant, _ = reference.apart(call)
    if any(asked.reference == meant for asked in waiting(history)):
        return None
    found = (p.history for p in pending if p.waiting.reference == meant)
    return next(found, None)


def send(name: str, value: object = None) -> None:
    """Send a value for the next `wait_for` of this name.

    It goes into this notebook's run, or, where another one of the store waits for it and
    this one doesn't, into that. In a durable cell it goes into the run of the cell and is
    a `write`: a replay doesn't send again.

    Args:
        name: The name.
        value: Plain data.

    Raises:
        AnswerMisfit: It is no plain data.
    """
    if current_frame() is not None:
        send_from_step(name, value)
        return
    front = _beside("nd.send")
    elsewhere = _waits_elsewhere(front, name)
    if elsewhere is None:
        front, _ = attended("nd.send")
        run = open_run(front)
    else:
        run = replace(open_run(front), history=elsewhere, executing=frozenset())
    _sent(front, answering.send(run, name, value, **_sender(front)))


def _waits_elsewhere(front: Front, name: str) -> History | None:
    """Another run that waits for a value of this name, where this notebook's doesn't."""
    pending = [
        p.history
        for p in _open(front).pending
        if (p.waiting.wait.kind, p.waiting.wait.text) == (WaitKind.SIGNAL, name)
    ]
    own = front.session.history.run
    return None if own in {h.run for h in pending} else next(iter(pending), None)


def _sender(front: Front) -> dict[str, str]:
    return {"by": account(), "via": "cell", "signal": front.session.ids.new()}


def _sent(front: Front, said: tuple[Told, tuple[Record, ...]]) -> Told:
    told, records = said
    front.session.append(records, sync=True)
    front.session.parked.heard()
    return told
