"""What is sent into a run from this kernel: `nd.answer`, `nd.send`."""

from __future__ import annotations

from nbdurable.api import Front, attended, open_run
from nbdurable.engine.asking import answering
from nbdurable.engine.asking.commands import Told
from nbdurable.engine.waits.sending import account, send_from_step
from nbdurable.engine.where.frames import current_frame
from nbdurable_store.records import Record


def answer(call: str, value: object = True) -> Told:  # noqa: FBT002  # a yes, as people say it
    """Answer what a run waits for.

    Args:
        call: STEP.CALL, such as ``review.2``; "" for the only question there is.
        value: The answer.

    Raises:
        NotWaiting: It doesn't wait, or it has its answer.
        AnswerMisfit: It is no answer to that question.
        ReferenceUnknown: The run has no such call.
    """
    front, history = attended("%durable answer")
    found = answering.find(history, call, "%durable answer")
    return _sent(
        front, answering.answer(open_run(front), found, value, **_sender(front))
    )


def send(name: str, value: object = None) -> None:
    """Send a value into the run, for the next `wait_for` of this name.

    In a durable cell it is a `write`: a replay doesn't send again.

    Args:
        name: The name.
        value: Plain data.

    Raises:
        AnswerMisfit: It is no plain data.
    """
    if current_frame() is not None:
        send_from_step(name, value)
        return
    front, _ = attended("nd.send")
    _sent(front, answering.send(open_run(front), name, value, **_sender(front)))


def _sender(front: Front) -> dict[str, str]:
    return {"by": account(), "via": "cell", "signal": front.session.ids.new()}


def _sent(front: Front, said: tuple[Told, tuple[Record, ...]]) -> Told:
    told, records = said
    front.session.append(records, sync=True)
    front.session.parked.heard()
    return told
