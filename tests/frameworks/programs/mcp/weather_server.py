"""An MCP server with a tool that says that it reads, and one that says nothing."""
import os
import sys

try:
    from mcp.server import MCPServer
except ImportError:  # mcp 1
    from mcp.server.fastmcp import FastMCP as MCPServer
try:
    from mcp.types import ToolAnnotations
except ImportError:
    from mcp_types import ToolAnnotations

server = MCPServer("weather")

def happens(what):
    with open(os.environ["WORLD"], "a") as world:
        world.write(what + "\n")

@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def forecast(city: str) -> dict[str, str]:
    """What comes."""
    happens(f"forecast {city}")
    return {"city": city, "comes": "rain"}

@server.tool()
def warn(city: str, level: int = 1) -> str:
    """Tell everybody."""
    happens(f"warn {city}")
    return f"warned {city}"

@server.tool()
def fails(city: str) -> str:
    """Never works."""
    happens(f"fails {city}")
    raise ValueError("no such city")

if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run("stdio")
