# %%
import asyncio
import numpy as np
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
client, waiting = OpenAI(), AsyncOpenAI()
class Person(BaseModel):
    name: str
    age: int = 0
# %%
people = [Person(name=name, age=len(name)) for name in ("Ann", "Bob", "Cid")]
people[0]
# %%
async def summarise(person):
    answer = await waiting.responses.create(model="m", input=f"Describe {person.name}.")
    return answer.output_text

texts = await asyncio.gather(*map(summarise, people))
texts
# %%
stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "go"}], stream=True)
pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
print("".join(pieces))
# %%
vectors = np.array([item.embedding for item in client.embeddings.create(model="e", input=texts).data])
nearest = int((vectors @ vectors[0]).argmax())
vectors.shape, nearest
# %%
people[0].age += 1
by_name = {person.name: person for person in people}
by_name["Ann"].age
# %%
async with asyncio.TaskGroup() as group:
    tasks = [group.create_task(summarise(person)) for person in people[:2]]
lengths = [len(task.result()) for task in tasks]
del tasks, group
lengths
