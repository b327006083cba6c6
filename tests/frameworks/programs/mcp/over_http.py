# %%
import asyncio, os, socket, subprocess, sys
from mcp import Client

def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]

async def ready(port):
    async with asyncio.timeout(60):
        while server.poll() is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
    raise RuntimeError(f"the server ended with {server.poll()} before it listened")

async def main():
    async with Client(f"http://127.0.0.1:{port}/mcp") as client:
        asked = [("forecast", "Berlin"), ("warn", "Berlin"), ("fails", "Nowhere"), ("forecast", "Berlin")]
        return [(await client.call_tool(name, {"city": city})).model_dump(mode="json") for name, city in asked]

port = free_port()
server = subprocess.Popen([sys.executable, os.environ["MCP_SERVER"], str(port)])
asyncio.run(ready(port))
# %% durable weather
r = asyncio.run(main())
# %%
server.terminate()
