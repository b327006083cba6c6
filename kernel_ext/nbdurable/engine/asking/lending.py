"""The recorded calls of a notebook, lent to code outside of it, such as a test.

Theory of operation. The code runs within an attempt, as a cell's does, so its calls are
matched by what they are. It is matched with two histories folded into one: what the
notebook's run did, and behind that what was recorded for this very borrower, which has
a run of its own in the same store. Nothing is ever appended to the notebook's run: a
call that is served is not adopted, and one that is made belongs to the borrower's run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nbdurable.engine.asking.loading import loaded
from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.claiming import claim
from nbdurable.engine.calls.requests import CallRequest, Claim
from nbdurable.engine.identity import keys
from nbdurable.engine.past import forks
from nbdurable.engine.past.history import History, StepPast
from nbdurable.engine.past.wanted import Match
from nbdurable.engine.steps import starting
from nbdurable.engine.steps.session import Session
from nbdurable.engine.telling.reference import find_step
from nbdurable.errors import DurableError
from nbdurable_store.protocol import Store
from nbdurable_store.records import Entry, Kind, Plain, Record

SOURCE: str = "lent"
"""Stands for the source of a cell whose calls anybody may take: no digest is equal to
it, so the cell counts as edited."""

ABOUT_RUN = frozenset({Kind.RUN_OPENED, Kind.RUN_RENAMED, Kind.RUN_CLOSED})
"""Kinds that say something of the notebook's run alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """What is lent to whom.

    Attributes:
        run: Id of the notebook's run.
        step: Name of the step whose calls are lent, or "" for those of all.
        borrower: What the borrower's part is called, such as ``test_report``.
        place: The path that the borrower's own runs belong to, such as its file.
        own: Ids of those runs, oldest first.
    """

    run: str
    step: str
    borrower: str
    place: str
    own: tuple[str, ...] = ()


class Lending(Session):
    """A session that is lent the history of another run.

    Args:
        store: Where both runs are.
        loan: What is lent.
    """

    def __init__(self, store: Store, loan: Loan) -> None:
        super().__init__(store=store)
        self.loan = loan
        self._load(loan.own[-1] if loan.own else self.ids.new())
        entries = self._read(loan.run)
        history = History(loan.run)
        forks.begin(history, entries, self._read)
        history.apply(e for e in entries if e.record.kind not in ABOUT_RUN)
        self.lender = (
            find_step(history, loan.step, "pytest.mark.durable step")
            if loan.step
            else None
        )
        self._lent = dict.fromkeys(history.slots, SOURCE)
        if self.lender is not None:
            self._lent = {self.lender.slot: SOURCE}
        history.run = self._history.run
        for own in loan.own:
            history.apply(self._read(own))
        self._history = history

    def _read(self, run: str) -> Sequence[Entry]:
        return self.store.read(run)[0]

    @property
    def slot(self) -> str:
        """The slot of the borrower in its own runs."""
        return f"name {self.loan.borrower}"

    def refresh(self) -> None:
        """Nobody else appends to what was read."""

    def known(self) -> Mapping[str, str]:
        """Whose calls may be taken."""
        return {**self._lent, self.slot: SOURCE}

    @contextlib.contextmanager
    def served(self) -> Iterator[Attempt]:
        """Code within is served what is recorded; a new call is refused."""
        slot = self.lender.slot if self.lender is not None else self.slot
        name = self.loan.step or self.loan.borrower
        attempt = Lent(self, StepPast.begun(self.ids.new(), slot, name))
        was = frozen.switch(True)
        try:
            with self._watched(), attempt.active():
                yield attempt
        finally:
            frozen.switch(was)

    @contextlib.contextmanager
    def recording(self) -> Iterator[Attempt]:
        """Code within may make new calls; they are recorded in the borrower's run.

        Raises:
            RunBusy: Another process records there, and did not end in time.
        """
        lease = claim(self.store, self.history.run, self.clock, self.notify)
        try:
            if not self.loan.own:
                self._open_own()
            attempt = self._started()
            try:
                with self._watched(), attempt.active():
                    yield attempt
            finally:
                self._ended(attempt)
        finally:
            lease.release()

    def _open_own(self) -> None:
        about: dict[str, Plain] = {
            "notebook": self.loan.place,
            "number": 1,
            "headless": True,
            "reason": "lent",
        }
        self.journal(Kind.RUN_OPENED, about)

    def _started(self) -> Attempt:
        attempt = Lent(
            self, StepPast.begun(self.ids.new(), self.slot, self.loan.borrower)
        )
        about = {
            "name": self.loan.borrower,
            "named": True,
            "slot": self.slot,
            "attempt": sum(1 for _ in self.history.attempts(self.slot)) + 1,
            "source": "",
            "algorithm": keys.ALGORITHM,
        }
        self._append(attempt, Kind.STEP_STARTED, about)
        attempt.step = self.history.steps[attempt.step.id]
        return attempt

    def _ended(self, attempt: Attempt) -> None:
        """Completed, however it ended: what it has seen is what there is to serve."""
        attempt.end()
        about = {"ms": 0, "names": [], **attempt.used.fields()}
        self._append(attempt, Kind.STEP_COMPLETED, about)

    def _append(
        self, attempt: Attempt, kind: Kind, about: Mapping[str, object]
    ) -> None:
        record = attempt.record(kind, attempt.step.id, b"", about)
        self.append((record,), sync=True)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        starting.watch()
        try:
            yield
        finally:
            starting.unwatch()

    def value(self, name: str) -> object:
        """A variable as the lending step made it.

        Raises:
            KeyError: The step made no such variable, or no single step lends.
            DurableError: It can't be loaded.
        """
        if self.lender is None:
            raise KeyError(name)
        found = loaded(self.store, self.secrets, self.lender, [name])[name]
        if isinstance(found, DurableError):
            raise found
        return found


class Lent(Attempt):
    """An attempt that takes nothing away from whom it is served by."""

    def adopted(
        self, claim: Claim, match: Match, request: CallRequest | None = None
    ) -> tuple[Record, ...]:
        """What is lent stays where it is."""
        del claim, match, request
        return ()
