"""What is known of executors, above all of those that are not Python's own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final
from uuid import uuid4

from nbdurable.errors import WorkerDied

DASK: Final = ("distributed.cfexecutor", "ClientExecutor")

FAILURES: Final = 3
"""So many workers of a task may die, where Dask's settings don't say how many."""

DEATHS: Final = {
    "concurrent.futures._base.BrokenExecutor",
    "distributed.scheduler.KilledWorker",
    "ipyparallel.error.EngineError",
}
"""What a future raises whose worker died; no function that ran raises it."""


def repeats(executor: object) -> bool:
    """Whether an executor runs a task again by itself when its worker dies.

    Dask does, also one that was completed and whose result nobody had fetched; no setting
    turns that off.
    """
    kind = type(executor)
    return (kind.__module__, kind.__qualname__) == DASK


def begun_once(fn: Callable[..., Any]) -> Callable[..., tuple[bool, Any]]:
    """A function for one task, which is begun once however often it is run.

    The task tells Dask's scheduler that it begins, and doesn't begin where that was told
    before. The name under which it does stays there: a result may be lost as long as
    nobody has it. Gives whether it began now, and what it returned: Dask's executor loses
    an exception that takes the place of a result.
    """
    name = f"nbdurable-{uuid4().hex}"

    def begun(*args: Any, **kwargs: Any) -> tuple[bool, Any]:
        from distributed import Event  # inside: a worker needs no nbdurable

        event: Any = Event(name)
        if event.is_set():
            return False, None
        event.set()
        return True, fn(*args, **kwargs)

    return begun


def never_raising(fn: Callable[..., Any]) -> Callable[..., tuple[bool, Any] | None]:
    """A function for one task, whose exception is a result, as far as that can be sent.

    Dask makes a result again that died with its worker, and where that raises nobody is
    told: whoever waits for it waits for ever. Nor does Dask count how often it does that;
    its scheduler is asked here. Gives whether it raised, and what; or None where as
    many workers died as Dask allows for a task that runs.
    """
    import dask.config  # inside: it is theirs

    name = f"nbdurable-{uuid4().hex}"
    failures = int(dask.config.get("distributed.scheduler.allowed-failures", FAILURES))

    def told(*args: Any, **kwargs: Any) -> tuple[bool, Any] | None:
        from distributed import Event  # inside: a worker needs no nbdurable

        tries: list[Any] = [Event(f"{name}-{n}") for n in range(failures + 1)]
        this = next((event for event in tries if not event.is_set()), None)
        if this is None:
            return None
        this.set()
        try:
            return False, fn(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  # whatever the tool raises
            import traceback  # inside: a worker needs no nbdurable

            from distributed.protocol import pickle as theirs

            pickle: Any = theirs
            error.add_note("".join(traceback.format_tb(error.__traceback__)))
            try:
                pickle.loads(pickle.dumps(error))
            except Exception:  # noqa: BLE001  # whatever a pickler raises
                raise error from None
            return True, error

    return told


def answer_of(future: Future[Any]) -> Any:
    """What a function that is `never_raising` returned, or else raised.

    Raises:
        WorkerDied: One worker after the other did that had its result.
    """
    result = future.result()
    if result is None:
        told = "each worker that had its result died"
        raise WorkerDied(told)
    raised, answer = result
    if raised:
        raise answer
    return answer


def result_of(future: Future[Any], *, once: bool) -> Any:
    """What a `write` returned on a worker.

    Args:
        future: Of an executor.
        once: Whether its function is `begun_once`.

    Raises:
        WorkerDied: It had begun, or may have, so it may have happened.
    """
    try:
        result = future.result()
    except Exception as error:
        if _tells_a_death(error):
            told = f"its worker died: {error}"
            raise WorkerDied(told) from error
        raise
    if not once:
        return result
    now, returned = result
    if not now:
        told = "the worker that had begun it died"
        raise WorkerDied(told)
    return returned


def _tells_a_death(error: Exception) -> bool:
    names = {f"{t.__module__}.{t.__qualname__}" for t in type(error).__mro__}
    return not names.isdisjoint(DEATHS)
