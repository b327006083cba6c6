"""A function whose calls are journaled, and what its author promised about it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter
from typing import Any, ClassVar

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.code import Code
from nbdurable.engine.calls.given import Given
from nbdurable.engine.calls.requests import TOOL_KIND, Keep
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.values import previews
from nbdurable.errors import ToolRefused


@dataclass(frozen=True, eq=False)
class Tool:
    """A function and what its author promised about it.

    Attributes:
        fn: The author's function.
        name: The name its calls are keyed by.
        policy: The promises.
        ignore: Parameters that don't count for the key, and variables that don't count.
        options: The decorator's arguments as given, for pickling and digests.
    """

    kind: ClassVar[str] = "tool"
    stands_in: ClassVar[bool] = False
    """Whether something else may stand for any of its arguments in the keys of its calls."""
    fn: Callable[..., Any]
    name: str
    policy: Policy
    ignore: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        """The function's signature, looked up once."""
        return inspect.signature(self.fn)

    @functools.cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, in order."""
        return tuple(self.signature.parameters)

    @functools.cached_property
    def open_ended(self) -> Mapping[str, bool]:
        """Parameters that take any number of arguments; true of those by name."""
        kinds = {p.name: p.kind for p in self.signature.parameters.values()}
        several = {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}
        return {n: k is Parameter.VAR_KEYWORD for n, k in kinds.items() if k in several}

    @functools.cached_property
    def _plain_names(self) -> tuple[str, ...]:
        """The parameters, where each may be given by position and all count."""
        parameters = self.signature.parameters.values()
        plain = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
        return tuple(p.name for p in parameters) if plain and not self.ignore else ()

    @functools.cached_property
    def is_marked(self) -> bool:
        """Whether the arguments of its calls are recorded with marks."""
        return self.kind == TOOL_KIND and self.policy.effect is Effect.WRITE

    @functools.cached_property
    def gives_way(self) -> bool:
        """Whether other code may run in its thread before the function has ended."""
        return self.yields or inspect.iscoroutinefunction(self.fn)

    @functools.cached_property
    def yields(self) -> bool:
        """Whether its caller's code runs in between."""
        fn = self.fn
        return inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn)

    @functools.cached_property
    def keyed(self) -> str:
        """What stands for the function in the keys of its calls."""
        return self.name

    def code(self, attempt: Attempt) -> Code:
        """The digest of what is called, as of now."""
        return attempt.code.of(self.fn, self.ignore)

    def keeping(self, attempt: Attempt, given: Given, code: Code) -> Keep:
        """What keeps a result."""
        del attempt, code
        return given.keep

    def bind(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Arguments by parameter name, defaults applied; None if they don't fit."""
        if self._plain_names and not kwargs and len(args) == len(self._plain_names):
            return dict(zip(self._plain_names, args, strict=True))
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError:
            return None
        bound.apply_defaults()
        return {k: v for k, v in bound.arguments.items() if k not in self.ignore}

    def given(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """The parameters that a call that fits gives a value; others have their default."""
        return (*self.parameters[: len(args)], *kwargs)

    def counted(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments with the class of a class method as its name.

        Its code is a part of the tool's, as that of the class of ``self`` is.
        """
        cls = self.owner(arguments)
        if cls is None:
            return arguments
        name = f"class {cls.__module__}.{cls.__qualname__}"
        return {**arguments, next(iter(arguments)): name}

    def owner(self, arguments: Mapping[str, Any]) -> type | None:
        """The class whose class method this is, as it is called; None of others."""
        cls = next(iter(arguments.values()), None)
        if not isinstance(cls, type):
            return None
        method = getattr(cls, self.fn.__name__, None)
        owner: object = getattr(method, "__self__", None)
        return cls if owner is cls else None


@dataclass(frozen=True, eq=False)
class Ours(Tool):
    """A function of nbdurable's own: a new version of it is no edit of the user's."""

    stands_in: ClassVar[bool] = True

    def code(self, attempt: Attempt) -> Code:
        """Nothing that counts."""
        del attempt
        return Code("")


def plain_function(fn: Any) -> Callable[..., Any]:
    """What was decorated, if it is a function.

    Raises:
        ToolRefused: It isn't.
    """
    if not inspect.isfunction(fn):
        raise ToolRefused(what=_described(fn))
    return fn


def _described(fn: Any) -> str:
    if isinstance(fn, (staticmethod, classmethod)):
        return f"{fn.__wrapped__.__qualname__} is already a {type(fn).__name__}"
    return f"{previews.value_text(fn)} is no function"


def name_of(fn: Any) -> str:
    """What people call a function: its qualified name, from where it is local."""
    qualified: str = fn.__qualname__
    return qualified.rsplit("<locals>.", 1)[-1]


def _names_read(fn: Any) -> set[str]:
    """The variables that a function reads, and the functions that it reads, and so on."""
    found: set[str] = set()
    left, seen = [fn], {fn}
    while left:
        one = left.pop()
        found |= {*one.__code__.co_names}
        read = (one.__globals__.get(name) for name in one.__code__.co_names)
        more = {inner for inner in read if inspect.isfunction(inner)} - seen
        left += more
        seen |= more
    return found


def ignored(
    fn: Any, options: Mapping[str, Any], *, variables: bool = False
) -> frozenset[str]:
    """What ``ignore=`` names: parameters, and variables where those count too.

    Raises:
        ToolRefused: The function has no such parameter, and knows no such variable.
    """
    given = options.get("ignore", ())
    ignored = frozenset({given} if isinstance(given, str) else given)
    known = set(inspect.signature(fn).parameters)
    if variables:
        known |= {*fn.__globals__, *fn.__code__.co_freevars, *_names_read(fn)}
        known |= {name for name in ignored if "." in name}  # of a module
    unknown = ignored - known
    if unknown:
        beside = " and reads no variable" if variables else ""
        raise ToolRefused(what=f"{name_of(fn)} has no parameter{beside} {min(unknown)}")
    return ignored
