"""Which recorded call a new call is, by content. Pure.

Theory of operation. A call is first looked for in the history of its own slot,
whatever the cell's text was then; after that among the free calls of the run; last
among calls of slots of which nobody knows whether they still exist. Records with equal
keys are told apart by preference: same code (two functions may have one name), same
enclosing call, same scope in it, same preceding `write`, then order. A record is served
at most once per attempt.
A call made inside another one belongs to whom that one belongs: served, the outer call
stands for it, and it is nobody else's. What the chosen record says of the call is its
`Past`, the input of `decide`.

Keys of another version of their algorithm say nothing. Calls recorded under such keys
are compared by their kept arguments, which are bytes and no digests; where that decides
nothing a `write` of the same tool may be the recorded one, and somebody is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from operator import attrgetter
from typing import NamedTuple

from nbdurable.engine.identity import keys
from nbdurable.engine.past.decide import DOUBTFUL, Past
from nbdurable.engine.past.history import CallPast, CallState, History, StepState
from nbdurable.engine.past.pasts import STAYING
from nbdurable.engine.past.policy import Effect, Policy


class Standing(IntEnum):
    """To whom a recorded call belongs; lower is looked at first."""

    OWN = 0
    FREE = 1
    UNKNOWN = 2
    TAKEN = 3


class Wanted(NamedTuple):
    """A call that is about to be made.

    Attributes:
        key: Its call key, 32 bytes.
        name: The function's name.
        policy: The tool's promises.
        code: Digest of the tool's code, hex, or "" for HTTP exchanges.
        scope: The part of the step it is made in.
        after: Logical id of the `write` that preceded it in its scope, or "".
        new_write: Whether a `write` newly executed before it in its scope.
        undigestible: Where an argument has no digest, as people read it, or "".
        text: Tells the call as people read it.
        arguments: The arguments as they would be kept, or ``None``.
        parent: Logical id of the enclosing call, or "".
    """

    key: bytes
    name: str
    policy: Policy
    code: str = ""
    scope: str = ""
    after: str = ""
    new_write: bool = False
    undigestible: str = ""
    text: Callable[[], str] = str
    arguments: Callable[[], bytes | None] = lambda: None
    parent: str = ""


class Match(NamedTuple):
    """The record that a call is, if there is one.

    Attributes:
        past: What the journal holds of it.
        call: The record, or None.
        standing: To whom it belongs.
    """

    past: Past
    call: CallPast | None = None
    standing: Standing = Standing.OWN


NOTHING = Match(Past.NOTHING)
UNDIGESTIBLE = Match(Past.UNDIGESTIBLE)
"""There is no record."""

_order = attrgetter("order")
_OURS = {keys.ALGORITHM}

Rank = tuple[Standing, bool, bool, bool, bool]
"""How well a record fits, lower is better: standing, other code, enclosing call, scope
in it, preceding `write`."""

_AGAIN = {Past.RAISED_NOT_DONE, Past.RETRYING}
"""Pasts in which nothing happened, wherever and whenever that was."""

BEST: Rank = (Standing.OWN, False, False, False, False)


@dataclass(slots=True)
class Matcher:
    """Matches the calls of one attempt; not thread-safe, the attempt holds a lock.

    Attributes:
        history: The fold of the run.
        slot: The slot the attempt executes in.
        step: Id of the attempt.
        existing: Slots known to exist, with the digest of their present source.
        other_files: Whether a file that a recorded call read isn't as it was.
        served: Ids of the calls that this attempt was served.
    """

    history: History
    slot: str
    step: str
    existing: Mapping[str, str]
    other_files: Callable[[CallPast], bool] = lambda _: False
    served: set[str] = field(default_factory=set)
    _open: dict[bytes, list[CallPast]] = field(default_factory=dict)
    _emptied: set[str] = field(default_factory=set)
    _compared: set[str] = field(default_factory=set)

    def unheard(self, key: bytes) -> bool:
        """Whether no record can be a call of this key: there is nothing to match."""
        history = self.history
        if key in history.by_key or not history.algorithms <= _OURS:
            return False
        self._open.setdefault(key, [])  # what is recorded later is not looked at
        return True

    def match(self, wanted: Wanted) -> Match:
        """The best record for this call; it is not offered again in this attempt."""
        candidates = self._candidates(wanted.key)
        best: tuple[Rank, int] | None = None
        for index, call in enumerate(candidates):
            rank = self._rank(call, wanted)
            if rank is not None and (best is None or rank < best[0]):
                best = rank, index
            if rank == BEST:
                break
        if best is None and self.history.algorithms - {keys.ALGORITHM}:
            found = self._rekeyed(wanted)
            if found is not None:
                return found
        if best is None:
            return UNDIGESTIBLE if wanted.undigestible else NOTHING
        return self._matched(candidates.pop(best[1]), wanted, best[0][0])

    def _matched(self, call: CallPast, wanted: Wanted, standing: Standing) -> Match:
        if _was_inside(call):
            here = (
                set()
                if call.parent != wanted.parent
                else set(_ids(holders(self.history, call)))
            )
            self._emptied.update(set(_ids(every_holder(self.history, call))) - here)
        return Match(self.past(call, wanted, standing), call, standing)

    def reopen(self, calls: Iterable[CallPast]) -> None:
        """Offer calls of this attempt again: what encloses them is tried again."""
        for call in calls:
            self.served.discard(call.id)
            found = self._candidates(call.key)
            found[:] = [*(c for c in found if c.id != call.id), call]

    def _candidates(self, key: bytes) -> list[CallPast]:
        found = self._open.get(key)
        if found is None:
            calls = self.history.calls
            ids = self.history.by_key.get(key, ())
            found = [c for c in map(calls.__getitem__, ids) if c.step != self.step]
            if len(found) > 1:
                found.sort(key=_order)
            self._open[key] = found
        return found

    def _rekeyed(self, wanted: Wanted) -> Match | None:
        """The record that a call probably is, among those of another algorithm."""
        ranked = [
            (
                (not _same_arguments(call, wanted), call.text != wanted.text(), *rank),
                call,
            )
            for call in self._of_other_algorithms(wanted.name)
            if (rank := self._rank(call, wanted)) is not None
        ]
        if not ranked:
            return None
        (different, _, standing, *_), call = min(
            ranked, key=lambda r: (r[0], r[1].order)
        )
        if different and wanted.policy.effect is not Effect.WRITE:
            return None
        self._compared.add(call.id)
        return self._matched(call, wanted, Standing(standing))

    def _of_other_algorithms(self, name: str) -> list[CallPast]:
        return [
            call
            for call in self.history.calls.values()
            if call.name == name
            and call.step != self.step
            and call.id not in self._compared
            and self.history.algorithm(call) != keys.ALGORITHM
        ]

    def _rank(self, call: CallPast, wanted: Wanted) -> Rank | None:
        standing = standing_of(self.history, call, self.slot, self.existing)
        if standing is not Standing.OWN and call.kind in STAYING:
            return None
        if standing is Standing.TAKEN or not self._offered(call, wanted, standing):
            return None
        other_code = call.code != wanted.code
        return (
            standing,
            other_code,
            call.parent != wanted.parent,
            call.scope != wanted.scope,
            call.after != wanted.after,
        )

    def _offered(self, call: CallPast, wanted: Wanted, standing: Standing) -> bool:
        if (self.slot, call.id) in self.history.apart:
            return False
        if _was_inside(call) and self._came_with_another(call):
            return False
        write = wanted.policy.effect is Effect.WRITE
        if self._before_reset(call) and (not write or self._writes_again()):
            return False
        completed = call.state is CallState.COMPLETED
        return standing is not Standing.UNKNOWN or completed or write

    def _came_with_another(self, call: CallPast) -> bool:
        return any(o.id in self.served for o in every_holder(self.history, call))

    def _before_reset(self, call: CallPast) -> bool:
        reset = self.history.slot(self.slot).reset
        return reset is not None and call.ended_order < reset

    def _writes_again(self) -> bool:
        return self.history.slot(self.slot).kept_writes is False

    def past(self, call: CallPast, wanted: Wanted, standing: Standing) -> Past:
        """What this record says of the call."""
        plain = self._plain_past(call, wanted)
        if plain in _AGAIN:
            return Past.RAISED_NOT_DONE if self._before_reset(call) else plain
        if self._before_reset(call) and not self.history.slot(self.slot).kept_writes:
            return Past.AFRESH
        if call.resolved != "keep" and not _comparable(call, wanted):
            return Past.REKEYED
        if wanted.undigestible and call.resolved != "keep":
            return Past.UNDIGESTIBLE_TWIN
        if standing is Standing.UNKNOWN and plain not in DOUBTFUL:
            forked = call.id in self.history.forked
            return Past.FORKED if forked else Past.ELSEWHERE
        return plain

    def _plain_past(self, call: CallPast, wanted: Wanted) -> Past:
        if call.resolved in {"did-not", "again", "undone"}:
            return Past.RAISED_NOT_DONE
        if call.state is CallState.COMPLETED:
            return self._completed(call, wanted)
        if call.state is CallState.RAISED:
            return self._raised(call, wanted)
        return Past.CUT if call.fields.get("cut") and call.outcome else Past.IN_DOUBT

    def _edited(self, call: CallPast, wanted: Wanted) -> bool:
        if self.history.algorithm(call) != keys.ALGORITHM:
            return False  # nobody can tell
        kept = (self.slot, call.name) in self.history.kept_tools
        return bool(call.code and wanted.code) and call.code != wanted.code and not kept

    def _completed(self, call: CallPast, wanted: Wanted) -> Past:
        if call.resolved != "happened" and self._edited(call, wanted):
            return Past.EDITED
        if call.outcome is None:
            return Past.UNRECOVERABLE
        policy = wanted.policy
        if call.id in self._emptied and policy.effect is Effect.READ:
            return Past.STALE
        fixed = policy.stable or policy.model or policy.effect is not Effect.READ
        stale = not fixed and (wanted.new_write or self.other_files(call))
        return Past.STALE if stale else Past.COMPLETED

    def _raised(self, call: CallPast, wanted: Wanted) -> Past:
        types = wanted.policy.nothing_happened
        named = {f"{t.__module__}.{t.__qualname__}" for t in types}
        told = call.fields.get("not_done") or call.fields.get("type") in named
        if call.retrying and (told or wanted.policy.effect is not Effect.WRITE):
            return Past.RETRYING
        if told:
            return Past.RAISED_NOT_DONE
        if not went_on(self.history, call):
            return Past.RAISED_FATAL
        if self._edited(call, wanted):
            return Past.EDITED
        return Past.RAISED_SEEN if call.outcome else Past.UNRECOVERABLE


def _same_arguments(call: CallPast, wanted: Wanted) -> bool:
    given = wanted.arguments()
    kept = call.arguments
    if given is None or kept is None:
        return False
    if isinstance(kept, str):
        return kept.encode("utf-8", "surrogatepass") == given
    return kept.names(given)


def _comparable(call: CallPast, wanted: Wanted) -> bool:
    """Whether it is known that they are one call: by its key, else by its arguments."""
    return call.key == wanted.key or _same_arguments(call, wanted)


def standing_of(
    history: History, call: CallPast, here: str, existing: Mapping[str, str]
) -> Standing:
    """To whom a recorded call belongs, seen from the slot ``here``.

    A call is free if its slot is edited or gone, or if the slot's latest ended
    attempt did not use it or failed. One made inside another call is where that one is.
    """
    chain = (call, *holders(history, call)) if call.parent else (call,)
    slot = chain[-1].slot
    if slot == here:
        return Standing.OWN
    latest = history.latest(slot, ended=True)
    used = latest is not None and any(c.id in latest.used for c in chain)
    if latest and (latest.state is StepState.FAILED or not used):
        return Standing.FREE
    source = existing.get(slot)
    if source is None:
        return Standing.UNKNOWN
    newest = latest or history.latest(slot)
    comparable = newest is not None and newest.algorithm == keys.ALGORITHM
    edited = newest is not None and comparable and newest.source != source
    return Standing.FREE if edited else Standing.TAKEN


def holders(history: History, call: CallPast) -> Iterator[CallPast]:
    """The calls whose latest executions this one was made in, from inside out."""
    while (outer := history.calls.get(call.parent)) is not None:
        attempt = history.steps.get(outer.step)
        within = attempt is not None and call.id in attempt.used
        moved = call.adopted_from and call.slot != outer.slot
        if moved or (call.step != outer.step and not within):
            return
        yield outer
        call = outer


def within(history: History, call_id: str) -> Iterator[CallPast]:
    """The calls that were made inside one, at whatever depth."""
    inside: set[str] = {call_id}
    for call in sorted(history.calls.values(), key=_order):
        if call.parent in inside:
            inside.add(call.id)
            yield call


def _was_inside(call: CallPast) -> bool:
    """Whether it has ever been made inside another one: most have not."""
    return bool(call.parent or call.once_in)


def _ids(calls: Iterable[CallPast]) -> Iterator[str]:
    return (call.id for call in calls)


def every_holder(history: History, call: CallPast) -> Iterator[CallPast]:
    """Those, and the calls that it was made in before it was served to another place.

    Whoever is served one of them is served this call with it.
    """
    yield from holders(history, call)
    for parent in call.once_in:
        if (outer := history.calls.get(parent)) is not None:
            yield outer
            yield from holders(history, outer)


def went_on(history: History, call: CallPast) -> bool:
    """Whether the attempt went on after this call had raised."""
    step = history.steps.get(call.step)
    if step is None or call.blamed:
        return False
    if step.state is StepState.COMPLETED:
        return True
    return any(
        other.step == call.step
        and other.scope == call.scope
        and other.state is CallState.COMPLETED
        and other.ended_order > call.ended_order
        for other in history.calls.values()
    )
