# %%
import asyncio, os, sys
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

async def main():
    transport = StdioTransport(command=sys.executable, args=[os.environ["MCP_SERVER"]], env=dict(os.environ))
    async with Client(transport) as client:
        asked = [("forecast", "Berlin"), ("warn", "Berlin"), ("fails", "Nowhere"), ("forecast", "Berlin")]
        results = [await client.call_tool(name, {"city": city}, raise_on_error=False) for name, city in asked]
        return [[c.model_dump(mode="json") for c in result.content] for result in results]

# %% durable weather
r = asyncio.run(main())
