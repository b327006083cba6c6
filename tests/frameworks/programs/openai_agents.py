# %%
import os
import nbdurable as nd
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

set_tracing_disabled(True)

def happens(what):
    with open(os.environ["WORLD"], "a") as world:
        world.write(what + "\n")

@function_tool
@nd.tool(effect="read")
def search(query: str) -> str:
    """Search the literature."""
    happens(f"search {query}")
    return f"found {query}"

@function_tool
@nd.tool(effect="write")
async def book(hotel: str, nights: int = 1) -> str:
    """Book a room."""
    happens(f"book {hotel}")
    return f"booked {hotel}"

client = AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key="any-key-at-all")
# %% durable travel
agent = Agent(name="travel", tools=[search, book], model=OpenAIResponsesModel("m", client))
r = Runner.run_sync(agent, "a room near the conference").final_output
del agent
