"""One line per thing that makes a tool of a function: how it does, its schema, a call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Maker:
    """Something that makes a tool of a function.

    Attributes:
        name: What people call it.
        load: Its import.
        make: Makes a tool of ``f``.
        schema: All that a model is told of the tool ``t``.
        call: Calls ``t`` with a query.
        ready: Whether `nd.tool` can be put over a tool that it has made; refused else.
        environment: Where it is installed.
    """

    name: str
    load: str
    make: str
    schema: str
    call: str
    ready: bool = False
    environment: str = "agents"

    def __str__(self) -> str:
        return self.name


MAKERS = [
    Maker(
        "LangChain",
        "from langchain_core.tools import tool",
        "tool(f)",
        "(t.name, t.description, t.args_schema.model_json_schema())",
        "t.invoke({'query': 'x'})",
        ready=True,
    ),
    Maker(
        "OpenAI Agents",
        "from agents import function_tool\nfrom agents.tool_context import ToolContext",
        "function_tool(f)",
        "(t.name, t.description, t.params_json_schema)",
        """asyncio.run(t.on_invoke_tool(ToolContext(context=None, tool_name='search',
            tool_call_id='1', tool_arguments=''), '{"query": "x"}'))""",
    ),
    Maker(
        "pydantic-ai",
        "from pydantic_ai import Tool",
        "Tool(f)",
        "(t.name, t.description, t.function_schema.json_schema)",
        "asyncio.run(t.function_schema.call({'query': 'x', 'limit': 3}, None))",
        ready=True,
    ),
    Maker(
        "smolagents",
        "from smolagents import tool",
        "tool(f)",
        "(t.name, t.description, t.inputs, t.output_type)",
        "t(query='x')",
    ),
    Maker(
        "agno",
        "from agno.tools import tool",
        "tool(f)",
        "(t.name, t.description, t.parameters)",
        "t.entrypoint(query='x')",
    ),
    Maker(
        "AutoGen",
        """from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool""",
        "FunctionTool(f, 'finds')",
        "t.schema",
        "asyncio.run(t.run_json({'query': 'x'}, CancellationToken()))",
        ready=True,
    ),
    Maker(
        "fastmcp",
        "from fastmcp.tools import Tool",
        "Tool.from_function(f)",
        "(t.name, t.description, t.parameters, t.output_schema)",
        "asyncio.run(t.run({'query': 'x'})).content[0].text",
        ready=True,
    ),
    Maker(
        "anthropic",
        "from anthropic import beta_tool",
        "beta_tool(f)",
        "t.to_dict()",
        "t.call({'query': 'x'})",
    ),
    Maker(
        "CrewAI",
        "from crewai.tools import tool",
        "tool('search')(f)",
        "(t.name, t.description, t.args_schema.model_json_schema())",
        "t.run(query='x')",
        ready=True,
        environment="crewai",
    ),
]
