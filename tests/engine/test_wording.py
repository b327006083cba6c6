"""The lines people read, each as DESIGN writes it."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta, timezone

import pytest

from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.tally import Tally
from nbdurable.engine.telling import wording
from nbdurable.engine.telling.wording import Stop
from nbdurable.engine.where import moments
from nbdurable.engine.where.moments import Now

ZONE = timezone(timedelta(hours=2))


def at(day: int, hour: int, minute: int = 0, month: int = 9, year: int = 2026) -> int:
    """A moment in the reader's zone, microseconds; 23 September 2026 is a Wednesday."""
    then = datetime(year, month, day, hour, minute, tzinfo=ZONE)
    return int(then.timestamp()) * 1_000_000


WEDNESDAY = Now(at(23, 9), ZONE)
THURSDAY = Now(at(24, 9), ZONE)
SAVED = Tally(served=16, ran=14, ms=41_000, saved_ms=55_000, saved_tokens=12_400)

LINES = [
    (
        wording.ran("findings", Tally(ran=30, ms=96_000)),
        "findings · 30 calls ran · 96 s · these 30 are not paid again",
    ),
    (
        wording.ran("findings", Tally(ran=1, ms=2_000)),
        "findings · 1 call ran · 2.0 s · this call is not paid again",
    ),
    (
        wording.ran("findings", SAVED),
        "findings · 30 calls: 16 replayed, 14 ran · 41 s · saved 55 s and 12,400 tokens",
    ),
    (
        wording.ran("findings", Tally(served=30, ms=38, saved_ms=55_000)),
        "findings · 30 calls replayed, none ran · 38 ms · saved 55 s",
    ),
    (wording.ran("plot", Tally(ms=1_400)), "plot · ran, no calls · 1.4 s"),
    (
        wording.replayed("findings", at(22, 18, 2), WEDNESDAY),
        (
            "findings · replayed from yesterday 18:02, nothing ran"
            " · fresh answers: %durable rerun findings"
        ),
    ),
    (
        wording.ran_again(
            "findings", "PROMPT changed (cell 2)", Tally(served=25, ran=5)
        ),
        "findings · ran again because PROMPT changed (cell 2) · 5 new, 25 replayed",
    ),
    (
        wording.ran(
            "report",
            Tally(ran=3, ms=9_000),
            wording.not_recorded(
                ["POST hooks.slack.com (line 7)", "!git push (line 9)"]
            ),
        ),
        (
            "report · 3 calls ran · not recorded: POST hooks.slack.com (line 7),"
            " !git push (line 9): happens again if this cell runs again."
            " Protect it: @nd.tool"
        ),
    ),
    (
        wording.assumed_write("search"),
        (
            "search has no effect=, so it is treated as a write."
            ' Only reads? @nd.tool(effect="read")'
        ),
    ),
    (
        wording.restored(
            14,
            total=16,
            when=f"{moments.moment(at(22, 18, 2), THURSDAY)}, 1.4 s",
            not_back={"client": "run cell 1"},
            kept=["df"],
        ),
        (
            "14 of 16 names as of Tue 18:02, 1.4 s, nothing executed"
            " · not back: client → run cell 1 · kept yours: df (--overwrite)"
        ),
    ),
    (
        "NameError: name 'hits' is not defined"
        + wording.name_is_kept("hits", "findings", at(22, 18, 2), THURSDAY),
        (
            "NameError: name 'hits' is not defined   ← hits is kept"
            " (findings, Tue 18:02): %durable restore hits"
        ),
    ),
    (
        wording.kernel_stopped(
            Stop(
                at_us=at(22, 18, 2),
                step="findings",
                number="17",
                call="search",
                effect=Effect.READ,
            ),
            THURSDAY,
        ),
        (
            "Kernel stopped Tue 18:02 in findings during call 17,"
            " search (read: asked again)"
        ),
    ),
    (
        wording.kernel_stopped(
            Stop(at_us=at(22, 18), step="review", number="2", call="pay", others=3),
            THURSDAY,
        ),
        (
            "Kernel stopped Tue 18:00 in review during call 2 and 3 more,"
            " pay (write: may have happened)"
        ),
    ),
    (
        wording.kernel_stopped(Stop(at_us=at(24, 8), step="review"), THURSDAY),
        "Kernel stopped today 08:00 in review, between calls",
    ),
    (
        wording.run_resumes(8, at(22, 2), THURSDAY, "findings"),
        "run 8 · resumes Tue 02:00, stopped in findings",
    ),
    (wording.run_continues(3, at(21, 9, 14), WEDNESDAY), "run 3, since Mon 09:14"),
    (wording.run_begins(1), "run 1 · new"),
    (
        wording.run_begins(9, (8, "findings")),
        (
            "run 9 · new · run 8 stopped in findings and is left as it is:"
            " NBDURABLE_RUN=resume continues it"
        ),
    ),
    (
        wording.stopped_by("review", Tally(ran=6, ms=12_000), "raised"),
        (
            "review · stopped by the error above · 6 calls ran · 12 s"
            " · these 6 are not paid again"
        ),
    ),
    (
        wording.stopped_by("review", Tally(served=6, ms=40), "paused"),
        "review · waits for your answer · 6 calls replayed, none ran · 40 ms",
    ),
    (wording.not_kept({"gen": "a generator"}), "not kept: gen (a generator)"),
    (wording.from_elsewhere({"review": 3}), "3 of them from review"),
    (wording.writes_served(["pay('ann', 3)"]), "not repeated: pay('ann', 3)"),
]


@pytest.mark.parametrize(("told", "written"), LINES, ids=lambda v: v[:40])
def test_line(told: str, written: str) -> None:
    """Each line reads exactly as the design writes it."""
    assert told == written


@pytest.mark.parametrize(
    ("then", "told"),
    [
        (at(23, 0, 1), "today 00:01"),
        (at(22, 23, 59), "yesterday 23:59"),
        (at(21, 9, 14), "Mon 09:14"),
        (at(17, 12), "Thu 12:00"),
        (at(16, 12), "16 Sep 12:00"),
        (at(24, 12), "24 Sep 12:00"),
        (at(31, 12, month=12, year=2025), "31 Dec 2025 12:00"),
    ],
)
def test_a_moment_is_told_as_briefly_as_it_is_clear(then: int, told: str) -> None:
    """Today, yesterday, a weekday within a week, else a date; the future is a date."""
    assert moments.moment(then, WEDNESDAY) == told


def test_a_day_begins_at_the_readers_midnight() -> None:
    """The zone decides what is yesterday, not UTC."""
    now = Now(at(23, 1), ZONE)
    assert moments.moment(at(22, 23), now) == "yesterday 23:00"
    assert moments.moment(at(22, 23), Now(now.us, UTC)) == "today 21:00"


@pytest.mark.parametrize("module", [wording, moments], ids=lambda m: m.__name__)
def test_examples_in_docstrings_hold(module: object) -> None:
    """What a docstring shows is what the function says."""
    failed, tried = doctest.testmod(module)  # type: ignore[arg-type]
    assert tried
    assert not failed
