"""One attempt of a step: it claims calls, serves them, and builds their records."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from nbdurable.engine.calls import late
from nbdurable.engine.calls.code import CallCode
from nbdurable.engine.calls.home import Home
from nbdurable.engine.calls.leftovers import Leftovers, Overtaken
from nbdurable.engine.calls.numbers import Numbers
from nbdurable.engine.calls.owners import Owners
from nbdurable.engine.calls.preceding import Preceding
from nbdurable.engine.calls.requests import (
    CallRequest,
    Claim,
    Outcome,
)
from nbdurable.engine.calls.used import Used
from nbdurable.engine.calls.wanting import wanting
from nbdurable.engine.files.watched import Watched
from nbdurable.engine.past.belonging import Standing, within
from nbdurable.engine.past.blame import Blame
from nbdurable.engine.past.decide import OTHERS, Past
from nbdurable.engine.past.history import CallPast, CallState, StepPast
from nbdurable.engine.past.matching import Matcher
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.wanted import NOTHING, UNDIGESTIBLE, Match, Wanted
from nbdurable.engine.where.frames import Frame, Scopes, in_order
from nbdurable.engine.where.frames import active as frame_active
from nbdurable_store.errors import DurablePause
from nbdurable_store.records import BlobRef, Record

_WRITE: Final = Effect.WRITE
_RAISED: Final = CallState.RAISED
_OWN: Final = Standing.OWN
"""Looked up once: a member of a class takes ten times as long as a name."""


class Attempt:
    """A step being executed. Its methods are called from any thread of the cell."""

    serves_only = False
    """Whether its calls are served and never made, also outside of frozen mode."""

    def __init__(self, home: Home, step: StepPast) -> None:
        self.home = home
        self.store, self.clock = home.store, home.clock
        self.step = step
        self.used = Used()
        self.paused: DurablePause | None = None
        self.thread = 0
        self.watch: Callable[[], None] = lambda: None
        self.ended = False
        self.recorded_s = self.clock.monotonic_s()
        self.maps = itertools.count(1)
        self.leftovers = Leftovers()
        self.owners = Owners(home)
        self.code = CallCode(home.sources, home.secrets.apart)
        self.numbers = Numbers()
        self._scopes = Scopes()
        self.preceding = Preceding(self._scopes)
        self.blame = Blame()
        self.happened: dict[str, int] = {}
        self._open: set[Callable[[], None]] = set()
        self.run = home.history.run
        self.files: Watched | None = None
        self._heard = len(home.ancestors.told)
        self.matcher = Matcher(
            home.history,
            step.slot,
            step.id,
            home.known(),
            self._read_other_files,
            self.owners.executing,
        )

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """The cell's code runs within."""
        self._scopes.begin()
        self.thread = threading.get_ident()
        with frame_active(Frame(self)):
            yield

    def gives_way(self, *, always: bool = False) -> bool:
        """Whether other code of the step may run while the running code awaits.

        What that code starts is seen from now on, also in an event loop of its own.

        Args:
            always: It yields to its caller.
        """
        if not always and not self.leftovers.running and self._scopes.alone():
            return False
        self.watch()
        return True

    def claim(self, frame: Frame[Any], request: CallRequest) -> Claim:
        """Give a call its place, and the record it is matched with."""
        if late.is_overtaken():
            again = "the call around it timed out and was made again"
            raise Overtaken(step=self.step.name, why=again, call=request.name)
        self.leftovers.called(self.step.name, request.name)
        write, parent = request.policy.effect is _WRITE, frame.parent
        with self.home.lock:
            self.home.catch_up("" if parent and write else self.step.id)
            if write and not request.policy.inner and not request.again:
                self._hear()
            number = self.numbers.give(parent, request.again)
            scope = self._scopes.scope(frame)
            state = self.preceding.state(scope, parent)
            ordered = in_order(frame, self.thread)
            if request.again:
                failed = self.home.history.calls[request.again]
                match = Match(Past.RAISED_NOT_DONE, failed)
            elif self.matcher.unheard(
                request.key, request.name, request.policy, parent
            ):
                match = UNDIGESTIBLE if request.undigestible else NOTHING
            else:
                wanted = wanting(request, scope, state, parent, number, ordered=ordered)
                match = self.matcher.match(wanted)
            if match.call is not None and match.past not in OTHERS:
                self.numbers.note(match.call.id, number)
            counts = not frame.covered
            return Claim(number, scope, state.after, match, parent, counts, ordered)

    def _hear(self) -> None:
        """Know what the runs before this one have made by now: a new call may be that."""
        if self.home.ancestors.known and self.run == self.home.history.run:
            self.home.refresh()
            tell, history = self.home.ancestors.tell, self.home.history
            self._heard = tell(self.matcher, history, self._heard)

    def look_again(self, claim: Claim, request: CallRequest) -> Match:
        """The past of a claimed call, now."""
        self.leftovers.may_go_on(self.step.name, request.name)
        call = claim.match.call
        assert call is not None
        if call.owner != self.store.owner:
            self.home.refresh()
        with self.home.lock:
            now = self.home.history.calls[call.id]
            asked = self._claimed(claim, request)
            if claim.match.past in OTHERS:
                return self.matcher.without(asked)
            past = self.matcher.past(now, asked, claim.match.standing)
            return Match(past, now, claim.match.standing)

    def without(self, claim: Claim, request: CallRequest) -> Match:
        """What a claimed call without a record of its own is, now."""
        with self.home.lock:
            _ = self.home.history  # what this attempt has settled is folded by then
            return self.matcher.without(self._claimed(claim, request))

    def _claimed(self, claim: Claim, request: CallRequest) -> Wanted:
        state = self.preceding.state(claim.scope)
        where = claim.scope, state, claim.parent, claim.number
        return wanting(request, *where, ordered=claim.ordered)

    def elsewhere(self, request: CallRequest) -> Match | None:
        """A completed `pure` call of another run of this store."""
        call = None if self.matcher.afresh else self.home.pure(request)
        return None if call is None else Match(Past.COMPLETED, call, Standing.TAKEN)

    def begin_again(self, call_id: str) -> CallPast:
        """A call is about to be tried again; what was made inside it can be served."""
        with self.home.lock:
            history = self.home.history
            self.matcher.reopen(within(history, call_id))
            self.preceding.afresh(call_id)
            self.numbers.afresh(call_id)
            return history.calls[call_id]

    def _read_other_files(self, call: CallPast) -> bool:
        """Whether a file that a recorded call read isn't as it was."""
        return self.files is not None and self.files.differ(call.fields)

    def may_execute(self, request: CallRequest) -> None:
        """After a pause no further `write` starts in this attempt."""
        policy = request.policy
        write = policy.effect is Effect.WRITE and not policy.inner
        if self.paused is not None and write:
            raise self.paused

    def stop(self, pause: DurablePause) -> DurablePause:
        """Remember that somebody has to decide first."""
        if self.paused is None:
            self.paused = pause
        return pause

    def begun(self, claim: Claim, request: CallRequest, call_id: str) -> None:
        """Count a call that is about to be made, and give it its place."""
        with self.home.lock:
            self.numbers.note(call_id, claim.number)
            if not request.again:
                self.used.calls.append(call_id)
                self.used.count_ran(claim, request, call_id)
            self.matcher.asked_model |= request.policy.model
            if not request.policy.declared:
                self.used.undeclared.append(request.name)
            if not request.again:  # else what precedes is its own, of the try before
                self.preceding.began(claim.scope, call_id)
            if request.policy.effect is _WRITE:
                self.preceding.wrote(claim.scope, call_id)

    def unrecorded(self, call: CallPast | None) -> Outcome | None:
        """A result this kernel still holds because the journal couldn't take it."""
        return self.home.kept_results.pop(call.id, None) if call else None

    def keep_unrecorded(self, call_id: str, outcome: Outcome) -> None:
        """Hold a result until the journal can take it."""
        self.home.kept_results[call_id] = outcome

    def settled(self, claim: Claim, call_id: str) -> None:
        """Count a call that was settled without being executed."""
        self.matcher.served.add(call_id)
        self.used.calls.append(call_id)
        self.used.count_served(claim, self.home.history.calls[call_id])

    def at_end(self, close: Callable[[], None]) -> None:
        """Call this when the step ends: what is open then is not read to its end."""
        self._open.add(close)

    def closed(self, close: Callable[[], None]) -> None:
        """Forget what `at_end` was told: it has ended by itself."""
        self._open.discard(close)

    def end(self) -> None:
        """The step ends; calls that are made from now on are late."""
        while self._open:
            self._open.pop()()
        self.ended = True

    def record(
        self,
        kind: str,
        subject: str,
        key: bytes = b"",
        fields: Mapping[str, object] | None = None,
        blobs: tuple[BlobRef, ...] = (),
    ) -> Record:
        """A record of this attempt, made now."""
        self.recorded_s = self.clock.monotonic_s()
        return Record(
            kind,
            self.run,
            self.clock.now_us(),
            self.step.id,
            subject,
            key,
            fields or {},  # type: ignore[arg-type]  # plain by construction
            blobs,
        )
