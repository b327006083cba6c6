"""What is known of executors that are not Python's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

DASK: Final = ("distributed.cfexecutor", "ClientExecutor")


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

        event: Any = Event(name)  # type: ignore[no-untyped-call]  # Dask has no types
        if event.is_set():
            return False, None
        event.set()
        return True, fn(*args, **kwargs)

    return begun


def returned(outcome: tuple[bool, Any]) -> Any:
    """What a function that is `begun_once` returned.

    Raises:
        RuntimeError: It had begun on a worker that died, so it may have happened.
    """
    now, result = outcome
    if not now:
        told = "the worker that had begun it died"
        raise RuntimeError(told)
    return result
