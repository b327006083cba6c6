# %%
import asyncio, os, sys
sys.path.insert(0, os.path.dirname(os.environ["MCP_SERVER"]))
from mcp import Client
from mcp.client.session import ClientSession
from nbdurable import integrations
from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.refusing import CallNotRecorded
from weather_server import server

async def warn(times=1):
    async with Client(server) as client:
        for _ in range(times):
            await client.call_tool("warn", {"city": "Berlin"})
        return await client.call_tool("forecast", {"city": "Berlin"})

asyncio.run(warn(2))  # a plain cell: nothing is recorded
frozen.switch(True)
try:
    asyncio.run(warn())
except* CallNotRecorded as refused:
    error = refused
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    r = [str(error)]
frozen.switch(False)
integrations.remove()
r += [hasattr(ClientSession.call_tool, "__wrapped__"), any(type(f).__name__ == "_Watcher" for f in sys.meta_path)]
