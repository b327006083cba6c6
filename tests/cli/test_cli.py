"""The command `nbdurable`, on real stores, with and without a living owner."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable.cli import main
from nbdurable_store import Store
from tests.stories import Story, doubtful, gallery, research

Run = Callable[..., str]


def told_to(home: Path, *stories: Story) -> Store:
    """The store of this folder, with these runs, still open."""
    store = nbdurable_store.open(home / ".nbdurable")
    for nth, story in enumerate(stories):
        story.run = f"run-{nth}"
        story.relabel()
        story.into(store)
    return store


def test_runs_are_listed_latest_first(home: Path, cli: Run) -> None:
    """Each run is a line: number, notebook, times, and how it stands."""
    told_to(home, research(), doubtful()).close()
    lines = cli("runs").splitlines()
    assert [line.split("  ")[0] for line in lines] == ["run 3", "run 3"]
    assert lines[1].endswith("stopped in review")
    listed = json.loads(cli("runs", "--json"))
    assert [(r["id"], r["state"]) for r in listed] == [
        ("run-0", "open"),
        ("run-1", "stopped in review"),
    ]


def paying(usd: str, calls: int = 2) -> Story:
    """A run whose model calls cost so much each."""
    story = Story()
    story.opens()
    step = story.step("plan")
    for n in range(calls):
        story.calls(step, f"ask({n})", 1.0, tokens_in=900, model="m", usd=usd)
    story.completes(step)
    return story


def test_what_runs_cost_is_listed(home: Path, cli: Run) -> None:
    """Each run says what it spent, and a notebook what all its runs did."""
    told_to(home, paying("0.10"), paying("0.01", calls=3)).close()
    lines = cli("runs").splitlines()
    assert sorted(row.rpartition(", ")[2] for row in lines[:2]) == [
        "spent $0.03",
        "spent $0.20",
    ]
    assert lines[2] == "research.ipynb: 2 runs spent $0.23 together"
    listed = json.loads(cli("runs", "--json"))
    assert {r["usd"] for r in listed} == {"0.2", "0.03"}
    assert {r["state"] for r in listed} == {"open"}


def test_what_a_run_cost_is_shown(home: Path, cli: Run) -> None:
    """`show` says it of the run and each cell, and JSON of each call."""
    told_to(home, paying("0.10")).close()
    shown = cli("show")
    assert "spent $0.20" in shown.splitlines()[0]
    data = json.loads(cli("show", "--json"))
    attempt = data["cells"][0]["attempts"][0]
    assert attempt["tally"]["usd"] == "0.2"
    assert [call["usd"] for call in attempt["calls"]] == ["0.1", "0.1"]


def test_a_run_is_shown(home: Path, cli: Run) -> None:
    """`show` prints what `%durable` prints; JSON holds the rows with previews."""
    told_to(home, research()).close()
    assert "16 calls replayed, not paid again" in cli("show")
    assert "▮▮▮▮▮▮▮▮▮▮▮▮▮▮▮▮? ✂ ↺" in cli("show", "3")
    run = json.loads(cli("--json", "show", "run-0"))
    again = run["cells"][0]["attempts"][1]
    assert [c["fate"] for c in again["calls"]].count("replayed") == 16
    assert again["calls"][1]["result"]["text"].startswith("Paper 1")


def test_two_attempts_are_compared(home: Path, cli: Run) -> None:
    """`diff` says what differs, as text and as JSON; an unknown side is answered."""
    told_to(home, gallery()).close()
    told = cli("diff", "chart@1", "chart@2")
    assert told.startswith("− chart@1 → + chart@2\n")
    assert "render: was render('bar', theme='dark'), is render('bar')" in told
    (step,) = json.loads(cli("--json", "diff", "chart"))["steps"]
    assert step["name"] == "chart"
    assert step["calls"][0].startswith("render: was ")
    assert "chart@2" in cli("diff", "chart@7", "chart", code=2)


def test_a_living_kernel_is_seen(home: Path, cli: Run) -> None:
    """While a kernel executes in a run, its calls are running, not in doubt."""
    story = Story()
    story.opens()
    story.begins(story.step("findings"), "search(1)")
    store = told_to(home, story)
    assert "running in findings" in cli("runs")
    assert "▶ findings  running, 1 call ran" in cli("show")
    store.close()
    assert "stopped in findings" in cli("runs")
    assert "✂ findings" in cli("show")


@pytest.mark.parametrize(
    ("how", "state"),
    [
        ("paused", "waits for you in review"),
        ("raised", "error in review"),
        ("interrupted", "stopped in review"),
    ],
)
def test_a_run_says_what_it_waits_for(
    home: Path, cli: Run, how: str, state: str
) -> None:
    """An unfinished run says in which step it is, and why it doesn't go on."""
    story = Story()
    story.opens()
    story.fails(story.step("review"), how)
    told_to(home, story).close()
    assert cli("runs").endswith(f"  {state}")


def test_why_explains_steps_and_calls(home: Path, cli: Run) -> None:
    """`why` takes STEP and STEP.CALL; without one it explains the last step."""
    told_to(home, gallery()).close()
    assert cli("why").startswith("review ran")
    assert cli("why", "chart").splitlines()[0].endswith("because its code changed")
    told = json.loads(cli("why", "review.2", "--json"))
    assert told["about"] == "review.2"
    assert told["lines"][0].startswith("may have happened")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--happened", "{'id': 7}"], "is served from now on"),
        (["--did-not"], "runs when its cell runs again"),
    ],
)
def test_a_call_in_doubt_is_settled(
    home: Path, cli: Run, options: list[str], told: str
) -> None:
    """An answer is recorded once, and the question is gone."""
    told_to(home, doubtful()).close()
    assert "needs you (1)" in cli("show")
    assert told in cli("resolve", "review.2", *options)
    assert "needs you" not in cli("show")
    assert "nothing to settle" in cli("resolve", "review.2", *options, code=2)


def test_what_stands_for_a_value_is_none(home: Path, cli: Run) -> None:
    """A command that was pasted as it was offered records nothing."""
    told_to(home, doubtful()).close()
    told = cli("resolve", "review.2", "--happened", "VALUE", code=2)
    assert "VALUE stands for what the call returned" in told
    assert "needs you (1)" in cli("show")


def test_what_to_type_can_be_typed_at_a_shell(
    home: Path, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing begins with a notebook's % or !, where a shell can do it."""
    told_to(home, doubtful()).close()
    assert "  nbdurable resolve review.2@73ab17 --did-not" in cli("show")
    assert "  nbdurable resolve --run 3 review.2@73ab17 --did-not" in cli("show", "3")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(home / "other"))
    foreign = cli("fsck", code=5)
    assert f'  nbdurable trust "{home}/.nbdurable"' in foreign
    assert "  export NBDURABLE_STORE=" in foreign
    assert json.loads(cli("fsck", "--json", code=5))["told"] == foreign


@pytest.mark.parametrize("what", ["file", "folder"])
def test_something_else_in_the_stores_place(home: Path, cli: Run, what: str) -> None:
    """What stands there is told as it is, and left alone."""
    place = home / ".nbdurable"
    if what == "folder":
        place.mkdir()
    file = place if what == "file" else place / "precious"
    file.write_text("mine")
    why = "a file stands" if what == "file" else "it holds other things"
    assert why in cli("runs", code=2)
    assert file.read_text() == "mine"


def test_a_page_is_written(home: Path, cli: Run) -> None:
    """`timeline` writes the page of a run and says where."""
    told_to(home, gallery()).close()
    assert cli("timeline", "--html", "run.html") == "run.html"
    assert "<svg" in (home / "run.html").read_text(encoding="utf-8")
    assert cli("timeline", "--svg", "run.svg") == "run.svg"
    assert (home / "run.svg").read_text(encoding="utf-8").startswith("<svg")
    missing = cli("timeline", "3", "--html", "no/such/run.html", code=2)
    assert missing.startswith("FileUnwritable: no/such/run.html can't be written")


def test_a_whole_store_passes_fsck(home: Path, cli: Run) -> None:
    """Of a whole store `fsck` says how much it read."""
    told_to(home, research()).close()
    assert cli("fsck").endswith("all whole")
    assert json.loads(cli("fsck", "--json"))["findings"] == []


def test_damage_is_named(home: Path, cli: Run) -> None:
    """A flipped byte is found, named with its file, and the exit code says so."""
    told_to(home, research()).close()
    (segment,) = (home / ".nbdurable").glob("journal/*.seg*")
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 0xFF
    segment.write_bytes(data)
    told = cli("fsck", code=1)
    assert segment.name in told
    assert "finding" in told.splitlines()[-1]
    assert json.loads(cli("fsck", "--json", code=1))["findings"]


def test_a_newer_store_is_left_alone(home: Path, cli: Run) -> None:
    """A store of a later version is not opened: exit code 4."""
    told_to(home, research()).close()
    path = home / ".nbdurable" / "FORMAT"
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "version": 99}))
    before = path.read_bytes()
    assert cli("runs", code=4).startswith("StoreNewer")
    assert path.read_bytes() == before


def test_a_foreign_store_is_trusted_on_demand(
    home: Path, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store of another key is not acted on (code 5), until somebody trusts it."""
    store = told_to(home, research())
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(home / "other"))
    assert cli("fsck", code=5).startswith("StoreForeign")
    assert json.loads(cli("fsck", "--json", code=5))["error"] == "store-foreign"
    assert cli("trust", ".nbdurable", code=3).startswith("StoreBusy")
    store.close()
    assert "signed with your key" in cli("trust", ".nbdurable")
    assert "16 calls replayed" in cli("show")
    assert cli("trust", ".nbdurable").endswith("already, nothing was changed")


@pytest.mark.parametrize(
    "words",
    [
        ["show", "7"],
        ["why", "nothing"],
        ["fsck"],
        ["gc"],
        ["inbox", "--run", "7"],
        ["hooks", "paid"],
        ["resolve", "review.2", "--did-not"],
        ["timeline", "--html", "run.html"],
    ],
)
def test_without_a_store_nothing_is_made(
    home: Path, cli: Run, words: list[str]
) -> None:
    """Looking never makes a store: the error says how to begin, and where else to look."""
    told = cli(*words, code=2)
    assert told.startswith(f"NothingDurable: nbdurable {words[0]} needs a run")
    assert "begin one       %%durable NAME on a cell's first line" in told
    assert "another folder  nbdurable runs PATH" in told
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("word", ["runs", "inbox", "hooks"])
def test_a_folder_without_runs_is_no_error(home: Path, cli: Run, word: str) -> None:
    """What lists says in one sentence that there are none yet, how to begin, where to look."""
    told = cli(word)
    assert told.startswith(
        "no durable runs in this folder yet · to begin: %%durable NAME"
    )
    assert told.endswith("another folder: nbdurable runs PATH")
    assert "\n" not in told
    assert json.loads(cli(word, "--json")) == []
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("words", [["runs", "nowhere"], ["trust", "nowhere"]])
def test_a_folder_that_was_named_has_to_be_a_store(
    home: Path, cli: Run, words: list[str]
) -> None:
    """A path that somebody typed and that isn't there is an error."""
    assert cli(*words, code=2).startswith("NotAStore")
    assert list(home.iterdir()) == []


def test_the_package_is_the_command(home: Path) -> None:
    """`python -m nbdurable` is `nbdurable`."""
    words = [sys.executable, "-m", "nbdurable", "runs"]
    ran = subprocess.run(words, cwd=home, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("no durable runs in this folder yet")


def test_looking_changes_nothing(home: Path, cli: Run) -> None:
    """No command that looks writes a byte into the store."""
    told_to(home, gallery()).close()
    store = home / ".nbdurable"

    def files() -> dict[str, bytes]:
        found = (p for p in store.rglob("*") if p.is_file())
        return {
            str(p): p.read_bytes() for p in found if not p.name.startswith("store.duck")
        }

    before = files()
    for words in (["runs"], ["show"], ["why"], ["fsck"], ["doctor"]):
        main([*words, "--json"])
    assert files() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("shwo", "meant perhaps  nbdurable show"),
        ("help", "see all  nbdurable --help"),
        ("--version", "--version is not known here"),
        ("approve", "STEP.CALL@DIGEST is missing"),
        ("resolve review.2", "nbdurable resolve (--happened VALUE | --did-not"),
        ("resolve review.2 --keep --again", "not allowed with argument --keep"),
        ("timeline", "it is written  nbdurable timeline (--html FILE | --svg FILE)"),
        ("runs --jso", "nbdurable runs can't be read: --jso is not known here"),
    ],
)
def test_wrong_words_are_told_in_our_form(words: str, told: str, cli: Run) -> None:
    """What can't be understood ends with code 2, what is meant, and how it is written."""
    said = cli(*words.split(), code=2)
    assert said.startswith("WordsUnreadable: nbdurable")
    assert told in said
    assert "Nothing was done." in said


def test_wrong_words_answer_in_json(cli: Run) -> None:
    """A program that asked for JSON gets its error in JSON."""
    error = json.loads(cli("shwo", "--json", code=2))
    assert error["error"] == "words-unreadable"


def test_without_words_it_is_the_help(cli: Run) -> None:
    """Whoever types the name alone sees what there is."""
    assert "list the runs of the store, latest first" in cli()


def test_the_only_run_is_compared_with_nothing(home: Path, cli: Run) -> None:
    """It is the one that it would be compared with."""
    told_to(home, research()).close()
    told = cli("diff", "3", code=2)
    assert "run 3 is the latest run, with which it would be compared" in told
    assert "%durable diff OTHER 3" not in told
    assert "nbdurable diff OTHER 3" in told


def test_an_unknown_reference_offers_the_command_line(home: Path, cli: Run) -> None:
    """The nearest name is offered as a command of this program."""
    told_to(home, doubtful()).close()
    told = cli("why", "revew", code=2)
    assert "nbdurable why review" in told
    assert "nbdurable show" in told


def test_the_store_can_be_named(
    home: Path, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--store` stands before or behind the command, and wins over the variable."""
    told_to(home, doubtful()).close()
    monkeypatch.setenv("NBDURABLE_STORE", "/nowhere")
    path = str(home / ".nbdurable")
    assert cli("--store", path, "runs") == cli("runs", "--store", path)
    assert "no durable runs in /nowhere (NBDURABLE_STORE) yet" in cli("runs")


def test_every_command_answers_in_json(home: Path, cli: Run) -> None:
    """Whatever a command says, a program can read it."""
    told_to(home, doubtful()).close()
    commands = [
        ["runs"],
        ["show"],
        ["why", "review.2"],
        ["timeline", "--html", "run.html"],
        ["trust", ".nbdurable"],
        ["fsck"],
        ["resolve", "review.2", "--did-not"],
    ]
    for words in commands:
        json.loads(cli(*words, "--json"))


def test_hostile_text_does_not_reach_the_terminal(home: Path, cli: Run) -> None:
    """Escape sequences in names and notebooks are made visible."""
    story = Story()
    story.opens(notebook="\x1b[2Jevil.ipynb")
    step = story.step("a\x1b[31m")
    story.begins(step, "pay(\x1b]0;x\x07)", effect="write")
    told_to(home, story).close()
    for words in (["runs"], ["show"], ["why"], ["fsck"]):
        assert "\x1b" not in cli(*words)


def test_help_is_quick_and_light() -> None:
    """Neither the help nor the import loads DuckDB, the kernel or the codecs."""
    code = (
        "import sys, nbdurable.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'duckdb', 'IPython', 'cloudpickle', 'dill', 'numpy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "exit codes" in done.stdout
