"""Threads of LangGraph in durable cells: what a cell adds to one stands there once."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from nbdurable.engine.codec import Unstorable
from nbdurable.integrations.langgraph import DurableSaver
from nbdurable.integrations.langgraph.refused import SerdeRefused, StateUnkept
from tests.engine.notebooks import Notebook

GRAPH = """
import operator
from typing import Annotated, TypedDict
from langgraph.graph import END, START, StateGraph
from nbdurable.integrations.langgraph import DurableSaver

Chat = TypedDict("Chat", {"said": Annotated[list, operator.add]})

@tool(effect="read")
def model(said):
    return world(f"answer to {said[-1]}")

def make():
    graph = StateGraph(Chat)
    graph.add_node("bot", lambda chat: {"said": [model(chat["said"])]})
    graph.add_edge(START, "bot")
    graph.add_edge("bot", END)
    return graph.compile(checkpointer=DurableSaver())

def say(text):
    config = {"configurable": {"thread_id": "t"}}
    return make().invoke({"said": [text]}, config)["said"]
"""

TWO_TURNS = "say('a')\nr = say('b')"

CHAT = ["a", "answer to a#1", "b", "answer to b#1"]


AWAITED = """
import asyncio

def say(text):
    config = {"configurable": {"thread_id": "t"}}
    return asyncio.run(make().ainvoke({"said": [text]}, config))["said"]
"""


@pytest.fixture
def notebook() -> Notebook:
    """A notebook with a chat."""
    nb = Notebook()
    nb.plain(GRAPH)
    return nb


def again(nb: Notebook) -> None:
    """A fresh kernel, with the chat's functions."""
    nb.restart()
    nb.plain(GRAPH)


def test_a_cell_that_runs_against_its_calls_says_nothing_twice(
    notebook: Notebook,
) -> None:
    """It finds the thread as it stood when the cell first ran; its answers are served."""
    notebook.run(TWO_TURNS, name="a")
    assert notebook.namespace["r"] == CHAT
    again(notebook)
    notebook.run(f"edited = 1\n{TWO_TURNS}", name="a")
    assert notebook.namespace["r"] == CHAT
    assert notebook.world.effects == ["answer to a", "answer to b"]


def test_so_does_one_that_awaits(notebook: Notebook) -> None:
    """The doors that wait are those that block, in threads with the cell's context."""
    notebook.plain(AWAITED)
    notebook.run(TWO_TURNS, name="a")
    again(notebook)
    notebook.plain(AWAITED)
    notebook.run(f"edited = 1\n{TWO_TURNS}", name="a")
    assert notebook.namespace["r"] == CHAT
    assert notebook.world.effects == ["answer to a", "answer to b"]


def test_a_turn_that_is_inserted_is_seen_by_the_next_one(notebook: Notebook) -> None:
    """What a cell has added itself it reads as it is, whatever it read the first time."""
    notebook.run(TWO_TURNS, name="a")
    again(notebook)
    notebook.run("say('a')\nsay('new')\nr = say('b')", name="a")
    assert notebook.namespace["r"] == [
        *("a", "answer to a#1", "new", "answer to new#1", "b", "answer to b#2"),
    ]


def test_the_next_cell_goes_on_with_the_thread(notebook: Notebook) -> None:
    """Also after the first one ran against its calls, in a branch of the thread."""
    notebook.run("say('a')", name="a")
    again(notebook)
    notebook.run("edited = 1\nsay('a')", name="a")
    notebook.run("r = say('b')", name="b")
    assert notebook.namespace["r"] == CHAT


def test_a_new_cell_sees_what_is_there(notebook: Notebook) -> None:
    """It isn't served what another cell saw, though that one may be gone."""
    notebook.run("say('a')", name="a")
    again(notebook)
    notebook.run("r = say('b')", name="b")
    assert notebook.namespace["r"] == CHAT


def test_a_cell_that_replays_writes_no_checkpoint(notebook: Notebook) -> None:
    """Nothing of it is executed, and the thread has as many records as before."""
    notebook.run(TWO_TURNS, name="a")
    kinds = {"graph.checkpoint", "graph.writes"}
    before = notebook.store.scan(kinds)[0]
    again(notebook)
    assert "replayed" in notebook.run(TWO_TURNS, name="a")
    assert notebook.store.scan(kinds)[0] == before
    assert before


def test_a_cell_that_was_killed_goes_on(notebook: Notebook) -> None:
    """Its turns stand in the thread once, with the answers that were paid for."""
    notebook.run(TWO_TURNS, name="a", dies=True)
    again(notebook)
    notebook.run(TWO_TURNS, name="a")
    assert notebook.namespace["r"] == CHAT
    assert notebook.world.effects == ["answer to a", "answer to b"]


KEY = "northwind-7Q2m9ZxK4t"

KEPT = """
from langgraph.checkpoint.base import empty_checkpoint

def put(value, said={}, **more):
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {"a": value}
    checkpoint["channel_versions"] = {"a": 1}
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": "", **more}}
    saver = DurableSaver()
    return saver.get_tuple(saver.put(config, checkpoint, said, {"a": 1}))
"""


def test_a_key_in_the_config_is_not_kept(notebook: Notebook) -> None:
    """LangGraph takes the config over into the metadata; a credential is left out."""
    notebook.plain(KEPT)
    notebook.run(f"r = put('x', api_key={KEY!r}, user='anna').metadata", name="a")
    assert notebook.namespace["r"] == {"user": "anna"}


@pytest.mark.parametrize(
    "value", [f"{{'password': {KEY!r}}}", f"[{{'api_key': {KEY!r}}}]"]
)
def test_a_value_that_holds_a_credential_is_refused(
    value: str, notebook: Notebook
) -> None:
    """The error names the channel, and nothing of it is in the store."""
    notebook.plain(KEPT)
    with pytest.raises(Unstorable, match=r"state\['a'\]: it is or holds"):
        notebook.run(f"put({value})", name="a")
    assert notebook.store.scan({"graph.checkpoint"})[0] == ()


CULPRITS = {
    "in a checkpoint": ("put({'rows': [1, held]})", "state['a']['rows'][1]"),
    "in its metadata": ("put(1, {'by': held})", "its metadata['by']"),
    "in a write": ("write([1, held])", "state['b'][1]"),
}

HELD = """
import socket
held = socket.socket()

def write(value):
    there = put("x").config
    DurableSaver().put_writes(there, [("a", 1), ("b", value)], "task")
"""


@pytest.mark.parametrize("where", CULPRITS)
def test_what_cant_be_kept_is_told_as_a_part_of_the_state(
    where: str, notebook: Notebook
) -> None:
    """Where it is, and that the thread is as it was."""
    code, path = CULPRITS[where]
    notebook.plain(KEPT)
    notebook.plain(HELD)
    with pytest.raises(StateUnkept) as told:
        notebook.run(code, name="a")
    notebook.plain("held.close()")
    assert told.value.fact() == f"{path}: a socket is tied to this process."
    assert "'t' is as it was before." in str(told.value)
    assert notebook.store.scan({"graph.writes"})[0] == ()


def test_a_serializer_is_refused() -> None:
    """Values are kept in one way, in which secrets are found."""
    with pytest.raises(SerdeRefused, match="DurableSaver takes no serde="):
        DurableSaver(serde=JsonPlusSerializer())  # type: ignore[arg-type]  # as people try
