"""What is known of executors that are not Python's own."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from nbdurable.errors import DurableError, Remedy

DASK: Final = ("distributed.cfexecutor", "ClientExecutor")


@dataclass(kw_only=True, eq=False)
class ExecutorRepeats(DurableError):
    """A `write` was to be given to an executor that runs it again when a worker dies.

    Attributes:
        function: The tool.
        times: How often it would be run again.
    """

    slug: ClassVar[str] = "executor-repeats"
    function: str
    times: int

    def fact(self) -> str:
        """One line about the executor."""
        return (
            f"{self.function} is a write, and this Dask cluster runs a call again,"
            f" {self.times} times, when a worker dies."
        )

    def detail(self) -> str:
        """What was not done."""
        return "No item was begun: a payment could be made twice, and nobody would ask."

    def remedies(self) -> tuple[Remedy, ...]:
        """How to have it run once."""
        setting = 'dask.config.set({"distributed.scheduler.allowed-failures": 0})'
        return (
            Remedy("before the cluster starts", setting),
            Remedy("it only reads", '@nd.tool(effect="read")'),
        )


def must_not_repeat(executor: Executor | None, function: str) -> None:
    """See that an executor runs a `write` once.

    Raises:
        ExecutorRepeats: It runs it again by itself.
    """
    kind: Any = type(executor)
    if (kind.__module__, kind.__qualname__) != DASK:
        return
    client: Any = executor._client  # type: ignore[union-attr]  # noqa: SLF001  # no other door
    times = int(client.run_on_scheduler(_allowed_failures))
    if times:
        raise ExecutorRepeats(function=function, times=times)


def _allowed_failures(dask_scheduler: Any) -> int:
    """Run by the scheduler: how often it tries a call again whose worker died."""
    return int(dask_scheduler.allowed_failures)
