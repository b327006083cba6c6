"""What makes a cell durable, read from its text alone."""

from __future__ import annotations

import pytest

from nbdurable.kernel.transform import as_comment, read

LINES = {
    "%%durable": "",
    "%%durable findings": "findings",
    "%%durable findings --quiet  # the main one": "findings --quiet",
    "%%durable  # only a remark": "",
    "# durable: findings": "findings",
    "#durable:findings": "findings",
    "# Durable: findings --fresh": "findings --fresh",
    "\n\n  %%durable findings": "findings",
}


@pytest.mark.parametrize("first", LINES)
def test_a_mark_on_line_one_makes_a_cell_durable(first):
    """Magic and comment give the same words, blank lines above don't count."""
    marking = read(f"{first}\nx = 1")
    assert marking.durable
    assert marking.line == LINES[first]
    assert not marking.warning


@pytest.mark.parametrize(
    "cell",
    [
        "x = 1",
        "",
        "%%durable?",
        "%%durable??\nx",
        "%%durably\nx",
        "%%time\nx",
        "# trouble: not ours\nx",
        "# durable steps are explained here\nx",
        "x = 1\n%%durable",
        "%%writefile notes.txt\nsome text\n%%durable",
        "#\nx",
    ],
)
def test_other_cells_are_plain(cell):
    """Help on the magic, other magics and other comments say nothing."""
    marking = read(cell)
    assert not marking.durable
    assert not marking.warning


@pytest.mark.parametrize(
    "word", ["durabel", "duarble", "durrable", "Dureable", "durble"]
)
def test_a_misspelt_comment_warns(word):
    """A comment that nearly says durable isn't passed over in silence."""
    marking = read(f"# {word}: findings\nx = 1")
    assert not marking.durable
    assert f"# {word}:" in marking.warning


@pytest.mark.parametrize("above", ["%%time", "%%capture out", "%%time\n%%capture"])
@pytest.mark.parametrize("mark", ["%%durable x", "# durable: x"])
def test_a_magic_above_the_mark_warns(above, mark):
    """The cell runs plainly, and the warning names the magic on top."""
    marking = read(f"{above}\n{mark}\nx = 1")
    assert not marking.durable
    assert above.split()[0] in marking.warning


@pytest.mark.parametrize("cell", ["x = 1", "%%time\nx", "# durabel: y\nx", "# note\nx"])
def test_the_tag_makes_any_cell_durable(cell):
    """A tag needs no line, and then nothing on line 1 is suspicious."""
    assert read(cell, ["other", "durable"]).durable
    assert not read(cell, ["other", "durable"]).warning


def test_a_mark_gives_a_tagged_cell_its_words():
    """Tag and magic together are the magic."""
    assert read("%%durable findings\nx", ["durable"]).line == "findings"


def test_line_one_becomes_a_comment_and_lines_keep_their_numbers():
    """The rest of the cell is untouched."""
    cell = ["%%durable findings\n", "x = 1\n", "await y\n"]
    assert as_comment(cell) == ["# %%durable findings\n", "x = 1\n", "await y\n"]


@pytest.mark.parametrize("blank", [[], ["\n"]])
def test_a_magic_below_still_works(blank):
    """`%%durable` stacks over other cell magics."""
    lines = as_comment(["%%durable\n", *blank, "%%time\n", "x = 1\n"])
    assert lines[:-1] == ["# %%durable\n", *blank]
    assert "run_cell_magic('time'" in lines[-1]


@pytest.mark.parametrize(
    "lines", [[], ["%%durable?\n"], ["%%time\n"], ["x\n", "%%durable\n"]]
)
def test_other_cells_are_not_transformed(lines):
    """The transform is the identity where there is no mark on line 1."""
    assert as_comment(lines) is lines
