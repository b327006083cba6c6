# %%
import os
import nbdurable as nd
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

def happens(what):
    with open(os.environ["WORLD"], "a") as world:
        world.write(what + "\n")

@tool
@nd.tool(effect="read")
def search(query: str) -> str:
    """Search the literature."""
    happens(f"search {query}")
    return f"found {query}"

@tool
@nd.tool(effect="write")
def book(hotel: str, nights: int = 1) -> str:
    """Book a room."""
    happens(f"book {hotel}")
    return f"booked {hotel}"

model = ChatOpenAI(model="m", base_url=os.environ["OPENAI_BASE_URL"], api_key="any-key-at-all")
# %% durable travel
agent = create_agent(model, [search, book])
said = agent.invoke({"messages": [("user", "a room near the conference")]})
r = said["messages"][-1].content
del agent, said
