"""One execution of a durable cell: ask the engine, run the code, report back.

Two rules. A durable cell never runs without its journal, because recorded calls could be
repeated: whatever goes wrong before the code runs is shown, and the code isn't run. And
whatever goes wrong in nbdurable after the code ran changes nothing for the cell.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import linecache
import os
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbdurable.engine.steps.cells import Cell, Output, Replayed
from nbdurable.errors import CellTimedOut, DurableError, DurablePause
from nbdurable.kernel import replay
from nbdurable.kernel.capture import Recording, Tap, flush
from nbdurable.kernel.collapse import widgets
from nbdurable.kernel.defects import broken, contained
from nbdurable.kernel.errors import CellEmpty
from nbdurable.kernel.interrupts import Interrupts, in_place
from nbdurable.kernel.limits import Limit
from nbdurable.kernel.lines import say
from nbdurable.kernel.options import Options, parse
from nbdurable.kernel.places import places, ran
from nbdurable.kernel.seam import Attempt, Engine, Rebuilding, Tell
from nbdurable.kernel.tracebacks import Tracebacks, line_of
from nbdurable.kernel.transform import TAG
from nbdurable.kernel.unseen import run_unseen
from nbdurable.kernel.where import facts, tags

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

QUIET = "NBDURABLE_QUIET"
"""Set, no cell shows a status line or a replay mark."""

NO_LIMIT = "--timeout has no effect here: only the main thread can be interrupted"

Run = Callable[[], Awaitable[bool | None]]
"""IPython's own run of the cell; true if it raised."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an execution works with, the same for all cells of a shell."""

    engine: Engine
    tap: Tap
    tracebacks: Tracebacks


class Execution:
    """One execution, used once.

    Args:
        shell: Where the cell runs.
        parts: The engine and what watches the shell.
        result: IPython's `ExecutionResult`.
        line: The words after `%%durable`.
    """

    def __init__(
        self, shell: InteractiveShell, parts: Parts, result: Any, line: str
    ) -> None:
        self._shell = shell
        self._parts = parts
        self._result = result
        self._line = line
        self._options = Options()
        self._filename = ""
        self._recording = Recording()
        self._stopped: CellTimedOut | None = None

    async def run(self, run: Run, *, filename: str, empty: bool) -> bool | None:
        """Replay the step or run it; true if it raised, as IPython wants it."""
        try:
            with in_place():
                begun = self._begin(filename, empty=empty)
        except (DurableError, DurablePause, KeyboardInterrupt) as error:
            return self._refuse(error)
        except Exception as error:  # noqa: BLE001  # shown as a defect of ours
            return self._refuse(broken(error))
        if isinstance(begun, Replayed):
            return self._replay(begun)
        if isinstance(begun, Rebuilding):
            return await self._rebuild(begun)
        return await self._attempt(begun, run)

    def _begin(self, filename: str, *, empty: bool) -> Replayed | Rebuilding | Attempt:
        self._options = options = parse(self._line)
        self._filename = filename
        if empty:
            raise CellEmpty
        info, shell = self._result.info, self._shell
        cell = Cell(
            name=options.name,
            raw=info.raw_cell,
            transformed="".join(linecache.getlines(filename)),
            cell_id=info.cell_id or "",
            tags=[tag for tag in tags(shell, info) if tag != TAG],
            count=self._result.execution_count or 0,
            filename=filename,
            facts=facts(shell),
            fresh=options.fresh,
            files=not options.no_files,
            hidden=frozenset(shell.user_ns_hidden),
            places=functools.partial(places, shell),
            ran=functools.partial(ran, shell),
        )
        return self._parts.engine.begin(cell, shell.user_ns)

    def _refuse(self, error: BaseException) -> bool:
        """Show an error as the outcome of a cell that didn't run."""
        error.__traceback__ = None  # there is no frame of the user in it
        self._result.error_in_exec = error
        self._shell.showtraceback((type(error), error, None))
        return True

    def _replay(self, replayed: Replayed) -> bool:
        try:
            with contained("its outputs can't be shown again", self._warn):
                self._tell(replayed.lines, "replayed")
                replay.show(
                    self._shell,
                    replayed.outputs,
                    has_result=replayed.has_result,
                    result=replayed.result,
                )
                self._warn(widgets(replayed.outputs))
        except KeyboardInterrupt as error:
            return self._refuse(error)
        return False

    async def _rebuild(self, step: Rebuilding) -> bool:
        """Run the code of a step again, unseen, and replay the step."""
        raised: BaseException | None = None
        try:
            with step.active(), self._interruptible(None):
                await run_unseen(self._shell, step.source, step.filename)
        except BaseException as error:  # noqa: BLE001  # the step decides what becomes of it
            raised = error
        try:
            replayed = step.end(raised)
        except (DurableError, DurablePause, KeyboardInterrupt) as stopped:
            return self._refuse(stopped)
        except asyncio.CancelledError:
            return self._refuse(KeyboardInterrupt())
        except Exception as error:  # noqa: BLE001  # shown as a defect of ours
            return self._refuse(broken(error))
        return self._replay(replayed)

    async def _attempt(self, attempt: Attempt, run: Run) -> bool | None:
        ended, raised = False, None
        with self._parts.tap.recording() as self._recording:
            try:
                with attempt.active(), self._interruptible(attempt):
                    raised = await run()
                    ended = True
            except BaseException as error:
                if not ended:
                    self._failed(attempt, error)
                    if isinstance(error, Exception):
                        return self._refuse(broken(error))
                    raise
                with contained("an attempt can't be left", self._warn):
                    raise
            with contained("outputs can't be flushed"):
                flush(self._shell)
        self._finish(attempt, raised=bool(raised))
        return raised

    def _finish(self, attempt: Attempt, *, raised: bool) -> None:
        if raised:
            error = self._result.error_in_exec or self._result.error_before_exec
            unknown = RuntimeError("IPython says that the cell raised, and not what")
            self._failed(attempt, error or unknown)
        else:
            if self._stopped is not None:
                self._stopped.doubts = attempt.doubts()
            shown, value = self._shown(), self._result.result
            self._report(lambda: attempt.complete(shown, value, self._later()))

    def _failed(self, attempt: Attempt, error: BaseException) -> None:
        shown = self._shown()
        self._report(lambda: attempt.fail(error, shown, self._later()))

    def _shown(self) -> Sequence[Output]:
        """What the cell showed; a step without its outputs is better than none."""
        shown: Sequence[Output] = ()
        with contained("what this cell showed is not saved", self._warn):
            shown = self._recording.outputs()
        return shown  # noqa: RET504  # the block above may end early

    def _report(self, report: Callable[[], tuple[str, ...]]) -> None:
        """Tell the engine the outcome and show its lines; the outcome stands anyway."""
        try:
            with contained("this step may not be saved", self._warn):
                self._tell(report(), "status")
        except DurablePause as pause:
            self._warn(pause.told())
        except KeyboardInterrupt:
            self._warn("interrupted while this step was saved")

    def _later(self) -> Tell:
        """Shows lines under this cell also when another one is being executed."""
        context = contextvars.copy_context()

        def tell(lines: tuple[str, ...]) -> None:
            with contained("how a step ended can't be told"):
                context.copy().run(self._tell, lines, "status")

        return tell

    def _tell(self, lines: tuple[str, ...], kind: str) -> None:
        quiet = self._options.quiet or os.environ.get(QUIET, "0") != "0"
        if not quiet and self._recording.takes_lines:
            say(self._shell, "\n".join(lines), kind, self._parts.engine.named())

    def _warn(self, line: str) -> None:
        say(self._shell, line, "warning")

    @contextlib.contextmanager
    def _interruptible(self, attempt: Attempt | None) -> Generator[None]:
        """SIGINT stops an awaiting cell at once, and is shown as what it is.

        So is the end of the cell's time, which is a SIGINT too.
        """
        limit = Limit(
            self._options.timeout_s if attempt else 0,
            lambda: self._stop(attempt),
        )
        if self._options.timeout_s and attempt and not limit.applies:
            self._warn(NO_LIMIT)
        interrupts = Interrupts(type(self._shell).run_code.__code__)

        def instead(error: BaseException) -> BaseException:
            shown = error
            if interrupts.fired and isinstance(error, asyncio.CancelledError):
                interrupts.settle()
                shown = KeyboardInterrupt().with_traceback(error.__traceback__)
            if limit.fired and attempt and isinstance(shown, KeyboardInterrupt):
                shown = self._timed_out(attempt, shown)
            if shown is not error:
                self._result.error_in_exec = shown
            return shown

        watching = interrupts.watching if self._awaits() else contextlib.nullcontext
        with self._parts.tracebacks.showing(instead), watching(), limit.watching():
            yield

    def _timed_out(self, attempt: Attempt, stopped: BaseException) -> CellTimedOut:
        line = line_of(stopped, self._filename)
        error = self._over(line, attempt.doubts())
        error.__cause__ = stopped
        return error

    def _stop(self, attempt: Attempt | None) -> None:
        """The time is over: code that catches what says so makes no further `write`."""
        if attempt is not None:
            self._stopped = self._over()
            attempt.stop(self._stopped)

    def _over(self, line: int = 0, doubts: tuple[str, ...] = ()) -> CellTimedOut:
        name, limit = self._options.name or "this cell", self._options.timeout
        return CellTimedOut(step=name, limit=limit, line=line, doubts=doubts)

    def _awaits(self) -> bool:
        """Whether IPython runs this cell as an asyncio task of the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return False
        raw, shell = self._result.info.raw_cell, self._shell
        return bool(
            shell.should_run_async(raw, transformed_cell=shell.transform_cell(raw))
        )
