"""One attempt of a cell: what it has taken, and what was said where it stands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nbdurable.engine.past import doubts
from nbdurable.engine.past.behind import Behind
from nbdurable.engine.past.belonging import every_holder
from nbdurable.engine.past.circumstances import (
    Circumstances,
    circumstances,
    remembered,
    writes_of,
)
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.edits import Marks
from nbdurable.engine.past.history import CallPast, History, SlotPast, StepState
from nbdurable.engine.past.inuse import both_in_use
from nbdurable.engine.past.moved import Moved
from nbdurable.engine.past.redrawn import Redrawn, recent
from nbdurable.engine.past.wanted import Wanted


@dataclass(slots=True)
class Trying:
    """One attempt, as its calls are matched.

    Attributes:
        history: The fold of the run.
        slot: The slot the attempt executes in.
        step: Id of the attempt.
        existing: Slots known to exist, with the digest of their present source.
        executing: Whether somebody executes a call at this moment.
        other_files: Whether a file that a recorded call read isn't as it was.
        data: The names that the attempt reads and that hold data, and no code.
        gone: Whether the cell can call no tool of this name any more.
        together: Whether the notebook has two tools of these names, side by side.
        served: Ids of the calls that this attempt was served.
        claimed: Ids of the calls that calls of this attempt were taken for.
        stood_in: What each of them was taken for that is another call, as people read
            it, by the id of the recorded one.
        asked_model: Whether a model call newly executed in this attempt.
        here: Its slot.
        passed: The calls beside which this attempt made another one, as a person said:
            ids, with the key of that one.
    """

    history: History
    slot: str
    step: str
    existing: Mapping[str, str]
    other_files: Callable[[CallPast], bool] = lambda _: False
    executing: Callable[[CallPast], bool] = lambda _: False
    data: Collection[str] = ()
    gone: Callable[[str], bool] = lambda _: False
    together: Callable[[str, str], bool] = lambda *_: False
    served: set[str] = field(default_factory=set)
    claimed: set[str] = field(default_factory=set)
    stood_in: dict[str, str] = field(default_factory=dict)
    asked_model: bool = False
    passed: dict[str, bytes] = field(default_factory=dict)
    here: SlotPast = field(init=False)
    _where: Circumstances | None = None
    _writes: Mapping[str, Sequence[CallPast]] | None = None
    _suspects: Mapping[str, Sequence[CallPast]] | None = None
    _old_names: Collection[str] | None = None
    _two: dict[tuple[str, str], bool] = field(default_factory=dict)
    _behind: Behind | None = None
    _moved: Moved | None = None
    _other_names: Collection[str] | None = None
    _recent: Collection[str] | None = None
    _redrawn: dict[str, Redrawn] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look up once what each call asks about."""
        self.here = self.history.slot(self.slot)

    @property
    def where(self) -> Circumstances:
        """What the attempt differs in from those before it."""
        if self._where is None:
            self._where = circumstances(self.history, self.slot, self.step, self.data)
        return self._where

    @property
    def afresh(self) -> bool:
        """Whether this attempt begins afresh: nothing that is recorded is served."""
        reset = self.here.reset
        return reset is not None and not any(
            step.state is StepState.COMPLETED and step.ended_order > reset
            for step in self.history.attempts(self.slot)
        )

    def old_names(self, tool: str) -> Iterator[str]:
        """Names of tools that made writes in this slot, and that it can't call now.

        And of those that a parent of the fork called: in what cell of it that was says
        nothing, since a cell may have another id there.

        Args:
            tool: The name of a tool; one that is in use beside it was not renamed to it.
        """
        behind = self.behind
        if self._old_names is None:
            self.writes_of(tool)
            made = dict.fromkeys((*(self._writes or ()), *behind.tools()))
            self._old_names = [*filter(self.gone, made)]
            self._two.clear()
        if not self._old_names:
            return iter(())
        others = (name for name in self._old_names if name != tool)
        return (name for name in others if not self._are_two(name, tool))

    def _are_two(self, old: str, new: str) -> bool:
        """Whether two tools stand side by side, and are used so; looked for once."""
        found = self._two.get((old, new))
        if found is None:
            found = self.together(old, new)
            if found and (self.writes_of(old) or any(self.behind.here(old))):
                found = both_in_use(self.history, self.slot, old, new)
            self._two[old, new] = found
        return found

    @property
    def behind(self) -> Behind:
        """What the parents of a fork made behind it; looked for again if they go on."""
        if self._behind is None or not self._behind.is_current:
            found = Behind.of(self.history, self.slot, self.stood_in)
            self._behind, self._old_names = found, None
        return self._behind

    @property
    def moved(self) -> Moved:
        """What other cells made; looked for once."""
        if self._moved is None:
            self._moved = Moved.of(self.history, self.slot)
        return self._moved

    def names_elsewhere(self, tool: str) -> Iterator[str]:
        """Names of tools that other cells called, and that this one can't call.

        Args:
            tool: The name of a tool; one that stands beside it was not renamed to it.
        """
        if self._other_names is None:
            self._other_names = [*filter(self.gone, self.moved.calls)]
        if not self._other_names:
            return iter(())
        others = (name for name in self._other_names if name != tool)
        return (name for name in others if not self.together(name, tool))

    def writes_of(self, tool: str) -> Sequence[CallPast]:
        """Those that earlier attempts of this slot made; looked for once."""
        if self._writes is None:
            self._writes = writes_of(self.history, self.where)
        return self._writes.get(tool, ())

    def redrawn(self, tool: str, marks: Marks | None) -> Iterable[CallPast]:
        """What an edited or stopped cell made, and may make again with a fresh key."""
        if not self.where.differs:
            return ()
        if self._recent is None:
            self._recent = recent(self.history, self.slot, self.step)
            self._redrawn.clear()
        found = self._redrawn.get(tool)
        if found is None:
            made = (call for call in self.writes_of(tool) if call.id in self._recent)
            found = self._redrawn[tool] = Redrawn.of(made)
        return found.like(marks)

    def suspects(self, tool: str) -> Sequence[CallPast]:
        """Those of other slots that have no result; looked for once."""
        if self._suspects is None:
            self._suspects = doubts.suspects(self.history, self.slot)
        return self._suspects.get(tool, ())

    def is_over(self, call: CallPast) -> bool:
        """Whether this attempt has to do with it no more, or makes it again."""
        return self.is_settled(call) or self.is_done_again(call)

    def is_settled(self, call: CallPast) -> bool:
        """Whether this attempt was served it, or it is known to be no call of its own."""
        parted = (self.slot, call.id) in self.history.apart
        return parted or call.resolved == "undone" or self.was_served(call)

    def is_done_again(self, call: CallPast) -> bool:
        """Whether a person said of a rerun that it is made again."""
        return self.before_reset(call) and self.writes_again()

    def was_served(self, call: CallPast) -> bool:
        """Whether this attempt has claimed it, or was served what encloses it."""
        chain = every_holder(self.history, call)
        return call.id in self.claimed or any(c.id in self.served for c in chain)

    def said(self, wanted: Wanted, past: Past) -> str:
        """What a person said to this question, as long as that holds; or ""."""
        return remembered(self.history, self.where, wanted.name, past)

    def said_of(self, call: CallPast, past: Past) -> str:
        """The same about a recorded call, whose tool may have had another name."""
        return remembered(self.history, self.where, call.name, past)

    def before_reset(self, call: CallPast) -> bool:
        """Whether a rerun was asked for since."""
        reset = self.here.reset
        return reset is not None and call.ended_order < reset

    def writes_again(self) -> bool:
        """Whether a person said that writes are made again in this rerun."""
        return self.here.kept_writes is False
