"""The example notebook with a thousand calls, in real kernels, killed in the middle."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nbdurable.testing.demo.stage import Stage, run_cells, stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NOTEBOOK = Path(__file__).parents[2] / "example_notebooks" / "05_fan_out.ipynb"
SHOW = "print(sum(prices), prices[:3], classes)"
MORE = '["B-0001", *reversed(articles)]'
ARTICLES = 1_000
AT_A_TIME = 50
HELD = 400
"""The question that isn't answered before the kernel is killed."""


def _asked(world: Stage) -> Counter[str]:
    """How often each article's price was asked for."""
    return Counter(str(a.more["args"]) for _, a in world.since_mark())


def test_a_killed_map_goes_on(tmp_path: Path) -> None:
    """What was answered isn't asked again; an article more is one question more."""
    with stage(tmp_path, NOTEBOOK) as world:
        world.mark()
        with world.kernel("undisturbed") as kernel:
            assert run_cells(kernel, world.cells) is None
            undisturbed = kernel.run(SHOW).text
        assert _asked(world).total() == len(_asked(world)) == ARTICLES

        world.mark()
        world.hold("effects", HELD)
        with world.kernel("killed") as kernel:
            imports, tool, prices, *_ = world.cells
            assert run_cells(kernel, [imports, tool]) is None
            kernel.send(prices.source, metadata={"cellId": prices.id})
            assert world.servers["effects"].wait_held()
            kernel.kill()
            kernel.restart()
            world.servers["effects"].clear()
            assert run_cells(kernel, world.cells) is None
            assert kernel.run(SHOW).text == undisturbed
            asked = _asked(world)
            assert len(asked) == ARTICLES
            assert asked.total() <= ARTICLES + AT_A_TIME

            world.mark()
            edited = prices.source.replace("(price, articles", f"(price, {MORE}")
            assert kernel.run(edited, metadata={"cellId": prices.id}).ok
            assert list(_asked(world)) == [str({"article": "B-0001"})]
