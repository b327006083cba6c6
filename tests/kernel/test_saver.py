"""Threads of LangGraph in real kernels, in durable cells and outside of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

GRAPH = """
import os
os.chdir("/")  # the store is where the kernel started
from langgraph.graph import END, START, MessagesState, StateGraph
from nbdurable.integrations.langgraph import DurableSaver

def answer(state):
    return {"messages": [("ai", f"{len(state['messages'])} things")]}

graph = StateGraph(MessagesState)
graph.add_node("answer", answer)
graph.add_edge(START, "answer")
graph.add_edge("answer", END)
chat = graph.compile(checkpointer=DurableSaver())
thread = {"configurable": {"thread_id": "anna"}}

def say(text):
    said = chat.invoke({"messages": [("user", text)]}, thread)["messages"]
    return [message.content for message in said]
"""

FIRST = ["Hello", "1 things"]
SECOND = [*FIRST, "And?", "3 things"]
THIRD = [*SECOND, "Bye", "5 things"]


def test_a_thread_survives_its_kernel(kernel: Kernel, tmp_path: Path) -> None:
    """Killed and restarted, it goes on in plain cells and in durable ones, once each."""
    kernel.run(GRAPH)
    assert str(FIRST) in kernel.run("say('Hello')").text
    kernel.kill()
    kernel.restart()
    kernel.run(GRAPH)
    durable = "%%durable and\nprint(said := say('And?'))"
    assert str(SECOND) in kernel.run(durable).text
    kernel.kill()
    kernel.restart()
    kernel.run(GRAPH)
    assert str(SECOND) in kernel.run(durable).text
    assert str(THIRD) in kernel.run("say('Bye')").text
    assert (tmp_path / ".nbdurable" / "FORMAT").exists()
