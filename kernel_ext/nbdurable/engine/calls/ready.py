"""`@nd.tool` over a tool that a framework has made: the function in it is wrapped.

Each framework keeps the function of a ready tool somewhere; the schema beside it stays.
One table by qualified name says where, so that no package is imported. Of a kind that
keeps it out of reach, the error shows the order in which the decorators work.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from nbdurable.errors import ToolRefused

Wrap = Callable[[Any], Any]


def adapted(tool: Any, wrap: Wrap) -> Any | None:
    """A copy of a ready tool whose function is wrapped; None for anything else.

    Args:
        tool: What was decorated.
        wrap: Makes a tool of a function.

    Raises:
        ToolRefused: It is a ready tool whose function is out of reach.
    """
    for cls in type(tool).__mro__:
        name = f"{cls.__module__}.{cls.__qualname__}"
        if name in _READY:
            return _READY[name](tool, wrap)
        if name in _CLOSED:
            what = (
                f"{getattr(tool, 'name', 'this')} is already a tool of {_CLOSED[name]}"
            )
            raise ToolRefused(what=what, above=_ABOVE[_CLOSED[name]])
    return None


def _model(*names: str) -> Callable[[Any, Wrap], Any]:
    """Of a pydantic model: the functions in these fields."""

    def copied(tool: Any, wrap: Wrap) -> Any:
        held = {n: getattr(tool, n) for n in names}
        return tool.model_copy(
            update={n: wrap(fn) for n, fn in held.items() if fn is not None}
        )

    return copied


def _autogen(tool: Any, wrap: Wrap) -> Any:
    made = copy.copy(tool)
    made._func = wrap(tool._func)  # noqa: SLF001  # it has no other place
    return made


def _pydantic_ai(tool: Any, wrap: Wrap) -> Any:
    made = copy.copy(tool)
    made.function = wrap(tool.function)
    made.function_schema = dataclasses.replace(
        tool.function_schema, function=made.function
    )
    return made


_READY: Final[Mapping[str, Callable[[Any, Wrap], Any]]] = {
    "autogen_core.tools._function_tool.FunctionTool": _autogen,
    "crewai.tools.base_tool.Tool": _model("func"),
    "fastmcp.tools.function_tool.FunctionTool": _model("fn"),
    "langchain_core.tools.simple.Tool": _model("func", "coroutine"),
    "langchain_core.tools.structured.StructuredTool": _model("func", "coroutine"),
    "pydantic_ai.tools.Tool": _pydantic_ai,
}
"""Kinds of ready tools, and how a copy with another function is made."""

_CLOSED: Final = {
    "agents.tool.FunctionTool": "OpenAI Agents",
    "agno.tools.function.Function": "agno",
    "anthropic.lib.tools._beta_functions.BaseFunctionTool": "anthropic",
    "crewai.tools.base_tool.BaseTool": "CrewAI",
    "langchain_core.tools.base.BaseTool": "LangChain",
    "smolagents.tools.BaseTool": "smolagents",
}
"""Kinds whose function is out of reach, or a method of their class."""

_ABOVE: Final = {
    "OpenAI Agents": "@function_tool",
    "agno": "@tool",
    "anthropic": "@beta_tool",
    "CrewAI": "@tool",
    "LangChain": "@tool",
    "smolagents": "@tool",
}
"""The decorator of each framework."""
