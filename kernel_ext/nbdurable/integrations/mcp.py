"""Calls of MCP tools: `ClientSession.call_tool`, journaled on the class.

Every client passes it, whatever carries its messages: the sessions of ``mcp`` over stdio,
HTTP or in memory, and through them fastmcp and the agent frameworks. A call is matched
by server, tool and arguments; progress callbacks, time limits and ``_meta`` don't count.
Of what a tool says of itself only ``readOnlyHint`` is believed: it makes the call a
`read`, and any other tool is a `write`.

`install` and `remove` are those of the HTTP seam, in small: a module that isn't imported
yet is reached when it is, and what somebody else replaced since stays.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import weakref
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.driving import run_async
from nbdurable.engine.calls.given import Given
from nbdurable.engine.calls.requests import CallRequest, Put
from nbdurable.engine.codec import Unstorable, decode, encode
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.values import previews
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.frames import Frame, current_frame
from nbdurable.integrations.imports import forget_imports, when_imported
from nbdurable_store.protocol import Stored
from nbdurable_store.records import BlobRef

MODULE: Final = "mcp.client.session"

CONTENT: Final = ("input_responses", "request_state")
"""Options of a call that are part of what is said to the tool."""

PAGES_MAX: Final = 100
"""Pages of a server's list that are read for hints; a tool behind them is a write."""

Original = Callable[..., Awaitable[Any]]

_on = False
_replaced: dict[tuple[type[Any], str], tuple[Original, Original]] = {}
_servers: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
_reads: weakref.WeakKeyDictionary[Any, frozenset[str]] = weakref.WeakKeyDictionary()


def install() -> None:
    """Journal MCP calls from now on. Idempotent."""
    global _on  # noqa: PLW0603  # one switch per process: the class is patched once
    _on = True
    module = sys.modules.get(MODULE)
    if module is not None and hasattr(module, "ClientSession"):
        _replace(module)
    else:
        when_imported(MODULE, _replace)


def remove() -> None:
    """Journal nothing any more, and put back what nobody replaced since."""
    global _on  # noqa: PLW0603  # see above
    _on = False
    forget_imports(MODULE)
    for (cls, name), (original, ours) in list(_replaced.items()):
        if cls.__dict__.get(name) is ours:
            setattr(cls, name, original)
            del _replaced[cls, name]


def _replace(module: ModuleType) -> None:
    session = module.ClientSession
    _put(session, "call_tool", _calling(module, session.call_tool))
    if not hasattr(session, "server_info"):  # mcp 1 forgets who answered
        _put(session, "initialize", _initializing(session.initialize))


def _put(cls: type[Any], name: str, ours: Original) -> None:
    if (cls, name) not in _replaced:
        _replaced[cls, name] = getattr(cls, name), ours
        setattr(cls, name, ours)


def _initializing(original: Original) -> Original:
    @functools.wraps(original)
    async def initialize(self: Any) -> Any:
        result = await original(self)
        _servers[self] = result.serverInfo.name
        return result

    return initialize


def _calling(module: ModuleType, original: Original) -> Original:
    @functools.wraps(original)
    async def call_tool(
        self: Any,
        name: str,
        arguments: dict[str, Any] | None = None,
        *more: Any,
        **options: Any,
    ) -> Any:
        send = functools.partial(original, self, name, arguments, *more, **options)
        frame = current_frame() if _on else None
        if frame is None and not (_on and frozen.is_on()):
            return await send()
        given = {n: options[n] for n in CONTENT if options.get(n) is not None}
        called = f"{_server(self)}.{name}"
        effect = Effect.READ if name in await _reading(module, self) else Effect.WRITE
        policy, asked = Policy(effect=effect), {**(arguments or {}), **given}
        if frame is None:
            told = functools.partial(previews.call_text, called, (), asked)
            frozen.refuse_outside(called, policy, told)
            return await send()
        request = _request(module, frame, (called, asked), policy)
        return await run_async(frame, request, send)

    return call_tool


def _server(session: Any) -> str:
    info = getattr(session, "server_info", None)
    return str(info.name) if info is not None else _servers.get(session, "mcp")


async def _reading(module: ModuleType, session: Any) -> frozenset[str]:
    """The tools of a server that say that they only read; asked once per session."""
    known = _reads.get(session)
    if known is None:
        found: set[str] = set()
        with contextlib.suppress(Exception):  # a server need not list its tools
            await _look_for_hints(module, session, found)
        known = _reads[session] = frozenset(found)
    return known


async def _look_for_hints(module: ModuleType, session: Any, found: set[str]) -> None:
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        params = module.types.PaginatedRequestParams(cursor=cursor)
        page = await session.list_tools(params=params)
        found.update(tool.name for tool in page.tools if _only_reads(tool))
        cursor = _either(page, "next_cursor", "nextCursor")
        if not cursor:
            return


def _only_reads(tool: Any) -> bool:
    return _either(tool.annotations, "read_only_hint", "readOnlyHint") is True


def _either(value: Any, *names: str) -> Any:
    """A field as mcp 2 or mcp 1 calls it."""
    return next((getattr(value, n) for n in names if hasattr(value, n)), None)


def _request(
    module: ModuleType,
    frame: Frame[Any],
    asked: tuple[str, Mapping[str, Any]],
    policy: Policy,
) -> CallRequest:
    name, arguments = asked
    home = frame.attempt.home
    secrets = home.secrets
    given = Given(name, dict(arguments), lambda counted: counted, secrets, home.sources)
    return CallRequest(
        name=name,
        key=given.key,
        policy=policy,
        text=lambda: secrets.scrub(previews.call_text(name, (), arguments)),
        arguments=given.begin,
        undigestible=given.undigestible,
        keep=functools.partial(_keep, secrets),
        decode=functools.partial(_decode, module, secrets),
    )


def _keep(secrets: Secrets, result: Any, put: Put) -> BlobRef:
    """The result as the server sent it: the name of its type, and its JSON."""
    try:
        plain = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    except Exception as error:  # whatever a server's extension does
        raise Unstorable(why=f"it can't be written as JSON: {error}") from error
    return put(*encode([type(result).__name__, plain], secrets=secrets))


def _decode(
    module: ModuleType, secrets: Secrets, codec: str, data: bytes | Stored
) -> Any:
    stored: Any = decode(codec, data, secrets=secrets)
    name, plain = stored
    return getattr(module.types, name).model_validate(plain)
