"""What a notebook would keep of an execution, and what of it can be compared."""

from __future__ import annotations

import re

from nbdurable.cli.fileformat import nbformat
from nbdurable.testing.ran import Ran


def in_notebook(ran: Ran) -> list[dict]:
    """The outputs as a notebook file keeps them, folded by nbclient: our oracle."""
    form = nbformat().v4
    from nbclient import NotebookClient  # those who only collect tests don't need it

    notebook = form.new_notebook()
    client = NotebookClient(notebook)
    client.reset_execution_trackers()
    client.clear_before_next_output = False
    cell = form.new_code_cell()
    notebook.cells.append(cell)
    for message in ran.messages:
        client.process_message(message, cell, 0)
    return [dict(output) for output in cell.outputs]


def comparable(outputs: list[dict]) -> list[dict]:
    """Outputs without what may differ: counts, times, our own lines, stream splits."""
    found: list[dict] = []
    for output in outputs:
        if "nbdurable" in (output.get("metadata") or {}):
            continue
        same = {k: v for k, v in output.items() if k != "execution_count"}
        if "traceback" in same:
            same["traceback"] = [_without_counts(line) for line in same["traceback"]]
            same["evalue"] = re.sub(r"\d+\.py", "n.py", same["evalue"])
        if _continues(found, same):
            found[-1]["text"] += same["text"]
        else:
            found.append(same)
    return [_as_seen(output) for output in found]


def lines_of(ran: Ran) -> list[str]:
    """What nbdurable said under a cell, one display each."""
    return [
        content["data"]["text/plain"]
        for content in ran.of_type("display_data")
        if "nbdurable" in content["metadata"]
    ]


def kinds_of(ran: Ran) -> list[str]:
    """Which kinds of lines nbdurable showed, without notices about the run."""
    kinds = [
        content["metadata"]["nbdurable"]["kind"]
        for content in ran.of_type("display_data")
        if "nbdurable" in content["metadata"]
    ]
    return [kind for kind in kinds if kind != "notice"]


def _continues(found: list[dict], output: dict) -> bool:
    return bool(
        found
        and output["output_type"] == "stream" == found[-1]["output_type"]
        and output["name"] == found[-1]["name"]
    )


def _without_counts(line: str) -> str:
    return re.sub(r"In\s*\[\d+\]", "In[n]", re.sub(r"\x1b\[[0-9;]*m", "", line))


def _as_seen(output: dict) -> dict:
    """Streams without measured times, and with carriage returns carried out."""
    if "text" not in output:
        return output
    text = re.sub(r"[\d.]+(e[+-]\d+)? \w?s\b", "t", output["text"])
    return {
        **output,
        "text": "\n".join(_overwritten(line) for line in text.split("\n")),
    }


def _overwritten(line: str) -> str:
    seen: list[str] = []
    for part in line.split("\r"):
        seen[: len(part)] = part
    return "".join(seen)
