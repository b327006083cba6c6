"""The tab key in real kernels: both doors of IPython's completer, with jedi and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.kernel.options import OPTIONS
from nbdurable.testing.kernel import Kernel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("completion"),
]

SETUP = """
import nbdurable as nd

@nd.tool(effect="read")
def search(query):
    return [query] * 3
"""

WAYS = {
    "new": (),
    "without jedi": ("ip.Completer.use_jedi",),
    "old": ("ip.Completer.use_jedi", "ip.kernel.use_experimental_completions"),
}
"""What is switched off; the old door never offers what jedi finds."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel in which two steps ran and another kernel's step is known."""
    with Kernel(tmp_path_factory.mktemp("completion")) as kernel:
        assert kernel.run(SETUP).ok
        assert kernel.run("%%durable findings\nhits = search('a')").ok
        assert kernel.run("%%durable review\nnotes = search('b')").ok
        (kernel.folder / "refile.txt").touch()
        yield kernel


@pytest.fixture(params=WAYS)
def asked(ran: Kernel, request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """The kernel, asked in one of the ways that IPython and ipykernel have."""
    switches = WAYS[request.param]
    assert ran.run(
        "\n".join(["ip = get_ipython()", *(f"{s} = False" for s in switches)])
    ).ok
    yield ran
    assert ran.run("\n".join(f"{s} = True" for s in switches)).ok


@pytest.mark.parametrize(
    ("code", "offered"),
    [
        ("%durable re", ["restore", "rerun", "rebuild", "resolve"]),
        ("x = 1\n%durable st", ["status"]),
        ("%durable why ", ["review", "findings"]),
        ("%durable why findings.", ["findings.1"]),
        ("%durable rerun f", ["findings"]),
        ("%durable restore n", ["notes"]),
        ("%durable fork --at f", ["findings"]),
        ("%durable fork --", ["--at", "--of"]),
        ("%durable diff f", ["findings"]),
        ("%durable diff findings@", ["findings@1"]),
        ("%durable resolve review.1 --d", ["--did-not"]),
        ("%%durable --", list(OPTIONS)),
        ("%%durable name --f", ["--fresh"]),
        ("# durable: name --q", ["--quiet"]),
    ],
)
def test_the_tab_key_offers_what_fits(
    asked: Kernel, code: str, offered: list[str]
) -> None:
    """Ours in our order, and nothing of Python's or of the folder's between them."""
    assert asked.complete(code) == offered


def test_other_lines_are_completed_as_ever(asked: Kernel) -> None:
    """Python, magics and files are offered where the line is none of ours."""
    assert "search" in asked.complete("sear")
    assert "%durable" in asked.complete("%dur")
    assert "%%durable" in asked.complete("%%dur")
    assert asked.complete("%durable why refi") == ["refile.txt"]


def test_names_are_offered_after_a_restart(ran: Kernel) -> None:
    """The journal knows the steps before the first durable cell has run."""
    ran.kill()
    ran.restart()
    assert ran.run(SETUP).ok  # the tests after this one need it, too
    assert ran.complete("%durable why ") == ["review", "findings"]


def test_nothing_is_created_by_completing(tmp_path: Path) -> None:
    """Where no durable cell has run, the tab key makes no store."""
    with Kernel(tmp_path) as kernel:
        assert "%durable" in kernel.complete("%dur")
        assert not set(kernel.complete("%durable why ")) & {"review", "findings"}
        assert not (tmp_path / ".nbdurable").exists()


def test_unloading_takes_the_completions_away(tmp_path: Path) -> None:
    """After `%unload_ext` the completer has the matchers it had before."""
    matchers = "len(get_ipython().Completer.custom_matchers)"
    with Kernel(tmp_path, extension=False) as kernel:
        before = kernel.run(matchers).text
        assert kernel.run("%load_ext nbdurable").ok
        assert "status" in kernel.complete("%durable st")
        assert kernel.run("%unload_ext nbdurable").ok
        assert kernel.run(matchers).text == before
        assert "status" not in kernel.complete("%durable st")
