"""Webhooks: one value for one wait, from whoever has the address, and nothing else."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

import nbdurable_store
from nbdurable.engine.identity import keys
from nbdurable.engine.past.waits import Wait, WaitKind
from nbdurable.engine.waits import hooks
from nbdurable.engine.waits.hooks import Hook
from nbdurable.server.hooked import BODY_BYTES_MAX, DEPTH_MAX
from nbdurable.server.hooks import BURST, Rates
from nbdurable.testing.kernel import Kernel
from tests.engine.test_waits import Hand
from tests.stories import Story
from tests.ui.desk import Desk, guest, start, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

SENDERS = itertools.count(2)
"""Each test is another sender, so that none is refused for what another one sent."""

SETUP = """import nbdurable as nd
from pathlib import Path
@nd.tool(effect="write")
def checkout(callback):
    with Path("made").open("a") as made:
        made.write("once ")
    return "c1"
"""
PAY = """%%durable pay
hook = nd.webhook("paid")
_ = Path("hook").write_text(hook)
bought = checkout(f"http://127.0.0.1/{hook}")
paid = nd.wait_for("paid")
print("paid", paid)
"""
CELL = {"cellId": "c1"}
"""Without one a kernel believes that nobody is there to be waited for."""


@pytest.fixture
def sender() -> str:
    """An address of this machine that nobody sent from."""
    return f"127.0.0.{next(SENDERS)}"


@pytest.fixture
def kernel(desk: Desk, request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """A kernel beside the server: with the folders of the same user, below its root."""
    folder = desk.folder / request.node.name.partition("[")[0]
    folder.mkdir(exist_ok=True)
    home = desk.folder.parent
    env = {
        "JUPYTER_DATA_DIR": str(home / "home" / "data"),
        "NBDURABLE_KEY_FILE": str(home / "key" / "store.key"),
    }
    with Kernel(folder, env=env) as started:
        started.run(SETUP)
        yield started


def post(
    desk: Desk,
    path: str,
    body: object,
    sender: str,
    kind: str = "application/json; charset=utf-8",
    method: str = "POST",
) -> tuple[int, dict[str, str], bytes]:
    """What is answered to whoever is no user of the server."""
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    link = http.client.HTTPConnection(
        "127.0.0.1", desk.port, timeout=60, source_address=(sender, 0)
    )
    try:
        link.request(method, f"/{path}", said, {"Content-Type": kind})
        answer = link.getresponse()
        told = {k: v for k, v in answer.getheaders() if k != "Date"}
        return answer.status, told, answer.read()
    finally:
        link.close()


def status(desk: Desk, path: str, body: object, sender: str, **how: str) -> int:
    """Only how it went."""
    return post(desk, path, body, sender, **how)[0]


def log(desk: Desk) -> str:
    """What the server wrote down."""
    return (desk.folder.parent / "log.txt").read_text()


def test_a_service_pays(desk: Desk, kernel: Kernel, sender: str) -> None:
    """A waiting cell goes on with what was posted; the address is good for that once.

    It stands in no journal, no log and no output; the cell has the same one when it runs
    again, so a call that was given it isn't made twice.
    """
    waits = kernel.send(PAY, metadata=CELL)
    made = kernel.folder / "hook"
    kernel.wait_for(waits, made.exists)
    hook = made.read_text()
    token = hook.rpartition("/")[2]
    kernel.restart()
    kernel.run(SETUP)
    made.unlink()
    waits = kernel.send(PAY, metadata=CELL)
    kernel.wait_for(waits, made.exists)
    assert made.read_text() == hook
    assert (kernel.folder / "made").read_text() == "once "
    assert status(desk, hook, {"sum": 12}, sender) == 200
    ran = kernel.wait(waits)
    assert "paid {'sum': 12}" in ran.text
    assert token not in ran.text
    used = post(desk, hook, {"sum": 13}, sender)
    unknown = post(desk, hook[:-3] + "xyz", {"sum": 13}, sender)
    assert used == unknown
    assert used[0] == 404
    files = [p for p in kernel.folder.rglob("*") if p.is_file() and p != made]
    assert len(files) > 3
    assert not [p for p in files if token.encode() in p.read_bytes()]
    assert token not in log(desk)
    assert "nbdurable/hook/…" in log(desk)


def hooks_command(kernel: Kernel, *words: str) -> tuple[int, str]:
    """What `nbdurable hooks` answers in the kernel's folder."""
    home = kernel.folder.parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "nbdurable", "hooks", *words],
        cwd=kernel.folder,
        env={
            **os.environ,
            "JUPYTER_DATA_DIR": str(home / "home" / "data"),
            "NBDURABLE_KEY_FILE": str(home / "key" / "store.key"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_addresses_are_listed(desk: Desk, kernel: Kernel, sender: str) -> None:
    """A command says which addresses there are, and shows one only to who names it."""
    code, told = hooks_command(kernel)
    assert code == 0
    assert "paid" not in told
    waits = kernel.send(PAY, metadata=CELL)
    made = kernel.folder / "made"
    kernel.wait_for(waits, made.exists)
    hook = (kernel.folder / "hook").read_text()
    code, told = hooks_command(kernel)
    assert code == 0
    assert re.search(r"^paid · run 1 of \S+ · made .* · good until", told)
    assert hook.rpartition("/")[2] not in told
    assert hooks_command(kernel, "paid") == (0, f"{hook}\n")
    assert status(desk, hook, 1, sender) == 200
    kernel.wait(waits)
    assert "used or over" in hooks_command(kernel)[1]
    code, told = hooks_command(kernel, "paid")
    assert code == 2
    assert "no address for 'paid' is good" in told
    (listed,) = json.loads(hooks_command(kernel, "--json")[1])
    assert (listed["name"], listed["good"]) == ("paid", False)


def test_an_address_begins_as_it_is_set(kernel: Kernel) -> None:
    """The setting stands before the path; an address that was given out stays as it was."""
    cell, made = PAY.split("bought", maxsplit=1)[0], kernel.folder / "hook"
    begin = "import os; os.environ['NBDURABLE_HOOKS'] = "
    kernel.run(f"{begin}'https://my.host/user/ann/'")
    kernel.run(cell, metadata=CELL)
    first = made.read_text()
    assert first.startswith("https://my.host/user/ann/nbdurable/hook/nbdhook_")
    kernel.run(f"{begin}'/user/ann/'")
    kernel.run(cell + "0", metadata=CELL)
    assert made.read_text() == first
    kernel.run(cell.replace('"paid"', '"other"'), metadata={"cellId": "c2"})
    assert made.read_text().startswith("user/ann/nbdurable/hook/nbdhook_")


TOLD = """import json, os
from pathlib import Path
told = {name: value for name, value in os.environ.items() if name.startswith("NBDURABLE")}
Path("told.new").write_text(json.dumps(told))
_ = Path("told.new").rename("told")
"""


def execute(served: Desk, until_made: str, *cells: str) -> str:
    """Run cells in a kernel that the server starts until they make a file; what it holds."""
    place = served.folder.parent / "home" / "runtime" / f"kernel-{served.kernel()}.json"
    client = BlockingKernelClient(connection_file=str(place))
    client.load_connection_file()
    client.start_channels()
    for cell in cells:
        client.execute(cell)
    made = served.folder / until_made
    until(made.exists, lambda: "the cells made nothing")
    client.stop_channels()
    return made.read_text()


def test_kernels_know_the_base_path(desk: Desk, tmp_path: Path) -> None:
    """A kernel gives out addresses of its own server, also of one that a kernel started."""
    told = json.loads(execute(desk, "told", TOLD))
    served = start(tmp_path, told, base="user/ann/")
    try:
        execute(served, "made", SETUP, PAY)
        hook = (served.folder / "hook").read_text()
        assert hook.startswith("user/ann/nbdurable/hook/nbdhook_")
        assert status(served, hook, {"sum": 1}, "127.0.0.1") == 200
    finally:
        served.close()


def test_a_wait_that_is_over(desk: Desk, kernel: Kernel, sender: str) -> None:
    """After the wait's own end, or the address's, it is as if there had been no address."""
    late = PAY.replace('"paid")\nprint', '"paid", timeout=0.1, default=0)\nprint')
    kernel.run(late, metadata=CELL)
    hook = (kernel.folder / "hook").read_text()
    expired = post(desk, hook, 1, sender)
    kernel.run(PAY.split("bought", maxsplit=1)[0].replace('"paid"', '"x", timeout=0'))
    short = (kernel.folder / "hook").read_text()
    assert short != hook
    unknown = post(desk, "nbdurable/hook/x", 1, sender)
    assert expired == unknown == post(desk, short, 1, sender)
    assert unknown[0] == 404


def test_what_is_wrong_with_a_request_says_nothing_of_the_token(
    desk: Desk, kernel: Kernel, sender: str
) -> None:
    """Too large, no JSON, another type, no POST: told alike for a good and a bad token."""
    kernel.run(PAY.split("bought", maxsplit=1)[0])
    good = (kernel.folder / "hook").read_text()
    for token in (good, "nbdurable/hook/x"):
        large = b'"' + b"x" * BODY_BYTES_MAX + b'"'
        assert status(desk, token, large, sender) == 413
        assert status(desk, token, b"{", sender) == 400
        assert status(desk, token, b"NaN", sender) == 400
        assert status(desk, token, b"[" * 50_000, sender) == 400
        deep = b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1)
        assert status(desk, token, deep, sender) == 400
        assert status(desk, token, b"1", sender, kind="text/plain") == 415
        assert status(desk, token, b"", sender, method="GET") == 405
    assert status(desk, good, {"fine": True}, sender) == 200


def test_too_fast(desk: Desk, sender: str) -> None:
    """Who asks too often is told so, whatever it sends; others aren't kept waiting."""
    path = "nbdurable/hook/x"
    told = [status(desk, path, 1, sender) for _ in range(4 * BURST)]
    assert told[:BURST] == [404] * BURST
    assert 429 in told
    assert status(desk, path, 1, f"127.0.1.{sender.rpartition('.')[2]}") == 404


def test_other_routes_stay_shut(desk: Desk, sender: str) -> None:
    """That one route needs no login leaves the others as they are, also for a guest's cookie."""
    assert status(desk, "nbdurable/timeline", {}, sender) == 403
    assert status(desk, "api/contents", {}, sender) == 403
    opened, xsrf = guest(desk)
    body = json.dumps({"notebook": "a.ipynb", "view": "v", "said": None}).encode()
    held = {"X-XSRFToken": xsrf, "Content-Type": "application/json"}
    request = urllib.request.Request(desk.url("nbdurable/timeline"), body, held)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        opened.open(request, timeout=60)


def test_a_store_elsewhere_takes_nothing(
    desk: Desk, sender: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address is good for a store below the server's folder, and for none outside."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(desk.folder.parent / "home" / "data"))
    story = Story()
    story.opens()
    answered = []
    for folder in (desk.folder / "near", tmp_path):
        with closing(nbdurable_store.open(folder / ".nbdurable")) as store:
            story.into(store)
        hook = hook_for(story, store=str(folder / ".nbdurable"), until_us=2**60)
        token = keys.hook_token(bytes(32), story.run, str(folder))
        hooks.keep(hook, token)
        answered.append(post(desk, f"nbdurable/hook/{token}", 1, sender))
    near, outside = answered
    assert near[0] == 200
    assert outside == post(desk, "nbdurable/hook/x", 1, sender)


# ---- without a server --------------------------------------------------------------------


def hook_for(story: Story, **more: object) -> Hook:
    """An address for what a story waits for."""
    told = {"store": "/s", "run": story.run, "name": "paid", "draw": "d1"}
    times = {"made_us": story.us, "until_us": story.us + 10**12}
    return Hook(**{**told, **times, **more})  # type: ignore[arg-type]


def waits(story: Story, deadline_us: int = 0) -> str:
    """A step of the story that waits."""
    wait = Wait(kind=WaitKind.SIGNAL, text="paid", deadline_us=deadline_us).plain()
    step = story.step("pay")
    story.begins(step, "nd.wait_for('paid')", kind="signal", wait=wait)
    return step


def test_how_long_an_address_is_good() -> None:
    """Before its wait and during it; not after it, and not in a run that is closed."""
    story = Story()
    story.opens()
    hook = hook_for(story)
    assert not hooks.over(hook, story.history(), story.us)
    assert hooks.over(hook, story.history(), hook.until_us)
    waits(story, deadline_us=story.us + 1_000_000)
    assert not hooks.over(hook, story.history(), story.us)
    assert hooks.over(hook, story.history(), story.us + 1_000_000)
    story.append("run.closed", {}, subject=story.run)
    assert hooks.over(hook, story.history(), story.us)


def test_a_signal_that_was_sent_uses_the_address() -> None:
    """The journal says that it was used, whoever looks."""
    story = Story()
    story.opens()
    hook = hook_for(story)
    fields = {"to": "", "name": "paid", "by": "", "via": "webhook"}
    story.append("signal.sent", fields, subject=hook.signal)
    assert hooks.over(hook, story.history(), story.us)


def test_a_rate_fills_up_again() -> None:
    """After a burst a sender is allowed as many as time has passed for."""
    clock = Hand()
    rates = Rates(clock)
    assert all(rates.allow("a") for _ in range(BURST))
    assert not rates.allow("a")
    assert rates.allow("b")
    clock.go(0.2)
    assert rates.allow("a")
    assert not rates.allow("a")
