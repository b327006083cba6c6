"""`DurableSaver` beside LangGraph's own checkpointer in memory: graphs do the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from nbdurable.integrations.langgraph import DurableSaver
from tests.engine.notebooks import Notebook

THREAD: Any = {"configurable": {"thread_id": "t"}}
TURNS = 7
ASKS = "ask"


def added(state: list[str] | None, writes: list[list[str]]) -> list[str]:
    """What was said, and what is said now."""
    return [*(state or ()), *(text for write in writes for text in write)]


class Chat(TypedDict):
    """What was said, as the sum of what was written; every third time as a value."""

    said: Annotated[list[str], DeltaChannel(added, list, snapshot_frequency=3)]
    count: int


def bot(chat: Chat) -> dict[str, Any]:
    """Answer, or ask back."""
    last = chat["said"][-1]
    said = interrupt("really?") if last == ASKS else f"answer to {last}"
    return {"said": [said], "count": len(chat["said"])}


def compiled(saver: Any) -> Any:
    """The chat with a checkpointer."""
    graph = StateGraph(Chat)
    graph.add_node("bot", bot)
    graph.add_edge(START, "bot")
    graph.add_edge("bot", END)
    return graph.compile(checkpointer=saver)


def told(chat: Any) -> list[Any]:
    """Turns, a question, an edit of the state, its history, and two forks of the past."""
    found = [chat.invoke({"said": [str(n)]}, THREAD) for n in range(TURNS)]
    chat.invoke({"said": [ASKS]}, THREAD)
    found.append(chat.invoke(Command(resume="yes"), THREAD))
    chat.update_state(THREAD, {"said": ["edited"]})
    history = list(chat.get_state_history(THREAD))
    found += [(h.values, h.next, h.metadata["step"]) for h in history]
    for text in ("one", "other"):
        found.append(chat.invoke({"said": [text]}, history[6].config))
    return found


@pytest.fixture
def saver(tmp_path: Path) -> DurableSaver:
    """One with a store of its own."""
    return DurableSaver(tmp_path / "store")


@pytest.mark.slow
def test_graphs_do_the_same(saver: DurableSaver) -> None:
    """Channels that are sums, interrupts, edits and forks among them."""
    assert told(compiled(saver)) == told(compiled(InMemorySaver()))


def test_a_pruned_thread_goes_on(saver: DurableSaver) -> None:
    """What the values of its latest checkpoint begin at stays."""
    chat = compiled(saver)
    before = told(chat)[-1]
    count = len(list(saver.list(THREAD)))
    saver.prune(["t"])
    assert chat.get_state(THREAD).values == before
    assert 0 < len(list(saver.list(THREAD))) < count / 2
    after = chat.invoke({"said": ["more"]}, THREAD)["said"]
    assert after == [*before["said"], "more", "answer to more"]


RESUMED = """
from langgraph.types import Command
from nbdurable.integrations.langgraph import DurableSaver
from tests.engine.test_saver_graphs import ASKS, THREAD, compiled

chat = compiled(DurableSaver())
"""


@pytest.mark.slow
def test_a_resumed_graph_takes_the_answer_that_is_given_now() -> None:
    """An edited cell that resumes a graph leaves nothing of its first answer in a sum."""
    nb = Notebook()
    nb.plain(RESUMED)
    nb.run("chat.invoke({'said': [ASKS]}, THREAD)", name="a")
    nb.run("r = chat.invoke(Command(resume='yes'), THREAD)['said']", name="b")
    nb.restart()
    nb.plain(RESUMED)
    nb.run("r = chat.invoke(Command(resume='no'), THREAD)['said']", name="b")
    assert nb.namespace["r"] == [ASKS, "no"]
    nb.run("said = chat.get_state(THREAD).values['said']", name="c")
    assert nb.namespace["said"] == [ASKS, "no"]
