# %%
import os
import nbdurable as nd
from agno.agent import Agent
from agno.models.openai import OpenAIChat

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

# %% durable travel
model = OpenAIChat(id="m", base_url=os.environ["OPENAI_BASE_URL"], api_key="any-key-at-all")
agent = Agent(model=model, tools=[search, book], telemetry=False)
r = agent.run("a room near the conference").content
del agent, model
