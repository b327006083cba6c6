"""How a demo counts: what arrived outside, beside what the journal says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.testing.account import Arrived
from nbdurable.testing.demo.acts import DemoFailed, settlement
from nbdurable.testing.demo.moments import LATE_MS_MAX, Server, draw
from nbdurable.testing.demo.verdict import Journaled, Verdict

ORDER: list[Server] = ["model", "effects"] * 14


def arrivals(text: str, tool: str = "") -> list[Arrived]:
    """One arrival per letter, which is its digest."""
    more = {"tool": tool} if tool else {}
    return [
        Arrived(n=n, at_us=n, method="POST", path="/x", digest=letter, more=more)
        for n, letter in enumerate(text, 1)
    ]


def verdict(before: str, after: str, acknowledged: int, **changes: object) -> Verdict:
    """A killed run of the notebook whose undisturbed calls are ``abcd``."""
    replayed = acknowledged
    journaled = Journaled(
        acknowledged=acknowledged, replayed=replayed, ran=4 - replayed
    )
    whole = Verdict(
        undisturbed=arrivals("abcd"),
        before=arrivals(before),
        after=arrivals(after),
        journaled=journaled,
        same_answer=True,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]  # its own fields


def test_nothing_is_repeated_when_the_rest_follows() -> None:
    """Two calls before the kill, two after it."""
    all_well = verdict("ab", "cd", 2)
    assert all_well.failures() == []
    assert all_well.in_flight is None
    assert all_well.last_line() == "4 calls: 2 replayed, 2 ran, 0 repeated"


def test_a_call_in_flight_may_be_sent_again() -> None:
    """Nobody had seen its answer: it is shown apart."""
    flying = verdict("abc", "cd", 2)
    assert flying.failures() == []
    assert flying.in_flight is not None
    assert flying.in_flight.digest == "c"


def test_a_call_in_flight_may_not_be_sent_twice_again() -> None:
    """Once is allowed, more is a repetition."""
    assert verdict("abc", "ccd", 2).repeated == 1


def test_an_acknowledged_call_that_is_sent_again_is_repeated() -> None:
    """The journal had its result, and it arrived twice."""
    assert verdict("abc", "cd", 3).failures() == [
        "1 acknowledged calls were sent again"
    ]


def test_without_a_journal_everything_is_repeated() -> None:
    """All but the last call had been seen by the agent."""
    off = verdict("abc", "abcd", 0, journaled=Journaled())
    assert off.repeated == 2
    assert off.last_line() == "4 calls: 0 replayed, 0 ran, 2 repeated"


def test_a_call_that_never_arrives_is_lost() -> None:
    """A journal that serves what did not happen is found out."""
    assert verdict("ab", "d", 2).failures() == ["1 calls never arrived"]


def test_another_answer_fails() -> None:
    """The notebook must find out the same."""
    assert verdict("ab", "cd", 2, same_answer=False).failures()


def test_a_journal_that_miscounts_fails() -> None:
    """The numbers of the last line must be those of the world."""
    assert verdict("ab", "cd", 2, journaled=Journaled(replayed=2, ran=1)).failures()


def test_the_table_counts_by_tool() -> None:
    """One row per tool and one for the model."""
    mixed = verdict(
        "ab", "cd", 2, undisturbed=[*arrivals("ab"), *arrivals("cd", tool="file")]
    )
    assert [line[:30].strip() for line in mixed.table()] == [
        "",
        "requests at the model server",
        "effects of file",
    ]


IN_DOUBT = """
CallInDoubt: file_finding('x', source='y') may or may not have happened.
    it happened  %durable resolve findings.6 --happened VALUE
"""


def test_a_question_is_settled_by_the_account() -> None:
    """The effect was counted: it happened, and this is its receipt."""
    (last,) = arrivals("0123456789", tool="file_finding")[-1:]
    command, told = settlement(IN_DOUBT, replace(last, digest="0123456789"))
    assert command == '%durable resolve findings.6 --happened "file_finding-01234567"'
    assert told == "it happened"


def test_what_was_not_counted_did_not_happen() -> None:
    """The last effect is another tool's, so this one never arrived."""
    (last,) = arrivals("a", tool="read_page")
    assert settlement(IN_DOUBT, last)[0] == "%durable resolve findings.6 --did-not"


def test_another_error_ends_the_demo() -> None:
    """What asks nothing can't be settled."""
    with pytest.raises(DemoFailed, match="ZeroDivisionError"):
        settlement("ZeroDivisionError: 1", arrivals("a")[0])


@given(st.integers())
def test_a_moment_lies_inside_the_loop(seed: int) -> None:
    """Not at its very beginning, not after its last call; equal for equal seeds."""
    moment = draw(seed, ORDER)
    assert 3 <= moment.arrival < len(ORDER)
    assert moment.server == ORDER[moment.arrival - 1]
    assert moment.n == (moment.arrival + 1) // 2
    assert moment.late_ms is None or 0 <= moment.late_ms <= LATE_MS_MAX
    assert draw(seed, ORDER) == moment


def test_seeds_draw_different_moments() -> None:
    """Twenty seeds kill at many places, held and late, in reads and in writes."""
    moments = [draw(seed, ORDER) for seed in range(20)]
    assert len({m.arrival for m in moments}) > 8
    assert {m.late_ms is None for m in moments} == {True, False}
    assert {m.server for m in moments} == {"model", "effects"}
