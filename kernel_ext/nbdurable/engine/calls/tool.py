"""`@nd.tool`: a plain function whose calls inside durable cells are journaled."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, overload

from nbdurable.engine.calls.promised import Tool, ignored, name_of, plain_function
from nbdurable.engine.calls.ready import adapted
from nbdurable.engine.calls.wrapping import wrapped
from nbdurable.engine.past import limits
from nbdurable.engine.past.policy import Effect, OnDoubt, Policy
from nbdurable.engine.past.retry import Retry, seconds, types
from nbdurable.errors import ToolRefused

TIMEOUT_S_MIN = 0.001
"""Nothing returns in less."""


class ReadyTool(Protocol):
    """A tool that a framework has made; it need not be callable."""

    @property
    def name(self) -> str:
        """What models call it."""
        ...

    @property
    def description(self) -> Any:
        """What models are told of it."""
        ...


F = TypeVar("F", bound=Callable[..., Any] | ReadyTool)


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
    retry: Retry | None = None,
    timeout: float | None = None,
    undo: Callable[..., Any] | None = None,
    limit: int | None = None,
    rate: str | None = None,
) -> Callable[[F], F]: ...
def tool(fn: Any = None, /, **options: Any) -> Any:
    """Journal the calls of a function inside durable cells.

    Outside a durable cell the tool is the plain function.

    Args:
        fn: The function, or method, sync or async. Of one that yields, the values up
            to its end are the result; one that isn't read to its end has none.
            Of a framework's ready tool that keeps its function within reach, a copy is
            made, with the function a tool.
        options: ``effect``: what a call does to the world: ``"write"`` (default),
            ``"read"`` or ``"pure"``. ``on_doubt``: what to do with a write that may
            have happened: ``"ask"`` (default), ``"retry"``, ``"fail"``, or a function
            of the same arguments that returns the result if it happened and raises
            `nd.NotDone` if it didn't. ``not_done``: exception types whose raising
            says that nothing happened. ``ignore``: parameters, and
            variables that the function reads, that don't count.
            ``stable``: a read whose answer a new write doesn't change. ``name``: the
            name its calls are keyed by, instead of the function's. ``retry``: when a
            call is tried again, an `nd.Retry`. ``timeout``: how long one attempt of a
            call may take, seconds; then `nd.TimedOut` is raised. A sync function runs
            in a thread for that, and goes on there; an async one is cancelled.
            ``undo``: takes back what a call did when ``%durable undo`` asks for it; it is
            given the call's result, and those of its arguments that it names. ``limit``:
            how many calls at a time, and ``rate``: how many in how long (``"60/min"``),
            over all kernels that share the store.

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
    ready = None
    if not inspect.isfunction(fn):
        ready = adapted(fn, lambda function: _wrap(function, options))
    return _wrapped(fn, options) if ready is None else ready


def _wrapped(fn: Any, options: Mapping[str, Any]) -> Any:
    made = Tool(
        fn=plain_function(fn),
        name=options.get("name") or name_of(fn),
        policy=_policy(fn, options),
        ignore=ignored(fn, options, variables=True),
        options=dict(options),
    )
    return wrapped(made)


_OPTIONS = frozenset(
    {
        "effect",
        "on_doubt",
        "not_done",
        "ignore",
        "stable",
        "name",
        "retry",
        "timeout",
        "undo",
        "limit",
        "rate",
    }
)


def _limits(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    given = {option: options.get(option) for option in ("limit", "rate")}
    read = {"limit": limits.limit, "rate": limits.rate}
    return {o: read[o](f"{name}: {o}=", v) for o, v in given.items() if v is not None}


def _policy(fn: Any, options: Mapping[str, Any]) -> Policy:
    unknown = set(options) - _OPTIONS
    if unknown:
        raise ToolRefused(what=f"{name_of(fn)} has no option {min(unknown)}=")
    effect, on_doubt = options.get("effect"), options.get("on_doubt", "ask")
    awaits = inspect.iscoroutinefunction
    if awaits(on_doubt) and not (awaits(fn) or inspect.isasyncgenfunction(fn)):
        raise ToolRefused(what=f"{name_of(fn)} is not async, and its on_doubt= is")
    retry = options.get("retry")
    if not isinstance(retry, Retry | None):
        raise ToolRefused(what=f"{name_of(fn)}: retry= takes nd.Retry(…)")
    timeout, undo = options.get("timeout"), options.get("undo")
    yields = inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn)
    if yields and not (retry is None and timeout is None):
        what = f"{name_of(fn)} yields: what was handed out can't be taken back"
        raise ToolRefused(what=f"{what}, so it takes no retry= and no timeout=")
    if awaits(undo) or not (undo is None or callable(undo)):
        raise ToolRefused(
            what=f"{name_of(fn)}: undo= takes a function that isn't async"
        )
    try:
        return Policy(
            effect=Effect(effect or "write"),
            declared=effect is not None,
            on_doubt=on_doubt if callable(on_doubt) else OnDoubt(on_doubt),
            not_done=types(f"{name_of(fn)}: not_done=", options.get("not_done", ())),
            retry=retry,
            timeout_s=None
            if timeout is None
            else seconds(f"{name_of(fn)}: timeout=", timeout, least=TIMEOUT_S_MIN),
            undo=undo,
            **_limits(name_of(fn), options),
            stable=bool(options.get("stable", False)),
        )
    except (ValueError, TypeError) as wrong:
        raise ToolRefused(what=f"{name_of(fn)}: {wrong}") from None
