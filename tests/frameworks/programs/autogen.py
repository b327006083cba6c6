# %%
import asyncio
import os
import nbdurable as nd
from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

def happens(what):
    with open(os.environ["WORLD"], "a") as world:
        world.write(what + "\n")

@nd.tool(effect="read")
def search(query: str) -> str:
    """Search the literature."""
    happens(f"search {query}")
    return f"found {query}"

@nd.tool(effect="write")
async def book(hotel: str, nights: int = 1) -> str:
    """Book a room."""
    happens(f"book {hotel}")
    return f"booked {hotel}"

KNOWN = {"vision": False, "function_calling": True, "json_output": False, "family": "unknown", "structured_output": False}

async def travel(question):
    model = OpenAIChatCompletionClient(
        model="m", base_url=os.environ["OPENAI_BASE_URL"], api_key="any-key-at-all", model_info=KNOWN
    )
    agent = AssistantAgent("travel", model, tools=[search, book], max_tool_iterations=5)
    done = await agent.run(task=question)
    await model.close()
    return done.messages[-1].content

# %% durable travel
r = asyncio.run(travel("a room near the conference"))
