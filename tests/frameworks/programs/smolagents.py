# %%
import os
import nbdurable as nd
from smolagents import OpenAIServerModel, ToolCallingAgent, tool

def happens(what):
    with open(os.environ["WORLD"], "a") as world:
        world.write(what + "\n")

@nd.tool(effect="read")
def search(query: str) -> str:
    """Search the literature.

    Args:
        query: What to look for.
    """
    happens(f"search {query}")
    return f"found {query}"

@nd.tool(effect="write")
def book(hotel: str, nights: int = 1) -> str:
    """Book a room.

    Args:
        hotel: Its name.
        nights: How many.
    """
    happens(f"book {hotel}")
    return f"booked {hotel}"

# %% durable travel
model = OpenAIServerModel("m", api_base=os.environ["OPENAI_BASE_URL"], api_key="any-key-at-all")
agent = ToolCallingAgent(tools=[tool(search), tool(book)], model=model, verbosity_level=0)
r = str(agent.run("a room near the conference"))
del agent, model
