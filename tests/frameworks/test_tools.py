"""`nd.tool` under and over the tools of frameworks: their schema, and one call."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.model_server import ModelServer
from tests.frameworks.kinds import MAKERS, Maker
from tests.frameworks.running import Program, Warm, case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

PROGRAM = '''
# %%
import asyncio, os
import nbdurable as nd
{load}

def search(query: str, limit: int = 3) -> str:
    """Search the literature.

    Args:
        query: What to look for.
        limit: How many hits.
    """
    with open(os.environ["WORLD"], "a") as world:
        world.write(f"search {{query}} {{limit}}\\n")
    return f"found {{query}}"

durable = nd.tool(effect="read")(search)
def make(f): return {make}
def schema(t): return {schema}
def call(t): return {call}
try:
    ready = nd.tool(effect="read")(make(search))
except nd.DurableError as refused:
    ready = None
    told = str(refused)
else:
    told = [schema(ready) == schema(make(search)), type(ready) is type(make(search))]
# %% durable under
r = [schema(make(search)) == schema(make(durable)), call(make(durable)), told]
# %% durable over
r += [ready and call(ready)]
'''

MADE = [case(m.environment, m, m.name) for m in MAKERS]


@pytest.mark.parametrize(("warm", "maker"), MADE, indirect=["warm"], scope="session")
def test_a_tool_keeps_its_schema(
    maker: Maker, warm: tuple[Warm, Warm], tmp_path: Path
) -> None:
    """Models are told the same of a durable function; its call is made once.

    Over a ready tool `nd.tool` gives one of the same kind, or shows the right order.
    """
    path = tmp_path / "program.py"
    parts = {"load": maker.load, "make": maker.make}
    path.write_text(PROGRAM.format(**parts, schema=maker.schema, call=maker.call))
    with ModelServer(tmp_path / "requests.jsonl") as server:
        program = Program(path, tmp_path / "program", server)
        first = program.run(warm[0])["r"]
        assert isinstance(first, list)
        same, under, told, over = first
        assert same is True
        assert "found x" in str(under)
        if maker.ready:
            assert told == [True, True]
            assert over == under
        else:
            assert "above @nd.tool" in told
        assert len(program.world) == 1 + maker.ready
        assert program.run(warm[1], edited=True)["r"] == first
        assert len(program.world) == 1 + maker.ready
