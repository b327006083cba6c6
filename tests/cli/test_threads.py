"""`nbdurable gc` and `rm` know the threads of LangGraph graphs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nbdurable_store.folder.survey import folder_bytes

Run = Callable[..., str]

pytestmark = pytest.mark.slow

GRAPH = """
import operator, secrets
from typing import Annotated, TypedDict
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from nbdurable.integrations.langgraph import DurableSaver

Chat = TypedDict("Chat", {"said": Annotated[list, operator.add]})
asks = stops = False

def bot(chat):
    if stops: raise ZeroDivisionError
    return {"said": [interrupt("really?") if asks else secrets.token_hex(400_000)]}

def made(**how):
    graph = StateGraph(Chat)
    graph.add_node("bot", bot)
    graph.add_edge(START, "bot")
    graph.add_edge("bot", END)
    return graph.compile(checkpointer=DurableSaver(), **how)

def thread(name): return {"configurable": {"thread_id": name}}
def say(name, said="hello", **how):
    return made(**how).invoke({"said": [said]}, thread(name))
def texts(name): return len(made().get_state(thread(name)).values.get("said", ()))
"""


@pytest.fixture
def graph(home: Path) -> Callable[[str], str]:
    """Executes code with a chat in another process; gives what it printed."""

    def run(code: str) -> str:
        program = [sys.executable, "-c", f"{GRAPH}{code}"]
        return subprocess.run(
            program, cwd=home, check=True, capture_output=True, text=True
        ).stdout.strip()

    return run


def names(cli: Run, which: str, *command: str) -> list[str]:
    """The threads that go, or that are kept."""
    said = json.loads(cli(*command, "--json"))
    return [one["thread"] for one in said[which]]


def test_a_deleted_thread_goes_with_its_bytes(
    home: Path, cli: Run, graph: Callable[[str], str]
) -> None:
    """It is said first; the thread of the same id that was begun since stays."""
    graph("say('anna'); say('bob'); DurableSaver().delete_thread('anna'); say('anna')")
    said = cli("gc")
    assert "would remove the thread anna, which was deleted · last used" in said
    assert said.endswith("do it: add --yes")
    about = json.loads(cli("gc", "--json"))
    assert [one["thread"] for one in about["threads"]] == ["anna"]
    assert about["runs"] == []
    before = folder_bytes(home / ".nbdurable")
    assert "removed the thread anna" in cli("gc", "--yes")
    freed = before - folder_bytes(home / ".nbdurable")
    assert freed > 250_000
    assert abs(freed - about["freed_bytes"]) < 120_000  # DuckDB's file is made, too
    assert cli("gc").endswith("nothing to free")
    assert cli("fsck").endswith("all whole")
    assert graph("print(texts('anna'), texts('bob'))") == "2 2"
    assert graph("say('anna'); print(texts('anna'))") == "4"


def test_a_thread_goes_if_it_is_named(
    cli: Run, graph: Callable[[str], str], home: Path
) -> None:
    """Or if it is old; under its id a new one begins."""
    graph("say('anna'); say('bob')")
    assert names(cli, "threads", "gc") == []
    assert names(cli, "threads", "rm", "thread:anna") == ["anna"]
    assert names(cli, "threads", "gc", "--older-than", "0h") == ["anna", "bob"]
    assert names(cli, "threads", "gc", "--size", "0") == ["anna", "bob"]
    assert "removed the thread anna" in cli("rm", "thread:anna", "--yes")
    assert graph("print(texts('anna'), texts('bob'))") == "0 2"
    assert graph("say('anna'); print(texts('anna'))") == "2"
    assert "run-unknown" in cli("rm", "thread:cid", code=2)
    assert home.is_dir()


WAITING = {
    "an answer": "asks = True; say('anna')",
    "an answer, in a node of a graph": "asks = True; inner = made(); graph = StateGraph(Chat); graph.add_node('inner', inner); graph.add_edge(START, 'inner'); graph.compile(checkpointer=DurableSaver()).invoke({'said': []}, thread('anna'))",
    "a person before a node": "say('anna', interrupt_before=['bot'])",
    "another try": "stops = True\ntry: say('anna')\nexcept ZeroDivisionError: pass",
}


@pytest.mark.parametrize("what", WAITING)
def test_a_thread_that_waits_stays(
    what: str, cli: Run, graph: Callable[[str], str]
) -> None:
    """However old it is; it is named with the reason, and `rm` refuses it."""
    graph(WAITING[what])
    for which in (("gc", "--older-than", "0h"), ("gc", "--size", "0")):
        assert names(cli, "threads", *which) == []
        assert names(cli, "kept", *which) == ["anna"]
    assert "kept the thread anna · its graph" in cli("gc", "--older-than", "0h")
    refused = cli("rm", "thread:anna", "--yes", code=2)
    assert "run-kept" in refused
    assert "DurableSaver().delete_thread('anna')" in refused


def test_an_answered_thread_goes(cli: Run, graph: Callable[[str], str]) -> None:
    """Its graph has come to its end."""
    graph(
        "asks = True; say('anna'); made().invoke(Command(resume='y'), thread('anna'))"
    )
    assert names(cli, "threads", "gc", "--older-than", "0h") == ["anna"]


def test_what_a_living_kernel_works_in_stays(cli: Run, home: Path) -> None:
    """Also deleted: that kernel may look for what is in it."""
    code = "say('anna'); DurableSaver().delete_thread('anna'); print(1, flush=True); input()"
    kernel = subprocess.Popen(
        [sys.executable, "-c", GRAPH + code],
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with kernel:
        assert kernel.stdout is not None
        assert kernel.stdout.readline() == "1\n"
        assert names(cli, "kept", "gc") == ["anna"]
        assert f"process {kernel.pid} has worked in it" in cli("gc")
        kernel.kill()
    assert names(cli, "threads", "gc") == ["anna"]


def test_a_process_that_has_it_loaded_sees_that_it_is_gone(
    cli: Run, graph: Callable[[str], str], home: Path
) -> None:
    """It only read the thread: its next look finds it empty, and it begins anew."""
    graph("say('anna')")
    code = "print(texts('anna'), flush=True); input(); print(texts('anna')); say('anna'); print(texts('anna'))"
    reader = subprocess.Popen(
        [sys.executable, "-c", GRAPH + code],
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "2\n"
        cli("rm", "thread:anna", "--yes")
        assert reader.communicate("\n")[0].split() == ["0", "2"]
    assert reader.returncode == 0
