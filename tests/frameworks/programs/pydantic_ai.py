# %%
import os
import nbdurable as nd
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

def happens(what):
    with open(os.environ["WORLD"], "a") as world:
        world.write(what + "\n")

@nd.tool(effect="read")
def search(query: str) -> str:
    """Search the literature."""
    happens(f"search {query}")
    return f"found {query}"

@nd.tool(effect="write")
def book(hotel: str, nights: int = 1) -> str:
    """Book a room."""
    happens(f"book {hotel}")
    return f"booked {hotel}"

provider = OpenAIProvider(base_url=os.environ["OPENAI_BASE_URL"], api_key="any-key-at-all")
# %% durable travel
agent = Agent(OpenAIChatModel("m", provider=provider), tools=[search, book])
r = agent.run_sync("a room near the conference").output
del agent
