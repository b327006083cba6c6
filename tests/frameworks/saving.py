"""What processes do with `DurableSaver`, for the tests beside this one.

Each function is one process's work in the folder it is started in; it prints one line of
JSON, or one line per thing that is done. Each is done in a fork of a process that has
imported LangGraph, which takes seconds, and has done nothing else.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import random
import string
import sys
import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

import numpy as np
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

import nbdurable_store
from nbdurable.integrations.langgraph import DurableSaver

STORE = ".nbdurable"
TURN_BYTES = 8000
LETTERS = string.ascii_letters + string.digits + "  "


@dataclass
class Order:
    """A class of the user's."""

    customer: str
    amounts: list[int]


class Chat(TypedDict):
    """The state of a chat."""

    messages: Annotated[list[AnyMessage], add_messages]


def said(**found: object) -> None:
    """Print a line for the test."""
    print(json.dumps(found), flush=True)


def config(thread: str, **more: str) -> Any:
    """A config of LangGraph."""
    return {"configurable": {"thread_id": thread, "checkpoint_ns": "", **more}}


def conformance() -> None:
    """Run LangGraph's own suite."""
    suite = importlib.import_module("langgraph.checkpoint.conformance")

    @suite.checkpointer_test(name="DurableSaver")  # type: ignore[untyped-decorator]  # not here
    async def made() -> AsyncIterator[DurableSaver]:
        yield DurableSaver()

    results = asyncio.run(suite.validate(made)).results.values()
    said(
        detected=sum(r.detected for r in results),
        passed=sum(r.tests_passed for r in results),
        failures=[f for r in results for f in r.failures],
    )


def values() -> dict[str, Any]:
    """Values of many types."""
    return {
        "messages": [HumanMessage("hi", id="1"), AIMessage("x" * 9000, id="2")],
        "order": Order("anna", [1, 2]),
        "array": np.arange(5000.0).reshape(50, 100),
        "small": np.float32(0.5),
        "set": {1, 2},
        "tuple": (1, ("two", b"three")),
        "moment": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "none": None,
        "keys": {1: "one", (2, 3): "both"},
    }


def keep_values() -> None:
    """Put them, as a checkpoint and as writes."""
    saver, checkpoint = DurableSaver(), empty_checkpoint()
    checkpoint["channel_values"] = values()
    checkpoint["channel_versions"] = dict.fromkeys(values(), 1)
    put = saver.put(config("v"), checkpoint, {}, checkpoint["channel_versions"])
    saver.put_writes(put, list(values().items()), "task")
    said(id=checkpoint["id"])


def read_values() -> None:
    """Compare what is there with them."""
    found = DurableSaver().get_tuple(config("v"))
    assert found is not None
    writes = {channel: value for _, channel, value in found.pending_writes or ()}
    said(
        checkpoint=_different(found.checkpoint["channel_values"]),
        writes=_different(writes),
    )


def _different(found: dict[str, Any]) -> list[str]:
    return [
        name
        for name, value in values().items()
        if type(found.get(name)) is not type(value) or not np.all(found[name] == value)
    ]


def graph() -> Any:
    """A chat that answers with as many bytes as it is given."""
    drawn = random.Random()  # another text each time

    def bot(state: Chat) -> dict[str, Any]:
        del state
        return {"messages": [AIMessage(text(drawn))]}

    made = StateGraph(Chat)
    made.add_node("bot", bot)
    made.add_edge(START, "bot")
    made.add_edge("bot", END)
    return made.compile(checkpointer=DurableSaver())


def text(drawn: random.Random) -> str:
    """What somebody says."""
    return "".join(drawn.choices(LETTERS, k=TURN_BYTES))


def chat(turns: int) -> None:
    """Say something, so many times."""
    drawn, chatting = random.Random(), graph()
    for _ in range(turns):
        chatting.invoke({"messages": [HumanMessage(text(drawn))]}, config("chat"))
    found = chatting.get_state(config("chat")).values["messages"]
    said(messages=len(found), bytes=sum(len(m.content) for m in found))


def tidy() -> None:
    """What the next process does with what the last one left, and what there is then."""
    with_next = nbdurable_store.open(STORE)
    with_next.flush()
    findings = [f.says for f in with_next.check().findings]
    said(total=nbdurable_store.usage(with_next).total, findings=findings)
    with_next.close()


def chat_on() -> None:
    """Chat until killed; a line for each turn that is there."""
    drawn, chatting = random.Random(), graph()
    while True:
        made = chatting.invoke(
            {"messages": [HumanMessage(text(drawn))]}, config("chat")
        )
        said(messages=len(made["messages"]))


def history() -> None:
    """Of each checkpoint, how many messages it has and whether all of them are whole."""
    found = list(DurableSaver().list(config("chat")))
    messages = [t.checkpoint["channel_values"].get("messages", []) for t in found]
    whole = all(len(m.content) == TURN_BYTES for one in messages for m in one)
    parents = {t.checkpoint["id"] for t in found}
    orphans = [
        t.checkpoint["id"]
        for t in found
        if t.parent_config
        and t.parent_config["configurable"]["checkpoint_id"] not in parents
    ]
    said(most=max(map(len, messages), default=0), whole=whole, orphans=orphans)


def put_many(name: str, count: int) -> None:
    """Put checkpoints into a thread that others write, too."""
    saver, parent = DurableSaver(), ""
    for number in range(count):
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {"by": [name, number]}
        checkpoint["channel_versions"] = {"by": number + 1}
        where = config("shared", **({"checkpoint_id": parent} if parent else {}))
        saver.put(where, checkpoint, {}, {"by": number + 1})
        parent = checkpoint["id"]
    said(done=name)


def shared() -> None:
    """What stands in that thread."""
    found = DurableSaver().list(config("shared"))
    said(by=sorted(t.checkpoint["channel_values"]["by"] for t in found))


def serve() -> None:
    """Fork and reap as asked, line by line; answers with a pid or an exit status."""
    for line in sys.stdin:
        asked = json.loads(line)
        if "pid" in asked:
            status = os.waitpid(asked["pid"], 0)[1]
            print(os.waitstatus_to_exitcode(status), flush=True)
        elif child := os.fork():
            print(child, flush=True)
        else:
            _do(asked)


def _do(asked: dict[str, Any]) -> None:
    status = 1
    try:
        os.dup2(os.open(asked["out"], os.O_WRONLY), 1)
        os.chdir(asked["folder"])
        os.environ.update(asked["variables"])
        name, *arguments = asked["work"]
        globals()[name](*arguments)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


if __name__ == "__main__":
    from tests.frameworks import saving  # its classes are those of a module

    saving.serve()
