"""A step that is being executed, and how its end is recorded.

Order of writes at the end of a step: the blobs of its outputs and variables first,
then ``step.completed``, durable, which names them. A step that ends before that is an
attempt that never ended; its calls are kept all the same.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from nbdurable.engine import lines, wording
from nbdurable.engine.attempt import Attempt
from nbdurable.engine.cells import Output
from nbdurable.engine.files.step import StepFiles
from nbdurable.engine.files.watched import Files
from nbdurable.engine.identity.codes import is_shell_name
from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.session import Session
from nbdurable.engine.snapshot import Marks, mark, take
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


@dataclass(slots=True, kw_only=True)
class Running:
    """A step that is being executed. Exactly one of `complete`, `fail` ends it.

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
    before: dict[str, int] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """The cell's code runs within."""
        self.began_s = self.session.clock.monotonic_s()
        self.before = self._bindings()
        self.marks = mark(self.namespace, self.inputs.digests)
        with self.attempt.active(), self.files.watching(self.inputs, self.namespace):
            yield

    def complete(self, outputs: Sequence[Output], result: object) -> tuple[str, ...]:
        """The cell ended: record what it made. Returns lines for the user."""
        with self._lets_go():
            return self._complete(outputs, result)

    def _complete(self, outputs: Sequence[Output], result: object) -> tuple[str, ...]:
        after = self._bindings()
        made = {name: self.namespace[name] for name in self._changed(after)}
        made = {name: value for name, value in made.items() if not _is_over(value)}
        if result is not None:
            made[RESULT] = result
        deleted = sorted(self.before.keys() - after.keys())
        taken = take(made, secrets=self.session.secrets, marks=self.marks)
        unsaved = {n: why for n, why in taken.unstorable.items() if n != RESULT}
        fields: dict[str, Plain] = {
            "names": [list(g.names) for g in taken.groups],
            "deleted": deleted,
            "unsaved": unsaved,
        }
        files = self.files.close()
        fields |= files.fields()
        values = [(g.codec, g.data) for g in taken.groups]
        self.attempt.used.told += _told_of(self.inputs, files)
        return self._end(Kind.STEP_COMPLETED, fields, outputs, values, unsaved)

    def fail(self, error: BaseException, outputs: Sequence[Output]) -> tuple[str, ...]:
        """The cell raised: record how. Returns lines for the user."""
        kind = type(error)
        fields: dict[str, Plain] = {
            "how": how(error),
            "type": f"{kind.__module__}.{kind.__qualname__}",
            "message": self.session.secrets.scrub(str(error))[:1000],
            "blamed": self.attempt.blame.behind(error),
            "asked": {
                str(n): [call, past.name]
                for n, (call, past) in self.attempt.used.asked.items()
            },
        }
        with self._lets_go():
            return self._end(Kind.STEP_FAILED, fields, outputs, (), {})

    @contextlib.contextmanager
    def _lets_go(self) -> Iterator[None]:
        """However recording ends, others may execute in the run."""
        try:
            yield
        finally:
            self.lease.release()

    def _end(
        self,
        kind: Kind,
        fields: dict[str, Plain],
        outputs: Sequence[Output],
        values: Sequence[tuple[str, bytes]],
        unsaved: Mapping[str, str],
    ) -> tuple[str, ...]:
        attempt, session = self.attempt, self.session
        attempt.end()
        ms = round((session.clock.monotonic_s() - self.began_s) * 1000, 3)
        fields |= {"ms": ms, **attempt.used.fields()}
        problem = ""
        try:
            try:
                self._record(kind, fields, self._blobs(outputs, values))
            except (DurableError, OSError) as unstored:
                problem = _told(unstored)
                bare = {**fields, "names": [], "unsaved": {"": problem}}
                self._record(kind, bare, ())
        except (DurableError, OSError) as unwritten:
            problem = _told(unwritten)
        return self._lines(unsaved, problem)

    def _record(
        self, kind: Kind, fields: dict[str, Plain], blobs: tuple[BlobRef, ...]
    ) -> None:
        step = self.attempt.step
        record = self.attempt.record(kind, step.id, step.key, fields, blobs)
        reach("step.ended.before")
        self.session.append((record,), sync=True)
        reach("step.ended.synced")

    def _blobs(
        self, outputs: Sequence[Output], values: Sequence[tuple[str, bytes]]
    ) -> tuple[BlobRef, ...]:
        shown = json.dumps(list(outputs), ensure_ascii=False)
        text = self.session.secrets.scrub(shown).encode("utf-8", "surrogatepass")
        put = self.session.store.put
        refs = [put(OUTPUTS_CODEC, text), *(put(c, data) for c, data in values)]
        reach("step.values.durable")
        return tuple(refs)

    def _lines(self, unsaved: Mapping[str, str], problem: str) -> tuple[str, ...]:
        session, attempt = self.session, self.attempt
        line = lines.ended(
            session.history,
            attempt.step,
            because=self.because,
            fresh=self.fresh,
            unsaved=unsaved,
            notes=attempt.used.notes(),
        )
        told = [line, *filter(session.first_time, attempt.used.lines())]
        if problem:
            told.append(f"{attempt.step.name}: its variables are not kept: {problem}")
        session.pass_on_notices()
        return tuple(told)

    def _bindings(self) -> dict[str, int]:
        return {
            name: id(value)
            for name, value in self.namespace.items()
            if name not in self.hidden and not is_shell_name(name)
        }

    def _changed(self, after: Mapping[str, int]) -> list[str]:
        rebound = {n for n, i in after.items() if self.before.get(n) != i}
        written = {n for n in self.inputs.writes if n in after}
        mutated = self.inputs.mutated(self.namespace, skip=rebound | written)
        return sorted(rebound | written | mutated)


def how(error: BaseException) -> str:
    """How a step ended that didn't complete: raised, interrupted or paused."""
    if isinstance(error, DurablePause):
        return "paused"
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError":
        return "interrupted"
    return "raised"


def _told_of(inputs: Inputs, files: Files) -> list[str]:
    return [
        wording.reads_all(sorted(inputs.dynamic)),
        wording.by_size(files.big),
        wording.not_watched(files.left_off),
    ]


def _told(error: BaseException) -> str:
    return error.fact() if isinstance(error, DurableError) else str(error)


def _is_over(value: object) -> bool:
    """A pool that was shut down, as a ``with`` leaves it: nothing of it is to be kept.

    It says only by an attribute of its own that it ended.
    """
    ended = ("_shutdown", "_shutdown_thread")
    return isinstance(value, Executor) and any(getattr(value, a, 0) for a in ended)
