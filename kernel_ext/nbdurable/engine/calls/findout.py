"""Whether a call happened: the tool's `on_doubt` function, asked about some arguments."""

from __future__ import annotations

import contextlib
import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class FindOut:
    """The `on_doubt` function of a tool, with the arguments of the call that is made.

    Attributes:
        function: The author's.
        signature: That of the tool.
        args: As given.
        kwargs: As given.
    """

    function: Callable[..., Any]
    signature: inspect.Signature
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __call__(self) -> object:
        """What it says of the call."""
        return self.function(*self.args, **self.kwargs)

    @contextlib.contextmanager
    def about(self, arguments: dict[str, Any]) -> Iterator[None]:
        """Within, it is asked about a recorded call.

        Args:
            arguments: Those of that call, by parameter.
        """
        bound = inspect.BoundArguments(self.signature, OrderedDict(arguments))
        own = self.args, self.kwargs
        self.args, self.kwargs = bound.args, bound.kwargs
        try:
            yield
        finally:
            self.args, self.kwargs = own
