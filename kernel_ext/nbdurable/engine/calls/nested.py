"""`@nd.step`: a function with its own nested scope inside a durable cell.

A step inside a cell is recorded like a call, and what is called in it are its children.
It has no effect of its own, so it is never in doubt: one that did not end, or whose code
changed, is entered again and goes on against its children. One that completed is served
whole, as long as its arguments, its code and all that its code reads are the same.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, overload

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.code import Code
from nbdurable.engine.calls.given import Given
from nbdurable.engine.calls.promised import (
    Tool,
    ignored,
    name_of,
    plain_function,
)
from nbdurable.engine.calls.requests import Keep, Put
from nbdurable.engine.calls.wrapping import wrapped
from nbdurable.engine.codec import STEP_OPTION, Unstorable
from nbdurable.engine.identity.canonical import Hasher
from nbdurable.engine.identity.codes import Codes
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.past.pasts import STEP_KIND
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.values.contents import digest_of
from nbdurable.errors import ToolRefused
from nbdurable_store.records import BlobRef

F = TypeVar("F", bound=Callable[..., Any])

NO_EFFECT = Policy(effect=Effect.READ)
"""What is entered again does nothing but its calls, and those are served."""

_OPTIONS = frozenset({"ignore", "name"})


class Step(Tool):
    """A function that holds calls.

    Its code counts as that of a cell does: with the values of the names that it reads.
    """

    kind: ClassVar[str] = STEP_KIND

    @functools.cached_property
    def keyed(self) -> str:
        """What stands for the function in the keys of its calls: no tool's name."""
        return f"nd.step {self.name}"

    def code(self, attempt: Attempt) -> Code:
        """The digest of the function and of all that it reads, as of now."""
        home = attempt.home
        codes = Codes(home.sources, self.fn.__globals__)
        hasher = Hasher(redact=home.secrets.apart, codes=codes, contents=digest_of)
        try:
            return Code(hasher.digest(self.fn).hex())
        except Undigestible as bare:
            kind = bare.type.removeprefix("builtins.")
            bare_digest = attempt.code.of(self.fn, self.ignore).digest
            return Code(bare_digest, f"{bare.path.strip()} ({kind})")

    def keeping(self, attempt: Attempt, given: Given, code: Code) -> Keep:
        """What keeps a result, unless replaying it would not be enough."""

        def keep(value: object, put: Put) -> BlobRef:
            if not code.undigestible and self.code(attempt) != code:
                raise Unstorable(why="it changed variables of the notebook")
            return given.keep(value, put)

        return keep


@overload
def step(fn: F, /) -> F: ...
@overload
def step(
    *, ignore: tuple[str, ...] | str = (), name: str | None = None
) -> Callable[[F], F]: ...
def step(fn: Any = None, /, **options: Any) -> Any:
    """Give a function its own nested scope inside a durable cell.

    Equal calls in two of its executions are told apart, and one that completed is served
    whole, without the calls in it. Outside a durable cell it is the plain function.

    Args:
        fn: The function, or method, sync or async.
        options: ``ignore``: parameters that don't count. ``name``: the name that it is
            recorded by, instead of the function's.

    Raises:
        ToolRefused: What was decorated, or an option, makes no step.

    Example:
        >>> @step
        ... def research(topic: str) -> list[str]:
        ...     return [topic.upper()]
        >>> research("batteries")
        ['BATTERIES']
    """
    if fn is None:
        return lambda function: _wrap(function, options)
    return _wrap(fn, options)


def _wrap(fn: Any, options: Mapping[str, Any]) -> Any:
    function = plain_function(fn)
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise ToolRefused(what=f"{fn.__qualname__} is a generator function")
    if unknown := set(options) - _OPTIONS:
        raise ToolRefused(what=f"{name_of(fn)} has no option {min(unknown)}=")
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise ToolRefused(what=f"{name_of(fn)} yields, and a step ends once")
    made = Step(
        fn=function,
        name=options.get("name") or name_of(fn),
        policy=NO_EFFECT,
        ignore=ignored(fn, options),
        options={**options, STEP_OPTION: True},
    )
    return wrapped(made)
