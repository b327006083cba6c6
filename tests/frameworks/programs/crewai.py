# %%
import os
import nbdurable as nd
from crewai import Agent, Crew, LLM, Task
from crewai.tools import tool

def happens(what):
    with open(os.environ["WORLD"], "a") as world:
        world.write(what + "\n")

@tool("search")
@nd.tool(effect="read")
def search(query: str) -> str:
    """Search the literature."""
    happens(f"search {query}")
    return f"found {query}"

@tool("book")
@nd.tool(effect="write")
def book(hotel: str, nights: int = 1) -> str:
    """Book a room."""
    happens(f"book {hotel}")
    return f"booked {hotel}"

# %% durable travel
llm = LLM(model="openai/gpt-4o", base_url=os.environ["OPENAI_BASE_URL"], api_key="any-key-at-all")
agent = Agent(role="clerk", goal="book", backstory="none", tools=[search, book], llm=llm)
task = Task(description="a room near the conference", expected_output="a room", agent=agent)
r = str(Crew(agents=[agent], tasks=[task]).kickoff())
del llm, agent, task
