"""From a call that frozen mode refuses to the error that tells it: what it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from nbdurable.engine.past.kept_arguments import arguments_of, evidence_of
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.present import Present
from nbdurable.engine.telling import lines
from nbdurable.engine.telling.refusals import Reason, why_refused
from nbdurable.errors import CallPause, Remedy

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt
    from nbdurable.engine.calls.requests import CallRequest, Claim
    from nbdurable.engine.past.wanted import Match


@dataclass(kw_only=True, eq=False)
class CallNotRecorded(CallPause):
    """A call that isn't served, where no call is made: in frozen mode or in a check.

    Attributes:
        why: What was recorded instead, as a sentence without its end.
        nearest: The nearest recorded call, such as ``findings.3``, or "".
        differs: What differs from that, one place each.
    """

    slug: ClassVar[str] = "call-not-recorded"
    why: str
    nearest: str = ""
    differs: tuple[str, ...] = ()

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} is not in the journal."

    def detail(self) -> str:
        """What is in the journal instead, and what was not done."""
        told = [f"{self.why}{':' if self.differs else '.'}"]
        told += [f"  {place}" for place in self.differs]
        return "\n".join([*told, "It was not made: frozen mode refuses new calls."])

    def remedies(self) -> tuple[Remedy, ...]:
        """Record it, look, or let it run."""
        step = self.reference.rpartition(".")[0]
        if not step:
            record = Remedy("make its cell a step", "%%durable NAME")
            return record, Remedy("let it run", "%durable frozen off")
        return (
            Remedy("record it", "nbdurable check NOTEBOOK --update"),
            Remedy("see what is recorded", f"%durable why {self.nearest or step}"),
            Remedy("let new calls run", "%durable frozen off"),
        )


def not_recorded(
    attempt: Attempt, claim: Claim, match: Match, request: CallRequest
) -> CallNotRecorded:
    """The error for a call of an attempt."""
    home = attempt.home
    get = attempt.store.get
    with home.lock:
        present = Present(
            lines.now(attempt.clock.now_us()),
            arguments=arguments_of(get),
            evidence=evidence_of(get),
        )
        call = _as_past(attempt, claim, request)
        used = frozenset(attempt.used.calls)
        reason = why_refused(home.history, call, match, present, used)
    return _told(call.text, f"{attempt.step.name}.{claim.number}", request.name, reason)


def outside(name: str, text: str) -> CallNotRecorded:
    """The error for a call outside of durable cells."""
    why = "It stands outside of durable cells, where nothing is recorded"
    return _told(text, "", name, Reason(why))


def _told(call: str, reference: str, tool: str, reason: Reason) -> CallNotRecorded:
    return CallNotRecorded(
        call=call,
        reference=reference,
        tool=tool,
        why=reason.why,
        nearest=reason.nearest,
        differs=reason.differs,
    )


def _as_past(attempt: Attempt, claim: Claim, request: CallRequest) -> CallPast:
    """The call as it would be recorded, behind everything that is."""
    encoded = request.arguments()
    tick, owner, seq = attempt.home.history.last
    now = tick + 1, owner, seq
    return CallPast(
        id="",
        key=request.key,
        name=request.name,
        number=claim.nth,
        slot=attempt.step.slot,
        step=attempt.step.id,
        scope=claim.scope,
        after=claim.after,
        parent=claim.parent,
        order=now,
        ended_order=now,
        effect=request.policy.effect,
        kind=request.kind,
        code=request.code,
        codes=request.codes,
        text=request.text(),
        undigestible=request.undigestible,
        arguments=encoded.data.decode("utf-8", "surrogatepass") if encoded else None,
    )
