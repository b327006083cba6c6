"""A step that is being executed, and how its end is recorded.

Order of writes at the end of a step: the blobs of its outputs and variables first,
then ``step.completed``, durable, which names them. A step that ends before that is an
attempt that never ended; its calls are kept all the same.

A step ends with its cell, or, where the cell left tasks or threads running, with the
last of them. Which names it made is known at the cell's end, since other cells bind
names from then on; what those names hold is read when the step ends.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import (
    Callable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass, field

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.leftovers import Overtaken
from nbdurable.engine.files.step import StepFiles
from nbdurable.engine.files.watched import Files
from nbdurable.engine.identity.codes import is_shell_name
from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.past.fields import number
from nbdurable.engine.past.tally import Tally
from nbdurable.engine.steps import ending, goingon, silence, starting
from nbdurable.engine.steps.cells import CellEnd, Output
from nbdurable.engine.steps.inside import keep_inside
from nbdurable.engine.steps.kept_now import Maker
from nbdurable.engine.steps.leaving import KEPT, is_over, keep_made
from nbdurable.engine.steps.rebound import changed_away
from nbdurable.engine.steps.session import Session
from nbdurable.engine.steps.snapshot import Marks, mark
from nbdurable.engine.telling import lines, wording
from nbdurable.engine.values import randomness
from nbdurable_store.errors import DurableError, DurablePause
from nbdurable_store.killpoints import reach
from nbdurable_store.protocol import Lease
from nbdurable_store.records import BlobRef, Kind, Plain

RESULT = "last expression"
"""Key of the last expression's value among the names of a step; no variable can have
it, since it is no identifier."""

OUTPUTS_CODEC = "json"
"""Outputs are plain data: anybody may list them."""

Namespace = MutableMapping[str, object]


Tell = Callable[[tuple[str, ...]], None]
"""Shows lines to the user."""


def told_to_nobody(_: tuple[str, ...]) -> None:
    """For a shell that shows nothing after the cell."""


@dataclass(slots=True, kw_only=True)
class Running:
    """A step that is being executed. Exactly one of `complete`, `fail` ends its cell.

    Neither raises for a value or a disk: what went wrong is in the line they return.
    """

    session: Session
    attempt: Attempt
    inputs: Inputs
    files: StepFiles
    namespace: Namespace
    hidden: frozenset[str]
    lease: Lease
    because: str = ""
    fresh: bool = False
    began_s: float = 0.0
    random: randomness.State = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    watched: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    cell: CellEnd = field(default_factory=CellEnd)
    later: Tell = told_to_nobody

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """The cell's code runs within."""
        starting.watch()
        self.attempt.watch = starting.watch
        self.began_s = self.session.clock.monotonic_s()
        self.random = randomness.state()
        self.before = {name: id(value) for name, value in self._bindings().items()}
        self.marks = mark(self.namespace, self.inputs.given)
        self.watched.enter_context(self.files.watching(self.inputs, self.namespace))
        with self.attempt.active(), silence.watched(self.attempt, self.session.notify):
            yield

    def complete(
        self, outputs: Sequence[Output], result: object, later: Tell = told_to_nobody
    ) -> tuple[str, ...]:
        """The cell ended: record what it made. Returns lines for the user.

        Args:
            outputs: What the cell showed.
            result: The value of its last expression.
            later: Is told how the step ended, if it goes on after its cell; called
                from whichever thread ends it.
        """
        return self._cell_ended(outputs, result, None, later)

    def fail(
        self,
        error: BaseException,
        outputs: Sequence[Output],
        later: Tell = told_to_nobody,
    ) -> tuple[str, ...]:
        """The cell raised: record how. Returns lines for the user."""
        return self._cell_ended(outputs, None, error, later)

    def _cell_ended(
        self,
        outputs: Sequence[Output],
        result: object,
        error: BaseException | None,
        later: Tell,
    ) -> tuple[str, ...]:
        after = self._bindings()
        self.cell = CellEnd(
            outputs=outputs,
            result=result,
            error=error,
            bound={n: v for n, v in after.items() if self._may_be_made(n, v)},
            deleted=sorted(self.before.keys() - after.keys()),
        )
        self.later = later
        self.session.lingering[self.attempt.step.slot] = self
        if self.attempt.leftovers.follow(self._last_ended):
            return self._goes_on()
        return self._end()

    def _may_be_made(self, name: str, value: object) -> bool:
        known = name in self.inputs.writes or name in self.inputs.given
        return known or self.before.get(name) != id(value)

    def _last_ended(self) -> None:
        """The last of what the cell left running has ended, in this thread."""
        self.later(self._end())

    def stop(self, pause: DurablePause) -> None:
        """From now on no further `write` starts, also where the code goes on."""
        self.attempt.stop(pause)

    def doubts(self) -> tuple[str, ...]:
        """Its calls that may have happened, by now: ``STEP.CALL``, and the call."""
        return ending.doubts(self.session, self.attempt.step)

    def overtake(self, why: str) -> str:
        """End the step as it stands; what it left running makes no further call.

        Gives what that is, such as ``2 tasks, 1 thread``.
        """
        leftovers = self.attempt.leftovers
        running = goingon.running(leftovers.counted())
        self.attempt.leftovers.overtaken = why
        if leftovers.forget():
            self._end(Overtaken(step=self.attempt.step.name, why=why))
        return running

    def close(self) -> None:
        """The kernel ends. What made no call, such as a server, was no work of the step.

        Work that is cut off here is unfinished: the step stays without an end.
        """
        took_part = self.attempt.leftovers.took_part
        if self.attempt.leftovers.forget() and not took_part:
            self._end()
        self.attempt.leftovers.overtaken = "durable cells were turned off"

    def _end(self, stopped: BaseException | None = None) -> tuple[str, ...]:
        with self._lets_go():
            left = self.attempt.leftovers.errors
            asked = self.attempt.paused  # also where code of the cell swallowed it
            error = self.cell.error or stopped or asked or next(iter(left), None)
            return self._complete() if error is None else self._fail(error, left)

    def _complete(self) -> tuple[str, ...]:
        made, mutated = self._made()
        made = {name: value for name, value in made.items() if not is_over(value)}
        if self.cell.result is not None:
            made[RESULT] = self.cell.result
        if (drawn := randomness.state()) != self.random:
            made[randomness.RANDOM] = drawn
        session, inputs = self.session, self.inputs
        digests = {name: digest for name, digest in mutated.items() if digest}
        left = keep_made(session, inputs, self._bindings(), made, self.marks, digests)
        taken = left.taken
        unsaved = {n: why for n, why in taken.unstorable.items() if n != RESULT}
        away = changed_away(inputs, self.marks, made, self._bindings())
        inside = keep_inside(
            self.attempt, session.keeping, inputs, self.namespace, made, away
        )
        fields: dict[str, Plain] = {
            **left.fields(),
            "deleted": self.cell.deleted,
            "unsaved": unsaved,
            "inside": sorted({*inside, *left.again, *mutated.keys() & taken.replaced}),
            **self._left(left.digests),
        }
        files = self.files.close()
        fields |= files.fields()
        step = self.attempt.step
        by = Maker(step.name, number(step.fields, "count"))
        session.keeping.made(left.groups, left.digests, {**self.namespace, **made}, by)
        blobs = [ref for _, ref in left.groups]
        self.attempt.used.told += _told_of(self.inputs, files)
        self.attempt.used.told += map(_last_resort, taken.last_resort)
        return self._record_end(Kind.STEP_COMPLETED, fields, blobs, unsaved)

    def _effects(self) -> list[str]:
        """What its code did beside its calls: whether it may run again for a name."""
        return self.files.effects.seen(self.session.secrets.scrub)

    def _left(self, digests: Mapping[str, bytes]) -> dict[str, Plain]:
        """What it left of the inputs that it changed: it runs again because of them."""
        found = self.inputs.left(digests)
        return {"left": {n: d.hex() for n, d in found.items()}} if found else {}

    def _fail(
        self, error: BaseException, left: Sequence[BaseException]
    ) -> tuple[str, ...]:
        kind = type(error)
        blamed = dict.fromkeys(
            call for e in (error, *left) for call in self.attempt.blame.behind(e)
        )
        fields: dict[str, Plain] = {
            "how": ending.how(error),
            "type": f"{kind.__module__}.{kind.__qualname__}",
            "message": self.session.secrets.scrub(str(error))[:1000],
            "blamed": list(blamed),
            "asked": {
                str(n): [call, past.name]
                for n, (call, past) in self.attempt.used.asked.items()
            },
        }
        return self._record_end(Kind.STEP_FAILED, fields, (), {}, self._unseen(error))

    def _unseen(self, error: BaseException) -> BaseException | None:
        """The error, unless the cell ended with it and showed it."""
        return None if error is self.cell.error else error

    @contextlib.contextmanager
    def _lets_go(self) -> Iterator[None]:
        """However recording ends, others may execute in the run."""
        slot, lingering = self.attempt.step.slot, self.session.lingering
        try:
            yield
        finally:
            if lingering.get(slot) is self:
                del lingering[slot]
            self.watched.close()
            self.lease.release()

    def _record_end(
        self,
        kind: Kind,
        fields: dict[str, Plain],
        kept: Sequence[BlobRef],
        unsaved: Mapping[str, str],
        unseen: BaseException | None = None,
    ) -> tuple[str, ...]:
        attempt, session = self.attempt, self.session
        attempt.end()
        ms = round((session.clock.monotonic_s() - self.began_s) * 1000, 3)
        fields |= {"ms": ms, "effects": self._effects(), **attempt.used.fields()}
        problem = ""
        try:
            try:
                self._record(kind, fields, self._blobs(kept))
            except (DurableError, OSError) as unstored:
                problem = _told(unstored)
                bare = {n: v for n, v in fields.items() if n not in KEPT}
                self._record(kind, {**bare, "unsaved": {"": problem}}, ())
        except (DurableError, OSError) as unwritten:
            problem = _told(unwritten)
        return self._lines(unsaved, problem, unseen)

    def _record(
        self, kind: Kind, fields: dict[str, Plain], blobs: tuple[BlobRef, ...]
    ) -> None:
        step = self.attempt.step
        record = self.attempt.record(kind, step.id, step.key, fields, blobs)
        reach("step.ended.before")
        self.session.append((record,), sync=True)
        reach("step.ended.synced")

    def _blobs(self, kept: Sequence[BlobRef]) -> tuple[BlobRef, ...]:
        shown = json.dumps(list(self.cell.outputs), ensure_ascii=False)
        text = self.session.secrets.scrub(shown).encode("utf-8", "surrogatepass")
        shown_as = self.session.store.put(OUTPUTS_CODEC, text)
        reach("step.values.durable")
        return shown_as, *kept

    def _goes_on(self) -> tuple[str, ...]:
        """The lines of a cell that left something running."""
        attempt, cell = self.attempt, self.cell
        line = goingon.goes_on(
            attempt.step.name,
            Tally(served=attempt.used.served, ran=attempt.used.ran),
            attempt.leftovers.counted(),
            because=self.because,
            stopped="" if cell.error is None else ending.how(cell.error),
        )
        line = wording.line(line, frozen.note())
        self.session.pass_on_notices()
        return (line, *filter(self.session.first_time, attempt.used.lines()))

    def _lines(
        self, unsaved: Mapping[str, str], problem: str, unseen: BaseException | None
    ) -> tuple[str, ...]:
        session, attempt = self.session, self.attempt
        scrub = session.secrets.scrub
        with session.lock:
            line = lines.ended(
                session.history,
                attempt.step,
                because=self.because,
                fresh=self.fresh,
                notes=(
                    *attempt.used.notes(),
                    wording.not_kept(unsaved),
                    wording.not_recorded(self.files.effects.shown(scrub)),
                    frozen.note(),
                ),
                unseen="" if unseen is None else scrub(_shown(unseen)),
            )
            unpriced = lines.prices_unknown(session.history, attempt.step)
        told = [line, *filter(session.first_time, (*attempt.used.lines(), *unpriced))]
        if isinstance(unseen, DurablePause):
            told.append(unseen.told())
        if problem:
            told.append(f"{attempt.step.name}: its variables are not kept: {problem}")
        told += filter(None, [session.size.once(session.store.place)])
        session.pass_on_notices()
        return tuple(told)

    def _bindings(self) -> dict[str, object]:
        names = self.namespace.items()
        return {name: value for name, value in names if self._is_users(name)}

    def _is_users(self, name: str) -> bool:
        return name not in self.hidden and not is_shell_name(name)

    def _made(self) -> tuple[dict[str, object], dict[str, bytes]]:
        """The names that it made or changed, with what they hold; those changed only.

        The latter with their digests.
        """
        bound, namespace = dict(self.cell.bound), self.namespace
        stored = filter(self._is_users, self.inputs.stores)
        bound |= {name: namespace[name] for name in stored if name in namespace}
        made = {n for n, v in bound.items() if self.before.get(n) != id(v)}
        made |= {name for name in self.inputs.writes if name in bound}
        moved = {n for n, v in bound.items() if namespace.get(n) is not v}
        mutated = self.inputs.mutated(namespace, skip=made | moved)
        every = sorted(made | mutated.keys())
        return {n: bound[n] if n in bound else namespace[n] for n in every}, mutated


def _shown(error: BaseException) -> str:
    name = type(error).__name__
    first = next(iter(str(error).splitlines()), "")
    return f"{name}: {first}" if first else name


def _last_resort(name: str) -> str:
    return f"{name} is kept with dill: it may not load where versions differ"


def _told_of(inputs: Inputs, files: Files) -> list[str]:
    return [
        wording.reads_all(sorted(inputs.dynamic)),
        wording.by_size(files.big),
        wording.not_watched(files.left_off),
    ]


def _told(error: BaseException) -> str:
    return error.fact() if isinstance(error, DurableError) else str(error)
