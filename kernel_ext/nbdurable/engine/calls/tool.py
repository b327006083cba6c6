"""`@nd.tool`: a plain function whose calls inside durable cells are journaled."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.driving import run_async, run_sync
from nbdurable.engine.calls.given import Given
from nbdurable.engine.calls.requests import CallRequest
from nbdurable.engine.codec import TOOL_MARK
from nbdurable.engine.past.policy import Effect, OnDoubt, Policy
from nbdurable.engine.values import previews
from nbdurable.engine.where.frames import Frame, current_frame
from nbdurable.errors import ToolRefused

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Tool:
    """A function and what its author promised about it.

    Attributes:
        fn: The author's function.
        name: The name its calls are keyed by.
        policy: The promises.
        ignore: Parameters that don't count for the key.
        options: The decorator's arguments as given, for pickling and digests.
    """

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
    def _plain_names(self) -> tuple[str, ...]:
        """The parameters, where each may be given by position and all count."""
        parameters = self.signature.parameters.values()
        plain = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
        return tuple(p.name for p in parameters) if plain and not self.ignore else ()

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

    def counted(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments with the class of a class method as its name.

        Its code is that of the tool, as the code of ``self`` is.
        """
        first = next(iter(arguments), "")
        cls = arguments.get(first)
        if not isinstance(cls, type):
            return arguments
        method = getattr(cls, self.fn.__name__, None)
        owner: object = getattr(method, "__self__", None)
        if owner is not cls:
            return arguments
        return {**arguments, first: f"class {cls.__module__}.{cls.__qualname__}"}


@overload
def tool(fn: F, /) -> F: ...
@overload
def tool(
    *,
    effect: str | None = None,
    on_doubt: str | Callable[..., Any] = "ask",
    not_done: tuple[type[BaseException], ...] | type[BaseException] = (),
    ignore: tuple[str, ...] | str = (),
    stable: bool = False,
    name: str | None = None,
) -> Callable[[F], F]: ...
def tool(fn: Any = None, /, **options: Any) -> Any:
    """Journal the calls of a function inside durable cells.

    Outside a durable cell the tool is the plain function.

    Args:
        fn: The function, or method, sync or async.
        options: ``effect``: what a call does to the world: ``"write"`` (default),
            ``"read"`` or ``"pure"``. ``on_doubt``: what to do with a write that may
            have happened: ``"ask"`` (default), ``"retry"``, ``"fail"``, or a function
            of the same arguments that returns the result if it happened and raises
            `nd.NotDone` if it didn't. ``not_done``: exception types whose raising
            says that nothing happened. ``ignore``: parameters that don't count.
            ``stable``: a read whose answer a new write doesn't change. ``name``: the
            name its calls are keyed by, instead of the function's.

    Raises:
        ToolRefused: What was decorated, or an option, makes no tool.

    Example:
        >>> @tool(effect="read")
        ... def search(query: str) -> list[str]:
        ...     return [query.upper()]
        >>> search("batteries")
        ['BATTERIES']
    """
    if fn is None:
        return lambda function: _wrap(function, options)
    return _wrap(fn, options)


def _wrap(fn: Any, options: Mapping[str, Any]) -> Any:
    made = Tool(
        fn=_function(fn),
        name=options.get("name") or _name_of(fn),
        policy=_policy(fn, options),
        ignore=_ignored(fn, options),
        options=dict(options),
    )
    if inspect.iscoroutinefunction(fn):

        @functools.wraps(fn)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            return await invoke_async(made, args, kwargs)

    else:

        @functools.wraps(fn)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return invoke(made, args, kwargs)

    setattr(wrapper, TOOL_MARK, made.options)
    return wrapper


def _function(fn: Any) -> Callable[..., Any]:
    generator = inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn)
    if not inspect.isfunction(fn) or generator:
        raise ToolRefused(what=_described(fn, generator=generator))
    return fn


def _described(fn: Any, *, generator: bool) -> str:
    if generator:
        return f"{fn.__qualname__} is a generator function"
    if isinstance(fn, (staticmethod, classmethod)):
        return f"{fn.__wrapped__.__qualname__} is already a {type(fn).__name__}"
    return f"{previews.value_text(fn)} is no function"


def _name_of(fn: Any) -> str:
    qualified: str = fn.__qualname__
    return qualified.rsplit("<locals>.", 1)[-1]


_OPTIONS = frozenset({"effect", "on_doubt", "not_done", "ignore", "stable", "name"})


def _policy(fn: Any, options: Mapping[str, Any]) -> Policy:
    unknown = set(options) - _OPTIONS
    if unknown:
        raise ToolRefused(what=f"{_name_of(fn)} has no option {min(unknown)}=")
    effect, on_doubt = options.get("effect"), options.get("on_doubt", "ask")
    awaits = inspect.iscoroutinefunction
    if awaits(on_doubt) and not awaits(fn):
        raise ToolRefused(what=f"{_name_of(fn)} is not async, and its on_doubt= is")
    not_done = options.get("not_done", ())
    try:
        return Policy(
            effect=Effect(effect or "write"),
            declared=effect is not None,
            on_doubt=on_doubt if callable(on_doubt) else OnDoubt(on_doubt),
            not_done=(not_done,) if isinstance(not_done, type) else tuple(not_done),
            stable=bool(options.get("stable", False)),
        )
    except (ValueError, TypeError) as wrong:
        raise ToolRefused(what=f"{_name_of(fn)}: {wrong}") from None


def _ignored(fn: Any, options: Mapping[str, Any]) -> frozenset[str]:
    given = options.get("ignore", ())
    ignored = frozenset({given} if isinstance(given, str) else given)
    unknown = ignored - set(inspect.signature(fn).parameters)
    if unknown:
        raise ToolRefused(what=f"{_name_of(fn)} has no parameter {min(unknown)}")
    return ignored


def invoke(made: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a tool; journaled if the code belongs to a durable cell."""
    frame = current_frame()
    request = None if frame is None else requested(frame, made, args, kwargs)
    if frame is None or request is None:
        may_run_outside(made, args, kwargs)
        return made.fn(*args, **kwargs)
    return run_sync(frame, request, lambda: made.fn(*args, **kwargs))


async def invoke_async(
    made: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Await a tool; journaled if the code belongs to a durable cell."""
    frame = current_frame()
    request = None if frame is None else requested(frame, made, args, kwargs)
    if frame is None or request is None:
        may_run_outside(made, args, kwargs)
        return await made.fn(*args, **kwargs)
    return await run_async(frame, request, lambda: made.fn(*args, **kwargs))


def may_run_outside(
    made: Tool, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    """A tool is called where nothing is recorded.

    Raises:
        CallNotRecorded: Frozen mode is on, and it is no `pure` one.
    """
    if frozen.is_on():
        told = functools.partial(previews.call_text, made.name, args, kwargs)
        frozen.refuse_outside(made.name, made.policy, told)


def requested(
    frame: Frame[Attempt], made: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> CallRequest | None:
    """The call as the journal sees it; None if the arguments don't fit."""
    arguments = made.bind(args, kwargs)
    if arguments is None:
        return None
    home = frame.attempt.home
    secrets = home.secrets
    given = Given(made.name, arguments, made.counted, secrets, home.sources)
    on_doubt = made.policy.on_doubt
    return CallRequest(
        name=made.name,
        key=given.key,
        policy=made.policy,
        code=frame.attempt.code_of(made.fn),
        text=lambda: secrets.scrub(previews.call_text(made.name, args, kwargs)),
        arguments=given.begin,
        undigestible=given.undigestible,
        encode=given.encode,
        changed=given.changed,
        decode=given.decode,
        find_out=(lambda: on_doubt(*args, **kwargs)) if callable(on_doubt) else None,
    )
