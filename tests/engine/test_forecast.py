"""What running on would cost, told without running anything."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from nbdurable.engine.asking import forecasting
from nbdurable.engine.asking.forecasting import ITEMS_MAX, Forecast
from nbdurable.engine.past.history import History
from nbdurable.errors import ToolRefused
from tests.engine.notebooks import Notebook
from tests.stories import Story

TOOLS = """
@tool(effect="{effect}")
def draft(x, style="plain"):
    return world(f"draft {{x}} {{style}}")
"""


def opened(effect: str = "read") -> Notebook:
    """A notebook in which three drafts were made."""
    nb = Notebook()
    nb.plain(TOOLS.format(effect=effect))
    nb.run("drafts = [draft(n) for n in (1, 2, 3)]", name="drafts", cell_id="c")
    nb.session.refresh()
    return nb


def told(nb: Notebook, items: object, limit: int = 1) -> Forecast:
    """The forecast of drafts of these items."""
    fn = nb.namespace["draft"]
    return forecasting.forecast(nb.session, fn, items, limit)  # type: ignore[arg-type]


def test_what_is_recorded_is_served_and_the_rest_is_new() -> None:
    """Items are matched by content, and nothing happens."""
    nb = opened()
    done = list(nb.world.effects)
    found = told(nb, [3, 1, 5, 2, 6])
    assert (found.served, found.new, found.known) == (3, 2, 3)
    assert nb.world.effects == done
    before = nb.session.history.last
    nb.session.refresh()
    assert nb.session.history.last == before  # nothing was recorded


def test_the_forecast_comes_true() -> None:
    """Running the edited cell makes as many calls as were told."""
    nb = opened()
    found = told(nb, [1, 2, 2, 4])
    made = len(nb.world.effects)
    nb.run("drafts = [draft(n) for n in (1, 2, 2, 4)]", name="drafts", cell_id="c")
    assert len(nb.world.effects) - made == found.new == 2


def test_it_is_that_of_the_cell_which_has_most_of_the_items() -> None:
    """Another cell that called the function since doesn't take them away."""
    nb = opened()
    nb.run("other = draft(9)", name="other", cell_id="d")
    nb.session.refresh()
    found = told(nb, [1, 2, 3, 9, 4])
    assert (found.served, found.new) == (3, 2)
    assert told(nb, iter([9])).served == 1


def test_other_code_is_another_call() -> None:
    """A read whose tool was edited would be made again."""
    nb = opened()
    nb.plain(TOOLS.format(effect="read").replace("draft {x}", "DRAFT {x}"))
    found = told(nb, [1, 2, 3])
    assert (found.served, found.new) == (0, 3)


def test_what_would_ask_first_is_counted_apart() -> None:
    """A write of edited code asks; it is neither served nor new."""
    nb = opened("write")
    nb.plain(TOOLS.format(effect="write").replace("draft {x}", "DRAFT {x}"))
    found = told(nb, [1, 2, 9])
    assert (found.served, found.new, found.asks) == (0, 1, 2)
    assert "2 would ask first" in repr(found)


def test_a_function_that_was_never_called() -> None:
    """Of it nothing is known, and that is said."""
    nb = Notebook()
    nb.plain(TOOLS.format(effect="read"))
    nb.run("x = 1", name="s")
    assert repr(told(nb, [1, 2])) == (
        "0 served, 2 new, never called before: nothing is known of it"
    )


def test_time_and_money_are_those_of_the_calls_before() -> None:
    """The mean of what is known, for as many as are new, so many at a time."""
    story = Story()
    story.opens()
    step = story.step("drafts")
    for n, usd in enumerate(("0.01", "0.03")):
        call = story.begins(step, f"draft({n})")
        inner = story.begins(step, "POST model", parent=call)
        story.wait(10)
        story.ends(step, inner, tokens_in=900, tokens_out=100, usd=usd)
        story.ends(step, call)
    story.completes(step)
    history = story.history()
    name = next(c.name for c in history.calls.values() if not c.parent)
    guess = forecasting._guess(history, name, 2, 1)
    assert guess == {"known": 2, "ms": 20_000, "usd": Decimal("0.04")}
    assert repr(Forecast(served=3, new=2, **guess)) == (
        "3 served, 2 new, about $0.04 and 20 s"
    )
    assert forecasting._guess(history, name, 4, 4)["ms"] == 10_000


def test_a_price_that_is_not_known_is_not_made_up() -> None:
    """One call of unknown price among them: time alone is told."""
    story = Story()
    step = story.step("drafts")
    for n in range(2):
        story.calls(
            step, f"draft({n})", 10, tokens_in=900, **({"usd": "1"} if n else {})
        )
    story.completes(step)
    history = story.history()
    guess = forecasting._guess(history, next(iter(history.calls.values())).name, 1, 8)
    assert (
        repr(Forecast(new=1, **guess)) == "0 served, 1 new, about 10 s, price unknown"
    )


def test_an_endless_iterator_is_looked_at_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says how many items it saw."""
    assert ITEMS_MAX == 100_000
    monkeypatch.setattr(forecasting, "ITEMS_MAX", 50)
    found = told(opened(), itertools.count(1))
    assert (found.served, found.new, found.more) == (3, 47, True)
    assert "only 50 items looked at" in repr(found)


def test_what_is_no_function_is_refused() -> None:
    """A number makes no forecast."""
    with pytest.raises(ToolRefused):
        forecasting.forecast(opened().session, 3, [], 1)  # type: ignore[arg-type]


# ---- the cells of a run --------------------------------------------------------------


def test_each_cell_is_told() -> None:
    """Those that replay are free; those that don't say why and what they took."""
    story = Story()
    story.opens()
    for name in ("findings", "review"):
        step = story.step(name)
        story.calls(step, f"ask({name!r})", 20, tokens_in=900, usd="0.04")
        story.completes(step)
    found = forecasting.of_steps(
        story.history(), {"cell-review": "PROMPT changed in cell 2"}
    )
    assert repr(found) == (
        "findings  replays, nothing is paid · it took $0.04 and 20 s\n"
        "review    runs again because PROMPT changed in cell 2"
        " · its calls took $0.04 and 20 s; unchanged ones are served\n"
        "1 replay, 1 would run again: at most $0.04 and 20 s"
    )


def test_without_a_cell_there_is_nothing_to_tell() -> None:
    """A new notebook has no forecast."""
    assert "nothing is known" in repr(forecasting.of_steps(History("run"), {}))
