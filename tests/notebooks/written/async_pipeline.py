# %%
import asyncio
seen = []
# %%
async def work(n):
    await asyncio.sleep(0)
    seen.append(n)
    return n * n
# %%
squares = await asyncio.gather(*(work(n) for n in range(4)))
squares, sorted(seen)
# %%
async def produce(queue, items):
    for item in items:
        await queue.put(item)
    await queue.put(None)

async def consume(queue):
    got = []
    while (item := await queue.get()) is not None:
        got.append(item)
    return got

queue = asyncio.Queue(maxsize=2)
_, received = await asyncio.gather(produce(queue, "abc"), consume(queue))
received
# %%
def blocking(n):
    return n + 1

in_thread = await asyncio.to_thread(blocking, 41)
in_thread
# %%
async with asyncio.timeout(5):
    results = [await work(n) for n in (7, 8)]
print(results)
# %%
async def numbers():
    for n in range(3):
        yield n

collected = [n async for n in numbers()]
collected
