"""The line of `%%durable` and the words of `%durable`, read without a kernel."""

from __future__ import annotations

import ast

import pytest

from nbdurable.errors import OptionUnknown
from nbdurable.kernel import options, words
from nbdurable.kernel.errors import CommandIncomplete, NameUnusable
from nbdurable.kernel.options import Options
from nbdurable.kernel.words import Command


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", Options()),
        ("findings", Options(name="findings")),
        ("--quiet findings --fresh", Options(name="findings", quiet=True, fresh=True)),
        ("straße-2", Options(name="straße-2")),
    ],
)
def test_a_line_gives_a_name_and_options(line, expected):
    """Order doesn't matter, and everything may be left out."""
    assert options.parse(line) == expected


def test_an_unknown_option_names_the_nearest_one():
    """The remedy is the user's own line with the right option."""
    with pytest.raises(OptionUnknown) as caught:
        options.parse("findings --qiet")
    assert caught.value.nearest == "%%durable findings --quiet"


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("my findings", "%%durable my_findings"),
        ("review.2 --quiet", "%%durable review_2 --quiet"),
        ("2nd", "%%durable step_2nd"),
        ("name=x", "%%durable name_x"),
    ],
)
def test_an_unusable_name_gets_a_usable_one(line, remedy):
    """A name must be typable as STEP.CALL."""
    with pytest.raises(NameUnusable) as caught:
        options.parse(line)
    (offered,) = caught.value.remedies()
    assert offered.command == remedy
    options.parse(remedy.removeprefix("%%durable"))


COMMANDS = {
    "": Command("run"),
    "  ": Command("run"),
    "restore": Command("restore"),
    "restore hits notes --overwrite": Command(
        "restore", ("hits", "notes"), {"overwrite": True}
    ),
    "why": Command("why"),
    "why review.2": Command("why", ("review.2",)),
    "rerun findings": Command("rerun", ("findings",)),
    "resolve review.2 --did-not": Command("resolve", ("review.2",), {"did_not": True}),
    "resolve review.2 --keep": Command("resolve", ("review.2",), {"keep": True}),
    "resolve --again review.2": Command("resolve", ("review.2",), {"again": True}),
    'resolve review.2 --happened "in_1 --did-not"': Command(
        "resolve", ("review.2",), {"happened": "in_1 --did-not"}
    ),
    "resolve a.1 --happened {'id': 3}": Command(
        "resolve", ("a.1",), {"happened": {"id": 3}}
    ),
    "resolve a.1 --happened None": Command("resolve", ("a.1",), {"happened": None}),
    "inbox": Command("inbox"),
    "approve review.2": Command("answer", ("review.2",)),
    "approve review.2 --no": Command("answer", ("review.2",), {"value": False}),
    "answer plan.1 two words": Command("answer", ("plan.1",), {"typed": "two words"}),
    "answer plan.1 'A'": Command("answer", ("plan.1",), {"typed": "A"}),
    "answer plan.1 12": Command("answer", ("plan.1",), {"typed": "12"}),
    "back": Command("back"),
    "diff review": Command("diff", ("review",)),
    "diff review@1 review@2": Command("diff", ("review@1", "review@2")),
    "fork": Command("fork"),
    "fork --at review": Command("fork", (), {"at": "review"}),
    "off": Command("off"),
    "status": Command("status"),
}


@pytest.mark.parametrize("line", COMMANDS)
def test_a_word_is_a_call_of_the_function_of_its_name(line):
    """Names, options and values become arguments."""
    assert words.read(line, ast.literal_eval) == COMMANDS[line]


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("stauts", "%durable status"),
        ("restroe hits", "%durable restore"),
        ("zzz", ""),
        ("restore --overwrit hits", "%durable restore … --overwrite"),
        ("why --all", ""),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest(line, nearest):
    """Nothing is guessed; the nearest one is offered."""
    with pytest.raises(OptionUnknown) as caught:
        words.read(line, ast.literal_eval)
    assert caught.value.nearest == nearest


@pytest.mark.parametrize(
    "line",
    [
        "resolve",
        "resolve review.2",
        "resolve --did-not",
        "resolve review.2 --did-not --keep",
        "resolve review.2 --happened",
        "resolve review.2 --happened in_1Q2w",
        "resolve review.2 --did-not --happened 1",
        "resolve a.1 b.2 --keep",
        "answer",
        "answer plan.1",
        "approve",
        "approve a.1 b.2",
        "diff",
        "diff a b c",
        "back review",
        "fork review",
        "fork --at",
        "fork --at --at",
        "new run",
        "why a b",
    ],
)
def test_an_incomplete_command_shows_how_it_is_written(line):
    """Too few, too many and unreadable arguments do nothing."""
    with pytest.raises(CommandIncomplete) as caught:
        words.read(line, ast.literal_eval)
    (remedy,) = caught.value.remedies()
    assert remedy.command.startswith(f"%durable {line.split()[0]}")


def test_a_value_that_is_no_python_is_offered_quoted():
    """The usual slip is a text without quotes."""
    with pytest.raises(
        CommandIncomplete, match=r"resolve review\.2 --happened 'in_1Q2w'"
    ):
        words.read("resolve review.2 --happened in_1Q2w", ast.literal_eval)


@pytest.mark.parametrize("typed", ["VALUE", "'VALUE'"])
def test_what_stands_for_a_value_is_none(typed: str) -> None:
    """A command that was pasted as it was offered records nothing."""
    with pytest.raises(CommandIncomplete, match="what the call returned") as caught:
        words.read(f"resolve review.2 --happened {typed}", ast.literal_eval)
    (remedy,) = caught.value.remedies()
    assert remedy.command.endswith("--happened VALUE | --did-not | --keep | --again")


def test_a_word_of_the_command_line_is_answered_with_it() -> None:
    """`%durable rm 2` says how it is typed at a shell."""
    with pytest.raises(OptionUnknown) as caught:
        words.read("rm 2", str)
    assert "!nbdurable rm 2" in str(caught.value)
