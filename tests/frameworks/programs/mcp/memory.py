# %%
import asyncio, os, sys
sys.path.insert(0, os.path.dirname(os.environ["MCP_SERVER"]))
from mcp import Client
from weather_server import server

async def main():
    async with Client(server) as client:
        asked = [("forecast", "Berlin"), ("warn", "Berlin"), ("fails", "Nowhere"), ("forecast", "Berlin")]
        return [(await client.call_tool(name, {"city": city})).model_dump(mode="json") for name, city in asked]

# %% durable weather
r = asyncio.run(main())
