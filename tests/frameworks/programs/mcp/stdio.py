# %%
import asyncio, os, sys
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    server = StdioServerParameters(command=sys.executable, args=[os.environ["MCP_SERVER"]], env=dict(os.environ))
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        asked = [("forecast", "Berlin"), ("warn", "Berlin"), ("fails", "Nowhere"), ("forecast", "Berlin")]
        return [(await session.call_tool(name, {"city": city})).model_dump(mode="json") for name, city in asked]

# %% durable weather
r = asyncio.run(main())
